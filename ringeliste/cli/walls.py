"""Pauses: stop what must not ring, and let it go on."""

from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from models.ends import LONGEST_PAUSE
from models.errors import BadInput
from ringeliste.cli.front import add
from ringeliste.cli.options import AsJson, AssignmentName, Author, CrmName, DryRun, whoever

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from calling.handout.recalling import Patience, WallAnswer
    from models.work import OpenWork
    from wiring.app import App

PANEL = "Calls"


class Scope(StrEnum):
    """What can be paused."""

    SEGMENT = "segment"
    ASSIGNMENT = "assignment"
    SELLER = "seller"
    DIALER = "dialer"
    CRM = "crm"
    OWNER = "owner"
    EVERYTHING = "everything"


What = Annotated[
    Scope,
    typer.Argument(help="segment, assignment, seller, dialer, crm, owner or everything.", metavar="WHAT"),
]
Name = Annotated[
    str | None,
    typer.Argument(help="Its name, key or id; none for crm and everything.", metavar="NAME"),
]

Minutes = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=LONGEST_PAUSE // timedelta(minutes=1),
        help="It lifts itself after so many minutes of business time.",
    ),
]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    add(app, pause, PANEL)
    add(app, resume, PANEL)


def pause(
    what: What,
    name: Name = None,
    reason: Annotated[str, typer.Option(help="Why; shown to whoever asks.")] = "paused by hand",
    minutes: Minutes = None,
    crm: CrmName = None,
    assignment: AssignmentName = None,
    author: Author = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Stop a segment, an assignment, a seller, a dialer, a CRM, all CRMs of a data owner, or everything.

    When it answers, nothing of it is offered, taken or rung any more, except what the answer names; of CRMs
    beside the first it counts. A CRM that is founded meanwhile is stopped as well.

    \b
    Examples:
      ringeliste pause segment savers --reason "wrong script"
      ringeliste pause dialer robot --minutes 30
      ringeliste pause crm --reason "complaint" --dry-run
      ringeliste pause owner "Banco Ribeiro" --reason "contract has ended"
      ringeliste pause everything --reason "fire drill" --minutes 60
    """
    from calling.walls.pause import pause as stop
    from ringeliste.cli.doors import writing_where

    with writing_where(_where(what, name, crm), dry_run=dry_run) as (app, open_work):
        target = _target(open_work, what, name, assignment)
        ends_at = app.now() + timedelta(minutes=minutes) if minutes else None
        caught = stop(
            open_work, what.value, target, reason=reason, author=whoever(author), ends_at=ends_at,
            patience=patience(app, dry_run=dry_run),
        )  # fmt: skip
    beyond = what in _BEYOND and dry_run
    tell(
        caught, f"{what.value} {name or ''}".strip() + " is paused", dry_run=dry_run, as_json=as_json,
        warning="A dry run looks at one CRM; the others would be stopped as well." if beyond else None,
    )  # fmt: skip


def resume(
    what: What,
    name: Name = None,
    crm: CrmName = None,
    assignment: AssignmentName = None,
    author: Author = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Lift the pauses that stand on exactly this.

    \b
    Examples:
      ringeliste resume segment savers
      ringeliste resume crm
      ringeliste resume everything
    """
    from calling.walls.pause import resume as go_on
    from ringeliste.cli.doors import writing_where
    from ringeliste.cli.output import answer, would
    from ringeliste.drawing import counted

    with writing_where(_where(what, name, crm), dry_run=dry_run) as (_, open_work):
        lifted = go_on(
            open_work, what.value, _target(open_work, what, name, assignment), author=whoever(author)
        )
    said = f"{counted(lifted, 'pause')} lifted; work goes on." if lifted else "No pause stood on it."
    document = {"lifted": lifted, "dry_run": dry_run}
    answer(document, lambda console: console.print(would(dry_run) + said), as_json=as_json)


_BEYOND = (Scope.OWNER, Scope.EVERYTHING)


def _where(what: Scope, name: str | None, crm: str | None) -> "Callable[[App], int]":
    """From which CRM it is done: of an owner, and of everything, the first one."""
    from ringeliste.cli.finding import find_crm, find_crm_of, first_crm

    if what in _BEYOND and crm is not None:
        raise BadInput(f"{what.value}: goes beyond one CRM; leave out --crm")
    if what is Scope.OWNER:
        return lambda app: find_crm_of(app, name)
    if what is Scope.EVERYTHING:
        return first_crm
    return lambda app: find_crm(app, crm)


def _target(open_work: "OpenWork", what: Scope, name: str | None, assignment: str | None) -> int | None:
    from ringeliste.cli.finding import find

    if what is Scope.OWNER:
        return None
    if what in (Scope.CRM, Scope.EVERYTHING):
        if name is not None:
            more = "; say which one with --crm" if what is Scope.CRM else ""
            raise BadInput(f"{what.value}: takes no name{more}")
        return None
    if name is None and what is not Scope.ASSIGNMENT:
        raise BadInput(f"say which {what.value}: `ringeliste pause {what.value} NAME`")
    with open_work() as work:
        if what is Scope.SEGMENT:
            return find(work, "segment", name, assignment_id=find(work, "assignment", assignment))
        return find(work, what.value, name or assignment)


def patience(app: "App", *, dry_run: bool) -> "Patience":
    """Waits for dialers' confirmations as long as the settings say; a dry run asks nobody."""
    from wiring.patience import patience as within

    return within(0 if dry_run else app.settings.recall_wait_seconds)


def tell(
    caught: "WallAnswer", done: str, *, dry_run: bool, as_json: bool, warning: str | None = None
) -> None:
    """Print what a wall found in the air, and what else whoever built it should know."""
    from ringeliste.cli.output import answer

    document: dict[str, Any] = {"dry_run": dry_run, **in_the_air(caught)}
    if caught.elsewhere.crms:
        document["elsewhere"] = caught.elsewhere
    if warning:
        document["warning"] = warning

    def draw(console: "Console") -> None:
        draw_wall(console, caught, done, dry_run=dry_run)
        if warning:
            console.print(warning, style="yellow", markup=False)

    answer(document, draw, as_json=as_json)


def in_the_air(caught: "WallAnswer") -> dict[str, Any]:
    """What a wall found, as a part of a document."""
    unknown = [{"lease_id": lease, "until": until} for lease, until in caught.unknown]
    return {"recalled": caught.recalled, "rung": caught.rung, "unknown": unknown}


def draw_wall(console: "Console", caught: "WallAnswer", done: str, *, dry_run: bool) -> None:
    """What was done, and what its wall found in the air."""
    from ringeliste.cli.output import instant, shown, would

    console.print(f"{would(dry_run)}[bold]{shown(done)}[/bold].")
    console.print(f"  {len(caught.recalled)} taken back unrung")
    console.print(f"  {len(caught.rung)} ring, talk or are in wrap-up, and go on to their end")
    console.print(f"  {len(caught.unknown)} with a dialer that has not answered yet")
    for lease, until in caught.unknown:
        console.print(f"    {lease} cannot ring after {instant(until)}", style="yellow")
    if caught.elsewhere.crms:
        there = caught.elsewhere
        console.print(
            f"  in {there.crms} further CRMs {there.recalled} taken back, {there.rung} that ring or talk, "
            f"{there.unknown} not answered yet"
            + (f"; none of these rings after {instant(there.until)}" if there.until else "")
        )
