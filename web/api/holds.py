"""Holds, and bulk actions: who was put where by hand, why and until when; what is under way."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Body, Query
from pydantic import Field

from calling.segments.bulk import actions
from calling.segments.holding import Held, holds, release
from calling.views import browse
from web.api.common import LARGEST, Asked, Id, Instant, Model, Page, PathId, TheApp, page
from web.api.docs import answers, example
from web.keys import Manager

router = APIRouter(prefix="/assignments/{assignment_id}", tags=["holds"])

MOST_RELEASED = 10_000


class Hold(Model):
    """A customer who is held in a segment, whatever the rules say."""

    customer_id: int
    external_id: str
    name: str
    segment_id: int
    segment: str
    author: str
    reason: str
    created_at: Instant
    expires_at: Instant | None = Field(description="Null: until released.")
    by_rule_id: int = Field(description="The segment that the rules alone would give.")
    by_rule: str


class AskedHolds(Asked):
    """Which holds."""

    segment: int | None = Field(None, ge=1, le=LARGEST, description="Only those in this segment.")


class Release(Model):
    """Whose holds to let go."""

    customers: list[Id] = Field(min_length=1, max_length=MOST_RELEASED)


class Released(Model):
    """How many moved to where the rules say; the others were there already."""

    moved: int


class BulkAction(Model):
    """A deed on many customers. `done` of `customers`; `problem`: why it was given up half way."""

    id: int
    kind: str = Field(description="hold, free, release or wake.")
    segment_id: int | None = Field(description="Where to.")
    of_segment: int | None = Field(description="Of whom; null: of a selection, or of named customers.")
    what: str = Field(description="The selection in words.")
    author: str
    reason: str
    expires_at: Instant | None
    customers: int
    done: int
    changed: int | None = Field(description="Null until it is finished.")
    begun_at: Instant
    finished_at: Instant | None
    problem: str | None


class AskedActions(Asked):
    """Which actions."""

    unfinished: bool = Field(False, description="Only those under way.")


HOLD: dict[str, Any] = {
    "customer_id": 1841, "external_id": "bm-01841", "name": "Customer 1841", "segment_id": 3,
    "segment": "Loans", "author": "Kari", "reason": "campaign", "created_at": "2026-03-02T12:00:00Z",
    "expires_at": "2026-03-06T17:00:00Z", "by_rule_id": 5, "by_rule": "Savers",
}  # fmt: skip
ACTION: dict[str, Any] = {
    "id": 31, "kind": "hold", "segment_id": 3, "of_segment": None, "what": "Job: student, retired",
    "author": "Kari", "reason": "campaign", "expires_at": None, "customers": 510, "done": 400,
    "changed": None, "begun_at": "2026-03-02T12:00:00Z", "finished_at": None, "problem": None,
}  # fmt: skip


@router.get("/holds", response_model=Page[Hold],
            responses=answers({"items": [HOLD], "next": None}, errors=[404, 422]))  # fmt: skip
def held(
    app: TheApp, holder: Manager, assignment_id: PathId, asked: Annotated[AskedHolds, Query()]
) -> dict[str, Any]:
    """The holds in force, by customer."""
    with app.work(holder.crm_id) as work:
        browse.assignment(work, assignment_id)
        found = page(
            "holds", asked,
            lambda after, most: holds(work, assignment_id, after, most, segment_id=asked.segment),
        )  # fmt: skip
    items = [{"customer_id": held.id, **_without_id(held)} for held in found["items"]]
    return {**found, "items": items}


@router.post("/holds/release", response_model=Released,
             responses=answers({"moved": 2}, errors=[404, 409, 422]))  # fmt: skip
def let_go(
    app: TheApp, holder: Manager, assignment_id: PathId,
    body: Annotated[Release, Body(**example({"customers": [1841, 1850]}))],
) -> Released:  # fmt: skip
    """Let go of the holds of these customers; the rules place them again. Whoever has none stays."""
    open_work = app.opener(holder.crm_id)
    with open_work() as work:
        browse.assignment(work, assignment_id)
    return Released(moved=release(open_work, assignment_id, body.customers, author=holder.author))


@router.get("/bulk-actions", response_model=Page[BulkAction],
            responses=answers({"items": [ACTION], "next": None}, errors=[404, 422]))  # fmt: skip
def bulk_actions(
    app: TheApp, holder: Manager, assignment_id: PathId, asked: Annotated[AskedActions, Query()]
) -> dict[str, Any]:
    """Deeds on many customers, oldest first, and how far they are. What a crash left goes on by itself."""
    with app.work(holder.crm_id) as work:
        browse.assignment(work, assignment_id)
        return page(
            "bulk actions", asked,
            lambda after, most: actions(work, assignment_id, after, most, unfinished=asked.unfinished),
        )  # fmt: skip


def _without_id(held: Held) -> dict[str, Any]:
    return {name: value for name, value in asdict(held).items() if name != "id"}
