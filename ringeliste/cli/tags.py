"""Tags: list them, give them, take them."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from models.errors import BadInput
from ringeliste.cli.front import add as add_command
from ringeliste.cli.options import AsJson, Author, CrmName, DryRun, whoever

if TYPE_CHECKING:
    from rich.console import Console

    from models.work import OpenWork

TAGS = """Tags: marks of customers that stay until they are taken.

\b
Examples:
  ringeliste tags list
  ringeliste tags add vip --customer 17
  ringeliste tags remove vip --customers ids.txt --dry-run
"""

Names = Annotated[list[str], typer.Argument(metavar="TAG...", help="Letters, digits, - _ and . inside.")]
Customers = Annotated[
    list[str] | None,
    typer.Option("--customer", metavar="ID", help="A customer, by external id; once for each."),
]
IdFile = Annotated[
    Path | None,
    typer.Option("--customers", metavar="FILE", help="Many: an external id on each line; - reads them here."),
]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    group = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")
    add_command(group, list_tags, name="list")
    add_command(group, add)
    add_command(group, remove)
    app.add_typer(group, name="tags", rich_help_panel="Lists", help=TAGS)


def list_tags(
    customer: Annotated[
        str | None, typer.Option(metavar="ID", help="Those of one customer, by external id.")
    ] = None,
    crm: CrmName = None,
    as_json: AsJson = False,
) -> None:
    """List all tags with how many customers have each; or one customer's, with who gave them and when.

    \b
    Examples:
      ringeliste tags list
      ringeliste tags list --customer 17 --json
    """
    from calling.customers.tagging import all_tags, tags_of
    from ringeliste.cli.doors import application
    from ringeliste.cli.finding import find_crm
    from ringeliste.cli.output import answer
    from ringeliste.cli.suppression import customer_id

    with application() as app, app.work(find_crm(app, crm)) as work:
        rows = all_tags(work, most=_EVERY) if customer is None else tags_of(work, customer_id(work, customer))
    document = [dict(row._mapping) for row in rows]
    answer(document, lambda console: _draw(console, document), as_json=as_json)


def add(
    tags: Names,
    customer: Customers = None,
    customers: IdFile = None,
    crm: CrmName = None,
    author: Author = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Give customers tags. Whoever has one already keeps its first giver and time; segments follow at once.

    \b
    Examples:
      ringeliste tags add vip late --customer 17 --customer 18
      ringeliste tags add vip --customers ids.txt --dry-run
    """
    from calling.customers.tagging import tag
    from ringeliste.cli.doors import writing

    with writing(crm, dry_run=dry_run) as (_, open_work):
        ids = _ids(open_work, customer, customers)
        done = tag(open_work, ids, tags, source="hand", author=whoever(author))
    _answer("given", done, dry_run=dry_run, as_json=as_json)


def remove(
    tags: Names,
    customer: Customers = None,
    customers: IdFile = None,
    crm: CrmName = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Take tags from customers; segments follow at once.

    \b
    Examples:
      ringeliste tags remove vip --customer 17
      ringeliste tags remove vip late --customers ids.txt --dry-run
    """
    from calling.customers.tagging import untag
    from ringeliste.cli.doors import writing

    with writing(crm, dry_run=dry_run) as (_, open_work):
        done = untag(open_work, _ids(open_work, customer, customers), tags)
    _answer("taken", done, dry_run=dry_run, as_json=as_json)


_EVERY = 100_000
_SHOWN = 5


def _ids(open_work: "OpenWork", named: Sequence[str] | None, file: Path | None) -> list[int]:
    """The customers of these external ids. Raises BadInput if one is nobody's, so that none is forgotten."""
    from calling.customers.finding import ids_of

    wanted = [*(named or ()), *_lines(file)]
    if not wanted:
        raise BadInput("say whose: --customer ID, or --customers FILE with an external id on each line")
    with open_work() as work:
        found = ids_of(work, wanted)
    missing = sorted({one for one in wanted if one not in found})
    if missing:
        more = f" and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else ""
        raise BadInput(
            f"no customer has the external id {', '.join(missing[:_SHOWN])}{more}; nothing was done"
        )
    return list(found.values())


def _lines(file: Path | None) -> list[str]:
    if file is None:
        return []
    if str(file) != "-" and not file.is_file():
        raise BadInput(f"{file}: there is no such file")
    written = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8-sig")
    return [line.strip() for line in written.splitlines() if line.strip()]


def _answer(deed: str, done: Any, *, dry_run: bool, as_json: bool) -> None:
    from ringeliste.cli.output import answer, would
    from ringeliste.drawing import counted

    said = f"{counted(done.marks, 'tag')} {deed}, {counted(done.customers, 'customer')} changed"
    moved = f"; {counted(done.moved, 'segment')} left" if done.moved else ""
    document = {
        "marks": done.marks, "customers": done.customers, "moved": done.moved, "dry_run": dry_run,
    }  # fmt: skip
    answer(document, lambda console: console.print(f"{would(dry_run)}{said}{moved}."), as_json=as_json)


def _draw(console: "Console", rows: Sequence[dict[str, Any]]) -> None:
    from ringeliste.cli.output import instant, plain_table, shown
    from ringeliste.drawing import count

    if not rows:
        console.print("No tags yet; `ringeliste tags add TAG --customer ID` gives one.")
        return
    if "customers" in rows[0]:
        table = plain_table("tag", "customers", right=("customers",))
        for row in rows:
            table.add_row(shown(row["tag"]), count(row["customers"]))
    else:
        table = plain_table("tag", "source", "given by", "when")
        for row in rows:
            table.add_row(shown(row["tag"]), row["source"], shown(row["author"]), instant(row["tagged_at"]))
    console.print(table)
