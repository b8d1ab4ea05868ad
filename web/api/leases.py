"""A customer held by a seller: the moment of the ring, giving back, and what came of it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Body
from pydantic import Field
from sqlalchemy import Row

from calling.dialers.laying_aside import lay_reports
from calling.follow_ups.asking import Wish, check_promises
from calling.handout import ring, skipping, wrapping
from calling.outcomes import outcome
from calling.views import browse
from models.errors import BadInput, NotFound
from models.outcomes import Outcome
from models.work import Work
from web.about import about
from web.api.common import AskedInstant, Instant, Model, TheApp, Words
from web.api.docs import answers, example
from web.api.follow_up_models import Promise, Promised
from web.keys import Caller, Holder, SellerOnly
from wiring.app import App
from wiring.logs import bound
from wiring.metrics import timed

router = APIRouter(prefix="/leases/{lease_id}", tags=["leases"])

DAY_OF_TALK = 86_400
CLOCKS_DIFFER = timedelta(minutes=2)
"""Business time by which a dialer's clock may run ahead of ours."""


class Ring(Model):
    """The last look was good: ring this number now, and never after `ring_by`."""

    lease_id: UUID
    e164: str
    ring_by: Instant
    rung_at: Instant


class WrapUp(Model):
    """The call is over. Without an outcome by `expires_at` the seller is free, and a late word counts."""

    lease_id: UUID
    wrap_up_at: Instant
    expires_at: Instant


class Skip(Model):
    """Why they are not rung now."""

    reason: Words


class Skipped(Model):
    """What the customer is now: resting, or promised a call, until `due_at`; or what came meanwhile."""

    lease_id: UUID
    state: str
    due_at: Instant | None


class Result(Model):
    """What a call came to."""

    outcome: Outcome
    talk_seconds: int | None = Field(None, strict=True, ge=0, le=DAY_OF_TALK)
    rung_at: AskedInstant | None = Field(
        None, description="When it rang, if it was not asked through the API; not in the future."
    )
    promise: Promise | None = Field(None, description="With `follow_up`, and only then: for when.")


class Recorded(Model):
    """What came of a report. A second one of the same lease changes nothing: `again`."""

    lease_id: UUID
    kind: Literal["first", "completion", "again", "orphan"]
    late: bool = Field(description="It came after its lease had ended; it counts all the same.")
    state: str | None = Field(description="Of the customer in the assignment, afterwards.")
    status: str | None
    later_lease: UUID | None = Field(description="A later lease of the customer, made before this was told.")
    later_is: Literal["recalled", "flagged", "wanted_back"] | None = Field(
        None,
        description="What became of it. recalled: it was only offered. flagged: it is on a screen or rings; "
        "whoever has it is told. wanted_back: its dialer was asked. null: it had ended.",
    )
    suppressed: bool = Field(description="The customer and the number are on the do-not-call list now.")
    promised: Promised | None = Field(None, description="The call that is promised now, and when it will be.")


RING = {
    "lease_id": "019cad9a-2c00-7c3e-9d0a-0c0ffee00001", "e164": "+351912345678",
    "ring_by": "2026-03-02T19:59:00Z", "rung_at": "2026-03-02T12:00:05Z",
}  # fmt: skip
WRAP_UP = {
    "lease_id": "019cad9a-2c00-7c3e-9d0a-0c0ffee00001", "wrap_up_at": "2026-03-02T12:04:10Z",
    "expires_at": "2026-03-02T12:06:10Z",
}  # fmt: skip
SKIP = {"reason": "I know them privately"}
SKIPPED = {
    "lease_id": "019cad9a-2c00-7c3e-9d0a-0c0ffee00001", "state": "resting", "due_at": "2026-03-02T12:10:05Z",
}  # fmt: skip
RESULT = {"outcome": "no_sale", "talk_seconds": 184}
RECORDED: dict[str, Any] = {
    "lease_id": "019cad9a-2c00-7c3e-9d0a-0c0ffee00001", "kind": "first", "late": False, "state": "closed",
    "status": "no_sale", "later_lease": None, "later_is": None, "suppressed": False, "promised": None,
}  # fmt: skip


@router.post("/ring", response_model=Ring, responses=answers(RING, errors=[404, 409, 422]))
def ring_now(app: TheApp, holder: SellerOnly, lease_id: UUID) -> ring.Ring:
    """The moment before the telephone rings: window, pause, do-not-call and limits are looked at once more.

    409 names the gate that is shut, and until when. Ringing twice is one ring.
    """
    with timed("ring"), own_lease(app, holder, lease_id) as work:
        return ring.ring(work, lease_id, holder.seller_id or 0)


@router.post("/release", status_code=204, responses=answers(status=204, errors=[404, 409, 422]))
def release(app: TheApp, holder: SellerOnly, lease_id: UUID) -> None:
    """Give the customer back unrung. Giving back twice is once."""
    with timed("release"), own_lease(app, holder, lease_id) as work:
        ring.release(work, lease_id, holder.seller_id or 0)


@router.post("/skip", response_model=Skipped, responses=answers(SKIPPED, errors=[404, 409, 422]))
def skip(
    app: TheApp, holder: SellerOnly, lease_id: UUID, body: Annotated[Skip, Body(**example(SKIP))]
) -> skipping.Skipped:
    """Give the customer back unrung, and let them rest a while: they are not the next card. Twice is once.

    A promised call moves by as much, and stays its owner's. Managers read who skips whom, and why.
    """
    with timed("skip"), own_lease(app, holder, lease_id) as work:
        return skipping.skip(work, lease_id, holder.seller_id or 0, body.reason)


@router.post("/hang-up", response_model=WrapUp, responses=answers(WRAP_UP, errors=[404, 409, 422]))
def hang_up(app: TheApp, holder: SellerOnly, lease_id: UUID) -> wrapping.WrapUp:
    """The conversation is over: wrap-up begins, and its limit runs. Hanging up twice is once."""
    with timed("hang_up"), own_lease(app, holder, lease_id) as work:
        return wrapping.hang_up(work, lease_id, holder.seller_id or 0)


@router.post("/outcome", response_model=Recorded, responses=answers(RECORDED, errors=[404, 409, 422]))
def report(
    app: TheApp, holder: Caller, lease_id: UUID, body: Annotated[Result, Body(**example(RESULT))]
) -> outcome.Recorded:
    """Report what came of a lease of one's own, however late. Safe to repeat: the first report counts.

    What is said of a lease that is not one's own is kept for a manager to look at (`GET /set-aside`).
    """
    refuse_future(app, body)
    refuse_promises(app, holder, {lease_id: body})
    by: Literal["seller", "dialer"] = "seller" if holder.role == "seller" else "dialer"
    said = outcome.Report(lease_id, body.outcome, by, body.talk_seconds, body.rung_at, wish_of(body))
    with timed("outcome"):
        try:
            with own_lease(app, holder, lease_id) as work:
                recorded = outcome.record(work, [said])
        except NotFound:
            with app.work(holder.crm_id) as work:
                lay_reports(work, holder.dialer_id, [(lease_id, told_of(body))], told_by=holder.author)
            raise
        with bound(lease=lease_id):
            recorded = outcome.afterwards(app.opener(holder.crm_id), recorded)
    return recorded[0]


def told_of(result: Result) -> dict[str, Any]:
    """What is kept of a report that cannot be used: nothing that says who was called."""
    return result.model_dump(mode="json", include={"outcome", "talk_seconds", "rung_at", "by"})


def refuse_future(app: App, result: Result) -> None:
    """A ring that has not been would stop the customer from being called until then. Raises BadInput."""
    now = app.now()
    if result.rung_at is not None and result.rung_at > now + CLOCKS_DIFFER:
        raise BadInput("rung_at: lies in the future; it is business time", rung_at=result.rung_at, now=now)


def refuse_promises(app: App, holder: Holder, results: Mapping[UUID, Result]) -> None:
    """A `follow_up` says for when, and nothing else does; a time that cannot be kept is refused. BadInput."""
    for result in results.values():
        if (result.outcome is Outcome.FOLLOW_UP) != (result.promise is not None):
            raise BadInput("promise: say when with the outcome follow_up, and with no other")
    wishes = {lease: wish for lease, result in results.items() if (wish := wish_of(result)) is not None}
    if wishes:
        with app.work(holder.crm_id) as work:
            check_promises(work, wishes)


def wish_of(result: Result) -> Wish | None:
    """What was promised in the call. Raises BadInput for a day that there is not."""
    return result.promise.wish() if result.promise is not None else None


@contextmanager
def own_lease(app: App, holder: Holder, lease_id: UUID) -> Iterator[Work]:
    """One transaction about a lease of the holder's own; its lines say the lease and its assignment.

    Somebody else's lease is none of theirs to know of: NotFound.
    """
    with about(lease=lease_id), app.work(holder.crm_id) as work:
        lease = browse.leases(work, [lease_id]).get(lease_id)
        if lease is None or not _is_theirs(lease, holder):
            raise NotFound("lease", lease_id)
        with about(assignment=lease.assignment_id):
            yield work


def _is_theirs(lease: Row[Any], holder: Holder) -> bool:
    """Whether they hold it, or a dialer put its call through to them."""
    if holder.role == "seller":
        return holder.seller_id in (lease.seller_id, lease.connected_seller_id)
    return bool(holder.dialer_id == lease.dialer_id)
