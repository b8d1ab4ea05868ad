"""Local days: what "this week" means in a zone, and when its midnights are.

Zone rules are the pinned ones (models/zones.py), in SQL as in Python: the database is told the answers.
"""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

from models.zones import zone

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WORDS = (
    "today", "yesterday", "tomorrow", "this_week", "last_week", "next_week", "this_month", "last_month",
    "next_month", "this_quarter", "last_quarter", "next_quarter", "this_year", "last_year",
    "next_year",
)  # fmt: skip
MOST_AHEAD = 364  # days of an anniversary: more would be every day of the year

_DAY = timedelta(days=1)
_NEAR = {"yesterday": -1, "today": 0, "tomorrow": 1}
_STEP = {"last": -1, "this": 0, "next": 1}
_MONTHS = {"month": 1, "quarter": 3, "year": 12}


def local_day(zone_name: str, now: datetime) -> date:
    """The day that a calendar on the wall of the zone shows at `now`."""
    return now.astimezone(zone(zone_name)).date()


def local_offset(zone_name: str, now: datetime) -> timedelta:
    """How far the zone is ahead of UTC at `now`."""
    ahead = now.astimezone(zone(zone_name)).utcoffset()
    assert ahead is not None  # noqa: S101 - every zone has one
    return ahead


@lru_cache(maxsize=65_536)
def midnight(zone_name: str, day: date) -> datetime:
    """The instant (UTC) at which `day` begins in the zone; the first, where its midnight comes twice.

    Where midnight is skipped, the day begins when the clocks are put forward.
    """
    return datetime.combine(day, time(), zone(zone_name)).astimezone(UTC)


@lru_cache(maxsize=4_096)
def days_of(word: str, today: date) -> tuple[date, date]:
    """(first day, the day after the last) that `word` means on the day `today`. Weeks begin on Monday."""
    if word in _NEAR:
        first = today + _NEAR[word] * _DAY
        return first, first + _DAY
    which, unit = word.split("_")
    if unit == "week":
        first = today - today.weekday() * _DAY + 7 * _STEP[which] * _DAY
        return first, first + 7 * _DAY
    length = _MONTHS[unit]
    month = (today.year * 12 + today.month - 1) // length * length + _STEP[which] * length
    return _first_of(month), _first_of(month + length)


def year_days(today: date, ahead: int) -> tuple[str, str]:
    """(first, last) "MM-DD" from `today` to `ahead` days later; first > last: over New Year.

    In a common year 28 February stands for the 29th as well: a window that ends there ends with it.
    """
    last = (today + ahead * _DAY).strftime("%m-%d")
    year = (today + ahead * _DAY).year
    is_leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return today.strftime("%m-%d"), "02-29" if last == "02-28" and not is_leap else last


def is_anniversary(year_day: str, today: date, ahead: int) -> bool:
    """Whether the "MM-DD" comes round within `ahead` days, today included."""
    first, last = year_days(today, ahead)
    if first <= last:
        return first <= year_day <= last
    return year_day >= first or year_day <= last


def _first_of(month: int) -> date:
    return date(month // 12, month % 12 + 1, 1)
