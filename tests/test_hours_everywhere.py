"""P3: every zone of tzdata by every row of hours, against an oracle that counts minutes on walls.

The oracle (hours_oracle.py) reads the law file by itself and knows nothing of spans, timetables or rows. Each
run draws other days; a failure names the seed, and HOURS_SEED=<seed> draws the same again.
"""

import os
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hours_oracle import DAYS, WHOLE, Minutes, by_law, minutes, public, rows, wall, zones_of_the_package

from calling.hours.clocks import Clock
from calling.hours.law import shipped
from calling.hours.spans import merge
from calling.hours.stricter import Exemption, StricterHours
from calling.hours.timetable import Timetable
from calling.hours.week import read_week
from calling.hours.whereabouts import whereabouts
from calling.hours.zones import zone_names
from calling.intake.numbers import Number, read_number

SEED = int(os.environ.get("HOURS_SEED") or Random().randrange(1_000_000))
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
FIRST, LAST = datetime(2024, 1, 1, tzinfo=UTC), datetime(2033, 1, 1, tzinfo=UTC)
ALWAYS: dict[str, list[list[str]]] = {day: [["00:00", "24:00"]] for day in DAYS}
ZONES = sorted(zone_names())


@pytest.fixture(scope="module", autouse=True)
def _zones_of_the_package() -> Iterator[None]:
    """The oracle asks zoneinfo itself, but reads the same edition of the rules, not the machine's."""
    with zones_of_the_package():
        yield


@dataclass(frozen=True)
class Case:
    """A zone, a place, and what an owner set beside the law: read by the oracle and by the timetable."""

    zone: str
    place: str
    week: Mapping[str, Any] = field(default_factory=lambda: ALWAYS)
    days: Mapping[date, Any] = field(default_factory=dict)
    exempted: tuple[date, date] | None = None

    def minutes(self, day: date) -> Minutes:
        """Minutes of a local day at which somebody may ring."""
        law = (
            WHOLE
            if self.exempted and self.exempted[0] <= day <= self.exempted[1]
            else by_law(self.place, day)
        )
        return law & minutes(self.days.get(day, self.week.get(DAYS[day.weekday()], [])))

    def timetable(self) -> Timetable:
        """The same in the program's own words."""
        days = {
            day: merge((min(m), max(m) + 1) for m in [minutes(ours)] if m) for day, ours in self.days.items()
        }
        stricter = StricterHours(
            1, None, None, read_week(self.week), days, date.min, date.max, "a wish", "Kari"
        )
        exemptions = [
            Exemption(n, None, law.key, *self.exempted, "asked", "Kari", "Kari")
            for n, law in enumerate(shipped().of([self.place]))
            if self.exempted
        ]
        return Timetable(read_week(ALWAYS), None, [stricter], exemptions)


def check_day(case: Case, start: datetime) -> None:
    """All edges of a UTC day to the minute: open is open a minute before, now, and a minute after."""
    there = ZoneInfo(case.zone)
    walls = [wall(there, start + n * MINUTE) for n in range(-1, 1441)]
    allowed = {day: case.minutes(day) for day in {day for day, _ in walls}}
    fits = [minute in allowed[day] for day, minute in walls]
    expected = [n for n in range(1440) if fits[n] and fits[n + 1] and fits[n + 2]]
    assert walked(case, start) == edges(expected), (case, start.isoformat(), f"HOURS_SEED={SEED}")


def edges(found: Sequence[int]) -> list[tuple[int, int]]:
    """The stretches of these minutes, each [from, to)."""
    starts = [n for i, n in enumerate(found) if not i or found[i - 1] != n - 1]
    ends = [n + 1 for i, n in enumerate(found) if i + 1 == len(found) or found[i + 1] != n + 1]
    return list(zip(starts, ends, strict=True))


def walked(case: Case, start: datetime) -> list[tuple[int, int]]:
    """The same by the timetable: from opening to closing to the next opening, through the day."""
    clock, table, at, end = Clock(1, (case.zone,), (case.place,)), case.timetable(), start, start + DAY
    found: list[int] = []
    while at < end:
        closes = table.closings([clock], at).get(1)
        if closes is None:
            opens = table.next_opening(clock, at)
            at = opens or end
            continue
        found += range((at - start) // MINUTE, min((closes - start) // MINUTE, 1440))
        at = closes
    return edges(found)


# Every zone, every row, every day on which clocks change


def drawn(dice: Random, zone: str, place: str) -> tuple[Case, datetime]:
    """A case and a day; every third time an owner has set something, every tenth somebody is exempted."""
    start = FIRST + dice.randrange((LAST - FIRST).days) * DAY
    week, days, exempted = ALWAYS, {}, None
    if dice.random() < 0.3:
        week = {day: [["08:30", "11:45"], ["12:15", "23:59"]] for day in DAYS if dice.random() < 0.9}
        days = {start.date(): dice.choice([[], [["10:00", "16:20"]]])}
    if dice.random() < 0.1:
        exempted = (start.date() - dice.randrange(2) * DAY, start.date() + dice.randrange(2) * DAY)
    return Case(zone, place, week, days, exempted), start


PLACES = sorted({row.place for row in shipped().rows})


def test_every_zone_by_some_row() -> None:
    """Planted: one margin left out; seen to fail."""
    dice = Random(SEED)
    for zone in ZONES:
        check_day(*drawn(dice, zone, dice.choice(PLACES)))


def test_every_row_by_some_zone_on_the_days_that_are_its_own() -> None:
    """Weekdays and Sundays, holidays and own days, the first day and the one before it.

    Planted: own days not looked at; valid_from a day late; exemptions for ever: each seen to fail.
    """
    dice = Random(SEED + 1)
    for row in rows():
        year = dice.randrange(2024, 2033)
        days = [date(year, 1, 1) + dice.randrange(365) * DAY, date(year, 3, 1) + dice.randrange(7) * DAY]
        days += [date(year, *map(int, own.split("-"))) for own in row.get("own_days", [])]
        days += [row["valid_from"] - DAY, row["valid_from"]] if "valid_from" in row else []
        days += [dice.choice(sorted(public(row["holidays"], year)))] if "holidays" in row else []
        for day in days:
            case, _ = drawn(dice, dice.choice(ZONES), row["place"])
            free = dice.random() < 0.2
            case = Case(case.zone, case.place, case.week, {}, (day, day) if free else None)
            check_day(case, datetime(day.year, day.month, day.day, tzinfo=UTC))


@cache
def behaviours(first: datetime, last: datetime) -> dict[tuple[Any, ...], list[str]]:
    """Zones that show the same on their walls at every midnight of UTC, by what they show."""
    days = [first + n * DAY for n in range((last - first).days + 1)]
    found: dict[tuple[Any, ...], list[str]] = defaultdict(list)
    for name in ZONES:
        there = ZoneInfo(name)
        offsets = [day.astimezone(there).utcoffset() for day in days]
        found[
            tuple((n, offsets[n]) for n in range(len(days)) if not n or offsets[n] != offsets[n - 1])
        ].append(name)
    return dict(found)


def test_every_day_on_which_clocks_change() -> None:
    """Of 2024 to 2032, in every zone that has one, of zones with the same rules one by lot.

    Planted: the change taken an hour early; one offset for the whole day: seen to fail.
    """
    dice = Random(SEED + 2)
    checked = 0
    for changes, names in behaviours(FIRST, LAST).items():
        for n, _ in changes[1:]:
            case, _ = drawn(dice, dice.choice(names), dice.choice(PLACES))
            check_day(Case(case.zone, case.place, case.week), FIRST + (n - 1) * DAY)
            checked += 1
    assert checked > 400


PARTS = 8


@pytest.mark.full
@pytest.mark.parametrize("part", range(PARTS))
def test_every_quarter_hour_of_a_year_in_every_zone_by_every_row(part: int) -> None:
    """Of zones with the same rules one; 35,040 quarters by the rows of each place."""
    start, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
    quarters = [start + n * 15 * MINUTE for n in range((end - start) // (15 * MINUTE))]
    for names in list(behaviours(start, end).values())[part::PARTS]:
        there = ZoneInfo(names[0])
        walls = [[wall(there, at + n * MINUTE) for n in (-1, 0, 1)] for at in quarters]
        for place in PLACES:
            table, clock = Timetable(read_week(ALWAYS)), Clock(1, (names[0],), (place,))
            allowed = {day: by_law(place, day) for around in walls for day, _ in around}
            wrong = [
                at
                for at, ((d1, m1), (d2, m2), (d3, m3)) in zip(quarters, walls, strict=True)
                if bool(table.open_clocks([clock], at))
                != (m1 in allowed[d1] and m2 in allowed[d2] and m3 in allowed[d3])
            ]
            assert not wrong, (names[0], place, wrong[0].isoformat())


# The United States: the stricter of the address's state and the area code's


@pytest.mark.parametrize(
    ("e164", "address", "zone", "opens", "closes"),
    [
        ("+12125550123", None, "New_York", "08:01", "20:59"),  # no row of New York's: federal
        ("+13055550123", None, "New_York", "08:01", "19:59"),  # Florida by the area code,
        ("+12125550123", "US-FL", "New_York", "09:01", "19:59"),  # and by the address: part of it is Central
        ("+13055550123", "US-CT", "New_York", "09:01", "19:59"),  # its evening, Connecticut's morning
        ("+18605550123", "US-FL", "New_York", "10:01", "19:59"),  # the same the other way round, and Central
        ("+14055550123", None, "Chicago", "08:01", "19:59"),  # Oklahoma by the area code,
        ("+12125550123", "US-OK", "New_York", "09:01", "19:59"),  # and by the address
        ("+12125550123", "US-KY", "New_York", "11:01", "20:59"),  # Kentucky from ten, half of it is Central
        ("+18005550123", "US-FL", "New_York", "17:01", "18:29"),  # toll-free: from Guam to Newfoundland
    ],
)
def test_the_stricter_of_two_states_counts(
    e164: str, address: str | None, zone: str, opens: str, closes: str
) -> None:
    assert window_of([e164], address, f"America/{zone}") == (opens, closes)


@pytest.mark.parametrize(
    ("place", "zone", "first_day", "before", "since"),
    [
        ("US-FL", "America/New_York", date(2021, 7, 1), ("08:01", "20:59"), ("08:01", "19:59")),
        ("US-OK", "America/Chicago", date(2022, 11, 1), ("08:01", "20:59"), ("08:01", "19:59")),
        ("US-WA", "America/Los_Angeles", date(2022, 6, 9), ("08:01", "20:59"), ("08:01", "19:59")),
        ("US-CT", "America/New_York", date(2023, 10, 1), ("08:01", "20:59"), ("09:01", "19:59")),
        ("FR", "Europe/Paris", date(2023, 3, 1), ("00:00", "24:00"), ("10:01", "19:59")),
    ],
)
def test_a_row_binds_from_its_first_day_on(
    place: str, zone: str, first_day: date, before: tuple[str, str], since: tuple[str, str]
) -> None:
    clock = Clock(1, (zone,), (place,))
    # Two days before, at midnight the day after casts no shadow yet.
    assert window(clock, zone, first_day - 2 * DAY) == before
    assert window(clock, zone, first_day) == since


def window_of(numbers: Sequence[str], address: str | None, zone: str) -> tuple[str | None, str | None]:
    """The first minute at which somebody with these numbers may be rung on a Tuesday in March, and the first
    behind the last. What is no number is dropped, as an import does."""
    read = [number for text in numbers if isinstance(number := read_number(text, None), Number)]
    where = whereabouts([(number.zones, number.place) for number in read], None, address)
    return window(Clock(1, where.zones, where.places), zone, date(2026, 3, 3))


def window(clock: Clock, zone: str, day: date) -> tuple[str | None, str | None]:
    """(first open minute, first minute behind the last open one) of a local day, or nothing."""
    there, table = ZoneInfo(zone), Timetable(read_week(ALWAYS))
    start = datetime(day.year, day.month, day.day, tzinfo=there)
    found = [n for n in range(1440) if table.open_clocks([clock], (start + n * MINUTE).astimezone(UTC))]
    return (told(found[0]), told(found[-1] + 1)) if found else (None, None)


def told(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


EASTERN, CENTRAL, NONE = (
    "+12125550123",
    "+13125550123",
    "+15550100",
)  # New York, Chicago, and no number at all
AWAY = (None, None)


@pytest.mark.parametrize(
    ("address", "numbers", "zone", "expected"),
    [
        ("US-ZZ", (NONE, NONE), "America/New_York", AWAY),
        ("US-ZZ", (EASTERN, NONE), "America/New_York", ("08:01", "20:59")),
        (None, (CENTRAL, EASTERN), "America/New_York", ("09:01", "20:59")),
        (None, (CENTRAL, EASTERN), "America/Chicago", ("08:01", "19:59")),
        ("US-CO", (CENTRAL, EASTERN), "America/New_York", ("10:01", "20:59")),
        ("US-CO", (CENTRAL, EASTERN), "America/Denver", ("08:01", "18:59")),
        (None, (NONE, CENTRAL), "America/Chicago", ("08:01", "20:59")),
        ("US-IL", (NONE, CENTRAL), "America/Chicago", ("08:01", "20:59")),
        ("US-IL", (CENTRAL, CENTRAL), "America/Chicago", ("08:01", "20:59")),
        ("US-IL", (NONE, NONE), "America/Chicago", AWAY),
        (None, (CENTRAL, CENTRAL), "America/Chicago", ("08:01", "20:59")),
    ],
)
def test_the_cases_that_genesys_publishes(
    address: str | None, numbers: Sequence[str], zone: str, expected: tuple[str | None, str | None]
) -> None:
    """help.mypurecloud.com/articles/automatic-time-zone-mapping-examples, row by row: zip, phone 1, phone 2.

    Where they fall back on 14:00 to 20:00 Eastern since nothing could be mapped, nobody is rung here. An
    address that says nothing (their second row) leaves a good number as it is. We stop a minute early as they
    do, and begin a minute late.
    """
    assert window_of(numbers, address, zone) == expected
