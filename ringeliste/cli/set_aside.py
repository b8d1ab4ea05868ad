"""What was told and could not be used: looked at, and worked off again."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringeliste.cli.front import add as add_command
from ringeliste.cli.options import AsJson, Author, CrmName, DryRun, whoever

if TYPE_CHECKING:
    from rich.console import Console

SET_ASIDE = """What dialers told, or somebody reported, and nothing could be made of: it waits for somebody.

An unknown word for a result, a lease that never was: each may be a sale that is missing.

\b
Examples:
  ringeliste set-aside list
  ringeliste set-aside again 3
  ringeliste set-aside seen 4 --note "a test call"
"""
_EVERY = 1_000

Key = Annotated[int, typer.Argument(metavar="ID", help="As `set-aside list` lists it.")]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    group = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")
    add_command(group, list_them, name="list")
    add_command(group, again)
    add_command(group, seen)
    app.add_typer(group, name="set-aside", rich_help_panel="Calls", help=SET_ASIDE)


def list_them(
    seen: Annotated[
        bool, typer.Option("--seen", help="What somebody has looked at, and what came of it.")
    ] = False,
    crm: CrmName = None,
    as_json: AsJson = False,
) -> None:
    """List what could not be used, the oldest first, with what is wrong with it.

    \b
    Examples:
      ringeliste set-aside list
      ringeliste set-aside list --seen --json
    """
    from calling.dialers.set_aside import set_aside
    from ringeliste.cli.doors import application
    from ringeliste.cli.finding import find_crm
    from ringeliste.cli.output import answer

    with application() as app, app.work(find_crm(app, crm)) as work:
        rows = [dict(row._mapping) for row in set_aside(work, 0, _EVERY, seen=seen)]
    answer(rows, lambda console: _draw(console, rows), as_json=as_json)


def again(
    set_aside_id: Key,
    crm: CrmName = None,
    author: Author = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Work an event of a dialer off again, once what was wrong is mended. In vain, it is set aside anew.

    \b
    Examples:
      ringeliste set-aside again 3
      ringeliste set-aside again 3 --dry-run
    """
    from calling.dialers.set_aside import work_off_again
    from ringeliste.cli.doors import writing
    from ringeliste.cli.output import answer, would

    with writing(crm, dry_run=dry_run) as (_, open_work), open_work() as work:
        work_off_again(work, set_aside_id, author=whoever(author))
    document = {"id": set_aside_id, "dry_run": dry_run}
    said = f"{set_aside_id} is worked off again."
    answer(document, lambda console: console.print(would(dry_run) + said), as_json=as_json)


def seen(
    set_aside_id: Key,
    note: Annotated[str, typer.Option(help="What came of it.")],
    crm: CrmName = None,
    author: Author = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Say that somebody has looked at it. It alarms no more.

    \b
    Examples:
      ringeliste set-aside seen 4 --note "a test call"
    """
    from calling.dialers.set_aside import look_at, unseen
    from ringeliste.cli.doors import writing
    from ringeliste.cli.output import answer, would

    with writing(crm, dry_run=dry_run) as (_, open_work), open_work() as work:
        look_at(work, set_aside_id, author=whoever(author), note=note)
        waiting = unseen(work).many
    document = {"id": set_aside_id, "waiting": waiting, "dry_run": dry_run}
    said = f"{set_aside_id} was looked at; {waiting:,} wait."
    answer(document, lambda console: console.print(would(dry_run) + said), as_json=as_json)


def _draw(console: "Console", rows: list[dict[str, Any]]) -> None:
    from ringeliste.cli.output import instant, plain_table, shown

    table = plain_table("id", "who told it", "what", "what is wrong with it", "since", "looked at")
    for row in rows:
        looked = f"{instant(row['seen_at'])}, {row['seen_by']}: {row['note']}" if row["seen_at"] else ""
        said = " ".join(f"{name} {value}" for name, value in row["body"].items() if value is not None)
        table.add_row(
            str(row["id"]), shown(row["dialer"] or "over the API"), shown(f"{row['kind']} {said}"[:80]),
            shown(row["problem"]), instant(row["set_aside_at"]), shown(looked),
        )  # fmt: skip
    console.print(table if rows else "Nothing was set aside.")
