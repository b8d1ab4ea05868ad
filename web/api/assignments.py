"""Assignments: their segments with figures, their hours, the floor, and the rules in force."""

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Body, Query
from pydantic import Field

from calling.segments.publishing import publish
from calling.views import browse, floor, report
from web.api import assignment_models as models
from web.api.common import AskedInstant, Instant, Model, Page, Paging, PathId, TheApp, page, without_nul_in
from web.api.docs import answers, example
from web.keys import Manager, OnTheFloor

router = APIRouter(prefix="/assignments", tags=["assignments"])

A_DAY = timedelta(days=1)
LONGEST = timedelta(days=31)


class Published(Model):
    """The version of the rules that is in force now. Segments follow as soon as they are rebuilt."""

    version: int


class Items(Model):
    """All of a short list."""

    items: list[Any]


class Segments(Items):
    """The segments of an assignment in order of priority, the first match wins; Unsegmented is last."""

    items: list[models.Segment]


class Hours(Items):
    """Hours in which something was reported, in order."""

    items: list[models.Hour]


class Rules(Model):
    """The rules in force: segments in order of priority. Version 0: none was published yet."""

    version: int
    segments: list[dict[str, Any]] = Field(description="Each with `key`, `name` and its rule `when`.")
    author: str | None
    published_at: Instant | None


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


@router.get("/{assignment_id}/rules", response_model=Rules,
            responses=answers({"version": 4, "author": "Kari", "published_at": "2026-03-02T08:00:00Z",
                               **models.RULES}, errors=[404, 422]))  # fmt: skip
def rules(app: TheApp, holder: Manager, assignment_id: PathId) -> Any:
    """The rules in force, in their canonical form."""
    with app.work(holder.crm_id) as work:
        found = browse.rules(work, assignment_id)
    return found or {"version": 0, "segments": [], "author": None, "published_at": None}


@router.put("/{assignment_id}/rules", response_model=Published,
            responses=answers({"version": 5}, errors=[404, 409, 422]))  # fmt: skip
def publish_rules(
    app: TheApp, holder: Manager, assignment_id: PathId,
    body: Annotated[dict[str, Any], Body(**example(models.RULES))],
) -> Published:  # fmt: skip
    """Publish a whole rule set. It is in force when this answers; 422 lists every problem with its path."""
    without_nul_in(body)
    version = publish(app.opener(holder.crm_id), assignment_id, body, author=holder.author)
    return Published(version=version)
