"""What the law of a place says about calling hours: reviewed rows, holidays, and from when to when.

Also what we looked for in vain: there the CRM's own hours stand alone, and say so.
"""

import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

import holidays

from calling.hours.spans import WHOLE_DAY, Spans
from calling.hours.week import DAYS, Week, read_intervals, read_week
from models.errors import BadInput

# Calendars of the `holidays` package that can count every Sunday as a holiday. Its releases have had both
# defaults, and Sundays have hours of their own here.
_COUNTS_SUNDAYS = frozenset({"NO", "SE"})


@dataclass(frozen=True, slots=True)
class Law:
    """One row: the hours of a place, and where they stand written. `key` names it to whoever is exempted.

    `debts`: it binds only where an assignment is about debts.
    """

    key: str
    place: str
    name: str
    source: str
    evidence: str
    week: Week
    calendar: str | None = None
    holiday_hours: Spans = ()
    own_days: frozenset[tuple[int, int]] = frozenset()
    valid_from: date = date.min
    valid_to: date = date.max
    debts: bool = False
    note: str = ""

    def on(self, day: date) -> Spans:
        """The hours of a local day, in minutes of that day; outside its time the row forbids nothing."""
        if not self.binds(day):
            return WHOLE_DAY
        if self.calendar and self._is_holiday(day):
            return self.holiday_hours
        return self.week.on(day.weekday())

    def binds(self, day: date) -> bool:
        """The row is in force on that day."""
        return self.valid_from <= day <= self.valid_to

    def _is_holiday(self, day: date) -> bool:
        assert self.calendar is not None  # noqa: S101 - asked only with a calendar
        return (day.month, day.day) in self.own_days or day in holidays_of(self.calendar, day.year)


@dataclass(frozen=True, slots=True)
class Silence:
    """A place, or a rule of it, whose hours were looked for and not found: own hours, no source.

    `looked`: where. `no_robots`: what was found there forbids voices of robots altogether.
    """

    place: str
    name: str
    looked: str
    note: str
    no_robots: bool = False


@lru_cache(maxsize=1024)
def holidays_of(calendar: str, year: int) -> frozenset[date]:
    """The public holidays of "NO" or "US-LA" in a year, Sundays as such not among them."""
    country, _, subdivision = calendar.partition("-")
    options: dict[str, Any] = {"include_sundays": False} if country in _COUNTS_SUNDAYS else {}
    made = holidays.country_holidays(country, subdiv=subdivision or None, years=year, **options)
    return frozenset(made.keys())


class Laws:
    """Rows by place. A subdivision has its own rows and its country's."""

    def __init__(
        self, rows: Sequence[Law], silent: Sequence[Silence] = (), reviewed: date | None = None
    ) -> None:
        self.rows, self.silent, self.reviewed = tuple(rows), tuple(silent), reviewed
        self.by_key = {row.key: row for row in rows}
        if len(self.by_key) < len(rows):
            twice = sorted(key for key, n in Counter(row.key for row in rows).items() if n > 1)
            raise BadInput(f"law rows with the same key: {', '.join(twice)}; give one of them another")
        self._by_place: dict[str, list[Law]] = {}
        for row in rows:
            self._by_place.setdefault(row.place, []).append(row)

    def of(self, places: Iterable[str], *, about_debts: bool = False) -> list[Law]:
        """The rows of these places, of all times; none: the law is silent, or we have no source.

        `about_debts`: also those that bind calls about debts alone.
        """
        rows = (row for name in _with_countries(places) for row in self._by_place.get(name, ()))
        return [row for row in rows if about_debts or not row.debts]

    def silent_about(self, places: Iterable[str]) -> list[Silence]:
        """What was looked for in vain about these places."""
        names = set(_with_countries(places))
        return [row for row in self.silent if row.place in names]

    def forbid_robots(self, places: Iterable[str]) -> bool:
        """No voice of a robot may be heard in one of these places, at any hour."""
        return any(row.no_robots for row in self.silent_about(places))


def _with_countries(places: Iterable[str]) -> list[str]:
    return sorted({name for place in places for name in (place, place.partition("-")[0])})


@cache
def shipped() -> Laws:
    """The rows that come with the program."""
    return read_laws(shipped_text())


@cache
def shipped_text() -> str:
    """The law file itself; its hash is part of the versions that decisions record."""
    return (files("calling") / "laws" / "hours.toml").read_text(encoding="utf-8")


def read_laws(text: str) -> Laws:
    """Rows from TOML (its keys are explained on top of the shipped file). Raises BadInput."""
    body = tomllib.loads(text)
    silent = [Silence(**row) for row in body.get("silent", [])]
    return Laws([law for row in body["law"] for law in _read(row)], silent, body.get("reviewed"))


def _read(row: Mapping[str, Any]) -> list[Law]:
    """The row for its place, and the same for each territory that keeps to it."""
    problems: list[tuple[str, str]] = []
    law = Law(
        key=row.get("key", row["place"]),
        place=row["place"],
        name=row["name"],
        source=row["source"],
        evidence=row["evidence"],
        week=_read_hours(row["hours"]),
        calendar=row.get("holidays"),
        holiday_hours=read_intervals(row.get("holiday_hours", []), "holiday_hours", problems),
        own_days=frozenset(_month_day(day) for day in row.get("own_days", [])),
        valid_from=row.get("valid_from", date.min),
        valid_to=row.get("valid_to", date.max),
        debts=row.get("debts", False),
        note=row.get("note", ""),
    )
    if problems:
        raise BadInput(f"law of {law.place}: {problems}")
    return [law, *(replace(law, place=place, key=place) for place in row.get("also", []))]


def _read_hours(body: Mapping[str, Any]) -> Week:
    """Hours of "mon-fri" and the like; every day of the week has to be named once."""
    days: dict[str, Any] = {}
    for key, intervals in body.items():
        first, _, last = key.partition("-")
        for day in DAYS[DAYS.index(first) : DAYS.index(last or first) + 1]:
            if day in days:
                raise BadInput(f"{day} has two rows of hours")
            days[day] = intervals
    if missing := set(DAYS) - days.keys():
        raise BadInput(f"no hours for {', '.join(sorted(missing))}")
    return read_week(days)


def _month_day(text: str) -> tuple[int, int]:
    month, day = text.split("-")
    return int(month), int(day)
