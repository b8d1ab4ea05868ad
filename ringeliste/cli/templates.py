"""Templates: what is offered, what it would make, and applying it."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from models.errors import BadInput
from ringeliste.cli.front import add
from ringeliste.cli.options import AsJson, AssignmentName, Author, CrmName, DryRun, whoever
from ringeliste.cli.publishing import Watch, put_in_force
from ringeliste.cli.turnover import turnover

if TYPE_CHECKING:
    from collections.abc import Callable

    from calling.segments.templates import Wish
    from models.work import OpenWork, Work

HELP = """Segments and labels ready-made: automatic statuses, call lists, turnover classes, bands of age ...

\b
Examples:
  ringeliste templates list
  ringeliste templates show age
  ringeliste templates apply age --dry-run
  ringeliste templates apply place --set field=by --set top=5 --as label
"""

Key = Annotated[str, typer.Argument(metavar="TEMPLATE", help="As `ringeliste templates list` shows it.")]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="What it is told, e.g. field=age or limits=18,30,50."),
]
Only = Annotated[
    list[str] | None, typer.Option("--only", metavar="KEY", help="This part only; may be given again.")
]
As = Annotated[
    str | None, typer.Option("--as", metavar="KIND", help="Bands as `segment` (default) or as `label`.")
]
Before = Annotated[
    str | None, typer.Option("--before", metavar="SEGMENT", help="New segments in front of it; else last.")
]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    group = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")
    add(group, list_, name="list")
    for command in (show, apply, turnover):
        add(group, command)
    app.add_typer(group, name="templates", rich_help_panel="Lists", help=HELP)


def list_(crm: CrmName = None, assignment: AssignmentName = None, as_json: AsJson = False) -> None:
    """Show every template, and which of the CRM's fields fit it.

    \b
    Examples:
      ringeliste templates list
      ringeliste templates list --json
    """
    from calling.segments.templates import offers
    from ringeliste.cli.doors import reading
    from ringeliste.cli.output import answer
    from ringeliste.cli.template_tables import draw_offers

    with reading(crm, assignment) as (work, assignment_id):
        found = offers(work, assignment_id)
    answer(found, lambda console: draw_offers(console, found), as_json=as_json)


def show(
    template: Key,
    set_: Set = None,
    only: Only = None,
    as_: As = None,
    crm: CrmName = None,
    assignment: AssignmentName = None,
    as_json: AsJson = False,
) -> None:
    """Show what a template would make of an assignment: each rule, and how many customers meet it.

    \b
    Examples:
      ringeliste templates show call-lists
      ringeliste templates show income --set field=salary --set bands=4
    """
    from calling.segments.templates import preview
    from ringeliste.cli.doors import reading
    from ringeliste.cli.output import answer
    from ringeliste.cli.template_tables import draw_preview

    with reading(crm, assignment) as (work, assignment_id):
        found = preview(work, assignment_id, template, _wish(set_, only, as_, None))
    answer(found, lambda console: draw_preview(console, found), as_json=as_json)


def apply(
    template: Key,
    set_: Set = None,
    only: Only = None,
    as_: As = None,
    before: Before = None,
    crm: CrmName = None,
    assignment: AssignmentName = None,
    author: Author = None,
    watch: Watch = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Add what a template makes to an assignment's rules, and publish them.

    With --dry-run you see how many customers would be where.

    \b
    Examples:
      ringeliste templates apply age
      ringeliste templates apply automatic-statuses --only promised --only no-email
      ringeliste templates apply place --set field=city --before rest --dry-run
    """
    from calling.segments.templates import apply as put

    wish = _wish(set_, only, as_, before)

    def prepare(open_work: "OpenWork", _: "Work", assignment_id: int) -> "Callable[[], int]":
        return lambda: put(open_work, assignment_id, template, wish, author=whoever(author)).version

    put_in_force(crm, assignment, prepare, dry_run=dry_run, watch=watch, as_json=as_json)


def _wish(pairs: list[str] | None, only: list[str] | None, as_: str | None, before: str | None) -> "Wish":
    from calling.segments.templates import Wish
    from segmentation.templates.written import read_written

    if as_ not in (None, "segment", "label"):
        raise BadInput(f"--as {as_}: say segment or label")
    told: dict[str, Any] = {}
    for pair in pairs or []:
        name, is_, value = pair.partition("=")
        if not is_ or not name:
            raise BadInput(f"--set {pair}: write NAME=VALUE, e.g. field=age or limits=18,30,50")
        told[name] = read_written(name, value)
    return Wish(told, only, as_, before)  # type: ignore[arg-type]  # one of the two, as looked at above
