"""Hours: the law of each place, what an owner makes stricter, whom a manager exempts by name (P3)."""

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Query
from pydantic import Field

from calling.views import browse
from calling.views import hours as view
from calling.walls.hours import change_hours, end_exemption, end_hours, exempt, set_hours
from web.about import about
from web.api.common import Id, Instant, Model, Page, Paging, PathId, TheApp, Words, page
from web.api.docs import answers, example
from web.api.hours_examples import (
    CHANGE,
    EXEMPT,
    EXEMPTION,
    IN_FORCE,
    LAWS,
    NEW,
    OTHER,
    SET,
    STANDING,
)  # fmt: skip
from web.api.walls import AIR, InTheAir, in_the_air, patience
from web.keys import Manager
from wiring.metrics import timed

router = APIRouter(tags=["hours"])

Week = Annotated[
    dict[str, list[list[str]]] | None,
    Field(description="Hours of each day (mon to sun); a day that is missing is shut. Null: any hour."),
]
Days = Annotated[
    dict[str, list[list[str]]],
    Field(description="Own days (2026-12-24), each with hours instead of the week's."),
]


class NewHours(Model):
    """Hours within which alone a segment, an assignment or the CRM (neither named) is worked."""

    assignment_id: Id | None = None
    segment_id: Id | None = None
    week: Week = None
    days: Days = Field(default_factory=dict)
    valid_from: date | None = Field(None, description="First day, on the customer's clock.")
    valid_to: date | None = Field(None, description="Last day.")
    reason: Words


class ChangedHours(Model):
    """What of standing hours is to be another; what is not named stays."""

    week: Week = None
    days: Days | None = None
    valid_from: date | None = None
    valid_to: date | None = None
    reason: Words


class Hours(Model):
    """Hours that are, or were, stricter than law and CRM. `replaces`: those that ended when these came."""

    id: int
    scope: Literal["crm", "assignment", "segment"]
    assignment_id: int | None
    assignment: str | None
    segment_id: int | None
    segment: str | None
    hours: str = Field(description="In words.")
    week: Week
    days: Days
    valid_from: date | None
    valid_to: date | None
    reason: str
    author: str
    set_at: Instant
    replaces: int | None
    walled_at: Instant | None = Field(description="From then on nothing rings outside them.")
    ended_at: Instant | None
    ended_by: str | None


class HoursSet(Model):
    """The hours hold: nothing rings outside them, except what is named here."""

    id: int
    in_the_air: InTheAir


class NewExemption(Model):
    """Which law row, or the CRM's `own` hours, is left aside for the CRM or an assignment, and until when."""

    law: str = Field(max_length=100, description="`key` of a row of `GET /laws`, or `own`.")
    assignment_id: Id | None = Field(None, description="Null: the whole CRM.")
    valid_to: date = Field(description="The last day, on the customer's clock; within 366 days.")
    reason: Words
    manager: Words = Field(description="The name of who answers for it.")


class Exemption(Model):
    """Who is, or was, let off what until when, by whose name."""

    id: int
    scope: Literal["crm", "assignment"]
    assignment_id: int | None
    assignment: str | None
    law: str
    name: str
    valid_from: date
    valid_to: date
    reason: str
    manager: str
    given_at: Instant
    ended_at: Instant | None
    ended_by: str | None


class Ended(Model):
    """What was in the air when the law began to bind again."""

    in_the_air: InTheAir


class LawRow(Model):
    """A row of the law. `key` null: own hours, no source. `binds`: it is in force today."""

    key: str | None
    place: str
    name: str
    hours: str
    holidays: str | None
    own_days: list[str]
    valid_from: date | None
    valid_to: date | None
    binds: bool
    source: str
    evidence: Literal["text", "secondary", "none"]
    note: str
    exempted: list[Exemption]


class Laws(Model):
    """The law rows of all places, or of one; what is not among them has own hours, no source."""

    items: list[LawRow]


class InForce(Model):
    """All hours of an assignment or a segment: the CRM's own, what is stricter, who is exempted."""

    own: str = Field(description="The CRM's own hours.")
    stricter: list[Hours]
    exemptions: list[Exemption]


WithEnded = Annotated[bool, Query(description="What held once as well.")]
Place = Annotated[str | None, Query(max_length=20, description="Such as NO or US-FL, with its country.")]


@router.get("/laws", response_model=Laws, responses=answers(LAWS, errors=[422]))
def the_laws(app: TheApp, holder: Manager, place: Place = None) -> dict[str, Any]:
    """The calling hours of each place, where they stand written, and who of this CRM is exempted."""
    with app.work(holder.crm_id) as work:
        return {"items": view.laws(work, place)}


@router.get("/assignments/{assignment_id}/calling-hours", response_model=InForce,
            responses=answers(IN_FORCE, errors=[404, 422]))  # fmt: skip
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
            responses=answers({"items": [STANDING], "next": None}, errors=[422]))  # fmt: skip
def standing(app: TheApp, holder: Manager, asked: Paging) -> dict[str, Any]:
    """All stricter hours of the CRM, those that ended too, in the order in which they were set."""
    with app.work(holder.crm_id) as work:
        return page(
            "hours", asked, lambda after, most: view.stricter_hours(work, ended=True, after=after, most=most)
        )


@router.post("/stricter-hours", status_code=201, response_model=HoursSet,
             responses=answers(SET, status=201, errors=[404, 409, 422]))  # fmt: skip
def set_them(app: TheApp, holder: Manager, body: Annotated[NewHours, Body(**example(NEW))]) -> HoursSet:
    """Make hours stricter. They are intersected with the law and all other hours: nothing becomes looser.

    When this answers, nothing rings outside them, except what the answer names.
    """
    with timed("hours"), about(assignment=body.assignment_id):
        key, air = set_hours(
            app.opener(holder.crm_id), **dict(body), author=holder.author, patience=patience(app)
        )
    return HoursSet(id=key, in_the_air=in_the_air(air))


@router.patch("/stricter-hours/{hours_id}", response_model=HoursSet,
              responses=answers(OTHER, errors=[404, 409, 422]))  # fmt: skip
def change_them(
    app: TheApp, holder: Manager, hours_id: PathId, body: Annotated[ChangedHours, Body(**example(CHANGE))]
) -> HoursSet:
    """Set others in the stead of standing hours, in one step; the answer has the id of the new ones."""
    wanted = {name: getattr(body, name) for name in body.model_fields_set}
    with timed("hours"):
        key, air = change_hours(
            app.opener(holder.crm_id), hours_id, **wanted, author=holder.author, patience=patience(app)
        )
    return HoursSet(id=key, in_the_air=in_the_air(air))


@router.delete("/stricter-hours/{hours_id}", response_model=Hours,
               responses=answers(STANDING, errors=[404, 409, 422]))  # fmt: skip
def end_them(app: TheApp, holder: Manager, hours_id: PathId) -> view.HoursSet:
    """Let stricter hours hold no more; they stay to be read."""
    open_work = app.opener(holder.crm_id)
    end_hours(open_work, hours_id, author=holder.author)
    with open_work() as work:
        return view.one_hours(work, hours_id)


@router.get("/exemptions", response_model=Page[Exemption],
            responses=answers({"items": [EXEMPTION], "next": None}, errors=[422]))  # fmt: skip
def exempted(app: TheApp, holder: Manager, asked: Paging) -> dict[str, Any]:
    """Who is, or was, exempted from what, in the order in which it was given."""
    with app.work(holder.crm_id) as work:
        return page(
            "exemptions", asked, lambda after, most: view.exemptions(work, ended=True, after=after, most=most)
        )


@router.post("/exemptions", status_code=201, response_model=Exemption,
             responses=answers(EXEMPTION, status=201, errors=[404, 422]))  # fmt: skip
def let_off(
    app: TheApp, holder: Manager, body: Annotated[NewExemption, Body(**example(EXEMPT))]
) -> view.Exempted:
    """Let the CRM or an assignment off one law row, or its own hours, by a manager's name and until a day."""
    open_work = app.opener(holder.crm_id)
    key = exempt(open_work, **dict(body))
    with open_work() as work:
        return view.one_exemption(work, key)


@router.delete("/exemptions/{exemption_id}", response_model=Ended,
               responses=answers({"in_the_air": AIR}, errors=[404, 409, 422]))  # fmt: skip
def bind_again(app: TheApp, holder: Manager, exemption_id: PathId) -> Ended:
    """End an exemption. When this answers, nothing rings by it, except what the answer names."""
    air = end_exemption(app.opener(holder.crm_id), exemption_id, author=holder.author, patience=patience(app))
    return Ended(in_the_air=in_the_air(air))
