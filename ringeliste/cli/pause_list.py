"""What is paused, and what ever was."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringeliste.cli.front import add
from ringeliste.cli.options import AsJson, CrmName

if TYPE_CHECKING:
    from rich.console import Console


def register(app: typer.Typer) -> None:
    """Add this command."""
    add(app, pauses, "Calls")


def pauses(
    over_too: Annotated[bool, typer.Option("--all", help="With those that are over.")] = False,
    after: Annotated[int, typer.Option(metavar="ID", help="Go on behind this pause.")] = 0,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="So many at most.")] = 50,
    crm: CrmName = None,
    as_json: AsJson = False,
) -> None:
    """List the pauses of a CRM, oldest first: what, why, by whom, since when; who lifted them.

    \b
    Examples:
      ringeliste pauses
      ringeliste pauses --all --json
    """
    from calling.views.browse import pauses as found_in
    from ringeliste.cli.doors import application
    from ringeliste.cli.finding import find_crm
    from ringeliste.cli.output import answer

    with application() as app, app.work(find_crm(app, crm)) as work:
        found = found_in(work, after, limit + 1, over_too=over_too)
    rows = [dict(row._mapping) for row in found[:limit]]
    more = len(found) > limit
    document = {"pauses": rows, "next": rows[-1]["id"] if more else None}
    answer(document, lambda console: _draw_pauses(console, rows, more=more), as_json=as_json)


def _draw_pauses(console: "Console", rows: "list[dict[str, Any]]", *, more: bool) -> None:
    from ringeliste.cli.output import instant, plain_table, shown

    table = plain_table("id", "what", "why", "by", "since", "until", "lifted", right=("id",))
    for row in rows:
        lifted = f"{instant(row['lifted_at'])} by {shown(row['lifted_by'])}" if row["lifted_at"] else ""
        table.add_row(
            str(row["id"]), shown(f"{row['scope']} {row['target'] or ''}".strip()), shown(row["reason"]),
            shown(row["author"]), instant(row["started_at"]), instant(row["ends_at"]), lifted,
            style="" if row["state"] == "standing" else "dim",
        )  # fmt: skip
    console.print(table if rows else "Nothing is paused.")
    if more:
        console.print(f"There are more: --after {rows[-1]['id']}")
