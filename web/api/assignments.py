"""Assignments: their segments with figures, their hours, the floor."""

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query

from calling.views import best_times, browse, floor, forecast, funnel, report
from web.api import assignment_models as models
from web.api.common import AskedInstant, Model, Page, Paging, PathId, TheApp, page
from web.api.docs import answers
from web.keys import Manager, OnTheFloor

router = APIRouter(prefix="/assignments", tags=["assignments"])

A_DAY = timedelta(days=1)
LONGEST = timedelta(days=31)


class Items(Model):
    """All of a short list."""

    items: list[Any]


class Segments(Items):
    """The segments of an assignment in order of priority, the first match wins; Unsegmented is last."""

    items: list[models.Segment]


class Hours(Items):
    """Hours in which something was reported, in order."""

    items: list[models.Hour]


@router.get("", response_model=Page[models.Assignment],
            responses=answers({"items": [models.ASSIGNMENT], "next": None}, errors=[422]))  # fmt: skip
def assignments(app: TheApp, holder: OnTheFloor, asked: Paging) -> dict[str, Any]:
    """The assignments of the CRM."""
    with app.work(holder.crm_id) as work:
        return page("assignments", asked, lambda after, most: browse.assignments(work, after, most))


@router.get("/{assignment_id}", response_model=models.Assignment,
            responses=answers(models.ASSIGNMENT, errors=[404, 422]))  # fmt: skip
def assignment(app: TheApp, holder: OnTheFloor, assignment_id: PathId) -> Any:
    """One assignment with its settings."""
    with app.work(holder.crm_id) as work:
        return browse.assignment(work, assignment_id)


@router.get("/{assignment_id}/segments", response_model=Segments,
            responses=answers({"items": [models.SEGMENT]}, errors=[404, 422]))  # fmt: skip
def segments(app: TheApp, holder: OnTheFloor, assignment_id: PathId) -> dict[str, Any]:
    """Every segment with its size now, split by state, and what was reached in it so far."""
    with app.work(holder.crm_id) as work:
        browse.assignment(work, assignment_id)
        return {"items": report.segments(work, assignment_id)}


@router.get("/{assignment_id}/hours", response_model=Hours,
            responses=answers({"items": [models.HOUR]}, errors=[404, 422]))  # fmt: skip
def hours(
    app: TheApp, holder: Manager, assignment_id: PathId,
    since: Annotated[
        AskedInstant | None, Query(description="A day ago if left out; at most 31 days ago.")
    ] = None,
) -> dict[str, Any]:  # fmt: skip
    """Attempts, contacts and sales per hour (UTC); hours in which nothing was reported are left out."""
    with app.work(holder.crm_id) as work:
        browse.assignment(work, assignment_id)
        begins = max(since or work.now - A_DAY, work.now - LONGEST)
        return {"items": report.hours(work, assignment_id, begins)}


@router.get("/{assignment_id}/floor", response_model=models.Floor,
            responses=answers(models.FLOOR, errors=[404, 422]))  # fmt: skip
def floor_now(app: TheApp, holder: Manager, assignment_id: PathId) -> floor.Floor:
    """Who holds whom and since when, and how many customers could be rung this minute."""
    with app.work(holder.crm_id) as work:
        browse.assignment(work, assignment_id)
        return floor.floor(work, assignment_id)


@router.get("/{assignment_id}/funnel", response_model=models.Funnel,
            responses=answers(models.FUNNEL, errors=[404, 422]))  # fmt: skip
def funnel_now(
    app: TheApp, holder: Manager, assignment_id: PathId,
    segment_id: Annotated[int | None, Query(ge=1, description="Only this segment.")] = None,
) -> funnel.Funnel:  # fmt: skip
    """Where the customers stop: each is counted once, at the first gate that stops them; it adds up."""
    with app.work(holder.crm_id) as work:
        return funnel.funnel(work, assignment_id, segment_id)


@router.get("/{assignment_id}/forecast", response_model=models.Forecast,
            responses=answers(models.FORECAST, errors=[404, 422]))  # fmt: skip
def forecast_now(app: TheApp, holder: Manager, assignment_id: PathId) -> forecast.Forecast:
    """When the list runs dry, if it is worked as in the last hour: the next 24 hours, by quarters."""
    with app.work(holder.crm_id) as work:
        return forecast.forecast(work, assignment_id)


@router.get("/{assignment_id}/best-times", response_model=models.BestTimes,
            responses=answers(models.BEST_TIMES, errors=[404, 422]))  # fmt: skip
def best_times_now(
    app: TheApp, holder: Manager, assignment_id: PathId,
    since: Annotated[AskedInstant | None, Query(description="90 days ago if left out.")] = None,
) -> best_times.BestTimes:  # fmt: skip
    """When customers answer: every hour of the week on their own clocks, for all and by place."""
    with app.work(holder.crm_id) as work:
        return best_times.best_times(work, assignment_id, since)
