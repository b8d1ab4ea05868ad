"""Do-not-call: numbers and customers that nobody may offer, take or ring (P8)."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Query
from pydantic import Field

from calling.views import browse
from calling.walls.suppress import lift, suppress
from models.ends import LONGEST_SUPPRESSION, check_end
from web.api.common import Asked, AskedInstant, Id, Instant, Model, Page, PathId, TheApp, Words, e164_of, page
from web.api.docs import answers, example
from web.api.walls import AIR, InTheAir, Lifted, in_the_air, patience
from web.keys import Manager, OnTheFloor

router = APIRouter(prefix="/suppressions", tags=["suppressions"])


class NewSuppression(Model):
    """A number, written as people of the CRM's country write it, or a customer: one of the two."""

    number: Words | None = None
    customer_id: Id | None = None
    reason: Words
    expires_at: AskedInstant | None = Field(None, description="Registers expire; null: for ever.")


class Suppressed(Model):
    """From now on nobody rings it, except what is named here."""

    id: int
    e164: str | None
    customer_id: int | None
    in_the_air: InTheAir


class Suppression(Model):
    """An entry of the do-not-call list; it stands until it expires or is lifted."""

    id: int
    e164: str | None
    customer_id: int | None
    reason: str
    author: str
    created_at: Instant
    expires_at: Instant | None
    lifted_at: Instant | None
    lifted_by: str | None


class AskedSuppressions(Asked):
    """Which entries."""

    lifted: bool = Field(False, description="Those that were lifted, instead of those that stand.")


NEW = {"number": "912 345 678", "reason": "asked by letter", "expires_at": None}
DONE: dict[str, Any] = {"id": 5, "e164": "+351912345678", "customer_id": None, "in_the_air": AIR}
STANDING: dict[str, Any] = {
    "id": 5, "e164": "+351912345678", "customer_id": None, "reason": "asked by letter", "author": "Kari",
    "created_at": "2026-03-02T12:00:00Z", "expires_at": None, "lifted_at": None, "lifted_by": None,
}  # fmt: skip


@router.post("", status_code=201, response_model=Suppressed,
             responses=answers(DONE, status=201, errors=[404, 409, 422]))  # fmt: skip
def add(app: TheApp, holder: OnTheFloor, body: Annotated[NewSuppression, Body(**example(NEW))]) -> Suppressed:
    """Put a number or a customer on the do-not-call list. When this answers, nobody rings it any more."""
    check_end("expires_at", body.expires_at, app.now(), LONGEST_SUPPRESSION)
    e164 = None if body.number is None else e164_of(body.number, holder.region)
    open_work = app.opener(holder.crm_id)
    answer = suppress(
        open_work, e164=e164, customer_id=body.customer_id, reason=body.reason, author=holder.author,
        expires_at=body.expires_at, patience=patience(app),
    )  # fmt: skip
    with open_work() as work:
        key = browse.last_suppression(work, e164, body.customer_id)
    return Suppressed(id=key, e164=e164, customer_id=body.customer_id, in_the_air=in_the_air(answer))


@router.get("", response_model=Page[Suppression],
            responses=answers({"items": [STANDING], "next": None}, errors=[422]))  # fmt: skip
def entries(app: TheApp, holder: Manager, asked: Annotated[AskedSuppressions, Query()]) -> dict[str, Any]:
    """The standing entries, or those that were lifted and by whom; oldest first."""
    with app.work(holder.crm_id) as work:
        return page(
            "suppressions", asked,
            lambda after, most: browse.suppressions(work, after, most, lifted=asked.lifted),
        )  # fmt: skip


@router.delete("/{suppression_id}", response_model=Lifted,
               responses=answers({"lifted": 1}, errors=[404, 409, 422]))  # fmt: skip
def remove(app: TheApp, holder: Manager, suppression_id: PathId) -> Lifted:
    """Take a number or a customer off the list: this entry, and any other that stands for the same."""
    open_work = app.opener(holder.crm_id)
    with open_work() as work:
        found = browse.suppression(work, suppression_id)
    lifted = lift(open_work, e164=found.e164, customer_id=found.customer_id, author=holder.author)
    return Lifted(lifted=lifted)
