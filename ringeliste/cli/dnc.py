"""The do-not-call list: who stands there and by whose word, a list of one's own, how far outcomes reach."""

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from models.ends import LONGEST_SUPPRESSION
from ringeliste.cli.front import add as add_command
from ringeliste.cli.options import AsJson, AssignmentName, Author, CrmName, DryRun, whoever
from ringeliste.cli.suppression import OutcomeScope, Scope

if TYPE_CHECKING:
    from rich.console import Console

    from calling.walls.listed import Listed
    from calling.walls.reach import Reach

DNC = """The do-not-call list. One number or customer: `ringeliste suppress`.

\b
Examples:
  ringeliste dnc list
  ringeliste dnc import ours.csv --scope owner --reason "list of 2025"
  ringeliste dnc outcomes owner
"""
SHOWN = 5


def register(app: typer.Typer) -> None:
    """Add these commands."""
    group = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")
    add_command(group, list_entries, name="list")
    add_command(group, import_file, name="import")
    add_command(group, outcomes)
    app.add_typer(group, name="dnc", rich_help_panel="Calls", help=DNC)


def list_entries(
    number: Annotated[str | None, typer.Option(help="Of this number.")] = None,
    customer: Annotated[
        str | None, typer.Option(metavar="ID", help="Of this customer, by external id.")
    ] = None,
    scope: Annotated[Scope | None, typer.Option(help="Of this scope.")] = None,
    author: Annotated[str | None, typer.Option(help="Added by them.")] = None,
    state: Annotated[
        str, typer.Option(metavar="STATE", help="standing, expired, lifted, or all.")
    ] = "standing",
    after: Annotated[int, typer.Option(metavar="ID", help="Go on behind this entry.")] = 0,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="So many at most.")] = 50,
    crm: CrmName = None,
    as_json: AsJson = False,
) -> None:
    """List entries of the do-not-call list with who added and who lifted them, oldest first.

    \b
    Examples:
      ringeliste dnc list --number "912 345 678" --state all
      ringeliste dnc list --author Kari --scope owner --json
    """
    from calling.views.do_not_call import entries
    from ringeliste.cli.doors import application
    from ringeliste.cli.finding import find_crm
    from ringeliste.cli.output import answer
    from ringeliste.cli.suppression import customer_id, e164_of

    with application() as app, app.work(find_crm(app, crm)) as work:
        found = entries(
            work, after, limit + 1, state=state, scope=scope and scope.value, author=author,
            e164=e164_of(work, number) if number else None,
            customer_id=customer_id(work, customer) if customer else None,
        )  # fmt: skip
    rows = [dict(row._mapping) for row in found[:limit]]
    document = {"entries": rows, "next": rows[-1]["id"] if len(found) > limit else None}
    answer(document, lambda console: _draw(console, rows, more=len(found) > limit), as_json=as_json)


def import_file(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Text, a number a line, or columns.")],
    reason: Annotated[str, typer.Option(help="Why; shown to whoever asks.")],
    scope: Annotated[Scope, typer.Option(help="Whose calls it stops.")] = Scope.CRM,
    column: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="The number's column by header or place.")
    ] = None,
    days: Annotated[
        int | None, typer.Option(min=1, max=LONGEST_SUPPRESSION.days, help="For so many days; else for ever.")
    ] = None,
    crm: CrmName = None,
    author: Author = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Put a list of your own on the do-not-call list. When it answers, nobody rings them.

    Numbers that stand there already stay as they are, so the same file again changes nothing.

    \b
    Examples:
      ringeliste dnc import complaints.csv --column phone --reason "complaints of 2025" --dry-run
      ringeliste dnc import complaints.csv --scope owner --reason "complaints of 2025"
    """
    from sqlalchemy import text

    from calling.walls.listed import import_list
    from ringeliste.cli.doors import writing
    from ringeliste.cli.output import answer
    from ringeliste.progress import share_bar

    with writing(crm, dry_run=dry_run) as (app, open_work), share_bar(f"Reading {file.name}") as progress:
        with open_work() as work:
            region = str(work.run(text("select region from crm where id = :crm_id")).scalar_one())
        expires_at = app.now() + timedelta(days=days) if days else None
        told = import_list(
            open_work, file, region=region, scope=scope.value, reason=reason, author=whoever(author),
            expires_at=expires_at, column=column, progress=progress,
        )  # fmt: skip
    document = {"dry_run": dry_run, "listed": told}
    answer(document, lambda console: _draw_import(console, told, dry_run=dry_run), as_json=as_json)


def outcomes(
    scope: Annotated[
        OutcomeScope | None, typer.Argument(metavar="[SCOPE]", help="crm or owner; left out: say how it is.")
    ] = None,
    crm: CrmName = None,
    assignment: AssignmentName = None,
    author: Author = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Say how far a do-not-call reaches that is told to a seller or a dialer of an assignment.

    The customer is stopped in their CRM in any case; with owner the number is in all CRMs of the data owner.

    \b
    Examples:
      ringeliste dnc outcomes --assignment Spring
      ringeliste dnc outcomes owner --assignment Spring
    """
    from calling.walls.reach import reach_of, say_reach
    from ringeliste.cli.doors import reading, writing_in
    from ringeliste.cli.output import answer, would

    changed = False
    if scope is None:
        with reading(crm, assignment) as (work, assignment_id):
            found = reach_of(work, assignment_id)
    else:
        with writing_in(crm, assignment, dry_run=dry_run) as (_, open_work, assignment_id):
            changed = say_reach(open_work, assignment_id, scope.value, author=whoever(author))
            with open_work() as work:
                found = reach_of(work, assignment_id)
    document = {
        "assignment_id": assignment_id, "scope": found.scope, "changed": changed, "changes": found.changes,
        "dry_run": dry_run,
    }  # fmt: skip
    head = would(dry_run) if scope else ""
    answer(document, lambda console: _draw_reach(console, found, head), as_json=as_json)


def _draw_reach(console: "Console", reach: "Reach", head: str) -> None:
    from ringeliste.cli.output import instant, shown

    console.print(f"{head}Its do-not-calls stop the number in {_REACHES[reach.scope]}.")
    for one in reach.changes:
        told = f"{instant(one['changed_at'])} {one['author']}: {one['before']} -> {one['after']}"
        console.print(f"[dim]{shown(told)}[/dim]")


_REACHES = {"crm": "this CRM", "owner": "all CRMs of the data owner"}


def _draw(console: "Console", rows: list[dict[str, Any]], *, more: bool) -> None:
    from ringeliste.cli.output import instant, plain_table, shown

    table = plain_table("id", "what", "scope", "why", "by", "since", "until", "lifted", right=("id",))
    for row in rows:
        what = row["e164"] or f"customer {row['customer_id']}"
        lifted = f"{instant(row['lifted_at'])} by {shown(row['lifted_by'])}" if row["lifted_at"] else ""
        table.add_row(
            str(row["id"]), what, row["scope"], shown(row["reason"]), shown(row["author"]),
            instant(row["created_at"]), instant(row["expires_at"]), lifted,
            style="dim" if row["state"] != "standing" else "",
        )  # fmt: skip
    console.print(table if rows else "Nobody stands there.")
    if more:
        console.print(f"There are more: --after {rows[-1]['id']}")


def _draw_import(console: "Console", told: "Listed", *, dry_run: bool) -> None:
    from ringeliste.cli.output import shown, would
    from ringeliste.drawing import counted

    stood = told.numbers - told.added
    console.print(
        f"{would(dry_run)}{counted(told.added, 'number')} added for {told.scope}, {stood} stood already or "
        f"came twice, {told.bad_lines} of {counted(told.lines, 'line')} hold none."
    )
    for bad in told.bad[:SHOWN]:
        console.print(f"[red]line {bad.line}[/red]: {shown(repr(bad.text))}: {shown(bad.reason)}")
