"""An assignment's own gap and attempts: changed with a reason; who changed them."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Query
from pydantic import Field

from calling.limits import own
from web import cursors
from web.about import about
from web.api.common import LARGEST, Asked, Instant, Model, PathId, TheApp, Words
from web.api.docs import answers, example
from web.keys import Manager

router = APIRouter(tags=["limits"])


class WantedGap(Model):
    """How long whoever the assignment rings is left in peace, before its ring and after it."""

    seconds: int = Field(ge=0, le=30 * 86_400, description="Of two assignments the longer counts.")
    reason: Words


class WantedAttempts(Model):
    """How many attempts a customer has in the assignment."""

    most: int = Field(ge=1, le=own.MOST_ATTEMPTS)
    reason: Words


class Changed(Model):
    """What it was and is. `changed` false: it was so before, and nothing was written."""

    before: int
    after: int
    changed: bool


class Change(Model):
    """Somebody changed it. `gap` in seconds. `followed`: whom it concerns is stamped by now."""

    id: int
    deed: Literal["gap", "attempts"]
    assignment_id: int
    assignment: str
    before: int
    after: int
    reason: str
    author: str
    changed_at: Instant
    walled_at: Instant | None = Field(description="From then on nobody is rung by what was before.")
    followed: bool


class Changes(Model):
    """One page of changes, the last first."""

    items: list[Change]
    next: str | None = Field(description="Pass it as `cursor` to get the next page; null on the last one.")


class AskedChanges(Asked):
    """Of which assignment."""

    assignment_id: int | None = Field(None, ge=1, le=LARGEST, description="Null: of all.")


GAP: dict[str, Any] = {"seconds": 5400, "reason": "complaints"}
ATTEMPTS: dict[str, Any] = {"most": 5, "reason": "they do not want more"}
CHANGE: dict[str, Any] = {
    "id": 7, "deed": "gap", "assignment_id": 1, "assignment": "Loans", "before": 3600, "after": 5400,
    "reason": "complaints", "author": "Kari", "changed_at": "2026-03-02T12:00:00Z",
    "walled_at": "2026-03-02T12:00:00Z", "followed": True,
}  # fmt: skip
ERRORS = [404, 409, 422]


@router.put("/assignments/{assignment_id}/gap", response_model=Changed,
            responses=answers({"before": 3600, "after": 5400, "changed": True}, errors=ERRORS))  # fmt: skip
def set_gap(
    app: TheApp, holder: Manager, assignment_id: PathId, body: Annotated[WantedGap, Body(**example(GAP))]
) -> Changed:
    """Say how long lies between two rings to a person at least, whichever assignment rang before.

    Promised calls are exempt. When this answers, nobody is rung inside it; lists follow within moments.
    """
    with about(assignment=assignment_id):
        done = own.set_gap(
            app.opener(holder.crm_id), assignment_id, body.seconds, reason=body.reason, author=holder.author
        )
    return _told(done)


@router.put("/assignments/{assignment_id}/max-attempts", response_model=Changed,
            responses=answers({"before": 8, "after": 5, "changed": True}, errors=ERRORS))  # fmt: skip
def set_attempts(
    app: TheApp, holder: Manager, assignment_id: PathId,
    body: Annotated[WantedAttempts, Body(**example(ATTEMPTS))],
) -> Changed:  # fmt: skip
    """Say how many attempts a customer has. Who has had them is called no more but for promised calls.

    Nobody is closed or opened by it: who was closed by the last of fewer attempts stays closed.
    """
    with about(assignment=assignment_id):
        done = own.set_attempts(
            app.opener(holder.crm_id), assignment_id, body.most, reason=body.reason, author=holder.author
        )
    return _told(done)


@router.get("/limits/changes", response_model=Changes,
            responses=answers({"items": [CHANGE], "next": None}, errors=[422]))  # fmt: skip
def changes(app: TheApp, holder: Manager, asked: Annotated[AskedChanges, Query()]) -> dict[str, Any]:
    """Who changed gaps and attempts, when, from what to what and why: the last change first."""
    before = cursors.decode("own_changes", asked.cursor)
    with app.work(holder.crm_id) as work:
        rows = own.own_changes(work, asked.assignment_id, asked.limit + 1, before_id=before or own.LATEST)
    items = [{name: getattr(row, name) for name in Change.model_fields} for row in rows[: asked.limit]]
    more = len(rows) > asked.limit
    return {"items": items, "next": cursors.encode("own_changes", rows[asked.limit - 1].id) if more else None}


def _told(done: own.Changed) -> Changed:
    return Changed(before=done.before, after=done.after, changed=done.change_id is not None)
