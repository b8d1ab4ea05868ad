"""Rebuilds: watch customers move to where the rules put them. And the rules that cannot be read."""

from typing import Any, Literal

from fastapi import APIRouter
from pydantic import Field

from calling.segments import alarms
from calling.views import browse
from calling.views import rebuilds as views
from web.api.common import Instant, Model, Page, Paging, PathId, TheApp, page
from web.api.docs import answers
from web.keys import Manager

router = APIRouter(prefix="/assignments", tags=["assignments"])


class Rebuild(Model):
    """One rebuild, as it is now. At most one is pending, and one running, in an assignment."""

    id: int
    assignment_id: int
    state: Literal["pending", "running", "done", "superseded"] = Field(
        description="superseded: newer rules came, and their own rebuild goes on from there."
    )
    reason: str
    rule_version: int | None = Field(description="The rules that it goes by; null until it has begun.")
    requested_at: Instant
    started_at: Instant | None
    finished_at: Instant | None
    scanned: int | None = Field(description="Customers looked at.")
    differing: int | None = Field(description="Of these, who was not in the segment, or had not the labels.")
    settled: int | None = Field(description="Of these, who is and has by now.")
    moved: int | None = Field(description="Of these, who came to another segment; the others changed labels.")
    share: float = Field(description="How far it is, from 0 to 1.")
    ends_at: Instant | None = Field(description="If it goes on like this; null while nobody can say.")


class BrokenRule(Model):
    """A rule that cannot be read. The last form of it that can is in force instead, and the others go on."""

    kind: Literal["segment", "label"]
    id: int
    key: str
    name: str
    why: str
    stands_in: int | None = Field(
        description="The version of the form in force; null: nobody meets the rule."
    )
    found_at: Instant


class BrokenRules(Model):
    """Every rule of the assignment that cannot be read, the oldest alarm first. Empty is well."""

    items: list[BrokenRule]


REBUILD: dict[str, Any] = {
    "id": 41, "assignment_id": 1, "state": "running", "reason": "rules version 5", "rule_version": 5,
    "requested_at": "2026-03-02T12:00:00Z", "started_at": "2026-03-02T12:00:00Z", "finished_at": None,
    "scanned": 45211, "differing": 20000, "settled": 8000, "moved": 7410, "share": 0.4,
    "ends_at": "2026-03-02T12:00:03Z",
}  # fmt: skip
BROKEN: dict[str, Any] = {
    "kind": "segment", "id": 3, "key": "seniors", "name": "Seniors",
    "why": '"ge" does not go with age, a text: it takes eq, ne, in, not_in', "stands_in": 4,
    "found_at": "2026-03-02T12:00:00Z",
}  # fmt: skip


@router.get("/{assignment_id}/rebuilds", response_model=Page[Rebuild],
            responses=answers({"items": [REBUILD], "next": None}, errors=[404, 422]))  # fmt: skip
def rebuilds(app: TheApp, holder: Manager, assignment_id: PathId, asked: Paging) -> dict[str, Any]:
    """The assignment's rebuilds, the newest first."""
    with app.work(holder.crm_id) as work:
        browse.assignment(work, assignment_id)
        return page("rebuilds", asked, lambda before, most: views.rebuilds(work, assignment_id, before, most))


@router.get("/{assignment_id}/rebuilds/{rebuild_id}", response_model=Rebuild,
            responses=answers(REBUILD, errors=[404, 422]))  # fmt: skip
def rebuild(app: TheApp, holder: Manager, assignment_id: PathId, rebuild_id: PathId) -> views.Rebuild:
    """How far one rebuild is. One row is read: asking once a second is cheap."""
    with app.work(holder.crm_id) as work:
        return views.rebuild(work, assignment_id, rebuild_id)


@router.get("/{assignment_id}/rules/broken", response_model=BrokenRules,
            responses=answers({"items": [BROKEN]}, errors=[404, 422]))  # fmt: skip
def broken_rules(app: TheApp, holder: Manager, assignment_id: PathId) -> dict[str, Any]:
    """The rules that cannot be read, since when and why, and what is in force in their place."""
    with app.work(holder.crm_id) as work:
        browse.assignment(work, assignment_id)
        return {"items": alarms.alarms(work, assignment_id)}
