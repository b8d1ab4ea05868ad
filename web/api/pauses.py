"""Pauses: stop a segment, an assignment, a seller, a dialer or the whole CRM, and let go again (P2)."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body
from pydantic import Field

from calling.views import browse
from calling.walls.pause import pause, resume
from models.ends import LONGEST_PAUSE, check_end
from web.about import about
from web.api.common import AskedInstant, Id, Instant, Model, Page, Paging, PathId, TheApp, Words, page
from web.api.docs import answers, example
from web.api.walls import AIR, InTheAir, Lifted, in_the_air, patience
from web.keys import Manager
from wiring.metrics import timed

router = APIRouter(prefix="/pauses", tags=["pauses"])

Scope = Literal["crm", "assignment", "segment", "seller", "dialer"]


class NewPause(Model):
    """What to stop, why, and until when."""

    scope: Scope
    target_id: Id | None = Field(None, description="Of the segment, ...; null for the whole CRM.")
    reason: Words
    ends_at: AskedInstant | None = Field(None, description="It lifts itself then; null: until it is resumed.")


class Pause(Model):
    """A standing pause."""

    id: int
    scope: Scope
    target_id: int | None
    target: str | None = Field(description="The name of what it stops.")
    reason: str
    author: str
    started_at: Instant
    ends_at: Instant | None
    walled_at: Instant | None = Field(description="From then on it is a wall; null while it is being raised.")


class Paused(Model):
    """The pause stands: nothing of its scope is offered, taken or rung, except what is named here."""

    id: int
    in_the_air: InTheAir


NEW = {"scope": "segment", "target_id": 3, "reason": "wrong script", "ends_at": "2026-03-02T13:00:00Z"}
STOPPED = {"id": 12, "in_the_air": AIR}
STANDING: dict[str, Any] = {
    "id": 12, "scope": "segment", "target_id": 3, "target": "Loans", "reason": "wrong script",
    "author": "Kari", "started_at": "2026-03-02T12:00:00Z", "ends_at": "2026-03-02T13:00:00Z",
    "walled_at": "2026-03-02T12:00:00Z",
}  # fmt: skip


@router.post("", status_code=201, response_model=Paused,
             responses=answers(STOPPED, status=201, errors=[404, 409, 422]))  # fmt: skip
def stop(app: TheApp, holder: Manager, body: Annotated[NewPause, Body(**example(NEW))]) -> Paused:
    """Pause. When this answers, nothing of the scope is handed out, except what the answer names.

    Waits up to `recall_wait` (1 s of wall time) for dialers to confirm; who has not is listed as unknown.
    """
    check_end("ends_at", body.ends_at, app.now(), LONGEST_PAUSE)
    open_work = app.opener(holder.crm_id)
    assignment_id = body.target_id if body.scope == "assignment" else None
    with timed("pause"), about(assignment=assignment_id):
        answer = pause(
            open_work, body.scope, body.target_id, reason=body.reason, author=holder.author,
            ends_at=body.ends_at, patience=patience(app),
        )  # fmt: skip
    with open_work() as work:
        pause_id = browse.last_pause(work, body.scope, body.target_id)
    return Paused(id=pause_id, in_the_air=in_the_air(answer))


@router.get("", response_model=Page[Pause],
            responses=answers({"items": [STANDING], "next": None}, errors=[422]))  # fmt: skip
def standing(app: TheApp, holder: Manager, asked: Paging) -> dict[str, Any]:
    """The standing pauses, oldest first."""
    with app.work(holder.crm_id) as work:
        return page("pauses", asked, lambda after, most: browse.pauses(work, after, most))


@router.delete("/{pause_id}", response_model=Lifted,
               responses=answers({"lifted": 1}, errors=[404, 409, 422]))  # fmt: skip
def go_on(app: TheApp, holder: Manager, pause_id: PathId) -> Lifted:
    """Resume: lift this pause, and any other that stands on the same target, so that work goes on."""
    open_work = app.opener(holder.crm_id)
    with open_work() as work:
        found = browse.pause(work, pause_id)
    return Lifted(lifted=resume(open_work, found.scope, found.target_id, author=holder.author))
