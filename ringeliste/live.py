"""The live table of `ringeliste up`, drawn from figures; knows neither database nor terminal."""

from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from calling.views.report import SegmentFigures
from ringeliste.drawing import count, sparkline, stacked
from ringeliste.figures import Figures

PARTS = (
    ("free", "green"),
    ("leased", "yellow"),
    ("waiting", "blue"),
    ("gated", "magenta"),
    ("closed", "bright_black"),
)
"""What a segment's bar is made of, in this order, each with its colour; the headings wear them too."""

NUMBERS = {
    "size": "size", "free": "free", "leased": "leased", "waiting": "waiting", "gated": "gated",
    "closed": "closed", "attempts": "calls", "contacts": "reached", "sales": "sales",
}  # fmt: skip
"""Figures of a segment, and what stands above them; the parts add up to the size."""

COLUMN = 8
NAME = {False: 14, True: 24}
ROOMY = 112
HOUR_WIDTH, HOURS_SHOWN = 6, 14


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


def draw(view: View, width: int) -> RenderableType:
    """One picture, `width` letters wide."""
    parts: list[RenderableType] = [_head(view), Text(view.address, style="cyan", no_wrap=True), Text()]
    if view.figures:
        parts += [_segments(view.figures.segments, width), Text()]
        parts += [_hours(view.figures, view.zone, width), Text()]
    parts += [
        _lamps(view.lamps, width),
        Text(),
        Text("Ctrl-C stops everything and keeps the data.", style="dim"),
    ]
    return Group(*parts)


def line(view: View) -> str:
    """The same in one line, for a log."""
    figures = view.figures
    if figures is None:
        return f"starting; {_states(view.lamps)}"
    at = figures.at.astimezone(view.zone)
    totals = ", ".join(f"{name} {count(_total(figures.segments, key))}" for key, name in NUMBERS.items())
    problem = f"; {view.problem}" if view.problem else ""
    return f"{at:%a %d %b %H:%M} at {figures.speed:g}x: {totals}; {_states(view.lamps)}{problem}"


def _head(view: View) -> Text:
    figures = view.figures
    if figures is None:
        return Text("Ringeliste starts", style="bold")
    at = figures.at.astimezone(view.zone)
    pace = "a minute each second" if figures.speed == 60 else f"{figures.speed:g}× as fast as the wall clock"
    head = Text.assemble((f"{at:%A} {at.day} {at:%B %Y  %H:%M}", "bold"), (f"  {pace}", "dim"))
    if view.problem:
        return head.append(f"  {view.problem}", style="red")
    if not figures.ringable:
        opens = f"opens {figures.opens.astimezone(view.zone):%a %H:%M}" if figures.opens else "never opens"
        head.append(f"  nobody may be rung now, {opens}", style="yellow")
    return head


def _segments(segments: Sequence[SegmentFigures], width: int) -> RenderableType:
    roomy = width >= ROOMY
    numbers = [name for name in NUMBERS if roomy or name != "contacts"]
    bar = min(40, width - NAME[roomy] - 2 - COLUMN * len(numbers)) if roomy else 0
    largest = max((one.size for one in segments), default=0)
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="dim", pad_edge=False)
    table.add_column("segment", no_wrap=True, width=NAME[roomy])
    if roomy:
        table.add_column("", width=bar, no_wrap=True)
    for name in numbers:
        heading = Text(NUMBERS[name], style=dict(PARTS).get(name, ""))
        table.add_column(heading, justify="right", no_wrap=True, min_width=COLUMN - 1)
    for one in segments:
        drawn = [stacked([(getattr(one, part), style) for part, style in PARTS], largest, bar)][: int(roomy)]
        name_shown = Text(f"‖ {one.name}", style="red") if one.paused else Text(one.name)
        table.add_row(name_shown, *drawn, *(_number(one, name) for name in numbers))
    totals = (count(_total(segments, name)) for name in numbers)
    table.add_row("together", *[""][: int(roomy)], *totals, style="bold")
    return table


def _number(one: SegmentFigures, name: str) -> Text:
    number = getattr(one, name)
    return Text(count(number), style="dim" if not number else "bold green" if name == "sales" else "")


def _total(segments: Sequence[SegmentFigures], name: str) -> int:
    return sum(getattr(one, name) for one in segments)


def _hours(figures: Figures, zone: ZoneInfo, width: int) -> RenderableType:
    """The last hours side by side: a column each, and below it how many calls and sales."""
    hours = figures.per_hour()[-min(HOURS_SHOWN, (width - 8) // HOUR_WIDTH) :]
    if not hours:
        return Text("No calls yet.", style="dim")
    calls = [hour.attempts if hour else 0 for _, hour in hours]
    sales = [hour.sales if hour else 0 for _, hour in hours]
    table = Table.grid()
    table.add_column(width=8, style="dim")
    for _ in hours:
        table.add_column(width=HOUR_WIDTH, justify="right")
    table.add_row("calls", *(Text(column * 3, style="cyan") for column in sparkline(calls)))
    table.add_row("an hour", *(count(number) if number else "" for number in calls))
    table.add_row("sales", *(Text(count(number), style="green") if number else "" for number in sales))
    table.add_row("", *(f"{at.astimezone(zone):%H}h" for at, _ in hours), style="dim")
    return table


def _lamps(lamps: Sequence[Lamp], width: int) -> Text:
    """Each with its light; a name stays beside its own."""
    lines = [Text()]
    for lamp in lamps:
        light = ("● ", "green") if lamp.up else ("○ ", "red")
        again = (f" restarted {lamp.deaths}×" if lamp.deaths else "", "yellow")
        drawn = Text.assemble(light, lamp.name, again)
        if len(lines[-1]) + len(drawn) + 3 > width:
            lines.append(Text())
        lines[-1].append("   " if lines[-1] else "").append_text(drawn)
    return Text("\n").join(lines)


def _states(lamps: Sequence[Lamp]) -> str:
    down = [lamp.name for lamp in lamps if not lamp.up]
    deaths = sum(lamp.deaths for lamp in lamps)
    again = f", restarted {deaths} times" if deaths else ""
    return (f"down: {', '.join(down)}" if down else f"all {len(lamps)} up") + again
