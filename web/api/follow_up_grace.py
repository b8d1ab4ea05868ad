"""How long a promised call that is due waits for its owner."""

from typing import Annotated

from fastapi import APIRouter, Body
from pydantic import Field

from calling.follow_ups import grace
from web.api.common import Model, PathId, TheApp
from web.api.docs import answers, example
from web.keys import Manager, OnTheFloor

router = APIRouter(prefix="/assignments/{assignment_id}/follow-up-grace", tags=["follow-ups"])

_EXAMPLE = {"seconds": 900}


class Grace(Model):
    """Seconds of business time, of those in which the customer could be rung."""

    seconds: int = Field(ge=0, le=int(grace.LONGEST.total_seconds()), description="0: everybody's at once.")


@router.get("", response_model=Grace, responses=answers(_EXAMPLE, errors=[404, 422]))
def follow_up_grace(app: TheApp, holder: OnTheFloor, assignment_id: PathId) -> Grace:
    """How long a due personal promise waits for its owner, then it is everybody's."""
    with app.work(holder.crm_id) as work:
        return Grace(seconds=grace.grace(work, assignment_id))


@router.put("", response_model=Grace, responses=answers(_EXAMPLE, errors=[404, 422]))
def set_follow_up_grace(
    app: TheApp, holder: Manager, assignment_id: PathId, body: Annotated[Grace, Body(**example(_EXAMPLE))]
) -> Grace:
    """Say how long; those that wait already are everybody's so much sooner or later."""
    with app.work(holder.crm_id) as work:
        grace.set_grace(work, assignment_id, body.seconds)
    return body
