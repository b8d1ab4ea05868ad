"""Where the buckets of a number or a date begin: round places between the 5th and the 95th percentile."""

from datetime import date, timedelta
from decimal import Decimal
from itertools import takewhile

from segmentation.facets.values import Bound
from segmentation.time_values import is_day
from segmentation.values import MAX_NUMBER

BUCKETS = 10  # about so many of a number
_DAYS_UP_TO, _MONTHS_UP_TO = 31, 3 * 366  # days that a date field spans when its buckets are weeks, months


def number_bounds(low: Decimal | None, high: Decimal | None) -> tuple[Bound, ...]:
    """Even steps of 1, 2 or 5 times a power of ten between the percentiles; what is outside has the ends."""
    if low is None or high is None:
        return (0,)
    low, high = (max(min(one, Decimal(MAX_NUMBER)), -Decimal(MAX_NUMBER)) for one in (low, high))
    if low == high:
        return (_shortest(low),)
    step = _step((high - low) / BUCKETS)
    first = -(-low // step) * step
    places = (first + step * i for i in range(3 * BUCKETS))
    return tuple(map(_shortest, takewhile(lambda place: place <= high, places))) or (_shortest(low),)


def _step(about: Decimal) -> Decimal:
    power = Decimal(1).scaleb(about.adjusted())
    return next(power * times for times in (1, 2, 5, 10) if power * times >= about)


def _shortest(number: Decimal) -> int | float:
    return int(number) if number == int(number) else float(number)


def day_bounds(low: str | None, high: str | None) -> tuple[Bound, ...]:
    """First days of weeks, months or years between the percentiles, whichever are few enough."""
    first, last = _day(low), _day(high)
    if first is None or last is None:
        return (date(2000, 1, 1),)
    days = (last - first).days
    if days <= _DAYS_UP_TO:
        return tuple(first + timedelta(days=i) for i in range(0, days + 1, 7))
    months = 1 if days <= _MONTHS_UP_TO else 12 * max(1, -(-days // (366 * 2 * BUCKETS)))
    start = first.year * 12 + (first.month - 1 if months == 1 else 0)
    until = last.year * 12 + last.month - 1
    return tuple(date(month // 12, month % 12 + 1, 1) for month in range(start, until + 1, months))


def _day(found: str | None) -> date | None:
    """A day of the calendar; the pattern alone lets 2026-13-40 through."""
    try:
        return date.fromisoformat(found) if found and is_day(found) else None
    except ValueError:
        return None
