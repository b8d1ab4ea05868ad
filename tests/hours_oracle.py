"""When the law lets somebody be rung, counted in minutes on walls: an oracle for tests.

It reads the law file by itself and knows nothing of spans, timetables or rows: it asks zoneinfo what the
clock on the wall shows at a minute, and looks whether that minute of that day is in a list.
"""

import tomllib
import zoneinfo
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from functools import cache
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

import holidays

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
Minutes = frozenset[int]
WHOLE = frozenset(range(1440))


@contextmanager
def zones_of_the_package() -> Iterator[None]:
    """Let zoneinfo read the edition of the rules that the program reads, not the machine's."""
    zoneinfo.reset_tzpath([])
    ZoneInfo.clear_cache()
    yield
    zoneinfo.reset_tzpath()
    ZoneInfo.clear_cache()


@cache
def rows() -> Sequence[Mapping[str, Any]]:
    """The law file, a dict a row and place; `key`: what exemptions call it."""
    text = (files("calling") / "laws" / "hours.toml").read_text(encoding="utf-8")
    written = tomllib.loads(text)["law"]
    also = [{**row, "place": place, "key": place} for row in written for place in row.get("also", [])]
    return [{"key": row["place"], **row} for row in written] + also


def minutes(intervals: Sequence[Sequence[str]]) -> Minutes:
    """Minutes of the day that lie in intervals such as ["09:00", "20:00"]."""
    found: set[int] = set()
    for begin, end in intervals:
        (a, b), (c, d) = (map(int, text.split(":")) for text in (begin, end))
        found |= set(range(a * 60 + b, c * 60 + d))
    return frozenset(found)


@cache
def by_law(place: str, day: date, exempted: frozenset[str] = frozenset(), *, debts: bool = False) -> Minutes:
    """Minutes of a local day that no row of the place, or of its country, forbids; `debts`: to such calls."""
    allowed = WHOLE
    for row in rows():
        bound = row["place"] in (place, place[:2]) and row["key"] not in exempted
        bound = bound and (debts or not row.get("debts"))
        if bound and row.get("valid_from", day) <= day <= row.get("valid_to", day):
            calendar, own = row.get("holidays"), row.get("own_days", [])
            shut = f"{day:%m-%d}" in own or (calendar is not None and day in public(calendar, day.year))
            allowed &= minutes(row["holiday_hours"] if shut else of_weekday(row["hours"], day.weekday()))
    return allowed


@cache
def public(calendar: str, year: int) -> frozenset[date]:
    country, *subdivision = calendar.split("-")
    made = holidays.country_holidays(country, subdiv=subdivision[0] if subdivision else None, years=year)
    return frozenset(day for day in made if calendar != "NO" or made[day] != "Søndag")


def of_weekday(hours: Mapping[str, Any], weekday: int) -> Any:
    for days, intervals in hours.items():
        first, *last = (DAYS.index(day) for day in days.split("-"))
        if first <= weekday <= (last[0] if last else first):
            return intervals
    raise AssertionError(hours)


def wall(zone: ZoneInfo, at: datetime) -> tuple[date, int]:
    local = at.astimezone(zone)
    return local.date(), local.hour * 60 + local.minute
