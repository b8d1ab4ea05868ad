"""Pauses: stop a segment, an assignment, a seller, a dialer or the whole CRM, and let go again (P2).

What stops a data owner's CRMs, or everything, is set and lifted on the machine; here it is seen.
"""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Query
from pydantic import Field

from calling.views import browse
from calling.walls.pause import pause, resume
from models.ends import LONGEST_PAUSE, check_end
from models.errors import Conflict
from models.tables.walls import SHARED_PAUSES
from web.about import about
from web.api.common import Asked, AskedInstant, Id, Instant, Model, Page, PathId, TheApp, Words, page
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
    """A pause; it stands until it ends or is lifted. None is ever rewritten or deleted."""

    id: int
    scope: Literal["crm", "assignment", "segment", "seller", "dialer", "owner", "everything"] = Field(
        description="owner: all CRMs of the data owner; everything: all there are; set on the machine."
    )
    target_id: int | None
    target: str | None = Field(description="The name of what it stops.")
    reason: str
    author: str
    started_at: Instant
    ends_at: Instant | None
    walled_at: Instant | None = Field(description="From then on it is a wall; null while it is being raised.")
    state: Literal["standing", "ended", "lifted"]
    lifted_at: Instant | None
    lifted_by: str | None


class AskedPauses(Asked):
    """Which pauses."""

    state: Literal["standing", "all"] = Field("standing", description="all: with those that are over.")


class Paused(Model):
    """The pause stands: nothing of its scope is offered, taken or rung, except what is named here."""

    id: int
    in_the_air: InTheAir


NEW = {"scope": "segment", "target_id": 3, "reason": "wrong script", "ends_at": "2026-03-02T13:00:00Z"}
STOPPED = {"id": 12, "in_the_air": AIR}
STANDING: dict[str, Any] = {
    "id": 12, "scope": "segment", "target_id": 3, "target": "Loans", "reason": "wrong script",
    "author": "Kari", "started_at": "2026-03-02T12:00:00Z", "ends_at": "2026-03-02T13:00:00Z",
    "walled_at": "2026-03-02T12:00:00Z", "state": "standing", "lifted_at": None, "lifted_by": None,
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
def standing(app: TheApp, holder: Manager, asked: Annotated[AskedPauses, Query()]) -> dict[str, Any]:
    """The pauses that stand, or all that ever stood with who set and who lifted them; oldest first."""
    with app.work(holder.crm_id) as work:
        over_too = asked.state == "all"
        return page("pauses", asked, lambda after, most: browse.pauses(work, after, most, over_too=over_too))


@router.delete("/{pause_id}", response_model=Lifted,
               responses=answers({"lifted": 1}, errors=[404, 409, 422]))  # fmt: skip
def go_on(app: TheApp, holder: Manager, pause_id: PathId) -> Lifted:
    """Resume: lift this pause, and any other that stands on the same target, so that work goes on.

    One of scope owner or everything is lifted on the machine.
    """
    open_work = app.opener(holder.crm_id)
    with open_work() as work:
        found = browse.pause(work, pause_id)
    if found.scope in SHARED_PAUSES:
        raise Conflict(
            f"it stands beyond this CRM: `ringeliste resume {found.scope}` lifts it on the machine"
        )
    return Lifted(lifted=resume(open_work, found.scope, found.target_id, author=holder.author))
