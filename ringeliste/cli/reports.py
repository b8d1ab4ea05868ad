"""What was done, and whether every promise was kept."""

from typing import TYPE_CHECKING, Annotated

import typer

from ringeliste.cli.front import VIOLATIONS, add
from ringeliste.cli.options import AsJson, AssignmentName, CrmName

if TYPE_CHECKING:
    from datetime import datetime

    from rich.console import Console

    from calling.dialers.set_aside import Unseen
    from calling.follow_ups.late import Late
    from calling.segments.alarms import Alarm
    from calling.views.audit import Finding
    from calling.views.dry import DryList
    from calling.views.report import Hour

PANEL = "Reports"
BAR = 36

PROMISES = {
    "P1": "one holder",
    "P2": "pause is a wall",
    "P3": "legal minutes only",
    "P4": "outcomes count once",
    "P5": "nothing is lost",
    "P6": "segments are true",
    "P7": "walls between CRMs",
    "P8": "do-not-call is at once",
}


def register(app: typer.Typer) -> None:
    """Add these commands."""
    add(app, report, PANEL)
    add(app, check, PANEL)


def report(
    hours: Annotated[int, typer.Option(min=1, max=24 * 366, help="How far back, in business time.")] = 24,
    crm: CrmName = None,
    assignment: AssignmentName = None,
    as_json: AsJson = False,
) -> None:
    """Calls, contacts and sales per hour. Hours are those of the business clock, in UTC.

    Rules that cannot be read any more, lists that are worked and dry, promised calls that are late, and
    reports that could not be used are told of as well.

    \b
    Examples:
      ringeliste report
      ringeliste report --hours 168 --json
    """
    from datetime import timedelta

    from calling.dialers.set_aside import unseen
    from calling.follow_ups.late import late_promises
    from calling.segments.alarms import found_now
    from calling.views.dry import dry_lists
    from calling.views.registers import warnings as register_warnings
    from calling.views.report import hours as per_hour
    from ringeliste.cli.doors import reading
    from ringeliste.cli.output import answer

    with reading(crm, assignment) as (work, assignment_id):
        now = work.now
        worked = per_hour(work, assignment_id, now - timedelta(hours=hours))
        broken = found_now(work, assignment_id)
        registers = register_warnings(work)
        dry = [one for one in dry_lists(work) if one.assignment_id == assignment_id]
        late = late_promises(work, assignment_id)
        aside = unseen(work)
    document = {
        "now": now, "hours": worked, "total": _total(worked), "broken_rules": broken, "dry": dry,
        "late_promises": late, "registers": registers, "set_aside": aside,
    }  # fmt: skip

    def draw(console: "Console") -> None:
        _draw_report(console, worked, now, broken, dry, registers)
        _draw_late(console, late)
        _draw_set_aside(console, aside)

    answer(document, draw, as_json=as_json)


def check(crm: CrmName = None, as_json: AsJson = False) -> None:
    """Hold the promises P1 to P8 against the whole database; exit code 3 if one is broken.

    Prints how often each was broken, over all CRMs or in one.

    \b
    Examples:
      ringeliste check
      ringeliste check --json && echo "every promise kept"
    """
    from calling.views.audit import audit, by_promise
    from ringeliste.cli.doors import application
    from ringeliste.cli.finding import find_crm
    from ringeliste.cli.output import answer

    findings: list[Finding] = []
    with application() as app:
        for crm_id in [find_crm(app, crm)] if crm else app.crms():
            with app.work(crm_id, snapshot=True) as work:
                work.read_long()
                findings += audit(work)
    totals = dict(by_promise(findings))
    answer(totals, lambda console: _draw_check(console, totals, findings), as_json=as_json)
    if any(totals.values()):
        raise typer.Exit(VIOLATIONS)


def _total(worked: "list[Hour]") -> dict[str, int]:
    return {name: sum(getattr(hour, name) for hour in worked) for name in ("attempts", "contacts", "sales")}


def _draw_report(
    console: "Console", worked: "list[Hour]", now: "datetime", broken: "list[Alarm]", dry: "list[DryList]",
    registers: list[str],
) -> None:  # fmt: skip
    from ringeliste.cli.output import instant, shown

    for warning in registers:
        console.print(warning, style="yellow", markup=False)
    from ringeliste.cli.publishing import told_of

    _draw_hours(console, worked, now)
    for line in told_of(broken):
        console.print(f"[red]{shown(line)}[/red]")
    for one in dry:
        stop = f"{one.stopped:,} of {one.customers:,} stop at {one.gate}: {one.meaning}"
        on = f"; the first goes on {instant(one.next_at)}" if one.next_at else "; somebody has to act"
        style = "dim" if one.after_hours else "red"
        waits = "All hours are shut" if one.after_hours else "Nobody may be rung, and somebody waits"
        console.print(f"[{style}]{waits}: {shown(stop)}{on}.[/{style}]")


def _draw_late(console: "Console", late: "list[Late]") -> None:
    from calling.follow_ups.late import NOBODY
    from ringeliste.cli.output import instant
    from ringeliste.drawing import counted

    for one in late:
        why = "nobody has rung" if one.gate == NOBODY else f"kept by {one.gate}"
        said = f"{counted(one.promises, 'promised call')} late, the oldest since {instant(one.since)}: {why}."
        console.print(f"[red]{said}[/red]")


def _draw_hours(console: "Console", worked: "list[Hour]", now: "datetime") -> None:
    from ringeliste.cli.output import instant, number, plain_table
    from ringeliste.drawing import bar, count

    console.print(f"[dim]business time {instant(now)}[/dim]")
    if not worked:
        console.print("No calls yet.")
        return
    most = max(hour.attempts for hour in worked)
    numbers = ("attempts", "contacts", "sales")
    table = plain_table("hour (UTC)", *numbers, "calls", right=numbers)
    for hour in worked:
        share = hour.contacts / hour.attempts if hour.attempts else 0
        drawn = bar(hour.attempts / most, BAR)
        reached = round(share * len(drawn))
        table.add_row(
            f"{hour.begins:%a %d %b %H:00}", *(number(getattr(hour, name)) for name in numbers),
            f"[green]{drawn[:reached]}[/green][cyan]{drawn[reached:]}[/cyan]",
        )  # fmt: skip
    total = _total(worked)
    table.add_row("together", *(count(total[name]) for name in numbers), "", style="bold")
    console.print(table)
    console.print("[green]█[/green] [dim]somebody was reached[/dim]  [cyan]█[/cyan] [dim]nobody[/dim]")


def _draw_check(console: "Console", totals: dict[str, int], findings: "list[Finding]") -> None:
    from ringeliste.cli.output import plain_table, shown
    from ringeliste.drawing import count

    table = plain_table("", "promise", "", "violations", right=("violations",))
    for promise, broken in totals.items():
        lamp = "[red]✗[/red]" if broken else "[green]✓[/green]"
        style = "bold red" if broken else ""
        table.add_row(lamp, promise, PROMISES.get(promise, ""), count(broken), style=style)
    console.print(table)
    for finding in (one for one in findings if one.count):
        console.print(f"[red]{finding.promise}[/red] {shown(finding.what)}: {count(finding.count)}")


def _draw_set_aside(console: "Console", aside: "Unseen") -> None:
    from ringeliste.cli.output import instant

    if aside.since is not None:
        reports = "report" if aside.many == 1 else "reports"
        since = f"the oldest since {instant(aside.since)}"
        told = f"{aside.many:,} {reports} could not be used ({aside.told}), {since}"
        console.print(f"[red]{told}: look with `ringeliste set-aside list`.[/red]")
