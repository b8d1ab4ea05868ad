"""Hours: what the law says of each place, what an owner makes stricter, whom a manager exempts by name."""

from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import typer

from models.errors import BadInput
from ringeliste.cli.front import Front, add, unwrapped
from ringeliste.cli.options import AsJson, AssignmentName, Author, CrmName, DryRun, whoever
from ringeliste.cli.own_hours import base
from ringeliste.cli.walls import patience, tell

if TYPE_CHECKING:
    from models.work import Work

PANEL = "Hours"

SegmentName = Annotated[
    str | None, typer.Option("--segment", metavar="NAME", help="A segment of the assignment, by name or key.")
]
WholeCrm = Annotated[bool, typer.Option("--everywhere", help="In the whole CRM, not in an assignment.")]
Week = Annotated[
    str | None,
    typer.Option(metavar="HOURS", help='Such as "mon-fri 10:00-13:00, 14:00-20:00; sat 10:00-14:00".'),
]
Day = Annotated[
    list[str] | None,
    typer.Option("--day", metavar="DAY=HOURS", help="Such as 2026-12-24=10:00-12:00, or 2026-12-25=never."),
]
From = Annotated[str | None, typer.Option("--from", metavar="DAY", help="First day, of the customer.")]
To = Annotated[str | None, typer.Option("--to", metavar="DAY", help="Last day, of the customer.")]
Ended = Annotated[bool, typer.Option("--history", help="What held once as well.")]
Number = Annotated[int, typer.Argument(metavar="ID", help="As `ringeliste hours show` tells it.")]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    group = typer.Typer(cls=Front, no_args_is_help=True)
    for command, name in (
        (show, "show"), (base, "base"), (set_, "set"), (end, "end"), (exempt, "exempt"), (bind, "bind"),
    ):  # fmt: skip
        add(group, command, name=name)
    app.add_typer(group, name="hours", rich_help_panel=PANEL, help=unwrapped(__doc__ or ""))


def show(
    crm: CrmName = None,
    assignment: AssignmentName = None,
    segment: SegmentName = None,
    history: Ended = False,
    as_json: AsJson = False,
) -> None:
    """Show the CRM's own hours, what was made stricter, and who is exempted from what.

    \b
    Examples:
      ringeliste hours show
      ringeliste hours show --assignment Loans --segment savers
      ringeliste hours show --history --json
    """
    from calling.views.hours import exemptions, own_hours, stricter_hours
    from ringeliste.cli.doors import application
    from ringeliste.cli.finding import find_crm
    from ringeliste.cli.hours_drawing import draw_hours
    from ringeliste.cli.output import answer

    with application() as app, app.work(find_crm(app, crm)) as work:
        where = _where(work, assignment, segment) if assignment or segment else {}
        document = {
            "own": own_hours(work),
            "stricter": stricter_hours(work, **where, ended=history),
            "exemptions": exemptions(work, assignment_id=where.get("assignment_id"), ended=history),
        }
    answer(document, lambda console: draw_hours(console, document), as_json=as_json)


def set_(
    week: Week = None,
    days: Day = None,
    from_: From = None,
    to: To = None,
    reason: Annotated[
        str | None, typer.Option(help="Why; shown to whoever asks. A change keeps the old one.")
    ] = None,
    change: Annotated[
        int | None,
        typer.Option(
            metavar="ID", help="Set these in the stead of standing ones, at once and where those were."
        ),
    ] = None,
    everywhere: WholeCrm = False,
    crm: CrmName = None,
    assignment: AssignmentName = None,
    segment: SegmentName = None,
    author: Author = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Make the hours stricter, of a segment, an assignment, or --everywhere in the CRM.

    They are intersected with the law, the CRM's own hours and whatever else holds there: nothing becomes
    looser. Days that HOURS do not name are shut. When it answers, nothing rings outside them any more, except
    what the answer names.

    \b
    Examples:
      ringeliste hours set --segment savers --week "mon-fri 17:00-20:00" --reason "they are at work"
      ringeliste hours set --everywhere --day 2026-12-24=never --day 2026-12-31=09:00-12:00
      ringeliste hours set --change 3 --week "mon-fri 16:00-20:00"
    """
    from calling.hours.week import week_from_text
    from calling.walls.hours import change_hours, set_hours
    from ringeliste.cli.doors import writing

    given: dict[str, Any] = {
        "week": None if week is None else week_from_text(week), "days": _days(days),
        "valid_from": _day(from_, "--from"), "valid_to": _day(to, "--to"),
    }  # fmt: skip
    signed: dict[str, Any] = {"author": whoever(author)}
    _one_place(everywhere, assignment, segment)
    if change is not None and (everywhere or assignment or segment):
        raise BadInput("--change: hours stay where they were set; end them and set others to move them")
    with writing(crm, dry_run=dry_run) as (app, open_work):
        signed["patience"] = patience(app, dry_run=dry_run)
        if change is not None:
            named = {name: value for name, value in given.items() if value}
            key, air = change_hours(open_work, change, reason=reason, **signed, **named)
        else:
            with open_work() as work:
                where = {} if everywhere else _where(work, assignment, segment)
            given["days"] = given["days"] or {}
            key, air = set_hours(open_work, **where, reason=reason or "set by hand", **signed, **given)
    tell(air, f"hours {key} are set", dry_run=dry_run, as_json=as_json)


def end(
    hours_id: Number,
    crm: CrmName = None,
    author: Author = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Let stricter hours hold no more.

    \b
    Examples:
      ringeliste hours end 3
    """
    from calling.walls.hours import end_hours
    from ringeliste.cli.doors import writing
    from ringeliste.cli.output import answer, would

    with writing(crm, dry_run=dry_run) as (_, open_work):
        end_hours(open_work, hours_id, author=whoever(author))
    said = f"Hours {hours_id} hold no more."
    document = {"ended": hours_id, "dry_run": dry_run}
    answer(document, lambda console: console.print(would(dry_run) + said), as_json=as_json)


def exempt(
    law: Annotated[
        str, typer.Argument(metavar="LAW", help="A row of `ringeliste laws`, such as NO; or own.")
    ],
    manager: Annotated[str, typer.Option(metavar="NAME", help="The manager who answers for it.")],
    until: Annotated[str, typer.Option(metavar="DAY", help="The last day of it, on the customer's clock.")],
    reason: Annotated[str, typer.Option(help="Why the row may be left aside.")],
    everywhere: WholeCrm = False,
    crm: CrmName = None,
    assignment: AssignmentName = None,
    author: Author = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Let an assignment, or the CRM, off one law row or its own hours, by a manager's name, until a day.

    \b
    Examples:
      ringeliste hours exempt NO --manager "Kari Nordmann" --until 2026-06-30 --reason "they asked for calls"
      ringeliste hours exempt own --everywhere --manager Ola --until 2026-03-07 --reason "a Saturday drive"
    """
    from calling.walls import hours as verbs
    from ringeliste.cli.doors import writing
    from ringeliste.cli.output import answer, shown, would

    _one_place(everywhere, assignment)
    last = _day(until, "--until")
    if last is None:
        raise BadInput("--until: write the last day as 2026-03-31")
    with writing(crm, dry_run=dry_run) as (_, open_work):
        with open_work() as work:
            where = {} if everywhere else _where(work, assignment, None)
        key = verbs.exempt(
            open_work, law, assignment_id=where.get("assignment_id"), valid_to=last, reason=reason,
            manager=manager, author=whoever(author),
        )  # fmt: skip
    said = f"Exemption {key} from {shown(law)} until {last}, by {shown(manager)}."
    document = {"id": key, "law": law, "valid_to": last, "manager": manager, "dry_run": dry_run}
    answer(document, lambda console: console.print(would(dry_run) + said), as_json=as_json)


def bind(
    exemption_id: Number,
    crm: CrmName = None,
    author: Author = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """End an exemption: the law binds again, from the answer on.

    \b
    Examples:
      ringeliste hours bind 2
    """
    from calling.walls.hours import end_exemption
    from ringeliste.cli.doors import writing

    with writing(crm, dry_run=dry_run) as (app, open_work):
        air = end_exemption(
            open_work, exemption_id, author=whoever(author), patience=patience(app, dry_run=dry_run)
        )
    tell(air, f"exemption {exemption_id} has ended", dry_run=dry_run, as_json=as_json)


def _one_place(everywhere: bool, assignment: str | None, segment: str | None = None) -> None:
    if everywhere and (assignment or segment):
        raise BadInput("--everywhere: takes no assignment and no segment")


def _where(work: "Work", assignment: str | None, segment: str | None) -> dict[str, Any]:
    from ringeliste.cli.finding import find

    found: dict[str, Any] = {"assignment_id": find(work, "assignment", assignment)}
    if segment is not None:
        found["segment_id"] = find(work, "segment", segment, assignment_id=found["assignment_id"])
    return found


def _days(given: list[str] | None) -> dict[str, list[list[str]]] | None:
    from calling.hours.week import intervals_from_text

    if not given:
        return None
    days = (text.partition("=") for text in given)
    return {day.strip(): intervals_from_text(hours) for day, _, hours in days}


def _day(text: str | None, option: str) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadInput(f"{option}: {text!r} is no day; write it as 2026-03-31") from None
