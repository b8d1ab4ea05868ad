"""Who has whom, and since when; taken away by a manager. Cards that were skipped, calls nobody told of."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Body, Query
from pydantic import Field

from calling.handout import seizing
from calling.views import who_has_whom as views
from web.api.common import MOST, Asked, Id, Instant, Model, Page, TheApp, Words, page_of_leases
from web.api.docs import answers, example
from web.api.walls import MayStillRing, patience
from web.keys import Manager
from wiring.metrics import timed

router = APIRouter(prefix="/holders", tags=["holders"])


class Whom(Model):
    """Which customer, with whom, where. `kind`: seller or dialer; `connected_to`: whom it put through to."""

    id: UUID = Field(description="Of the lease.")
    assignment_id: int
    assignment: str
    segment_id: int
    segment: str
    kind: Literal["seller", "dialer"]
    holder_id: int
    holder: str
    connected_to: str | None
    customer_id: int
    external_id: str
    customer: str


class Held(Whom):
    """A live lease. `since`: of its state."""

    state: Literal["offered", "taken", "rung", "wrap_up"]
    sent: bool = Field(description="Offered outside: only its dialer can give it back.")
    since: Instant
    ring_by: Instant
    expires_at: Instant = Field(description="When it ends by itself.")
    flagged: str | None = Field(description="What an earlier call came to, told since this one began.")
    wanted_back: str | None = Field(description="Why its dialer was asked to give it back; unanswered yet.")


class Ended(Whom):
    """A lease that came to no outcome. `ended_author` null: its holder ended it, or time did."""

    rung_at: Instant | None
    ended_at: Instant
    ended_author: str | None
    ended_reason: str | None


class AskedHeld(Asked):
    """Whose."""

    assignment_id: Id | None = None
    seller_id: Id | None = None
    dialer_id: Id | None = None
    listed: bool = Field(True, description="false: without those that only wait in a list or queue.")


class Release(Model):
    """Which leases to take away, and why: who held them reads it."""

    leases: list[UUID] = Field(min_length=1, max_length=MOST)
    reason: Words
    even_rung: bool = Field(
        False, description="Those that ring, talk or are in wrap-up too: what came of them is then unknown."
    )


class Seized(Model):
    """What became of each."""

    back: list[UUID] = Field(description="Unrung, and free again.")
    rung: list[UUID] = Field(description="They ring, talk or are in wrap-up, and go on.")
    given_up: list[UUID] = Field(description="They had rung and ended all the same; a late word counts.")
    unknown: list[MayStillRing] = Field(description="Their dialer has not answered yet.")
    over: list[UUID] = Field(description="They had ended before, or never were.")


LEASE = "019cad9a-2c00-7c3e-9d0a-0c0ffee00001"
WHOM: dict[str, Any] = {
    "id": LEASE, "assignment_id": 1, "assignment": "Deposits", "segment_id": 3, "segment": "Savers",
    "kind": "seller", "holder_id": 7, "holder": "Ana", "connected_to": None, "customer_id": 1841,
    "external_id": "bm-01841", "customer": "Customer 1841",
}  # fmt: skip
HELD = WHOM | {
    "state": "wrap_up", "sent": False, "since": "2026-03-02T12:04:10Z", "ring_by": "2026-03-02T19:59:00Z",
    "expires_at": "2026-03-02T12:06:10Z", "flagged": None, "wanted_back": None,
}  # fmt: skip
SKIPPED = WHOM | {
    "rung_at": None, "ended_at": "2026-03-02T12:00:05Z", "ended_author": None,
    "ended_reason": "I know them privately",
}  # fmt: skip
UNTOLD = WHOM | {
    "rung_at": "2026-03-02T12:00:05Z", "ended_at": "2026-03-02T13:00:05Z", "ended_author": None,
    "ended_reason": None,
}  # fmt: skip
RELEASE = {"leases": [LEASE], "reason": "shift is over", "even_rung": False}
SEIZED = {"back": [LEASE], "rung": [], "given_up": [], "unknown": [], "over": []}


@router.get("", response_model=Page[Held],
            responses=answers({"items": [HELD], "next": None}, errors=[422]))  # fmt: skip
def holders(app: TheApp, holder: Manager, asked: Annotated[AskedHeld, Query()]) -> dict[str, Any]:
    """Who has whom, where and since when; the oldest first."""
    with app.work(holder.crm_id) as work:
        return page_of_leases(
            "holders", asked, views.FIRST,
            lambda after, most: views.who_has_whom(
                work, after, most, assignment_id=asked.assignment_id, seller_id=asked.seller_id,
                dialer_id=asked.dialer_id, listed=asked.listed,
            ),
        )  # fmt: skip


@router.post("/release", response_model=Seized, responses=answers(SEIZED, errors=[409, 422]))
def release(app: TheApp, holder: Manager, body: Annotated[Release, Body(**example(RELEASE))]) -> Seized:
    """Take customers away from whoever holds them. Who had one on the screen is told, and why. Twice is once.

    Waits up to `recall_wait` (1 s of wall time) for dialers. A seller who stays available may be dealt the
    same customer again: say that they are away first.
    """
    with timed("seize"):
        done = seizing.seize(
            app.opener(holder.crm_id), body.leases, author=holder.author, reason=body.reason,
            even_rung=body.even_rung, patience=patience(app),
        )  # fmt: skip
    return Seized(
        back=done.back, rung=done.rung, given_up=done.given_up, over=done.over,
        unknown=[MayStillRing(lease_id=lease, until=until) for lease, until in done.unknown],
    )  # fmt: skip


@router.get("/skipped", response_model=Page[Ended],
            responses=answers({"items": [SKIPPED], "next": None}, errors=[422]))  # fmt: skip
def skipped(app: TheApp, holder: Manager, asked: Annotated[Asked, Query()]) -> dict[str, Any]:
    """Which cards sellers skipped within a week, and why; the last first."""
    with app.work(holder.crm_id) as work:
        return page_of_leases(
            "skipped", asked, views.LAST, lambda before, most: views.skipped(work, before, most)
        )


@router.get("/unconfirmed", response_model=Page[Ended],
            responses=answers({"items": [UNTOLD], "next": None}, errors=[422]))  # fmt: skip
def unconfirmed(app: TheApp, holder: Manager, asked: Annotated[Asked, Query()]) -> dict[str, Any]:
    """Calls of a week of which nobody told what they came to; the last first.

    Whoever knows reports it (`POST /outcomes`): a late word counts, and the customer goes where it says.
    """
    with app.work(holder.crm_id) as work:
        return page_of_leases(
            "unconfirmed", asked, views.LAST, lambda before, most: views.unconfirmed(work, before, most)
        )
