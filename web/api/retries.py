"""Retries: when somebody is tried again after an outcome."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Query
from pydantic import Field

from calling.outcomes import retry_plans
from web import cursors
from web.api.common import Instant, Model, Paging, PathId, TheApp
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

    version: int = Field(description="Say it as `base` when you change them.")
    plans: dict[str, Retry]


class RetryChange(Model):
    """Somebody changed what the assignment says of its own, by outcome; what is not named was the default."""

    version: int
    before: dict[str, dict[str, Any]]
    after: dict[str, dict[str, Any]]
    lines: list[str] = Field(description="The same, a line a value.")
    author: str
    changed_at: Instant


class RetryChanges(Model):
    """One page of changes, the last first."""

    items: list[RetryChange]
    next: str | None = Field(description="Pass it as `cursor` to get the next page; null on the last one.")


class WantedRetries(Model):
    """Outcome -> what differs from the default; an outcome that is left out takes the default."""

    plans: dict[str, dict[str, Any]] = Field(max_length=50)


WANTED = {"plans": {"busy": {"delay": 600, "growth": 2, "final_after": 6}}}
CHANGE: dict[str, Any] = {
    "version": 3, "before": {"busy": {"delay": 600}}, "after": {"busy": {"delay": 600, "final_after": 6}},
    "lines": ["busy.final_after: never (the default) -> 6"], "author": "Kari",
    "changed_at": "2026-03-02T12:00:00Z",
}  # fmt: skip
PLANS: dict[str, Any] = {
    "version": 3,
    "plans": {
        "busy": {
            "delay": 600, "growth": 2, "jitter": 0, "longest": 86400, "other_part": False, "final_after": 6,
            "own": True,
        }
    }
}  # fmt: skip


Base = Annotated[
    int | None, Query(ge=0, description="The version that you read; 409 if somebody has changed it since.")
]


@router.get("", response_model=Retries, responses=answers(PLANS, errors=[404, 422]))
def retries(app: TheApp, holder: OnTheFloor, assignment_id: PathId) -> dict[str, Any]:
    """The plan of every outcome after which a customer rests."""
    with app.work(holder.crm_id) as work:
        return _told(retry_plans.retry_plans(work, assignment_id))


@router.put("", response_model=Retries, responses=answers(PLANS, errors=[404, 409, 422]))
def set_retries(
    app: TheApp, holder: Manager, assignment_id: PathId,
    body: Annotated[WantedRetries, Body(**example(WANTED))], base: Base = None,
) -> dict[str, Any]:  # fmt: skip
    """Say all that the assignment has of its own. Who rests already comes back as was said."""
    with app.work(holder.crm_id) as work:
        retry_plans.set_retries(work, assignment_id, body.plans, author=holder.author, base=base)
        return _told(retry_plans.retry_plans(work, assignment_id))


@router.get("/changes", response_model=RetryChanges,
            responses=answers({"items": [CHANGE], "next": None}, errors=[404, 422]))  # fmt: skip
def changes(app: TheApp, holder: Manager, assignment_id: PathId, asked: Paging) -> dict[str, Any]:
    """Who changed the plans, when, from what to what: the last change first."""
    before = cursors.decode("retry_changes", asked.cursor)
    with app.work(holder.crm_id) as work:
        rows = retry_plans.retry_changes(work, assignment_id, asked.limit + 1, before=before or None)
    items = rows[: asked.limit]
    more = len(rows) > asked.limit
    return {
        "items": items, "next": cursors.encode("retry_changes", items[-1].version) if more else None,
    }  # fmt: skip


def _told(found: retry_plans.Retries) -> dict[str, Any]:
    plans = retry_plans.told(found.plans)
    return {
        "version": found.version,
        "plans": {name: {**plan, "own": name in found.own} for name, plan in plans.items()},
    }
