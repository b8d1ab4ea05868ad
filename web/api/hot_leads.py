"""Hot leads: customers who are rung before all others, now: a web form's answer, a manager's wish."""

from datetime import timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Query
from pydantic import Field

from calling.hot_leads import listing, making
from web.api.common import LARGEST, Asked, Id, Instant, Model, Page, PathId, TheApp, Words, page
from web.api.docs import answers, example
from web.keys import Manager

router = APIRouter(prefix="/hot-leads", tags=["hot-leads"])


class NewHotLeads(Model):
    """Whom to ring before all others, and why: whoever rings them reads the reason."""

    assignment_id: Id
    customer_ids: list[Id] = Field(min_length=1, max_length=making.BATCH)
    reason: Words
    even_closed: bool = Field(
        False, description="Whoever is called no more is promised a call, which is due now."
    )


class Made(Model):
    """What became of one of them. Only `front`, `promised` and `taken` are hot leads now."""

    customer_id: int
    became: Literal["front", "promised", "taken", "talking", "closed", "gone", "unknown"]
    hot_lead_id: int | None
    holder: str | None = Field(description="Who has them on the screen, or rings them at this moment.")
    gate: str | None = Field(description="What stops a call to them now; null: nothing.")
    callable_at: Instant | None = Field(
        description="When time alone will let them be called; null with a `gate`: somebody has to act."
    )


class AllMade(Model):
    """What became of each."""

    hot: int = Field(description="So many of them are hot leads now.")
    customers: list[Made]


class HotLead(Model):
    """A hot lead, waiting or ended."""

    id: int
    assignment_id: int
    customer_id: int
    external_id: str
    name: str
    reason: str
    author: str
    made_at: Instant
    rung_at: Instant | None
    ended_at: Instant | None
    ended_by: Literal["rung", "closed", "cooled"] | None
    state: str = Field(description="Of the customer in the assignment, now.")
    gate: str | None
    holder: str | None = Field(description="Who has them, or rang them.")
    waited_seconds: float = Field(description="Business time until they were rung, or until now.")


class AskedHotLeads(Asked):
    """Which hot leads."""

    which: listing.Which = "open"
    assignment_id: int | None = Field(None, ge=1, le=LARGEST)


NEW = {"assignment_id": 1, "customer_ids": [1841], "reason": "asked on the web page to be called"}
MADE = {
    "hot": 1,
    "customers": [
        {"customer_id": 1841, "became": "front", "hot_lead_id": 12, "holder": None, "gate": None,
         "callable_at": None},
    ],
}  # fmt: skip
LISTED = {
    "id": 12, "assignment_id": 1, "customer_id": 1841, "external_id": "bm-01841", "name": "Customer 1841",
    "reason": "asked on the web page to be called", "author": "Kari", "made_at": "2026-03-02T12:00:00Z",
    "rung_at": None, "ended_at": None, "ended_by": None, "state": "leased", "gate": None, "holder": "Ana",
    "waited_seconds": 4.0,
}  # fmt: skip


@router.post("", response_model=AllMade, responses=answers(MADE, errors=[404, 422]))
def make_hot(
    app: TheApp, holder: Manager, body: Annotated[NewHotLeads, Body(**example(NEW))]
) -> dict[str, Any]:
    """Have customers rung before all others, by whoever is free first. The same again changes nothing.

    Hours, pauses, limits and lists of those who may not be called bind as ever; the answer says what stops
    whom, and until when.
    """
    made = making.make_hot(
        app.opener(holder.crm_id), body.assignment_id, body.customer_ids, reason=body.reason,
        author=holder.author, made_by="api", even_closed=body.even_closed,
    )  # fmt: skip
    return {"hot": sum(one.became in making.HOT for one in made), "customers": made}


@router.get("", response_model=Page[HotLead],
            responses=answers({"items": [LISTED], "next": None}, errors=[422]))  # fmt: skip
def hot_leads(app: TheApp, holder: Manager, asked: Annotated[AskedHotLeads, Query()]) -> dict[str, Any]:
    """Hot leads in the order in which they were made: who waits, or who was rung, and how soon."""
    with app.work(holder.crm_id) as work:
        found = page(
            "hot-leads", asked,
            lambda after, most: listing.hot_leads(
                work, after, most, which=asked.which, assignment_id=asked.assignment_id
            ),
        )  # fmt: skip
    return {**found, "items": [_plain(one) for one in found["items"]]}


@router.delete("/{hot_lead_id}", status_code=204, responses=answers(status=204, errors=[404, 409, 422]))
def cool(app: TheApp, holder: Manager, hot_lead_id: PathId) -> None:
    """They are a hot lead no longer, and wait like anybody. Who lies in a list already stays there."""
    with app.work(holder.crm_id) as work:
        making.cool(work, hot_lead_id, author=holder.author)


def _plain(one: listing.Listed) -> dict[str, Any]:
    plain = {name: getattr(one, name) for name in HotLead.model_fields if name != "waited_seconds"}
    return plain | {"waited_seconds": one.waited / timedelta(seconds=1)}
