"""Follow-ups: calls promised at a time, personal to a seller or anybody's."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Query
from pydantic import Field

from calling.customers.standing import check_on_screen
from calling.follow_ups import handing_over, listing, promising, putting
from calling.follow_ups.asking import Wish
from calling.follow_ups.promising import Patch
from models.errors import BadInput, NotFound
from web.api import follow_up_models as models
from web.api.common import LARGEST, Asked, Page, PathId, TheApp, page
from web.api.docs import answers, example
from web.api.follow_up_models import ChangedFollowUp, HandOver, NewFollowUp, wall_of_text
from web.keys import Holder, Manager, OnTheFloor
from wiring.app import App

router = APIRouter(prefix="/follow-ups", tags=["follow-ups"])

_OTHER = {"wall_time": "2026-03-06T10:30", "note": "rather in the morning"}


class AskedFollowUps(Asked):
    """Which follow-ups. A seller's key lists their own."""

    which: listing.Which = Field("open", description="`overdue`: due, and the owner's grace is over.")
    assignment_id: int | None = Field(None, ge=1, le=LARGEST)
    customer_id: int | None = Field(None, ge=1, le=LARGEST)
    seller_id: int | None = Field(None, ge=1, le=LARGEST)


@router.post("", status_code=201, response_model=models.Promised,
             responses=answers(models.PROMISED, status=201, errors=[404, 409, 422]))  # fmt: skip
def promise(
    app: TheApp, holder: OnTheFloor, body: Annotated[NewFollowUp, Body(**example(models.NEW))]
) -> putting.Promised:
    """Promise a customer a call; an open promise is replaced. The answer says when it will be.

    A time when nobody may be rung slides to the next opening; one that the clocks skip to the first after it.
    """
    if holder.role == "seller":
        with app.work(holder.crm_id) as work:
            check_on_screen(work, body.customer_id, holder.seller_id or 0)
    return promising.promise(
        app.opener(holder.crm_id), body.assignment_id, body.customer_id, body.wish(),
        seller_id=_owner(holder, body), author=holder.author,
        made_by="seller" if holder.role == "seller" else "api",
    )  # fmt: skip


@router.get("", response_model=Page[models.FollowUp],
            responses=answers({"items": [models.LISTED], "next": None}, errors=[422]))  # fmt: skip
def follow_ups(app: TheApp, holder: OnTheFloor, asked: Annotated[AskedFollowUps, Query()]) -> dict[str, Any]:
    """Promised calls in the order in which they were promised: open, due, overdue, or ended."""
    seller_id = holder.seller_id if holder.role == "seller" else asked.seller_id
    with app.work(holder.crm_id) as work:
        return page(
            "follow-ups", asked,
            lambda after, most: listing.follow_ups(
                work, after, most, which=asked.which, assignment_id=asked.assignment_id,
                customer_id=asked.customer_id, seller_id=seller_id,
            ),
        )  # fmt: skip


@router.patch("/{follow_up_id}", response_model=models.Promised,
              responses=answers({**models.PROMISED, "id": 13}, errors=[404, 409, 422]))  # fmt: skip
def change(
    app: TheApp, holder: OnTheFloor, follow_up_id: PathId,
    body: Annotated[ChangedFollowUp, Body(**example(_OTHER))],
) -> putting.Promised:  # fmt: skip
    """Another time, note or owner. The answer is a new promise with an id of its own; this one ends."""
    _check_own(app, holder, follow_up_id)
    reowned = "seller_id" in body.model_fields_set
    if holder.role == "seller" and body.seller_id not in (None, holder.seller_id):
        raise BadInput("seller_id: you may keep it or give it to everybody; a manager hands it to others")
    timed = {"at", "wall_time", "zone"} & body.model_fields_set
    wish = Wish(body.at, wall_of_text(body.wall_time), body.zone) if timed else None
    patch = Patch(wish, body.note, reowned, body.seller_id)
    return promising.change(
        app.opener(holder.crm_id), follow_up_id, patch, author=holder.author,
        made_by="seller" if holder.role == "seller" else "api",
    )  # fmt: skip


@router.delete("/{follow_up_id}", status_code=204, responses=answers(status=204, errors=[404, 409, 422]))
def cancel(app: TheApp, holder: OnTheFloor, follow_up_id: PathId) -> None:
    """Take a promise back: the customer is in the line again, or closed if they have had all attempts."""
    _check_own(app, holder, follow_up_id)
    promising.cancel(app.opener(holder.crm_id), follow_up_id, author=holder.author)


@router.post("/hand-over", response_model=models.HandedOver,
             responses=answers({"handed": 31, "warning": None}, errors=[404, 409, 422]))  # fmt: skip
def hand_over(
    app: TheApp, holder: Manager,
    body: Annotated[HandOver, Body(**example({"from_seller_id": 7, "to_seller_id": 9, "expected": 31}))],
) -> handing_over.HandedOver:  # fmt: skip
    """Give a leaver's open follow-ups to another seller, or to everybody; all of them or nothing."""
    return handing_over.hand_over(
        app.opener(holder.crm_id), body.from_seller_id, body.to_seller_id, author=holder.author,
        expected=body.expected,
    )  # fmt: skip


def _owner(holder: Holder, body: NewFollowUp) -> int | None:
    """Who is to ring. Raises BadInput for a seller who promises for another."""
    if holder.role == "manager":
        return None if body.shared else body.seller_id
    if body.seller_id not in (None, holder.seller_id):
        raise BadInput("seller_id: you may promise for yourself, or for everybody with `shared`")
    return None if body.shared else holder.seller_id


def _check_own(app: App, holder: Holder, follow_up_id: int) -> None:
    """A seller changes their own; others' are none of theirs to know of. Raises NotFound."""
    if holder.role == "seller":
        with app.work(holder.crm_id) as work:
            if promising.follow_up(work, follow_up_id).seller_id != holder.seller_id:
                raise NotFound("follow-up", follow_up_id)
