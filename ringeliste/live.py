"""The live table of `ringeliste up`, drawn from figures; knows neither database nor terminal."""

from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from calling.report import SegmentFigures
from ringeliste.drawing import count, sparkline, stacked
from ringeliste.figures import Figures

BAR = 24
PARTS = (
    ("free", "green"),
    ("leased", "yellow"),
    ("resting", "blue"),
    ("gated", "magenta"),
    ("closed", "bright_black"),
)
"""What a segment's bar is made of, in this order, each with its colour."""

NUMBERS = ("size", "free", "leased", "resting", "closed", "attempts", "contacts", "sales")


@dataclass(frozen=True, slots=True)
class Lamp:
    """One process as it is shown."""

    name: str
    up: bool
    deaths: int = 0


@dataclass(frozen=True, slots=True)
class View:
    """All that one picture needs. `zone`: the clock that people here read."""

    figures: Figures | None
    problem: str
    lamps: Sequence[Lamp]
    address: str
    zone: ZoneInfo


def draw(view: View) -> RenderableType:
    """One picture."""
    parts: list[RenderableType] = [_head(view), Text()]
    if view.figures:
        parts += [_segments(view.figures.segments), Text(), _hours(view.figures, view.zone), Text()]
    parts += [_lamps(view.lamps), Text(), Text("Ctrl-C stops everything and keeps the data.", style="dim")]
    return Group(*parts)


def line(view: View) -> str:
    """The same in one line, for a log."""
    figures = view.figures
    if figures is None:
        return f"starting; {_states(view.lamps)}"
    at = figures.at.astimezone(view.zone)
    total = {name: sum(getattr(one, name) for one in figures.segments) for name in NUMBERS}
    problem = f"; {view.problem}" if view.problem else ""
    return (
        f"{at:%a %d %b %H:%M} at {figures.speed:g}x: "
        + ", ".join(f"{name} {count(number)}" for name, number in total.items())
        + f"; {_states(view.lamps)}{problem}"
    )


def _head(view: View) -> RenderableType:
    head = Table.grid(expand=False, padding=(0, 3, 0, 0))
    clock = Text("Ringeliste", style="bold")
    if view.figures:
        at = view.figures.at.astimezone(view.zone)
        clock = Text.assemble((f"{at:%A %d %B %Y  %H:%M}", "bold"), (f"  {_pace(view.figures.speed)}", "dim"))
    head.add_row(clock, _window(view))
    return Group(head, Text(view.address, style="cyan underline"))


def _pace(speed: float) -> str:
    return f"a minute each second ({speed:g}×)" if speed == 60 else f"{speed:g}× as fast as the wall clock"


def _window(view: View) -> Text:
    if view.problem:
        return Text(view.problem, style="red")
    figures = view.figures
    if figures is None or figures.ringable:
        return Text("")
    opens = f"opens {figures.opens.astimezone(view.zone):%a %H:%M}" if figures.opens else "never opens"
    return Text(f"nobody may be rung now: {opens}", style="yellow")


def _segments(segments: Sequence[SegmentFigures]) -> RenderableType:
    largest = max((one.size for one in segments), default=0)
    table = Table(box=None, padding=(0, 1), header_style="dim", pad_edge=False)
    table.add_column("Segment", no_wrap=True, overflow="ellipsis", min_width=12)
    table.add_column(_legend(), min_width=BAR, no_wrap=True)
    for name in NUMBERS:
        table.add_column("rings" if name == "attempts" else name, justify="right", no_wrap=True)
    for one in segments:
        drawn = stacked([(getattr(one, part), style) for part, style in PARTS], largest, BAR)
        shown = Text(f"{one.name} (paused)", style="red") if one.paused else Text(one.name)
        table.add_row(shown, drawn, *(_number(one, number) for number in NUMBERS))
    if len(segments) > 1:
        totals = [count(sum(getattr(one, name) for one in segments)) for name in NUMBERS]
        table.add_row("Together", "", *totals, style="bold")
    return table


def _legend() -> Text:
    return Text(" ").join(Text(part, style=style) for part, style in PARTS[:3])


def _number(one: SegmentFigures, name: str) -> Text:
    number = getattr(one, name)
    style = "" if number else "dim"
    return Text(count(number), style="bold green" if name == "sales" and number else style)


def _hours(figures: Figures, zone: ZoneInfo) -> RenderableType:
    hours = figures.per_hour()
    table = Table.grid(padding=(0, 2, 0, 0))
    if not hours:
        table.add_row("Calls per hour", Text("none yet", style="dim"))
        return table
    rings = [hour.attempts if hour else 0 for _, hour in hours]
    sales = [hour.sales if hour else 0 for _, hour in hours]
    first, last = (at.astimezone(zone) for at in (hours[0][0], hours[-1][0]))
    span = Text(f"{first:%H}h to {last:%H}h", style="dim")
    calls, sold = Text(sparkline(rings), style="cyan"), Text(sparkline(sales), style="green")
    table.add_row("Calls per hour", calls, f"{count(rings[-1])} this hour", span)
    table.add_row("Sales per hour", sold, f"{count(sales[-1])} this hour")
    return table


def _lamps(lamps: Sequence[Lamp]) -> Text:
    drawn = []
    for lamp in lamps:
        light = ("● ", "green") if lamp.up else ("○ ", "red")
        again = (f" again {lamp.deaths}×" if lamp.deaths else "", "yellow")
        drawn.append(Text.assemble(light, lamp.name, again))
    return Text("   ").join(drawn)


def _states(lamps: Sequence[Lamp]) -> str:
    down = [lamp.name for lamp in lamps if not lamp.up]
    deaths = sum(lamp.deaths for lamp in lamps)
    again = f", restarted {deaths} times" if deaths else ""
    return (f"down: {', '.join(down)}" if down else f"all {len(lamps)} up") + again
