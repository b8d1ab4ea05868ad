"""Customer lists: import them."""

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from models.errors import BadInput
from ringeliste.cli.front import add
from ringeliste.cli.options import AsJson, AssignmentName, CrmName, DryRun

if TYPE_CHECKING:
    from rich.console import Console

    from calling.intake.importing import ImportReport
    from calling.intake.parsing import Reject

SHOWN = 10


def register(app: typer.Typer) -> None:
    """Add this command."""
    add(app, import_list, "Lists", "import")


def import_list(
    file: Annotated[
        Path, typer.Argument(help="CSV, Excel (.xlsx, .xls) or JSON lines (.jsonl).", metavar="FILE")
    ],
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
        Path | None,
        typer.Option(help="Where what is refused is told.", show_default="FILE.rejects.csv, here"),
    ] = None,
    create: Annotated[
        bool, typer.Option("--create", help="Make the CRM and the assignment named if they do not exist.")
    ] = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Import a customer list. Every good row is taken, every bad one told; the same again changes nothing.

    A customer keeps their good numbers: a bad one beside them is dropped, and told; so is a place
    that is none. A dry run writes no file
    unless --rejects names one.

    Targets of --map: external_id, name, first_name, last_name, email, place, phone, tags, verified_zone, - to
    leave a column out; anything else is a field of your own, held to what is demanded of it (`ringeliste
    fields list`). phone:work says where the numbers of a column ring: home, work, mobile or other;
    place:state that a column has states of the list's country, by code or name (one called so is found).

    \b
    Examples:
      ringeliste import customers.csv
      ringeliste import customers.csv --map Kundenummer=external_id --map Kontor=phone:work --dry-run
      ringeliste import customers.xlsx --create --crm "Private customers" --assignment Spring --region NO
    """
    from calling.intake.importing import import_file
    from ringeliste.cli.doors import application, somebody_works
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
            rejects=rejects or (None if dry_run else Path(f"{file.name}.rejects.csv")), dry_run=dry_run,
        )  # fmt: skip
        worked = somebody_works(app)
    answer(report, lambda console: _draw_import(console, report, worked=worked), as_json=as_json)


def _mapping(pairs: list[str]) -> dict[str, str]:
    split = [pair.rpartition("=") for pair in pairs]
    for header, _, target in split:
        if not (header and target):
            raise BadInput(f"--map {header}{target}: write HEADER=TARGET, such as Mobil=phone")
    return {header: target for header, _, target in split}


def _error_console() -> "Console":
    from rich.console import Console

    return Console(stderr=True)


def _draw_import(console: "Console", report: "ImportReport", *, worked: bool) -> None:
    from ringeliste.cli.output import moving, plain_table, shown, would
    from ringeliste.drawing import count, counted

    rate = report.rows / report.seconds if report.seconds else 0
    pace = f"{report.seconds:.1f} s ({count(rate)}/s)"
    console.print(f"{would(report.dry_run)}{counted(report.rows, 'row')} in {pace}")
    table = plain_table("what", "rows", right=("rows",))
    for name in ("created", "updated", "unchanged", "rejected", "placed"):
        style = "red" if name == "rejected" and report.rejected else ""
        table.add_row(name, count(getattr(report, name)), style=style)
    console.print(table)
    console.print("[dim]columns:[/dim] " + ", ".join(_column(*pair) for pair in report.columns.items()))
    for warning in report.warnings:
        console.print(f"[bold yellow]warning:[/bold yellow] {shown(warning)}")
    for reject in report.rejects[:SHOWN]:
        console.print(_line(reject))
    if refused := _refused(report):
        where = (
            f"all in {shown(report.rejects_file)}" if report.rejects_file else "--rejects FILE keeps them all"
        )
        console.print(f"{refused}; {where}")
    if report.placed or (report.updated and not report.dry_run):
        console.print(moving(worked))


def _line(reject: "Reject") -> str:
    """One cell that was refused, as it is shown."""
    from ringeliste.cli.output import shown

    where = f"line {reject.line}" + (f", {reject.column}" if reject.column else "")
    said = f"{reject.value!r}: {reject.reason}" if reject.value else reject.reason
    return f"[red]{shown(where)}[/red]: {shown(said)} [dim]({reject.what})[/dim]"


def _refused(report: "ImportReport") -> str:
    """What was not taken: whole rows, and single numbers and places of customers who were."""
    from ringeliste.drawing import counted

    rows = [f"{counted(report.rejected, 'row')} rejected"] if report.rejected else []
    numbers = [f"{counted(report.dropped, 'number')} dropped"] if report.dropped else []
    places = [f"{counted(report.misplaced, 'place')} dropped"] if report.misplaced else []
    return ", ".join(rows + numbers + places)


def _column(header: str, target: str) -> str:
    from ringeliste.cli.output import shown

    return shown(header if target.partition(":")[0] == header else f"{header} → {target}")
