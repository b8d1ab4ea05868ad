"""Hot leads: customers who are rung before all others, now."""

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from models.errors import BadInput
from ringeliste.cli.front import REFUSED, add
from ringeliste.cli.options import AsJson, AssignmentName, Author, CrmName, DryRun, whoever

if TYPE_CHECKING:
    from rich.console import Console

    from calling.hot_leads.listing import Listed
    from calling.hot_leads.making import Made

HOT = """Hot leads: whoever asked to be called is rung before all others, by whoever is free first.

\b
Examples:
  ringeliste hot make 17 --reason "asked on the web page"
  ringeliste hot list
"""
PAGE = 1_000

_TOLD = {
    "front": "before all others",
    "promised": "the call that was promised them is due now",
    "taken": "on the screen of {holder}",
    "talking": "no: {holder} rings them at this moment",
    "closed": "no: they are called no more; --even-closed promises them a call now",
    "gone": "no: they have left the assignment",
    "unknown": "no: they were never in the assignment",
}


def register(app: typer.Typer) -> None:
    """Add these commands."""
    group = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")
    add(group, make)
    add(group, list_hot_leads, name="list")
    add(group, cool)
    app.add_typer(group, name="hot", rich_help_panel="Calls", help=HOT)


def make(
    customers: Annotated[list[str], typer.Argument(metavar="ID...", help="Customers, by external id.")],
    reason: Annotated[str, typer.Option(help="Why; whoever rings them reads it.")],
    even_closed: Annotated[
        bool, typer.Option("--even-closed", help="Promise a call, due now, to whoever is called no more.")
    ] = False,
    crm: CrmName = None,
    assignment: AssignmentName = None,
    author: Author = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Have customers rung before all others. Hours, pauses and limits bind as ever: it says what stops whom.

    Exits with 1 if none of them became a hot lead.

    \b
    Examples:
      ringeliste hot make 17 --reason "asked on the web page"
      ringeliste hot make 17 18 --reason "answered the letter" --even-closed --dry-run
    """
    from calling.hot_leads.making import make_hot
    from ringeliste.cli.doors import writing
    from ringeliste.cli.finding import find
    from ringeliste.cli.output import answer
    from ringeliste.cli.suppression import customer_id

    with writing(crm, dry_run=dry_run) as (_, open_work):
        with open_work() as work:
            assignment_id = find(work, "assignment", assignment)
            ids = {customer_id(work, wanted): wanted for wanted in customers}
        made = make_hot(
            open_work, assignment_id, list(ids), reason=reason, author=whoever(author), made_by="hand",
            even_closed=even_closed,
        )  # fmt: skip
    document = {"customers": made, "dry_run": dry_run}
    answer(document, lambda console: _draw_made(console, made, ids, dry_run=dry_run), as_json=as_json)
    if not any(one.hot_lead_id for one in made):
        raise typer.Exit(REFUSED)


def list_hot_leads(
    which: Annotated[str, typer.Option(help="open or ended.")] = "open",
    crm: CrmName = None,
    assignment: Annotated[
        str | None, typer.Option("--assignment", metavar="NAME", help="Of one assignment; else of all.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List hot leads: who waits, since when, who has them; or which have ended, and how soon they were rung.

    \b
    Examples:
      ringeliste hot list
      ringeliste hot list --which ended --json
    """
    from calling.hot_leads.listing import WHICH, hot_leads
    from ringeliste.cli.doors import application
    from ringeliste.cli.finding import find, find_crm
    from ringeliste.cli.output import answer

    kinds = [one for one in WHICH if one == which]
    if not kinds:
        raise BadInput(f"which: {which!r} is not one of {', '.join(WHICH)}")
    with application() as app, app.work(find_crm(app, crm)) as work:
        of = None if assignment is None else find(work, "assignment", assignment)
        rows = page = hot_leads(work, 0, PAGE, which=kinds[0], assignment_id=of)
        while len(page) == PAGE:
            page = hot_leads(work, page[-1].id, PAGE, which=kinds[0], assignment_id=of)
            rows = [*rows, *page]
    answer(rows, lambda console: _draw(console, rows), as_json=as_json)


def cool(
    hot_lead_id: Annotated[int, typer.Argument(metavar="ID", help="As `hot list` lists it.")],
    crm: CrmName = None,
    author: Author = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Let somebody be a hot lead no longer: they wait like anybody.

    \b
    Examples:
      ringeliste hot cool 12
      ringeliste hot cool 12 --dry-run
    """
    from calling.hot_leads import making
    from ringeliste.cli.doors import writing
    from ringeliste.cli.output import answer, would

    with writing(crm, dry_run=dry_run) as (_, open_work), open_work() as work:
        making.cool(work, hot_lead_id, author=whoever(author))
    document = {"id": hot_lead_id, "dry_run": dry_run}
    said = f"{hot_lead_id} is a hot lead no longer."
    answer(document, lambda console: console.print(would(dry_run) + said), as_json=as_json)


def _draw_made(console: "Console", made: "Sequence[Made]", names: dict[int, str], *, dry_run: bool) -> None:
    from ringeliste.cli.output import instant, plain_table, shown, would

    table = plain_table("customer", "rung", "stopped by", "until")
    for one in made:
        until = "" if one.gate is None else "somebody acts"
        table.add_row(
            shown(names[one.customer_id]), shown(_TOLD[one.became].format(holder=one.holder)),
            shown(one.gate or ""), instant(one.callable_at) if one.callable_at else until,
        )  # fmt: skip
    if dry_run:
        console.print(would(dry_run))
    console.print(table)


def _draw(console: "Console", rows: "Sequence[Listed]") -> None:
    from ringeliste.cli.output import instant, plain_table, shown

    table = plain_table("id", "customer", "name", "why", "by", "since", "waited", "who has them", "state")
    for row in rows:
        state = row.ended_by or (f"{row.state}, {row.gate}" if row.gate else row.state)
        table.add_row(
            str(row.id), shown(row.external_id), shown(row.name), shown(row.reason), shown(row.author),
            instant(row.made_at), str(timedelta(seconds=round(row.waited.total_seconds()))),
            shown(row.holder or ""), shown(state),
        )  # fmt: skip
    console.print(table if rows else "Nobody is a hot lead.")
