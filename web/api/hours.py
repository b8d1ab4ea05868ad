"""Hours: the law of each place, what an owner makes stricter, whom a manager exempts by name (P3)."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Query

from calling.views import browse
from calling.views import hours as view
from calling.walls.hours import change_hours, end_exemption, end_hours, exempt, set_hours
from web.about import about
from web.api import hours_examples as examples
from web.api.common import Page, Paging, PathId, TheApp, page
from web.api.docs import answers, example
from web.api.hours_models import (
    ChangedHours,
    Ended,
    Exemption,
    Hours,
    HoursSet,
    InForce,
    Laws,
    NewExemption,
    NewHours,
)  # fmt: skip
from web.api.walls import AIR, in_the_air, patience
from web.keys import Manager
from wiring.metrics import timed

router = APIRouter(tags=["hours"])

Place = Annotated[str | None, Query(max_length=20, description="Such as NO or US-FL, with its country.")]


@router.get("/laws", response_model=Laws, responses=answers(examples.LAWS, errors=[422]))
def the_laws(app: TheApp, holder: Manager, place: Place = None) -> dict[str, Any]:
    """The calling hours of each place, where they stand written, and who of this CRM is exempted."""
    with app.work(holder.crm_id) as work:
        return {"items": view.laws(work, place)}


@router.get("/assignments/{assignment_id}/calling-hours", response_model=InForce,
            responses=answers(examples.IN_FORCE, errors=[404, 422]))  # fmt: skip
def in_force(
    app: TheApp, holder: Manager, assignment_id: PathId,
    segment_id: Annotated[int | None, Query(ge=1, description="What holds in this segment too.")] = None,
) -> dict[str, Any]:  # fmt: skip
    """All hours that hold in an assignment beside the law, or in one of its segments."""
    with app.work(holder.crm_id) as work, about(assignment=assignment_id):
        browse.assignment(work, assignment_id)
        return {
            "own": view.own_hours(work),
            "stricter": view.stricter_hours(work, assignment_id=assignment_id, segment_id=segment_id),
            "exemptions": view.exemptions(work, assignment_id=assignment_id),
        }


@router.get("/stricter-hours", response_model=Page[Hours],
            responses=answers({"items": [examples.STANDING], "next": None}, errors=[422]))  # fmt: skip
def standing(app: TheApp, holder: Manager, asked: Paging) -> dict[str, Any]:
    """All stricter hours of the CRM, those that ended too, in the order in which they were set."""
    with app.work(holder.crm_id) as work:
        return page(
            "hours", asked, lambda after, most: view.stricter_hours(work, ended=True, after=after, most=most)
        )


@router.post("/stricter-hours", status_code=201, response_model=HoursSet,
             responses=answers(examples.SET, status=201, errors=[404, 409, 422]))  # fmt: skip
def set_them(
    app: TheApp, holder: Manager, body: Annotated[NewHours, Body(**example(examples.NEW))]
) -> HoursSet:
    """Make hours stricter. They are intersected with the law and all other hours: nothing becomes looser.

    When this answers, nothing rings outside them, except what the answer names.
    """
    with timed("hours"), about(assignment=body.assignment_id):
        key, air = set_hours(
            app.opener(holder.crm_id), **dict(body), author=holder.author, patience=patience(app)
        )
    return HoursSet(id=key, in_the_air=in_the_air(air))


@router.patch("/stricter-hours/{hours_id}", response_model=HoursSet,
              responses=answers(examples.OTHER, errors=[404, 409, 422]))  # fmt: skip
def change_them(
    app: TheApp,
    holder: Manager,
    hours_id: PathId,
    body: Annotated[ChangedHours, Body(**example(examples.CHANGE))],
) -> HoursSet:
    """Set others in the stead of standing hours, in one step; the answer has the id of the new ones."""
    wanted = {name: getattr(body, name) for name in body.model_fields_set}
    with timed("hours"):
        key, air = change_hours(
            app.opener(holder.crm_id), hours_id, **wanted, author=holder.author, patience=patience(app)
        )
    return HoursSet(id=key, in_the_air=in_the_air(air))


@router.delete("/stricter-hours/{hours_id}", response_model=Hours,
               responses=answers(examples.STANDING, errors=[404, 409, 422]))  # fmt: skip
def end_them(app: TheApp, holder: Manager, hours_id: PathId) -> view.HoursSet:
    """Let stricter hours hold no more; they stay to be read."""
    open_work = app.opener(holder.crm_id)
    end_hours(open_work, hours_id, author=holder.author)
    with open_work() as work:
        return view.one_hours(work, hours_id)


@router.get("/exemptions", response_model=Page[Exemption],
            responses=answers({"items": [examples.EXEMPTION], "next": None}, errors=[422]))  # fmt: skip
def exempted(app: TheApp, holder: Manager, asked: Paging) -> dict[str, Any]:
    """Who is, or was, exempted from what, in the order in which it was given."""
    with app.work(holder.crm_id) as work:
        return page(
            "exemptions", asked, lambda after, most: view.exemptions(work, ended=True, after=after, most=most)
        )


@router.post("/exemptions", status_code=201, response_model=Exemption,
             responses=answers(examples.EXEMPTION, status=201, errors=[404, 422]))  # fmt: skip
def let_off(
    app: TheApp, holder: Manager, body: Annotated[NewExemption, Body(**example(examples.EXEMPT))]
) -> view.Exempted:
    """Let the CRM or an assignment off one law row, or its own hours, by a manager's name and until a day."""
    open_work = app.opener(holder.crm_id)
    key = exempt(open_work, **dict(body), author=holder.author)
    with open_work() as work:
        return view.one_exemption(work, key)


@router.delete("/exemptions/{exemption_id}", response_model=Ended,
               responses=answers({"in_the_air": AIR}, errors=[404, 409, 422]))  # fmt: skip
def bind_again(app: TheApp, holder: Manager, exemption_id: PathId) -> Ended:
    """End an exemption. When this answers, nothing rings by it, except what the answer names."""
    air = end_exemption(app.opener(holder.crm_id), exemption_id, author=holder.author, patience=patience(app))
    return Ended(in_the_air=in_the_air(air))
