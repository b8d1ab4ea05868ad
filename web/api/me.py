"""The holder of the key: who they are, what time it is for them, and a seller's next customer."""

from functools import partial
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Body, Query, Request
from pydantic import Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from calling.handout import hand_out, presence
from calling.hours.opening import openings
from calling.views import browse
from web.about import about
from web.api.common import Instant, Model, TheApp, TheDesks
from web.api.docs import answers, example
from web.api.presence_models import THERE, WANTED, PresenceNow, WantedPresence
from web.desks import LONGEST_WAIT, Where
from web.keys import Anybody, Holder, SellerOnly, gone
from wiring.app import App
from wiring.metrics import timed

router = APIRouter(tags=["me"])

_SOON, _LATEST = 1, 3600  # wall seconds that Retry-After says when nobody can be rung
_WAITS = (
    "Wall seconds: hold the answer back until there is a customer. Answered at once while hours are shut."
)


class Me(Model):
    """Who holds the key. A seller's presence and work; a dialer's work."""

    role: Literal["manager", "seller", "dialer"]
    label: str
    owner: str
    crm_id: int
    crm: str
    region: str
    id: int | None = Field(None, description="The seller's or dialer's own id.")
    name: str | None = None
    presence: Literal["available", "away"] | None = None
    presence_since: Instant | None = None
    reason: str | None = Field(None, description="Why a seller is away, and until when, as far as was said.")
    back_at: Instant | None = None
    said_by: str | None = Field(None, description="Who said it for them; null: they themselves.")
    assignment_id: int | None = None
    segment_id: int | None = None


class Clock(Model):
    """Business time as a line over wall time: `business_at` was true at `wall_at`, and runs at `speed`."""

    now: Instant
    business_at: Instant
    wall_at: Instant
    speed: float


class HandOut(Model):
    """A customer on a seller's screen. Ring `e164` after `POST /leases/{lease_id}/ring`."""

    lease_id: UUID
    state: str
    assignment_id: int
    segment_id: int
    customer_id: int
    external_id: str
    name: str
    e164: str
    zone: str = Field(description="The customer's reckoning zone.")
    status: str
    attempts: int
    fields: dict[str, Any]
    ring_by: Instant = Field(description="It may not ring from here on.")
    expires_at: Instant = Field(description="Without a ring they go back to the list then.")
    promised_at: Instant | None = Field(None, description="This call was promised them for then.")
    promise_note: str | None = None
    flagged: str | None = Field(
        None, description="What an earlier call of theirs came to, told since this one began: look first."
    )
    hot_at: Instant | None = Field(None, description="Since then they are a hot lead: ring at once.")
    hot_reason: str | None = None


ME = {
    "role": "seller", "label": "Ana", "owner": "Demo bank", "crm_id": 1, "crm": "Private customers",
    "region": "PT", "id": 7, "name": "Ana", "presence": "available",
    "presence_since": "2026-03-02T08:58:00Z", "reason": None, "back_at": None, "said_by": None,
    "assignment_id": 1, "segment_id": None,
}  # fmt: skip
CLOCK = {
    "now": "2026-03-02T12:00:00Z", "business_at": "2026-03-02T08:00:00Z",
    "wall_at": "2026-11-21T22:00:00Z", "speed": 60.0,
}  # fmt: skip
CARD = {
    "lease_id": "019cad9a-2c00-7c3e-9d0a-0c0ffee00001", "state": "taken", "assignment_id": 1, "segment_id": 3,
    "customer_id": 1841, "external_id": "bm-01841", "name": "Customer 1841", "e164": "+351912345678",
    "zone": "Europe/Lisbon", "status": "new", "attempts": 0, "fields": {"age": 41, "job": "technician"},
    "ring_by": "2026-03-02T19:59:00Z", "expires_at": "2026-03-02T12:15:00Z",
}  # fmt: skip


@router.get("/me", response_model=Me, responses=answers(ME, errors=[404]))
def me(app: TheApp, holder: Anybody) -> dict[str, Any]:
    """Who holds this key."""
    about: dict[str, Any] = {
        "role": holder.role, "label": holder.label, "owner": holder.owner,
        "crm_id": holder.crm_id, "crm": holder.crm, "region": holder.region,
    }  # fmt: skip
    with app.work(holder.crm_id) as work:
        if holder.role == "seller":
            about |= browse.seller(work, holder.seller_id)._mapping
        if holder.role == "dialer":
            found = browse.dialer(work, holder.dialer_id)
            about |= {"id": found.id, "name": found.name, "assignment_id": found.assignment_id}
    return about


@router.get("/clock", response_model=Clock, responses=answers(CLOCK))
def clock(app: TheApp, _: Anybody) -> dict[str, Any]:
    """Business time. Foreign dialers and pages keep their own clock by it."""
    return {"now": app.now(), **app.clock.base().served()}


@router.put("/me/presence", response_model=PresenceNow, responses=answers(THERE, errors=[404, 409, 422]))
def be(
    app: TheApp, holder: SellerOnly, body: Annotated[WantedPresence, Body(**example(WANTED))]
) -> presence.Presence:
    """Become available for an assignment, or one segment of it, or go away: why, and until when.

    Whoever goes away, or to other work, gives back what they hold unrung. While they are off for the day,
    what they promised is everybody's from its time on.
    """
    with about(assignment=body.assignment_id), app.work(holder.crm_id) as work:
        return presence.be(
            work, _seller(holder), body.presence, assignment_id=body.assignment_id,
            segment_id=body.segment_id, said=body.absence(),
        )  # fmt: skip


@router.post(
    "/me/next",
    response_model=HandOut,
    responses={
        **answers(
            CARD, errors=[404, 409, 422], says="The customer, taken. The same again while one is held."
        ),
        204: {
            "description": "Nobody can be rung now.",
            "headers": {
                "Retry-After": {"description": "Wall seconds.", "schema": {"type": "integer"}},
                "Next-Opening": {
                    "description": "When the first hours open (business time), if all are shut.",
                    "schema": {"type": "string", "format": "date-time"},
                },
            },
        },
    },
)
async def next_one(
    app: TheApp, holder: SellerOnly, desks: TheDesks, request: Request,
    wait: Annotated[float, Query(ge=0, le=LONGEST_WAIT, description=_WAITS)] = 0,
) -> Any:  # fmt: skip
    """Take the next customer. Two tabs of one seller are shown the same one."""
    ask = partial(_ask, app, holder)
    headers: dict[str, str] = {}
    card = await run_in_threadpool(ask)
    if card is None:
        headers, where = await run_in_threadpool(_when_to_ask_again, app, holder)
        if wait and "Next-Opening" not in headers:
            seller = (holder.crm_id, _seller(holder))
            card = await desks.wait_for(seller, where, ask, wait, partial(gone, request))
    if card is None:
        return Response(status_code=204, headers=headers)
    with about(lease=card.lease_id, assignment=card.assignment_id):
        return card


def _ask(app: App, holder: Holder) -> hand_out.HandOut | None:
    with timed("next"):
        return hand_out.next_customer(app.opener(holder.crm_id), _seller(holder))


def _when_to_ask_again(app: App, holder: Holder) -> tuple[dict[str, str], Where]:
    """Soon, or once any hours of their assignment open; and what they work."""
    with app.work(holder.crm_id) as work:
        hours, seller = openings(work), browse.seller(work, holder.seller_id)
        assignment_id, where = seller.assignment_id, (holder.crm_id, seller.assignment_id, seller.segment_id)
        opens_at = (
            None if hours.any_open(work.now, assignment_id) else hours.next_of_all(work.now, assignment_id)
        )
    if opens_at is None:
        return {"Retry-After": str(_SOON)}, where
    away = app.clock.wall_seconds_until(opens_at)
    wait = _LATEST if away is None else min(max(round(away), _SOON), _LATEST)
    return {"Retry-After": str(wait), "Next-Opening": opens_at.isoformat()}, where


def _seller(holder: Holder) -> int:
    assert holder.seller_id is not None  # noqa: S101 - keys of sellers name their seller
    return holder.seller_id
