"""Where an import goes: the CRM and the assignment that were named, made if that is wished."""

from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from calling import register
from calling.intake.numbers import check_region
from calling.outcomes.attempts import ensure_months
from models.errors import BadInput
from models.work import OpenWork
from ringeliste.cli.finding import find, find_crm
from ringeliste.cli.trial import inside, rolled_back
from wiring.app import App

_REGION = text("select region from crm where id = :crm_id")
_NAMED = text("select id from crm where name = :name or cast(id as text) = :name")
_ASSIGNMENT = text("""
    select id from assignment where crm_id = :crm_id and (name = :name or cast(id as text) = :name)
""")
_ANY = text("select 1 from assignment where crm_id = :crm_id limit 1")

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri")
HOURS: dict[str, Any] = {**{day: [["09:00", "20:00"]] for day in WEEKDAYS}, "sat": [], "sun": []}
"""The hours of a CRM made by an import, until somebody sets its own."""


@dataclass(frozen=True, slots=True)
class Place:
    """A CRM by its door, the country of its numbers, and an assignment if one is wished."""

    open_work: OpenWork
    region: str
    assignment_id: int | None


def place_for(
    app: App, stack: ExitStack, crm: str | None, assignment: str | None, *,
    region: str | None, create: bool, dry_run: bool,
) -> Place:  # fmt: skip
    """The place named, made if it is missing and `create`. A dry run makes it in a transaction rolled back.

    Without a name the only assignment is taken; a CRM without one takes customers all the same.
    """
    if create and crm is None:
        raise BadInput("--create: name the CRM with --crm")
    session = stack.enter_context(rolled_back(app) if dry_run else app.shared())
    crm_id = _crm(app, session, crm, region, create=create)
    found_region = str(session.execute(_REGION, {"crm_id": crm_id}).scalar_one())
    if dry_run:
        open_work = inside(app, session, crm_id)
    else:
        session.commit()
        open_work = app.opener(crm_id)
    return Place(open_work, found_region, _assignment(open_work, assignment, create=create))


def _crm(app: App, session: Session, wanted: str | None, region: str | None, *, create: bool) -> int:
    found = session.execute(_NAMED, {"name": wanted or ""}).scalars().all()
    if not create or wanted is None or found:
        return find_crm(app, wanted)
    if region is None:
        raise BadInput(f"--create: say with --region in whose country the numbers of {wanted!r} are written")
    ensure_months(session, app.now())
    return register.add_crm(session, wanted, wanted, now=app.now(), region=check_region(region), hours=HOURS)


def _assignment(open_work: OpenWork, wanted: str | None, *, create: bool) -> int | None:
    with open_work() as work:
        if create and wanted and work.run(_ASSIGNMENT, name=wanted).first() is None:
            return register.add_assignment(work, wanted)
        if wanted is None and work.run(_ANY).first() is None:
            return None
        return find(work, "assignment", wanted)
