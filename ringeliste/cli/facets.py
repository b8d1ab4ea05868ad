"""The bars of an assignment, drawn with letters."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringeliste.cli.front import add
from ringeliste.cli.options import AsJson, CrmName
from ringeliste.cli.wheres import Where, read_wheres

if TYPE_CHECKING:
    from rich.console import Console

    from calling.views.bars import Bars, NamedDimension

PANEL = "Lists"
BAR, NAME = 36, 28
CHOSEN, OTHER, REST = "yellow", "cyan", "bright_black"


def register(app: typer.Typer) -> None:
    """Add this command."""
    add(app, facets, PANEL)


def facets(
    assignment: Annotated[
        str | None, typer.Argument(metavar="ASSIGNMENT", help="By name or id, if there are several.")
    ] = None,
    where: Where = None,
    only: Annotated[
        list[str] | None, typer.Option("--only", metavar="DIMENSION", help="Show only this dimension.")
    ] = None,
    bars: Annotated[int, typer.Option(min=1, max=60, help="Bars of each dimension at most.")] = 8,
    crm: CrmName = None,
    as_json: AsJson = False,
) -> None:
    """Show how many customers have each value, under the filters of all other dimensions.

    \b
    Examples:
      ringeliste facets
      ringeliste facets Spring -w job=student,retired -w age=20..40
      ringeliste facets --only job --only age --bars 20
      ringeliste facets -w loan=yes --json
    """
    from calling.views.bars import bars as bars_of
    from ringeliste.cli.doors import reading
    from ringeliste.cli.output import answer

    with reading(crm, assignment) as (work, assignment_id):
        filters = read_wheres(work, assignment_id, where)
        found = bars_of(work, assignment_id, filters, bars)
    shown = _only(found, only)
    answer(_document(found, shown), lambda console: _draw(console, found, shown), as_json=as_json)


def _only(found: "Bars", only: list[str] | None) -> "list[NamedDimension]":
    from models.errors import BadInput
    from wiring.reading import did_you_mean

    known = [one.key for one in found.dimensions]
    for key in only or ():
        if key not in known:
            raise BadInput(f"--only {key}: there is no such dimension{did_you_mean(key, known)}")
    return [one for one in found.dimensions if not only or one.key in only]


def _document(found: "Bars", shown: "list[NamedDimension]") -> dict[str, Any]:
    from segmentation.facets.spelling import spelled, spelled_filters

    return {
        "total": found.total, "of": found.of, "as_of": found.as_of, "source": found.source,
        "filters": spelled_filters(found.filters),
        "dimensions": [
            {
                "key": one.key, "name": one.name, "kind": one.kind, "more": one.more,
                "bars": [
                    {"value": spelled(bar.value), "name": bar.name, "selected": bar.selected,
                     "total": bar.total, "chosen": bar.chosen}
                    for bar in one.bars
                ],
            }
            for one in shown
        ],
    }  # fmt: skip


def _draw(console: "Console", found: "Bars", shown: "list[NamedDimension]") -> None:
    from ringeliste.drawing import count

    console.print(f"[bold]{count(found.total)}[/bold] of {count(found.of)} customers")
    for one in shown:
        console.print()
        _draw_dimension(console, one)
    console.print(
        f"\n[{OTHER}]█[/{OTHER}] [dim]under the other filters[/dim]  [{REST}]█[/{REST}] [dim]all[/dim]"
    )


def _draw_dimension(console: "Console", one: "NamedDimension") -> None:
    from rich.table import Table
    from rich.text import Text

    from ringeliste.cli.output import number, shown
    from ringeliste.drawing import count, stacked

    more = f" [dim]and {one.more} more[/dim]" if one.more else ""
    console.print(f"[bold]{shown(one.name)}[/bold] [dim]{shown(one.key)}[/dim]{more}")
    table = Table(box=None, show_header=False, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column(width=NAME, no_wrap=True, overflow="ellipsis")
    table.add_column(justify="right", no_wrap=True, min_width=7)
    table.add_column(style="dim", justify="right", no_wrap=True, min_width=9)
    table.add_column(no_wrap=True)
    most = max((bar.total for bar in one.bars), default=0)
    for bar in one.bars:
        style = CHOSEN if bar.chosen else OTHER
        drawn = (
            stacked([(bar.selected, style), (bar.total - bar.selected, REST)], most, BAR) if most else Text()
        )
        name = f"[{CHOSEN}]✓ {shown(bar.name)}[/{CHOSEN}]" if bar.chosen else f"  {shown(bar.name)}"
        table.add_row(name, number(bar.selected), f"of {count(bar.total)}", drawn)
    console.print(table)
