"""Versions of the rules: which there were, back to one of them, and watching customers move."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringeliste.cli.options import AsJson, AssignmentName, Author, CrmName, DryRun, whoever
from ringeliste.cli.publishing import Watch, put_in_force

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from calling.segments.publishing import Version
    from models.work import OpenWork, Work

Earlier = Annotated[
    int, typer.Argument(metavar="VERSION", min=1, help="As `ringeliste rules versions` shows it.")
]


def versions(crm: CrmName = None, assignment: AssignmentName = None, as_json: AsJson = False) -> None:
    """Show every published version of the rules, the newest first: that one is in force.

    \b
    Examples:
      ringeliste rules versions
      ringeliste rules versions --assignment Spring --json
    """
    from calling.segments.publishing import versions as published
    from ringeliste.cli.doors import reading
    from ringeliste.cli.output import answer

    with reading(crm, assignment) as (work, assignment_id):
        found = published(work, assignment_id)
    answer(found, lambda console: _draw(console, found), as_json=as_json)


def roll_back(
    version: Earlier,
    crm: CrmName = None,
    assignment: AssignmentName = None,
    author: Author = None,
    watch: Watch = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Put an earlier version of the rules in force again, as a new one.

    Segments that came later go. Those that went come back with whom their rules find; nobody is held in them
    again, and they come back unpaused. With --dry-run you see how many would move where.

    \b
    Examples:
      ringeliste rules roll-back 3 --dry-run
      ringeliste rules roll-back 3 --watch --author Kari
    """
    from calling.segments.publishing import roll_back as put_back

    def prepare(open_work: "OpenWork", _: "Work", assignment_id: int) -> "Callable[[], int]":
        return lambda: put_back(open_work, assignment_id, version, author=whoever(author))

    put_in_force(crm, assignment, prepare, dry_run=dry_run, watch=watch, as_json=as_json)


def watch(crm: CrmName = None, assignment: AssignmentName = None, as_json: AsJson = False) -> None:
    """Wait until every customer of an assignment is where the rules put them, and show how far it is.

    \b
    Examples:
      ringeliste rules watch
      ringeliste rules watch --assignment Spring --json
    """
    from ringeliste.cli.doors import application, somebody_works
    from ringeliste.cli.finding import find, find_crm
    from ringeliste.cli.output import answer
    from ringeliste.cli.watching import last_ended, watched

    with application() as app:
        open_work = app.opener(find_crm(app, crm))
        with open_work() as work:
            assignment_id = find(work, "assignment", assignment)
            after = last_ended(work, assignment_id)
        seen = watched(open_work, assignment_id, after, goes_on=lambda: somebody_works(app))
    waits = any(one.finished_at is None for one in seen)
    document = {"done": not waits, "rebuilds": seen}
    answer(document, lambda console: _draw_watched(console, document), as_json=as_json)


def _draw(console: "Console", found: "list[Version]") -> None:
    from ringeliste.cli.output import instant, plain_table, shown

    if not found:
        console.print("No rules were published yet.")
        return
    table = plain_table("version", "published", "by", "segments", "", right=("version", "segments"))
    for i, one in enumerate(found):
        mark = "[green]in force[/green]" if i == 0 else ""
        table.add_row(str(one.version), instant(one.published_at), shown(one.author), str(one.segments), mark)
    console.print(table)


def _draw_watched(console: "Console", document: dict[str, Any]) -> None:
    from ringeliste.cli.output import moving
    from ringeliste.cli.watching import draw_rebuilds

    if not document["rebuilds"]:
        console.print("Nothing moves: every customer is where the rules put them.")
        return
    draw_rebuilds(console, document["rebuilds"])
    if not document["done"]:
        console.print(moving(False))
