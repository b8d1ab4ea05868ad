"""Who has whom; what a manager takes away; cards that were skipped, and calls that nobody told of."""

from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from models.errors import BadInput
from ringeliste.cli.front import add
from ringeliste.cli.options import AsJson, Author, CrmName, DryRun, whoever

if TYPE_CHECKING:
    from rich.console import Console

    from calling.handout.seizing import Seized
    from models.work import OpenWork, Work

PANEL = "Calls"
PAGE = 1_000

Seller = Annotated[str | None, typer.Option("--seller", metavar="NAME", help="Only what this seller has.")]
Dialer = Annotated[str | None, typer.Option("--dialer", metavar="NAME", help="Only what this dialer has.")]
Most = Annotated[int, typer.Option("--most", min=1, max=10_000, help="So many.")]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    add(app, holders, PANEL)
    add(app, release, PANEL)
    add(app, skipped, PANEL)
    add(app, unconfirmed, PANEL)


def holders(
    seller: Seller = None,
    dialer: Dialer = None,
    listed: Annotated[
        bool, typer.Option("--listed", help="Also who only waits in a list or a queue.")
    ] = False,
    crm: CrmName = None,
    as_json: AsJson = False,
) -> None:
    """Show who has whom, in what state and since when; what has gone on for longest comes first.

    \b
    Examples:
      ringeliste holders
      ringeliste holders --seller Ana --listed --json
    """
    from ringeliste.cli.doors import application
    from ringeliste.cli.finding import find_crm
    from ringeliste.cli.output import answer

    with application() as app, app.work(find_crm(app, crm)) as work:
        rows, now = _held(work, seller, dialer, listed=listed), work.now
    answer(rows, lambda console: _draw_held(console, rows, now), as_json=as_json)


def release(
    leases: Annotated[
        list[str] | None, typer.Argument(metavar="LEASE...", help="As `holders --json` lists them.")
    ] = None,
    reason: Annotated[str, typer.Option(help="Why; who held them reads it.")] = "taken away by hand",
    seller: Annotated[
        str | None, typer.Option("--seller", metavar="NAME", help="All that this seller has.")
    ] = None,
    dialer: Annotated[
        str | None, typer.Option("--dialer", metavar="NAME", help="All that this dialer has.")
    ] = None,
    even_rung: Annotated[
        bool,
        typer.Option(
            "--even-rung", help="Also what rings, talks or is in wrap-up: nobody knows its outcome."
        ),
    ] = False,
    crm: CrmName = None,
    author: Author = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Take customers away from whoever holds them. What has not rung goes back, and may be dealt again.

    Who had one on the screen is told, and why. A seller who stays available may be dealt the same customer:
    `sellers away` first. A late word of a call that was ended by --even-rung counts all the same.

    \b
    Examples:
      ringeliste release 019cad9a-2c00-7c3e-9d0a-0c0ffee00001 --reason "a complaint"
      ringeliste release --seller Ana --reason "her browser is dead" --even-rung
      ringeliste release --dialer robot --dry-run
    """
    from calling.handout.seizing import seize
    from ringeliste.cli.doors import writing
    from ringeliste.cli.output import answer
    from ringeliste.cli.walls import patience

    if bool(leases) + bool(seller) + bool(dialer) != 1:
        raise BadInput("release: name leases, or a --seller, or a --dialer")
    with writing(crm, dry_run=dry_run) as (app, open_work):
        wanted = [_lease(one) for one in leases] if leases else _all_of(open_work, seller, dialer)
        done = seize(
            open_work, wanted, author=whoever(author), reason=reason, even_rung=even_rung,
            patience=patience(app, dry_run=dry_run),
        )  # fmt: skip
    document = {"released": done, "dry_run": dry_run}
    answer(document, lambda console: _draw_released(console, done, dry_run=dry_run), as_json=as_json)


def skipped(most: Most = 200, crm: CrmName = None, as_json: AsJson = False) -> None:
    """List the cards that sellers skipped within a week, and why; the last first.

    \b
    Examples:
      ringeliste skipped
      ringeliste skipped --most 20 --json
    """
    from calling.views.who_has_whom import skipped as read

    _list_ended(read, "Nobody was skipped within a week.", most, crm, as_json=as_json)


def unconfirmed(most: Most = 200, crm: CrmName = None, as_json: AsJson = False) -> None:
    """List calls of a week of which nobody told what they came to; the last first.

    Whoever knows says so with `ringeliste outcome LEASE OUTCOME`: a late word counts.

    \b
    Examples:
      ringeliste unconfirmed
      ringeliste unconfirmed --json
    """
    from calling.views.who_has_whom import unconfirmed as read

    _list_ended(read, "Of every call of a week somebody told what it came to.", most, crm, as_json=as_json)


def _lease(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise BadInput(f"{text!r} is no lease: give an id that `ringeliste holders --json` tells") from None


def _held(work: "Work", seller: str | None, dialer: str | None, *, listed: bool) -> list[dict[str, Any]]:
    """All of them, page by page. Raises BadInput for a name that nobody has."""
    from calling.views.who_has_whom import FIRST, who_has_whom
    from ringeliste.cli.finding import find

    seller_id = find(work, "seller", seller) if seller else None
    dialer_id = find(work, "dialer", dialer) if dialer else None
    rows, last = [], FIRST
    while page := who_has_whom(
        work, last, PAGE, seller_id=seller_id, dialer_id=dialer_id, listed=listed
    ):  # fmt: skip
        rows += [dict(row._mapping) for row in page]
        last = page[-1].id
    return sorted(rows, key=lambda row: (row["since"], row["id"]))


def _all_of(open_work: "OpenWork", seller: str | None, dialer: str | None) -> list[UUID]:
    with open_work() as work:
        return [row["id"] for row in _held(work, seller, dialer, listed=True)]


def _list_ended(read: Any, nothing: str, most: int, crm: str | None, *, as_json: bool) -> None:
    from calling.views.who_has_whom import LAST
    from ringeliste.cli.doors import application
    from ringeliste.cli.finding import find_crm
    from ringeliste.cli.output import answer

    with application() as app, app.work(find_crm(app, crm)) as work:
        rows = [dict(row._mapping) for row in read(work, LAST, most)]
    answer(rows, lambda console: _draw_ended(console, rows, nothing), as_json=as_json)


def _whom(row: dict[str, Any]) -> str:
    to_whom = f", put through to {row['connected_to']}" if row["connected_to"] else ""
    return f"{row['holder']}{' (dialer)' if row['kind'] == 'dialer' else ''}{to_whom}"


def _draw_held(console: "Console", rows: list[dict[str, Any]], now: Any) -> None:
    from ringeliste.cli.output import instant, plain_table, shown

    if not rows:
        console.print("Nobody has anybody; `--listed` shows whose cards wait in a list.")
        return
    table = plain_table("who", "has", "state", "for", "until", "where", "lease", right=("for",))
    for row in rows:
        odd = "; flagged: " + row["flagged"] if row["flagged"] else ""
        odd += f"; wanted back: {row['wanted_back']}" if row["wanted_back"] else ""
        table.add_row(
            shown(_whom(row)), shown(row["customer"] or row["external_id"]), shown(row["state"] + odd),
            f"{(now - row['since']).total_seconds() / 60:,.0f} min", instant(row["expires_at"]),
            shown(f"{row['assignment']}, {row['segment']}"), str(row["id"]),
        )  # fmt: skip
    console.print(table)


def _draw_ended(console: "Console", rows: list[dict[str, Any]], nothing: str) -> None:
    from ringeliste.cli.output import instant, plain_table, shown

    table = plain_table("at", "who", "whom", "why", "where", "lease")
    for row in rows:
        by = f" ({row['ended_author']})" if row["ended_author"] else ""
        table.add_row(
            instant(row["ended_at"]), shown(_whom(row)), shown(row["customer"] or row["external_id"]),
            shown((row["ended_reason"] or "") + by), shown(f"{row['assignment']}, {row['segment']}"),
            str(row["id"]),
        )  # fmt: skip
    console.print(table if rows else nothing)


def _draw_released(console: "Console", done: "Seized", *, dry_run: bool) -> None:
    from ringeliste.cli.output import instant, would

    console.print(f"{would(dry_run)}[bold]{len(done.back)} taken back, and free again[/bold].")
    for many, what in (
        (len(done.given_up), "had rung and ended all the same; a late word counts"),
        (len(done.rung), "ring, talk or are in wrap-up, and go on; --even-rung ends them"),
        (len(done.unknown), "with a dialer that has not answered yet"),
        (len(done.over), "had ended before, or never were"),
    ):
        if many:
            console.print(f"  {many} {what}")
    for lease, until in done.unknown:
        console.print(f"    {lease} cannot ring after {instant(until)}", style="yellow")
