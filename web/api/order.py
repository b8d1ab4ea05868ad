"""The order of free customers: whether the hour has a say."""

from typing import Annotated, Any

from fastapi import APIRouter, Body

from calling.handout import best_hours
from web.api.common import Instant, Model, PathId, TheApp
from web.api.docs import answers, example
from web.keys import Manager

router = APIRouter(prefix="/assignments/{assignment_id}/order-by-hour", tags=["assignments"])


class WantedOrder(Model):
    """Whether those come first, among equally often tried customers, who answer best at the hour."""

    ordering: bool


class OrderByHour(WantedOrder):
    """How it is: by whose word, since when, and when it last learned of calls."""

    changed_by: str | None
    changed_at: Instant | None
    learned_at: Instant | None


ORDER: dict[str, Any] = {
    "ordering": True, "changed_by": "Kari", "changed_at": "2026-03-02T08:00:00Z",
    "learned_at": "2026-03-02T12:00:00Z",
}  # fmt: skip


@router.get("", response_model=OrderByHour, responses=answers(ORDER, errors=[404, 422]))
def order(app: TheApp, holder: Manager, assignment_id: PathId) -> dict[str, Any]:
    """Whether the hour has a say in the order of free customers."""
    with app.work(holder.crm_id) as work:
        return best_hours.standing_order(work, assignment_id)


@router.put("", response_model=OrderByHour, responses=answers(ORDER, errors=[404, 409, 422]))
def set_order(
    app: TheApp, holder: Manager, assignment_id: PathId,
    body: Annotated[WantedOrder, Body(**example({"ordering": True}))],
) -> dict[str, Any]:  # fmt: skip
    """Have those called first who answer best at the hour, or leave it; from the next hand-out on."""
    with app.work(holder.crm_id) as work:
        best_hours.order_by_hour(work, assignment_id, ordering=body.ordering, author=holder.author)
        return best_hours.standing_order(work, assignment_id)
