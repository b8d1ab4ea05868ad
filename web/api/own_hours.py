"""A CRM's own hours: shut at once, opened by a named manager (P3)."""

from typing import Annotated, Any

from fastapi import APIRouter, Body
from pydantic import Field

from calling.views import hours as view
from calling.walls import own_hours
from web import cursors
from web.api.common import Instant, Model, Paging, TheApp, Words
from web.api.docs import answers, example
from web.api.walls import AIR, InTheAir, in_the_air, patience
from web.keys import Manager
from wiring.metrics import timed

router = APIRouter(tags=["hours"])

Week = dict[str, list[list[str]]]


class OwnHours(Model):
    """The CRM's own hours: everywhere, and alone where no law row has a source."""

    hours: str = Field(description="In words.")
    week: Week


class WantedHours(Model):
    """The hours of each day (mon to sun); a day that is missing is shut."""

    week: Week
    manager: Words | None = Field(
        None, description="A manager, who answers for hours that open; null: whose key it is."
    )
    reason: Words


class OwnHoursSet(Model):
    """What they were and are, in words. `opens`, `shuts`: some hour is open, or shut, that was not."""

    before: str
    after: str
    opens: bool
    shuts: bool
    changed: bool
    in_the_air: InTheAir


class OwnHoursChange(Model):
    """Somebody changed them. `manager`: who answers for hours that opened."""

    id: int
    before: Week
    after: Week
    reason: str
    manager: str | None
    author: str
    changed_at: Instant
    walled_at: Instant | None = Field(description="From then on nothing rings in hours that it shut.")


class OwnHoursChanges(Model):
    """One page of changes, the last first."""

    items: list[OwnHoursChange]
    next: str | None = Field(description="Pass it as `cursor` to get the next page; null on the last one.")


OFFICE = {day: [["09:00", "20:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}
SATURDAYS = {**OFFICE, "sat": [["10:00", "14:00"]]}
NEW: dict[str, Any] = {"week": SATURDAYS, "manager": "Kari Nordmann", "reason": "Saturdays, from now on"}
BEFORE, AFTER = "mon-fri 09:00-20:00; sat-sun never", "mon-fri 09:00-20:00; sat 10:00-14:00; sun never"
SET: dict[str, Any] = {
    "before": BEFORE, "after": AFTER, "opens": True, "shuts": False, "changed": True, "in_the_air": AIR,
}  # fmt: skip
CHANGE: dict[str, Any] = {
    "id": 3, "before": OFFICE, "after": SATURDAYS, "reason": "Saturdays, from now on",
    "manager": "Kari Nordmann", "author": "Kari Nordmann", "changed_at": "2026-03-02T12:00:00Z",
    "walled_at": "2026-03-02T12:00:00Z",
}  # fmt: skip


@router.get("/own-hours", response_model=OwnHours, responses=answers({"hours": AFTER, "week": SATURDAYS}))
def standing(app: TheApp, holder: Manager) -> OwnHours:
    """The CRM's own hours."""
    with app.work(holder.crm_id) as work:
        return OwnHours(hours=view.own_hours(work), week=view.own_week(work))


@router.put("/own-hours", response_model=OwnHoursSet, responses=answers(SET, errors=[409, 422]))
def set_them(app: TheApp, holder: Manager, body: Annotated[WantedHours, Body(**example(NEW))]) -> OwnHoursSet:
    """Change the CRM's own hours. The law, and whatever else was made stricter, binds within them.

    When this answers, nothing rings in hours that are shut now, except what the answer names. For hours that
    open a manager answers by name.
    """
    with timed("hours"):
        done = own_hours.set_own_hours(
            app.opener(holder.crm_id), body.week, reason=body.reason, author=holder.author,
            manager=body.manager or holder.author, patience=patience(app),
        )  # fmt: skip
    return OwnHoursSet(
        before=done.before, after=done.after, opens=done.opens, shuts=done.shuts,
        changed=done.change_id is not None, in_the_air=in_the_air(done.in_the_air),
    )  # fmt: skip


@router.get("/own-hours/changes", response_model=OwnHoursChanges,
            responses=answers({"items": [CHANGE], "next": None}, errors=[422]))  # fmt: skip
def changes(app: TheApp, holder: Manager, asked: Paging) -> dict[str, Any]:
    """Who changed the CRM's own hours, when, from what to what and why: the last change first."""
    before = cursors.decode("own_hours_changes", asked.cursor)
    with app.work(holder.crm_id) as work:
        rows = own_hours.own_hours_changes(work, asked.limit + 1, before_id=before or own_hours.LATEST)
    items = [
        {name: getattr(row, name) for name in OwnHoursChange.model_fields} for row in rows[: asked.limit]
    ]
    more = len(rows) > asked.limit
    last = items[-1]["id"] if more else None
    return {"items": items, "next": cursors.encode("own_hours_changes", last) if last else None}
