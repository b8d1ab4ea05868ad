"""When customers answer: a map of the week, hour by hour."""

from typing import TYPE_CHECKING, Annotated

import typer

from ringeliste.cli.front import add
from ringeliste.cli.options import AsJson, AssignmentName, CrmName

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console
    from rich.text import Text

    from calling.views.best_times import BestTimes, Slot

PANEL = "Reports"
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
COLD, HOT = (38, 52, 74), (250, 178, 60)
"""The map's colours (red, green, blue) for the lowest rate of a called slot, and for the highest."""


def register(app: typer.Typer) -> None:
    """Add this command."""
    add(app, best_times, PANEL, "best-times")


def best_times(
    place: Annotated[
        str | None, typer.Option(metavar="PLACE", help="Only this place, as in PT or US-FL.")
    ] = None,
    crm: CrmName = None,
    assignment: AssignmentName = None,
    as_json: AsJson = False,
) -> None:
    """When do customers answer? Calls that reached a person, by weekday and hour of their own clocks.

    Slots with few calls are drawn towards what their hour and weekday let expect; uncalled ones stay empty.

    \b
    Examples:
      ringeliste best-times
      ringeliste best-times --place PT
      ringeliste best-times --json
    """
    from calling.views.best_times import best_times as ask
    from models.errors import BadInput
    from ringeliste.cli.doors import reading
    from ringeliste.cli.output import answer

    with reading(crm, assignment) as (work, assignment_id):
        found = ask(work, assignment_id)
    if place is not None and place not in found.places:
        known = ", ".join(found.places) or "none yet"
        raise BadInput(f"--place {place}: nobody was called there, or too few; there are {known}")
    answer(found, lambda console: _draw(console, found, place), as_json=as_json)


def _draw(console: "Console", found: "BestTimes", place: str | None) -> None:
    from ringeliste.cli.output import instant
    from ringeliste.drawing import counted

    if found.rate is None:
        console.print("Nobody was called yet.")
        return
    told = (
        f"{counted(found.attempts, 'call')} since {instant(found.since)}, {found.rate:.1%} reached a person"
    )
    console.print(f"[dim]{told}; hours of the customers' own clocks[/dim]")
    console.print(_map(found.places[place] if place else found.slots))
    for slot in found.best():
        console.print(f"{DAYS[slot.weekday]} {slot.hour:02}-{slot.hour + 1:02}  [bold]{slot.rate:.0%}[/bold]")


def _map(slots: "Sequence[Slot]") -> "Text":
    """A line a weekday, two letters an hour; as bright as many answer."""
    from rich.text import Text

    called = [slot.rate for slot in slots if slot.attempts]
    low, high = min(called, default=0.0), max(called, default=0.0)
    drawn = Text(
        "     " + "".join(f"{hour:02}" if hour % 3 == 0 else "  " for hour in range(24)) + "\n", "dim"
    )
    for weekday, name in enumerate(DAYS):
        drawn.append(f"{name}  ", style="dim")
        for slot in sorted((s for s in slots if s.weekday == weekday), key=lambda s: s.hour):
            share = (slot.rate - low) / (high - low) if high > low else 1.0
            drawn.append("██" if slot.attempts else " ·", style=_colour(share) if slot.attempts else "dim")
        drawn.append("\n")
    return drawn


def _colour(share: float) -> str:
    red, green, blue = (round(cold + (hot - cold) * share) for cold, hot in zip(COLD, HOT, strict=True))
    return f"rgb({red},{green},{blue})"
