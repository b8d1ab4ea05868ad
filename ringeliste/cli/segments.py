"""Segments from the command line: list, rename, reorder, delete."""

from typing import TYPE_CHECKING, Annotated

import typer

from ringeliste.cli.front import add, unwrapped
from ringeliste.cli.held import holds
from ringeliste.cli.lists import PANEL, deleted, segments
from ringeliste.cli.options import AsJson, AssignmentName, Author, CrmName, DryRun, whoever
from ringeliste.cli.segment_deeds import free, release, wake
from ringeliste.cli.segment_options import Segment
from ringeliste.cli.selections import move, new, rule
from ringeliste.cli.stories import history, portrait

if TYPE_CHECKING:
    from models.work import OpenWork
    from wiring.app import App


def register(app: typer.Typer) -> None:
    """Add the group; without a command it lists."""
    group = typer.Typer(rich_markup_mode="rich", invoke_without_command=True, no_args_is_help=False)
    group.callback(help=unwrapped(SEGMENTS))(listed)
    add(group, segments, name="list")
    for command in (new, rename, reorder, delete, move, free, wake, release, holds, rule, history, deleted):
        add(group, command)
    app.add_typer(group, name="segments", rich_help_panel=PANEL)
    add(app, portrait, PANEL)


SEGMENTS = """Show the segments of an assignment, and change them.

Without a command: how large each is, how many free, leased, resting, held, sold.

\b
Examples:
  ringeliste segments
  ringeliste segments --assignment "Term deposit" --json
"""


def listed(
    context: typer.Context, crm: CrmName = None, assignment: AssignmentName = None, as_json: AsJson = False
) -> None:
    """The group itself."""
    if context.invoked_subcommand is None:
        segments(crm, assignment, as_json)


def rename(
    segment: Segment,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Its new name; its key stays.")],
    crm: CrmName = None,
    assignment: AssignmentName = None,
    author: Author = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Give a segment another name. Its key and its customers stay.

    \b
    Examples:
      ringeliste segments rename loans "With a loan"
      ringeliste segments rename loans "With a loan" --dry-run
    """
    from calling.segments import editing
    from ringeliste.cli.doors import writing_in

    with writing_in(crm, assignment, dry_run=dry_run) as (app, open_work, assignment_id):
        keys = _keys(open_work, assignment_id, [segment])
        version = editing.rename(open_work, assignment_id, keys[0], name, author=whoever(author))
        _tell(app, version, f"{keys[0]} is called {name} now.", moves=False, dry_run=dry_run, as_json=as_json)


def reorder(
    order: Annotated[list[str], typer.Argument(metavar="SEGMENT...", help="All of them, the first wins.")],
    crm: CrmName = None,
    assignment: AssignmentName = None,
    author: Author = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Put the segments into this order of priority: whoever matches several is in the first.

    \b
    Examples:
      ringeliste segments reorder bought_before loans savers
    """
    from calling.segments import editing
    from ringeliste.cli.doors import writing_in

    with writing_in(crm, assignment, dry_run=dry_run) as (app, open_work, assignment_id):
        keys = _keys(open_work, assignment_id, order)
        version = editing.reorder(open_work, assignment_id, keys, author=whoever(author))
        _tell(app, version, f"The order is {', '.join(keys)}.", moves=True, dry_run=dry_run, as_json=as_json)


def delete(
    segment: Segment,
    crm: CrmName = None,
    assignment: AssignmentName = None,
    author: Author = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Delete a segment. Its holds are let go, and its customers go where the other rules say.

    \b
    Examples:
      ringeliste segments delete loans --dry-run
      ringeliste segments delete loans
    """
    from calling.segments import editing
    from ringeliste.cli.doors import writing_in

    with writing_in(crm, assignment, dry_run=dry_run) as (app, open_work, assignment_id):
        keys = _keys(open_work, assignment_id, [segment])
        version = editing.delete(open_work, assignment_id, keys[0], author=whoever(author))
        _tell(app, version, f"{keys[0]} is deleted.", moves=True, dry_run=dry_run, as_json=as_json)


def _keys(open_work: "OpenWork", assignment_id: int, wanted: list[str]) -> list[str]:
    """The keys of these segments."""
    from calling.segments.editing import key_of
    from ringeliste.cli.finding import find

    with open_work() as work:
        ids = [find(work, "segment", one, assignment_id=assignment_id) for one in wanted]
        return [key_of(work, assignment_id, one) for one in ids]


def _tell(app: "App", version: int, said: str, *, moves: bool, dry_run: bool, as_json: bool) -> None:
    """`moves`: customers go to other segments for it, once somebody works."""
    from ringeliste.cli.doors import somebody_works
    from ringeliste.cli.output import answer, moving, shown, would

    worked = somebody_works(app)
    document = {"version": version, "dry_run": dry_run, "somebody_works": worked}
    then = f"\n{moving(worked)}" if moves and not dry_run else ""
    lines = f"{would(dry_run)}{shown(said)} Version {version} of the rules.{then}"
    answer(document, lambda console: console.print(lines), as_json=as_json)
