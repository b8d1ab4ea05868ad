"""A simulation on the terminal: how far it is, and what it came to."""

from pathlib import Path
from typing import Any

from rich.console import Console
from rich.status import Status

from calling.intake.importing import Progress
from ringeliste import throwaway
from ringeliste.cli.output import number, plain_table, shown
from ringeliste.drawing import bar, count
from ringeliste.simulation import SimulationReport
from ringeliste.simulation import simulate as run
from ringeliste.simulation.apart import FOLDER
from wiring.settings import Settings

BAR = 30

BUILD_SECONDS, DAY_SECONDS = 15, 60
BUILD_MEGABYTES, DAY_MEGABYTES = 200, 60
"""What the bank's list and each day of it take on two quiet cores, roughly."""


def plan(*, days: float, data: Path | None, sellers: int) -> dict[str, Any]:
    """What `play` would build, where, and roughly how long and how large. Raises BadInput as it would."""
    folder = Settings.from_env().data.expanduser().resolve() / FOLDER
    throwaway.check(folder)
    return {
        "directory": folder,
        "replaces": "an earlier simulation" if folder.exists() else "nothing",
        "list": data or "the bank's list, 45,211 customers",
        "sellers": sellers,
        "days": days,
        "seconds": round(BUILD_SECONDS + days * DAY_SECONDS),
        "megabytes": round(BUILD_MEGABYTES + days * DAY_MEGABYTES),
        "afterwards": "stays there, servers stopped, until the next simulation",
    }


def play(*, days: float, seed: int, data: Path | None, sellers: int) -> SimulationReport:
    """Run it, and say on standard error what it is doing."""
    folder = Settings.from_env().data.expanduser().resolve()
    with Console(stderr=True).status("Starting PostgreSQL and Redis") as status:
        return run(
            folder,
            days=days,
            seed=seed,
            data=data,
            sellers=sellers,
            progress=lambda now: _say(status, now, days),
        )


def _say(status: Status, now: Progress, days: float) -> None:
    if now.share < 1:
        status.update(f"Importing the list: {now.share:.0%}, {count(now.rate)} rows/s")
    else:
        status.update(f"Playing {days:g} days of calling; a day takes a minute or so")


def draw_report(console: Console, report: SimulationReport) -> None:
    """For people."""
    reached = report.contacts / report.attempts if report.attempts else 0
    console.print(
        f"[bold]{count(report.attempts)} calls, {reached:.0%} reached, {count(report.sales)} sales[/bold] "
        f"[dim]by {report.sellers} sellers and a robot in {report.days:g} days, seed {report.seed}[/dim]"
    )
    columns = ("size", "free", "gated", "leased", "resting", "promised", "closed", "calls", "sales")
    table = plain_table("segment", *columns, "ran dry", right=columns)
    for one in report.segments:
        dry = f"{one.ran_dry:%a %H:%M} UTC" if one.ran_dry else ""
        figures = (
            one.size, one.free, one.gated, one.leased, one.resting, one.follow_up, one.closed,
            one.attempts, one.sales,
        )  # fmt: skip
        table.add_row(shown(one.name), *map(number, figures), f"[yellow]{dry}[/yellow]")
    console.print(table)
    most = max((hour.attempts for hour in report.hours), default=0) or 1
    for hour in report.hours:
        drawn = f"[cyan]{bar(hour.attempts / most, BAR)}[/cyan]"
        console.print(f"[dim]{hour.begins:%a %H}h[/dim] {count(hour.attempts):>6} {drawn}")
    broken = {promise: found for promise, found in report.check.items() if found}
    console.print("[green]every promise kept[/green]" if not broken else f"[red]broken: {broken}[/red]")
