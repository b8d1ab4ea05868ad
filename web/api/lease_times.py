"""How long a wrap-up may take in an assignment, and how long who was skipped is left out."""

from typing import Annotated

from fastapi import APIRouter, Body
from pydantic import Field

from calling.handout import lease_times as verbs
from web.api.common import Model, PathId, TheApp
from web.api.docs import answers, example
from web.keys import Manager, OnTheFloor

router = APIRouter(prefix="/assignments/{assignment_id}/lease-times", tags=["assignments"])

_EXAMPLE = {"wrap_up_seconds": 120, "skip_seconds": 600}


class LeaseTimes(Model):
    """Seconds of business time."""

    wrap_up_seconds: int | None = Field(
        strict=True, ge=1, le=int(verbs.LONGEST_WRAP_UP.total_seconds()),
        description="From the hang-up to the outcome; null: an hour, after which nobody waits any more.",
    )  # fmt: skip
    skip_seconds: int = Field(strict=True, ge=0, le=int(verbs.LONGEST_SKIP.total_seconds()))


@router.get("", response_model=LeaseTimes, responses=answers(_EXAMPLE, errors=[404, 422]))
def lease_times(app: TheApp, holder: OnTheFloor, assignment_id: PathId) -> verbs.LeaseTimes:
    """How long a wrap-up may take, and how long who was skipped is left out."""
    with app.work(holder.crm_id) as work:
        return verbs.lease_times(work, assignment_id)


@router.put("", response_model=LeaseTimes, responses=answers(_EXAMPLE, errors=[404, 422]))
def set_lease_times(
    app: TheApp,
    holder: Manager,
    assignment_id: PathId,
    body: Annotated[LeaseTimes, Body(**example(_EXAMPLE))],
) -> LeaseTimes:
    """Say how long, for whoever hangs up or skips from now on."""
    with app.work(holder.crm_id) as work:
        verbs.set_lease_times(work, assignment_id, verbs.LeaseTimes(body.wrap_up_seconds, body.skip_seconds))
    return body
