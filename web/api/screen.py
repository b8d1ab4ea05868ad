"""A seller's page: its signs of life, and what is on the screen."""

from typing import Any, Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import Response

from calling.handout import heartbeat
from calling.handout.screen import on_screen
from web.about import about
from web.api.common import Instant, Model, TheApp
from web.api.docs import answers
from web.api.me import CARD, HandOut
from web.keys import SellerOnly
from wiring.clock import wall_now

router = APIRouter(prefix="/me", tags=["me"])


class Alive(Model):
    """How the seller stands, and what is on their screen; `said_by`: who said that they are away."""

    presence: Literal["available", "away"]
    said_by: str | None
    lease_id: UUID | None = Field(description="Null: nobody, or who was on the screen was taken away.")
    state: str | None
    flagged: str | None = Field(
        description="What an earlier call of that customer came to, told since this one began: look first."
    )
    expires_at: Instant | None
    again_in_seconds: int = Field(description="Wall time after which the next sign is awaited.")


ALIVE = {
    "presence": "available", "said_by": None, "lease_id": CARD["lease_id"], "state": "rung", "flagged": None,
    "expires_at": "2026-03-02T13:00:05Z", "again_in_seconds": 20,
}  # fmt: skip


@router.post("/alive", response_model=Alive, responses=answers(ALIVE, errors=[404]))
def alive(app: TheApp, holder: SellerOnly) -> Alive:
    """A sign of life of a seller's page; what it ought to show. Whoever sends none any more is away.

    From the first sign on silence is noticed: the page has died, and the cards go back to the list. A program
    that sends none is not watched.
    """
    with app.work(holder.crm_id) as work:
        told = heartbeat.alive(work, holder.seller_id or 0, wall_now())
    return Alive(
        presence="available" if told.presence == "available" else "away", said_by=told.said_by,
        lease_id=told.lease_id, state=told.state, flagged=told.flagged, expires_at=told.expires_at,
        again_in_seconds=int(heartbeat.EVERY.total_seconds()),
    )  # fmt: skip


@router.get(
    "/lease",
    response_model=HandOut,
    responses={
        **answers(CARD, errors=[404], says="Whom they took, or a dialer put through to them."),
        204: {"description": "Nobody is on the screen."},
    },
)
def screen(app: TheApp, holder: SellerOnly) -> Any:
    """The customer on the screen. Takes nobody: for a page that is opened again, or was told a hint."""
    with app.work(holder.crm_id) as work:
        card = on_screen(work, holder.seller_id or 0)
    if card is None:
        return Response(status_code=204)
    with about(lease=card.lease_id, assignment=card.assignment_id):
        return card
