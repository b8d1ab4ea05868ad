"""Retries: when somebody is tried again after an outcome."""

from typing import Annotated, Any

from fastapi import APIRouter, Body
from pydantic import Field

from calling.outcomes import retry_plans
from web.api.common import Model, PathId, TheApp
from web.api.docs import answers, example
from web.keys import Manager, OnTheFloor

router = APIRouter(prefix="/assignments/{assignment_id}/retries", tags=["assignments"])


class Retry(Model):
    """The plan of one outcome. Seconds are of business time. `own`: it is not the default."""

    delay: int = Field(description="Seconds until they are tried again.")
    growth: float = Field(description="So many times longer each time the outcome comes.")
    jitter: float = Field(description="A share of the delay by which it is longer or shorter.")
    longest: int = Field(description="Seconds; it grows no further.")
    other_part: bool = Field(description="In another part of the customer's day than the one just tried.")
    final_after: int | None = Field(description="So many of this outcome close them; null: no number does.")
    own: bool


class Retries(Model):
    """The plan of every outcome after which a customer rests."""

    plans: dict[str, Retry]


class WantedRetries(Model):
    """Outcome -> what differs from the default; an outcome that is left out takes the default."""

    plans: dict[str, dict[str, Any]] = Field(max_length=50)


WANTED = {"plans": {"busy": {"delay": 600, "growth": 2, "final_after": 6}}}
PLANS: dict[str, Any] = {
    "plans": {
        "busy": {
            "delay": 600, "growth": 2, "jitter": 0, "longest": 86400, "other_part": False, "final_after": 6,
            "own": True,
        }
    }
}  # fmt: skip


@router.get("", response_model=Retries, responses=answers(PLANS, errors=[404, 422]))
def retries(app: TheApp, holder: OnTheFloor, assignment_id: PathId) -> dict[str, Any]:
    """The plan of every outcome after which a customer rests."""
    with app.work(holder.crm_id) as work:
        plans, own = retry_plans.retry_plans(work, assignment_id)
    return {"plans": {name: {**plan, "own": name in own} for name, plan in retry_plans.told(plans).items()}}


@router.put("", response_model=Retries, responses=answers(PLANS, errors=[404, 409, 422]))
def set_retries(
    app: TheApp, holder: Manager, assignment_id: PathId,
    body: Annotated[WantedRetries, Body(**example(WANTED))],
) -> dict[str, Any]:  # fmt: skip
    """Say all that the assignment has of its own. Who rests already comes back as was said."""
    with app.work(holder.crm_id) as work:
        retry_plans.set_retries(work, assignment_id, body.plans)
        plans, own = retry_plans.retry_plans(work, assignment_id)
    return {"plans": {name: {**plan, "own": name in own} for name, plan in retry_plans.told(plans).items()}}
