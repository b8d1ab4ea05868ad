"""Promised calls: list them, promise, take back, hand over a leaver's."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from models.errors import BadInput
from ringeliste.cli.front import add
from ringeliste.cli.options import AsJson, AssignmentName, Author, CrmName, DryRun, seconds_of, whoever

if TYPE_CHECKING:
    from rich.console import Console

    from calling.follow_ups.asking import Wish
    from calling.follow_ups.listing import Listed
    from calling.follow_ups.putting import Promised

FOLLOW_UPS = """Follow-ups: calls that were promised at a time, a seller's own or anybody's.

\b
Examples:
  ringeliste followups list --which overdue
  ringeliste followups promise 17 --at "2026-03-05 10:00" --seller Ana
  ringeliste followups hand-over Ana --to Bo --dry-run
"""
PAGE = 1_000

SellerName = Annotated[
    str | None, typer.Option("--seller", metavar="NAME", help="The seller by name or id; else anybody.")
]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    group = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")
    add(group, list_follow_ups, name="list")
    add(group, promise)
    add(group, cancel)
    add(group, hand_over, name="hand-over")
    add(group, set_grace, name="grace")
    app.add_typer(group, name="followups", rich_help_panel="Calls", help=FOLLOW_UPS)


def list_follow_ups(
    which: Annotated[str, typer.Option(help="open, due, overdue (the grace is over) or ended.")] = "open",
    seller: Annotated[str | None, typer.Option(metavar="NAME", help="A seller's own.")] = None,
    crm: CrmName = None,
    assignment: Annotated[
        str | None, typer.Option("--assignment", metavar="NAME", help="Of one assignment; else of all.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List promised calls: whose they are, what was asked, when it will be, and what keeps them.

    \b
    Examples:
      ringeliste followups list
      ringeliste followups list --which overdue --seller Ana --json
    """
    from calling.follow_ups.listing import WHICH, follow_ups
    from ringeliste.cli.doors import application
    from ringeliste.cli.finding import find, find_crm
    from ringeliste.cli.output import answer

    kinds = [one for one in WHICH if one == which]
    if not kinds:
        raise BadInput(f"which: {which!r} is not one of {', '.join(WHICH)}")
    with application() as app, app.work(find_crm(app, crm)) as work:
        of = {
            "assignment_id": None if assignment is None else find(work, "assignment", assignment),
            "seller_id": None if seller is None else find(work, "seller", seller),
        }
        rows = page = follow_ups(work, 0, PAGE, which=kinds[0], **of)
        while len(page) == PAGE:
            page = follow_ups(work, page[-1].id, PAGE, which=kinds[0], **of)
            rows = rows + page
    rows = sorted(rows, key=lambda row: (row.due_at, row.id))
    answer(rows, lambda console: _draw(console, rows), as_json=as_json)


def promise(
    customer: Annotated[str, typer.Argument(metavar="CUSTOMER", help="The customer's external id.")],
    at: Annotated[
        str,
        typer.Option(
            metavar="TIME", help='On the customer\'s wall: "2026-03-05 10:00"; or 2026-03-05T10:00Z.'
        ),
    ],
    zone: Annotated[
        str | None,
        typer.Option(metavar="ZONE", help="Of the wall; else where the customer is reckoned to be."),
    ] = None,
    seller: SellerName = None,
    note: Annotated[str, typer.Option(help="What it is about.")] = "",
    crm: CrmName = None,
    assignment: AssignmentName = None,
    author: Author = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Promise a customer a call. An open promise is replaced; the answer says when it will be.

    A time at which nobody may be rung slides to the next opening. A time that the clocks skip becomes the
    first after it; of an hour that comes twice the first is meant.

    \b
    Examples:
      ringeliste followups promise 17 --at "2026-03-05 10:00" --seller Ana --note "about the boat"
      ringeliste followups promise 17 --at 2026-03-05T09:00Z --dry-run
    """
    from calling.follow_ups import promising
    from ringeliste.cli.doors import writing_in
    from ringeliste.cli.finding import find
    from ringeliste.cli.output import answer
    from ringeliste.cli.suppression import customer_id

    with writing_in(crm, assignment, dry_run=dry_run) as (_, open_work, assignment_id):
        with open_work() as work:
            whom = customer_id(work, customer)
            owner = None if seller is None else find(work, "seller", seller)
        made = promising.promise(
            open_work, assignment_id, whom, wish(at, zone, note), seller_id=owner, author=whoever(author),
            made_by="hand",
        )  # fmt: skip
    answer(made, lambda console: _draw_promised(console, made, dry_run=dry_run), as_json=as_json)


def cancel(
    follow_up: Annotated[int, typer.Argument(metavar="ID", help="The follow-up's id, as `list` tells it.")],
    crm: CrmName = None,
    author: Author = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Take a promise back: the customer is in the line again, or closed as they were.

    \b
    Examples:
      ringeliste followups cancel 12
      ringeliste followups cancel 12 --dry-run
    """
    from calling.follow_ups import promising
    from ringeliste.cli.doors import writing
    from ringeliste.cli.output import answer, would

    with writing(crm, dry_run=dry_run) as (_, open_work):
        promising.cancel(open_work, follow_up, author=whoever(author))
    said = f"{would(dry_run)}Follow-up {follow_up} is taken back."
    document = {"id": follow_up, "cancelled": True, "dry_run": dry_run}
    answer(document, lambda console: console.print(said), as_json=as_json)


def hand_over(
    seller: Annotated[str, typer.Argument(metavar="SELLER", help="Who leaves, by name or id.")],
    to: Annotated[str | None, typer.Option(metavar="NAME", help="Who takes them; else everybody.")] = None,
    expect: Annotated[int | None, typer.Option(min=0, help="Refuse if they are not so many.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Ask nobody.")] = False,
    crm: CrmName = None,
    author: Author = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Give all open follow-ups of a seller who leaves to another one, or to everybody; all or nothing.

    \b
    Examples:
      ringeliste followups hand-over Ana --to Bo --dry-run
      ringeliste followups hand-over Ana --expect 31
    """
    from calling.follow_ups import handing_over
    from ringeliste.cli.asking import sure
    from ringeliste.cli.doors import writing
    from ringeliste.cli.finding import find
    from ringeliste.cli.output import answer, shown, would
    from ringeliste.drawing import counted

    with writing(crm, dry_run=dry_run) as (_, open_work):
        with open_work() as work:
            leaver = find(work, "seller", seller)
            heir = None if to is None else find(work, "seller", to)
        whose = shown(to) if to is not None else "everybody"
        found = handing_over.theirs(open_work, leaver)
        question = f"Give {counted(found, 'follow-up')} of {seller} to {to or 'everybody'}?"
        done = handing_over.hand_over(
            open_work, leaver, heir, author=whoever(author),
            expected=sure(found, question, expect, 0, yes=yes or dry_run).count,
        )  # fmt: skip
    said = f"{would(dry_run)}{counted(done.handed, 'follow-up')} of {shown(seller)}: now {whose}'s."
    document = {"handed": done.handed, "warning": done.warning, "dry_run": dry_run}

    def draw(console: "Console") -> None:
        console.print(said)
        if done.warning:
            console.print(f"[yellow]{shown(done.warning)}[/yellow]")

    answer(document, draw, as_json=as_json)


def set_grace(
    minutes: Annotated[
        float | None, typer.Option(min=0, help="Wait so long for the owner; 0: not at all.")
    ] = None,
    crm: CrmName = None,
    assignment: AssignmentName = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Show how long a due personal follow-up waits for its owner, or say it anew.

    Only time in which the customer could be rung counts. Those that wait already follow.

    \b
    Examples:
      ringeliste followups grace
      ringeliste followups grace --minutes 30 --assignment Loans
    """
    from calling.follow_ups import grace
    from ringeliste.cli.doors import reading, writing_in
    from ringeliste.cli.output import answer, would

    seconds = seconds_of("--minutes", minutes, 60)
    if seconds is None:
        with reading(crm, assignment) as (work, assignment_id):
            seconds = grace.grace(work, assignment_id)
    else:
        with (
            writing_in(crm, assignment, dry_run=dry_run) as (_, open_work, assignment_id),
            open_work() as work,
        ):
            grace.set_grace(work, assignment_id, seconds)
    said = f"A due personal follow-up waits {seconds / 60:g} minutes for its owner."
    document = {"grace_seconds": seconds, "dry_run": dry_run}
    answer(document, lambda console: console.print(f"{would(dry_run)}{said}"), as_json=as_json)


def wish(at: str, zone: str | None, note: str) -> "Wish":
    """A time on a wall, or an instant with its offset. Raises BadInput."""
    from calling.follow_ups.asking import Wish

    try:
        time = datetime.fromisoformat(at)
    except ValueError:
        raise BadInput(f'--at: {at!r} is no time; write "2026-03-05 10:00", or 2026-03-05T10:00Z') from None
    if time.tzinfo is not None:
        return Wish(time, zone=zone, note=note)
    return Wish(wall_time=time.replace(second=0, microsecond=0), zone=zone, note=note)


def _draw_promised(console: "Console", made: "Promised", *, dry_run: bool) -> None:
    from ringeliste.cli.output import instant, shown, would

    console.print(
        f"{would(dry_run)}Follow-up {made.id}: asked for {shown(made.wall_time.replace('T', ' '))} in "
        f"{made.zone}; will be {instant(made.due_at)}."
    )
    for mind in filter(None, (made.told, made.warning)):
        console.print(f"[yellow]{shown(mind)}[/yellow]")


def _draw(console: "Console", rows: "Sequence[Listed]") -> None:
    from ringeliste.cli.output import instant, plain_table, shown

    if not rows:
        console.print("No such follow-ups.")
        return
    table = plain_table("id", "customer", "whose", "asked", "will be", "standing", "note", right=("id",))
    for row in rows:
        whose = shown(row.seller or "anybody") + (" [dim](anybody's now)[/dim]" if _passed(row) else "")
        asked = f"{row.wall_time.replace('T', ' ')} {row.zone}"
        standing = row.ended_by or row.standing.replace("_", " ")
        gate = f": {row.gate}" if row.gate else ""
        table.add_row(
            str(row.id), shown(f"{row.external_id} {row.name}"), whose, asked, instant(row.will_be),
            f"{standing}{gate}", shown(row.note),
        )  # fmt: skip
    console.print(table)


def _passed(row: "Listed") -> bool:
    return row.seller_id is not None and row.anybodys and row.standing == "due"
