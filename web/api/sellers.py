"""Sellers and their presence: who is there, who is away why and until when, and by whose word."""

from typing import Annotated, Any

from fastapi import APIRouter, Body

from calling.handout import presence
from calling.views import sellers as views
from web.about import about
from web.api import presence_models as models
from web.api.common import Page, Paging, PathId, TheApp, page
from web.api.docs import answers, example
from web.keys import Manager

router = APIRouter(prefix="/sellers", tags=["sellers"])


@router.get("", response_model=Page[models.SellerRow],
            responses=answers({"items": [models.LISTED], "next": None}, errors=[422]))  # fmt: skip
def sellers(app: TheApp, holder: Manager, asked: Paging) -> dict[str, Any]:
    """Every seller, and how their presence stands."""
    with app.work(holder.crm_id) as work:
        return page("sellers", asked, lambda after, most: views.sellers(work, after, most))


@router.put("/{seller_id}/presence", response_model=models.PresenceNow,
            responses=answers(models.ILL, errors=[404, 409, 422]))  # fmt: skip
def say(
    app: TheApp, holder: Manager, seller_id: PathId,
    body: Annotated[models.WantedPresence, Body(**example(models.WANTED_ILL))],
) -> presence.Presence:  # fmt: skip
    """Say for a seller that they are away, why and until when, or that they are back.

    What they hold unrung goes back. While they are off for the day, what they promised is everybody's from
    its time on.
    """
    with about(assignment=body.assignment_id), app.work(holder.crm_id) as work:
        return presence.be(
            work, seller_id, body.presence, assignment_id=body.assignment_id, segment_id=body.segment_id,
            said=body.absence(), said_by=holder.author,
        )  # fmt: skip


@router.get("/{seller_id}/presence/changes", response_model=Page[models.PresenceChange],
            responses=answers({"items": [models.CHANGE], "next": None}, errors=[404, 422]))  # fmt: skip
def presence_changes(app: TheApp, holder: Manager, seller_id: PathId, asked: Paging) -> dict[str, Any]:
    """What a seller's presence became and by whose word, newest first. Nothing of it is ever rewritten."""
    with app.work(holder.crm_id) as work:
        presence.presence_of(work, seller_id)
        return page(
            f"presence of {seller_id}", asked,
            lambda before, most: views.presence_changes(work, seller_id, before, most),
        )  # fmt: skip
