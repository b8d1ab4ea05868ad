"""Number plans: which of a customer's numbers an assignment rings, and when."""

from typing import Annotated, Any

from fastapi import APIRouter, Body
from pydantic import Field

from calling.numbers import plans
from models.work import Work
from web.api.common import Instant, Model, Page, Paging, PathId, TheApp, page
from web.api.docs import answers, example
from web.keys import Manager, OnTheFloor

router = APIRouter(prefix="/assignments/{assignment_id}/number-plan", tags=["assignments"])


class Hours(Model):
    """On these days, from `from` until `to` on the customer's own clock, these kinds come first, in order."""

    days: list[str]
    begins: str = Field(alias="from")
    ends: str = Field(alias="to", description="24:00: until midnight.")
    kinds: list[str]


class NumberPlan(Model):
    """The plan as it works; the first row of `hours` that holds decides. `author`: who set it, if anybody."""

    next_after: int | None = Field(
        description="Calls in a row without an answer after which the next number is rung; null: never."
    )
    hours: list[Hours]
    own: bool
    author: str | None
    changed_at: Instant | None


class WantedPlan(Model):
    """All that the assignment has of its own; {} is the default."""

    plan: dict[str, Any] = Field(max_length=10)


class PlanChange(Model):
    """Who changed the plan to what, and when."""

    id: int
    plan: dict[str, Any]
    author: str
    changed_at: Instant


ROW = {"days": ["mon", "tue", "wed", "thu", "fri"], "from": "09:00", "to": "16:00", "kinds": ["work"]}
WANTED = {"plan": {"next_after": 3, "hours": [ROW, {"from": "17:00", "kinds": ["home", "mobile"]}]}}
PLAN: dict[str, Any] = {
    "next_after": 3, "hours": [ROW], "own": True, "author": "Kari", "changed_at": "2026-03-02T12:00:00Z",
}  # fmt: skip
CHANGE: dict[str, Any] = {
    "id": 4, "plan": {"next_after": 3, "hours": [ROW]}, "author": "Kari",
    "changed_at": "2026-03-02T12:00:00Z",
}  # fmt: skip


@router.get("", response_model=NumberPlan, responses=answers(PLAN, errors=[404, 422]))
def number_plan(app: TheApp, holder: OnTheFloor, assignment_id: PathId) -> dict[str, Any]:
    """Which kinds of number come first when, and when the next number has its turn."""
    with app.work(holder.crm_id) as work:
        return _told(work, assignment_id)


@router.put("", response_model=NumberPlan, responses=answers(PLAN, errors=[404, 409, 422]))
def set_number_plan(
    app: TheApp, holder: Manager, assignment_id: PathId, body: Annotated[WantedPlan, Body(**example(WANTED))]
) -> dict[str, Any]:
    """Say all that the assignment has of its own. It holds from the next customer who is dealt."""
    with app.work(holder.crm_id) as work:
        plans.set_number_plan(work, assignment_id, body.plan, holder.author)
        return _told(work, assignment_id)


@router.get("/changes", response_model=Page[PlanChange],
            responses=answers({"items": [CHANGE], "next": None}, errors=[404, 422]))  # fmt: skip
def changes(app: TheApp, holder: Manager, assignment_id: PathId, asked: Paging) -> dict[str, Any]:
    """Who changed the plan to what, from the first change on."""
    with app.work(holder.crm_id) as work:
        plans.number_plan(work, assignment_id)
        return page(
            "number plan changes", asked,
            lambda after, most: plans.plan_changes(work, assignment_id, after, most),
        )  # fmt: skip


def _told(work: Work, assignment_id: int) -> dict[str, Any]:
    found = plans.number_plan(work, assignment_id)
    return {
        **plans.told(found.plan), "own": bool(found.own), "author": found.author,
        "changed_at": found.changed_at,
    }  # fmt: skip
