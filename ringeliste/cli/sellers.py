"""Sellers' presence: who is there, who is away why and until when; said for somebody who cannot say it."""

from datetime import datetime, time
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from models.errors import BadInput
from ringeliste.cli.front import add
from ringeliste.cli.options import AsJson, Author, CrmName, DryRun, whoever

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from rich.console import Console

    from calling.handout.presence import Presence
    from models.work import Work

SELLERS = """Sellers: who is there, and who is away, why and until when.

\b
Examples:
  ringeliste sellers list
  ringeliste sellers away Ana --reason ill --today
  ringeliste sellers back Ana
"""
PAGE = 1_000

Name = Annotated[str, typer.Argument(metavar="NAME", help="The seller by name or id.")]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    group = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")
    add(group, list_sellers, name="list")
    add(group, away)
    add(group, back)
    add(group, history)
    app.add_typer(group, name="sellers", rich_help_panel="Calls", help=SELLERS)


def list_sellers(crm: CrmName = None, as_json: AsJson = False) -> None:
    """List every seller: what they work, whether they are there, and if not why and until when.

    \b
    Examples:
      ringeliste sellers list
      ringeliste sellers list --json
    """
    from calling.handout.absence import floor_zone
    from calling.views.sellers import sellers
    from ringeliste.cli.doors import application
    from ringeliste.cli.finding import find_crm
    from ringeliste.cli.output import answer

    with application() as app, app.work(find_crm(app, crm)) as work:
        now, zone = work.now, floor_zone(work)
        rows = page = list(sellers(work, 0, PAGE))
        while len(page) == PAGE:
            page = list(sellers(work, page[-1].id, PAGE))
            rows = rows + page
    found = [dict(row._mapping) for row in sorted(rows, key=lambda row: (row.name, row.id))]
    answer(found, lambda console: _draw(console, found, now, zone), as_json=as_json)


def away(
    seller: Name,
    reason: Annotated[
        str | None,
        typer.Option(
            metavar="WORD",
            help="break, lunch, meeting, training, coaching, paperwork, technical; or for the day: off, ill, "
            "holiday, leave.",
        ),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help='When they are back, on the floor\'s clock: 12:30, 2026-03-09, "2026-03-09 10:00"; or with '
            "its offset.",
        ),
    ] = None,
    today: Annotated[bool, typer.Option("--today", help="Not before the day is over.")] = False,
    crm: CrmName = None,
    author: Author = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Say that a seller is away. What they hold unrung goes back to the list.

    Who is off, ill, on holiday or on leave, or is back another day, is off for the day: what they promised is
    everybody's from its time on. A time that has passed makes nobody available: they come back, or `sellers
    back` says so.

    \b
    Examples:
      ringeliste sellers away Ana --reason lunch --until 12:30
      ringeliste sellers away Ana --reason ill --today
      ringeliste sellers away Ana --reason holiday --until 2026-03-16 --dry-run
    """
    from calling.handout.absence import Absence

    if today and until is not None:
        raise BadInput("--today, --until: say one of them")

    def said(work: "Work") -> "Absence":
        return Absence(reason, "today" if today else None if until is None else _instant(work, until))

    _be(seller, "away", said, crm=crm, author=author, dry_run=dry_run, as_json=as_json)


def back(
    seller: Name,
    crm: CrmName = None,
    author: Author = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Say that a seller is back: they are available for what they work, and are dealt customers.

    \b
    Examples:
      ringeliste sellers back Ana
      ringeliste sellers back Ana --dry-run
    """
    from calling.handout.absence import Absence

    _be(seller, "available", lambda _: Absence(), crm=crm, author=author, dry_run=dry_run, as_json=as_json)


def history(
    seller: Name,
    most: Annotated[int, typer.Option("--most", min=1, max=1_000, help="So many changes.")] = 50,
    crm: CrmName = None,
    as_json: AsJson = False,
) -> None:
    """Show what a seller's presence was, newest first: by whose word, and how long each break took.

    \b
    Examples:
      ringeliste sellers history Ana
      ringeliste sellers history Ana --most 500 --json
    """
    from calling.views.sellers import presence_changes
    from ringeliste.cli.doors import application
    from ringeliste.cli.finding import find, find_crm
    from ringeliste.cli.output import answer

    with application() as app, app.work(find_crm(app, crm)) as work:
        rows = presence_changes(work, find(work, "seller", seller), 0, most)
    found = [dict(row._mapping) for row in rows]
    answer(found, lambda console: _draw_history(console, found), as_json=as_json)


def _be(
    seller: str, presence: Literal["available", "away"], said: Any, *, crm: str | None, author: str | None,
    dry_run: bool, as_json: bool,
) -> None:  # fmt: skip
    from calling.handout import presence as verbs
    from ringeliste.cli.doors import writing
    from ringeliste.cli.finding import find
    from ringeliste.cli.output import answer

    with writing(crm, dry_run=dry_run) as (_, open_work), open_work() as work:
        now = verbs.be(work, find(work, "seller", seller), presence, said=said(work), said_by=whoever(author))
    answer(
        {"seller": now, "dry_run": dry_run},
        lambda console: _draw_done(console, now, dry_run=dry_run), as_json=as_json,
    )  # fmt: skip


def _instant(work: "Work", told: str) -> datetime:
    """A time of today, a day, or both, on the clock of the floor; or with an offset. Raises BadInput."""
    from calling.follow_ups.wall_time import instant_of_wall, wall_of
    from calling.handout.absence import floor_zone

    zone = floor_zone(work)
    try:
        at = datetime.combine(wall_of(zone, work.now), time.fromisoformat(told))
    except ValueError:
        try:
            at = datetime.fromisoformat(told)
        except ValueError:
            said = 'write 12:30, 2026-03-09, or "2026-03-09 10:00"'
            raise BadInput(f"--until: {told!r} is no time; {said}") from None
    return at if at.tzinfo is not None else instant_of_wall(zone.key, at).at


def _draw_done(console: "Console", now: "Presence", *, dry_run: bool) -> None:
    from calling.handout.absence import told_utc
    from ringeliste.cli.output import shown, would

    if now.presence == "available":
        console.print(f"{would(dry_run)}{shown(now.name)} is back, and is dealt customers.")
        return
    why = told_utc(now.reason, now.back_at)
    console.print(f"{would(dry_run)}{shown(now.name)} is away{': ' if why else ''}{shown(why)}.")
    if now.off:
        console.print("Off for the day: what they promised is everybody's from its time on.")


def _draw(console: "Console", rows: list[dict[str, Any]], now: datetime, zone: "ZoneInfo") -> None:
    from calling.handout.absence import told
    from ringeliste.cli.output import instant, plain_table, shown

    if not rows:
        console.print("No seller yet; `ringeliste people add seller NAME` adds one.")
        return
    table = plain_table("id", "name", "works", "presence", "since", "back", "said by", right=("id",))
    for row in rows:
        why = told(row["reason"], row["back_at"], now, zone)
        here = row["presence"] == "available"
        presence = "available" if here else f"[dim]away{': ' if why else ''}{shown(why)}[/dim]"
        table.add_row(
            str(row["id"]), shown(row["name"]), shown(row["assignment"] or ""), presence,
            instant(row["since"]), instant(row["back_at"]), shown(row["said_by"] or ""),
        )  # fmt: skip
    console.print(table)


def _draw_history(console: "Console", rows: list[dict[str, Any]]) -> None:
    from ringeliste.cli.output import instant, plain_table, shown

    if not rows:
        console.print("Nothing was said yet.")
        return
    table = plain_table("at", "became", "back", "works", "was", "for", "said by", right=("for",))
    for row in rows:
        minutes = (row["changed_at"] - row["before_since"]).total_seconds() / 60
        table.add_row(
            instant(row["changed_at"]), row["reason"] or row["presence"], instant(row["back_at"]),
            shown(row["assignment"] or ""), row["before_reason"] or row["before_presence"],
            f"{minutes:,.0f} min", shown(row["said_by"] or ""),
        )  # fmt: skip
    console.print(table)
