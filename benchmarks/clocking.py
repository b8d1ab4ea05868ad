"""Clocks: a thousand of them asked which are open; numbers read to their candidate zones.

Beside them what no way round can save: a comparison for each clock, and phonenumbers' own parsing and zones.
"""

from datetime import timedelta
from random import Random
from typing import Any

from phonenumbers import PhoneNumberFormat, format_number, parse
from phonenumbers.timezone import time_zones_for_number
from phonenumbers.tzdata import TIMEZONE_DATA

from benchmarks.figures import Figure, cost, in_turns, rate
from benchmarks.floor import HOURS, NOON
from calling.hours.clocks import Clock
from calling.hours.law import shipped
from calling.hours.timetable import Timetable
from calling.hours.week import read_week
from calling.hours.zones import canonical, zone
from calling.intake import numbers
from calling.intake.numbers import read_number
from wiring.app import App

CLOCKS = 1_000
ROUNDS = 9
MOST_NUMBERS = 30_000
_MINUTE, _DAY = timedelta(minutes=1), timedelta(days=1)


def measure(_app: App, rows: int, rounds: int = ROUNDS) -> list[Figure]:
    """A thousand clocks on a day worked out already and on a new one; numbers a second."""
    clocks = _clocks()
    return [*_asked(clocks, rounds), *_read(min(rows, MOST_NUMBERS), rounds)]


def _asked(clocks: list[Clock], rounds: int) -> list[Figure]:
    table = Timetable(read_week(HOURS))
    table.closings(clocks, NOON)
    # What is known of each: from when to when it is open. Two comparisons are the least that can be asked.
    spans = {
        clock.id: (NOON - _DAY, closes) for clock in clocks
        if (closes := table.closings([clock], NOON).get(clock.id))
    }  # fmt: skip
    at = NOON

    def ours() -> None:
        nonlocal at
        at += _MINUTE
        table.closings(clocks, at)

    def bare() -> None:
        _ = {key: span[1] for key, span in spans.items() if span[0] <= at < span[1]}

    def new_day() -> None:
        nonlocal at
        at += _DAY
        Timetable(read_week(HOURS)).closings(clocks, at)

    def walls() -> None:
        for clock in clocks:
            for name in clock.zones:
                at.astimezone(zone(name)).utcoffset(), (at + _DAY).astimezone(zone(name)).utcoffset()

    warm = cost(f"{CLOCKS:,} clocks", *in_turns(ours, bare, rounds), "two comparisons a clock")
    limit = "two offsets for each zone of each clock"
    return [warm, cost(f"{CLOCKS:,} clocks, a new day", *in_turns(new_day, walls, rounds), limit)]


def _clocks() -> list[Clock]:
    """As many sets of zones and places as that, drawn from those that numbers and laws name."""
    dice = Random(1)
    zones = sorted({canonical(names) for names in TIMEZONE_DATA.values()})
    places = sorted({row.place for row in shipped().rows})
    return [Clock(n, zones[n % len(zones)], (dice.choice(places),)) for n in range(1, CLOCKS + 1)]


def _read(count: int, rounds: int) -> list[Figure]:
    """Numbers that are all different, of Norway and of the United States, and nothing remembered of them."""
    found = []
    for name, region, texts in (("NO", "NO", _norwegians(count)), ("US", "US", _americans(count))):

        def ours(texts: list[str] = texts, region: str = region) -> None:
            numbers._known.clear()
            for text in texts:
                read_number(text, region)

        def bare(texts: list[str] = texts, region: str = region) -> None:
            for text in texts:
                number: Any = parse(text, region)
                time_zones_for_number(number)
                format_number(number, PhoneNumberFormat.E164)

        limit = "phonenumbers: parse, zones, E.164"
        found.append(rate(f"zones of numbers, {name}", count, *in_turns(ours, bare, min(rounds, 3)), limit))
    return found


def _norwegians(count: int) -> list[str]:
    return [f"9{n * 7919 % 10_000_000:07d}" for n in range(count)]


def _americans(count: int) -> list[str]:
    codes = (212, 305, 312, 415, 423, 850, 808, 605)
    return [f"{codes[n % len(codes)]}{200 + n * 7919 % 800}{n * 104_729 % 10_000:04d}" for n in range(count)]
