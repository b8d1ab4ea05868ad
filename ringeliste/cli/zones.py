"""Zones: whose nobody knows, and who vouches for one."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from models.errors import BadInput, BadValues, Conflict
from ringeliste.cli.front import add as add_command
from ringeliste.cli.options import AsJson, Author, CrmName, DryRun, whoever

if TYPE_CHECKING:
    from rich.console import Console

    from calling.customers.verifying_lists import Refused, Said
    from calling.customers.vouching import Verified

ZONES = """Customers' time zones: whose nobody knows, and who vouches for one.

\b
Examples:
  ringeliste zones unknown
  ringeliste zones verify 17 Europe/Oslo --reason "asked her"
"""

ANYWAY = "--anyway"

Customer = Annotated[str, typer.Argument(metavar="CUSTOMER", help="By external id.")]
Source = Annotated[
    str | None, typer.Option(metavar="NAME", help="The system of record that says so; else it is you.")
]
Anyway = Annotated[
    bool, typer.Option("--anyway", help="Also what contradicts their numbers, or a person's word.")
]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    group = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")
    add_command(group, unknown)
    add_command(group, history)
    add_command(group, verify)
    add_command(group, verify_list)
    add_command(group, withdraw)
    add_command(group, places)
    app.add_typer(group, name="zones", rich_help_panel="Calls", help=ZONES)


def unknown(
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="So many at most.")] = 50,
    after: Annotated[int, typer.Option(min=0, help="Go on after this one, the last one's number.")] = 0,
    crm: CrmName = None,
    as_json: AsJson = False,
) -> None:
    """List the customers whom nobody can call, because nobody knows their zone.

    \b
    Examples:
      ringeliste zones unknown
      ringeliste zones unknown --limit 1000 --json
    """
    from calling.views.zones import count_unknown, unknown_zones
    from ringeliste.cli.doors import application
    from ringeliste.cli.finding import find_crm
    from ringeliste.cli.output import answer, number, plain_table, shown

    with application() as app, app.work(find_crm(app, crm)) as work:
        rows, total = unknown_zones(work, after, limit), count_unknown(work)

    def draw(console: "Console") -> None:
        table = plain_table("", "customer", "name", "place", "numbers", right=("",))
        for row in rows:
            table.add_row(
                str(row.id), shown(row.external_id), shown(row.name), row.place or "", ", ".join(row.numbers)
            )  # fmt: skip
        console.print(table if rows else "Somebody knows the zone of every customer.")
        if len(rows) < total:
            console.print(f"[dim]{number(total)} in all.[/dim]")

    found = [{**row._mapping, "created_at": row.created_at.isoformat()} for row in rows]
    answer({"total": total, "customers": found}, draw, as_json=as_json)


def history(customer: Customer, crm: CrmName = None, as_json: AsJson = False) -> None:
    """Show who vouched for which zone of a customer, why, and how it ended.

    \b
    Examples:
      ringeliste zones history 17
    """
    from calling.views import zones
    from ringeliste.cli.doors import application
    from ringeliste.cli.finding import find_crm
    from ringeliste.cli.output import answer, instant, plain_table, shown
    from ringeliste.cli.suppression import customer_id

    with application() as app, app.work(find_crm(app, crm)) as work:
        rows = zones.history(work, customer_id(work, customer), 0, 1000)

    def draw(console: "Console") -> None:
        table = plain_table("zone", "by", "why", "when", "until")
        for row in rows:
            by = f"{row.source} ({row.author})" if row.source and row.source != row.author else row.author
            ended = f"{instant(row.ended_at)}, {row.ended_by}: {row.ended_reason or 'replaced'}"
            table.add_row(
                row.zone, shown(by), shown(row.reason), instant(row.verified_at),
                shown(ended) if row.ended_at else "",
            )  # fmt: skip
        console.print(table if rows else "Nobody has vouched for a zone.")

    answer([dict(row._mapping) for row in rows], draw, as_json=as_json)


def verify(
    customer: Customer,
    zone: Annotated[str, typer.Argument(metavar="ZONE", help="As tzdata calls it: Europe/Oslo.")],
    reason: Annotated[str, typer.Option(help="How it is known.")],
    source: Source = None,
    anyway: Anyway = False,
    crm: CrmName = None,
    author: Author = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Vouch for the zone of a customer: they may be called by it at once.

    \b
    Examples:
      ringeliste zones verify 17 Europe/Oslo --reason "asked her"
      ringeliste zones verify 17 Asia/Tokyo --reason "lives there now" --anyway --dry-run
    """
    from calling.customers.verifying import verify_zone
    from calling.customers.verifying_refused import with_way
    from ringeliste.cli.doors import writing
    from ringeliste.cli.suppression import customer_id

    with writing(crm, dry_run=dry_run) as (_, open_work):
        with open_work() as work:
            key = customer_id(work, customer)
        try:
            done = verify_zone(
                open_work, key, zone, author=whoever(author), reason=reason, source=source, anyway=anyway
            )
        except (BadValues, Conflict) as error:
            raise with_way(error, ANYWAY) from None
    _tell([done], [], dry_run=dry_run, as_json=as_json)


def verify_list(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV with the columns customer and zone.")],
    reason: Annotated[str, typer.Option(help="How they are known; a column reason says it for each.")],
    source: Source = None,
    anyway: Anyway = False,
    crm: CrmName = None,
    author: Author = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Vouch for the zones of many; a line that is wrong is told, and costs no other (exit code 1).

    \b
    Examples:
      ringeliste zones verify-list zones.csv --reason "their invoices" --source billing
      ringeliste zones verify-list zones.csv --reason "asked them" --dry-run
    """
    from calling.customers.verifying_lists import verify_zones
    from ringeliste.cli.doors import writing

    said = _lines(file, reason)
    with writing(crm, dry_run=dry_run) as (_, open_work):
        done, refused = verify_zones(open_work, said, author=whoever(author), source=source, anyway=anyway)
    _tell(done, refused, dry_run=dry_run, as_json=as_json)
    if refused:
        raise typer.Exit(1)


def withdraw(
    customer: Customer,
    reason: Annotated[str, typer.Option(help="Why it is not so.")],
    crm: CrmName = None,
    author: Author = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Vouch for a customer's zone no more: numbers and address say again where they may be.

    \b
    Examples:
      ringeliste zones withdraw 17 --reason "it was her sister"
    """
    from calling.customers.verifying import withdraw_zone
    from ringeliste.cli.doors import writing
    from ringeliste.cli.suppression import customer_id

    with writing(crm, dry_run=dry_run) as (_, open_work):
        with open_work() as work:
            key = customer_id(work, customer)
        done = withdraw_zone(open_work, key, author=whoever(author), reason=reason)
    _tell([done], [], dry_run=dry_run, as_json=as_json)


def places(
    field: Annotated[
        str, typer.Argument(metavar="FIELD", help="The own field that holds states, by its key.")
    ],
    country: Annotated[
        str | None,
        typer.Option(help="Whose states they are: US, CA or AU; else the CRM's.", metavar="COUNTRY"),
    ] = None,
    crm: CrmName = None,
    author: Author = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Make the states that a list has left in a field, which no law asks, the legal places of customers.

    \b
    Examples:
      ringeliste zones places own_state --dry-run
      ringeliste zones places own_state --country US
    """
    from calling.customers.states_in_fields import take_places
    from ringeliste.cli.doors import writing
    from ringeliste.cli.output import answer, shown, would
    from ringeliste.drawing import counted

    with writing(crm, dry_run=dry_run) as (_, open_work):
        done = take_places(open_work, field, country=country, author=whoever(author))

    def draw(console: "Console") -> None:
        console.print(
            f"{would(dry_run)}{counted(done.taken, 'customer')} with a state for their place by now."
        )
        for said, times in done.no_states.most_common(20):
            console.print(f"[yellow]{shown(said)}: no state, {counted(times, 'customer')}[/yellow]")

    answer(
        {"taken": done.taken, "no_states": dict(done.no_states), "dry_run": dry_run}, draw, as_json=as_json
    )


def _lines(file: Path, reason: str) -> list["Said"]:
    """The lines of a CSV. Raises BadInput for a column that is missing."""
    from calling.customers.verifying_lists import Said
    from calling.intake.reading import open_table

    with open_table(file) as table:
        header = [text.strip().casefold() for text in table.header]
        if missing := [name for name in ("customer", "zone") if name not in header]:
            there = ", ".join(map(repr, table.header))
            raise BadInput(f"{file} has no column {' and no column '.join(missing)}; there are {there}")
        said = []
        for line, cells in table.rows:
            if isinstance(cells, str) or len(cells) != len(header):
                raise BadInput(
                    f"{file}, line {line}: {cells if isinstance(cells, str) else 'too few or many cells'}"
                )
            row = dict(zip(header, cells, strict=True))
            why = (row.get("reason") or "").strip() or reason
            said.append(Said(line, row["customer"].strip(), row["zone"], why))
        return said


def _draw_promises(console: "Console", one: "Verified") -> None:
    from ringeliste.cli.output import instant, shown

    for moved in one.moved:
        wall = moved.wall_time.replace("T", " ")
        console.print(
            f"The call promised at {wall} their time is at {wall} in {moved.to_zone}: "
            f"{instant(moved.due_at)}, it was {instant(moved.was_due_at)}."
        )
        if moved.told:
            console.print(f"[yellow]{shown(moved.told)}[/yellow]")
    for stays in one.stay:
        wall = stays.wall_time.replace("T", " ")
        console.print(f"[dim]A call stays promised at {wall} in {stays.zone}.[/dim]")


def _tell(done: list["Verified"], refused: list["Refused"], *, dry_run: bool, as_json: bool) -> None:
    from calling.customers.verifying_refused import wayed
    from ringeliste.cli.output import answer, plain_table, shown, would
    from ringeliste.drawing import counted

    refused = [replace(one, why=wayed(one.why, ANYWAY)) if one.by_anyway else one for one in refused]

    def draw(console: "Console") -> None:
        console.print(would(dry_run), end="")
        if len(done) == 1 and not refused:
            (one,) = done
            console.print(f"{one.zone or 'No zone'} is vouched for." if one.changed else "Nothing changed.")
        else:
            changed = sum(one.changed for one in done)
            console.print(f"{counted(changed, 'zone')} vouched for, {len(done) - changed} were so already.")
        for one in done:
            if one.contradicts:
                console.print(f"[yellow]{shown(one.contradicts)}[/yellow]")
            _draw_promises(console, one)
        table = plain_table("line", "customer", "zone", "refused", right=("line",))
        for bad in refused:
            table.add_row(str(bad.line), shown(bad.external_id), shown(bad.zone), shown(bad.why))
        if refused:
            console.print(table)

    document: dict[str, Any] = {
        "verified": [asdict(one) for one in done], "refused": [asdict(one) for one in refused],
        "dry_run": dry_run,
    }  # fmt: skip
    answer(document, draw, as_json=as_json)
