"""Customer lists: import them, and see how they are cut."""

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from models.errors import BadInput
from ringeliste.cli.front import add
from ringeliste.cli.options import AsJson, AssignmentName, CrmName, DryRun

if TYPE_CHECKING:
    from rich.console import Console

    from calling.importing import ImportReport
    from calling.report import SegmentFigures

PANEL = "Lists"
SHOWN = 10
BAR, ROOMY = 24, 120
NUMBERS = {
    "size": "size", "free": "free", "gated": "gated", "leased": "held", "resting": "resting",
    "closed": "closed", "attempts": "calls", "sales": "sales",
}  # fmt: skip
"""Figures of a segment, and what stands above them."""


def register(app: typer.Typer) -> None:
    """Add these commands."""
    add(app, import_list, PANEL, "import")
    add(app, segments, PANEL, "segments")


def import_list(
    file: Annotated[Path, typer.Argument(help="CSV, Excel (.xlsx) or JSON lines (.jsonl).", metavar="FILE")],
    crm: CrmName = None,
    assignment: AssignmentName = None,
    map_: Annotated[
        list[str] | None,
        typer.Option(
            "--map", metavar="HEADER=TARGET", help="What a column is, where its name does not tell."
        ),
    ] = None,
    region: Annotated[
        str | None, typer.Option(help="Country whose people wrote the numbers, such as PT; else the CRM's.")
    ] = None,
    rejects: Annotated[
        Path | None, typer.Option(help="Where rejected rows go.", show_default="FILE.rejects.csv, here")
    ] = None,
    create: Annotated[
        bool, typer.Option("--create", help="Make the CRM and the assignment named if they do not exist.")
    ] = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Import a customer list. Every good row is taken, every bad one told; the same again changes nothing.

    Targets of --map: external_id, name, first_name, last_name, email, place, phone, - to leave a column out;
    anything else is a field of your own.

    \b
    Examples:
      ringeliste import customers.csv
      ringeliste import customers.csv --map Kundenummer=external_id --map Mobil=phone --dry-run
      ringeliste import customers.xlsx --create --crm "Private customers" --assignment Spring --region NO
    """
    from calling.importing import import_file
    from ringeliste.cli.doors import application
    from ringeliste.cli.output import answer
    from ringeliste.cli.places import place_for
    from ringeliste.progress import import_bar

    if not file.is_file():
        raise BadInput(f"{file}: there is no such file")
    with application(publishing=not dry_run) as app, ExitStack() as stack:
        place = place_for(app, stack, crm, assignment, region=region, create=create, dry_run=dry_run)
        progress = stack.enter_context(import_bar(_error_console(), f"Importing {file.name}"))
        report = import_file(
            place.open_work, file, region=region or place.region, mapping=_mapping(map_ or []),
            assignment_id=place.assignment_id, progress=progress,
            rejects=rejects or Path(f"{file.stem}.rejects.csv"), dry_run=dry_run,
        )  # fmt: skip
    answer(report, lambda console: _draw_import(console, report), as_json=as_json)


def segments(crm: CrmName = None, assignment: AssignmentName = None, as_json: AsJson = False) -> None:
    """Show the segments of an assignment: how large, how many free, held, resting, closed, sold.

    \b
    Examples:
      ringeliste segments
      ringeliste segments --assignment "Term deposit" --json
    """
    from calling.report import segments as figures_of
    from ringeliste.cli.doors import reading
    from ringeliste.cli.output import answer

    with reading(crm, assignment) as (work, assignment_id):
        figures = figures_of(work, assignment_id)
    answer(figures, lambda console: _draw_segments(console, figures), as_json=as_json)


def _mapping(pairs: list[str]) -> dict[str, str]:
    split = [pair.rpartition("=") for pair in pairs]
    for header, _, target in split:
        if not (header and target):
            raise BadInput(f"--map {header}{target}: write HEADER=TARGET, such as Mobil=phone")
    return {header: target for header, _, target in split}


def _error_console() -> "Console":
    from rich.console import Console

    return Console(stderr=True)


def _draw_import(console: "Console", report: "ImportReport") -> None:
    from ringeliste.cli.output import plain_table, would
    from ringeliste.drawing import count

    rate = report.rows / report.seconds if report.seconds else 0
    pace = f"{report.seconds:.1f} s ({count(rate)}/s)"
    console.print(f"{would(report.dry_run)}{count(report.rows)} rows in {pace}")
    table = plain_table("what", "rows", right=("rows",))
    for name in ("created", "updated", "unchanged", "rejected", "placed"):
        style = "red" if name == "rejected" and report.rejected else ""
        table.add_row(name, count(getattr(report, name)), style=style)
    console.print(table)
    console.print("[dim]columns:[/dim] " + ", ".join(_column(*pair) for pair in report.columns.items()))
    for reject in report.rejects[:SHOWN]:
        where = f"line {reject.line}" + (f", {reject.column}" if reject.column else "")
        console.print(f"[red]{where}[/red]: {reject.value!r}: {reject.reason}", markup=True)
    if report.rejected:
        console.print(f"All {count(report.rejected)} rejected rows with their reasons: {report.rejects_file}")


def _column(header: str, target: str) -> str:
    return header if target.partition(":")[0] == header else f"{header} → {target}"


def _draw_segments(console: "Console", figures: "list[SegmentFigures]") -> None:
    from rich.table import Table

    from ringeliste.cli.output import number
    from ringeliste.drawing import bar, count

    table = Table(box=None, header_style="dim", padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("segment", no_wrap=True, min_width=12)
    for heading in NUMBERS.values():
        table.add_column(heading, justify="right", no_wrap=True)
    roomy = console.width >= ROOMY
    if roomy:
        table.add_column("key", style="dim", no_wrap=True)
        table.add_column("", style="cyan", no_wrap=True, min_width=BAR)
    largest = max((one.size for one in figures), default=0) or 1
    for one in figures:
        name = f"[red]{one.name} (paused)[/red]" if one.paused else one.name
        more = (one.key, bar(one.size / largest, BAR)) if roomy else ()
        table.add_row(name, *(number(getattr(one, column)) for column in NUMBERS), *more)
    totals = (count(sum(getattr(one, column) for one in figures)) for column in NUMBERS)
    table.add_row("together", *totals, style="bold")
    console.print(table)
