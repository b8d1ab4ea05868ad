"""When the answer to one question changes by time alone: exactly, and none is left out.

What may flip is what the sweep looks for (segmentation/timed.py): windows of instants at an instant, whatever
goes by local days at a local midnight, the offset of a zone when its clocks change.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

from models.tables import FOREVER
from models.zones import zone_names
from segmentation.calendar import days_of, local_day, midnight
from segmentation.catalogue import KnownField
from segmentation.durations import Duration
from segmentation.evaluate import meets_value
from segmentation.moments import HoursAhead
from segmentation.nodes import Leaf
from segmentation.offsets import SPAN, behaviour, offsets
from segmentation.windows import Window, window_of

_DAY, _SECOND = timedelta(days=1), timedelta(seconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LEAP_DAY = "02-29"
_YEARS = 9
"""So many years ahead every anniversary has come and gone, also across 2100, which is no leap year."""

_SEEN_FROM_THERE = {"today": "today", "yesterday": "tomorrow", "tomorrow": "yesterday"}
_SEEN_FROM_THERE |= {
    f"{which}_{unit}": f"{back}_{unit}"
    for which, back in (("last", "next"), ("this", "this"), ("next", "last"))
    for unit in ("week", "month", "quarter", "year")
}
"""A day lies in `word` of another day when the other lies in this word of the day."""


def next_flip(leaf: Leaf, field: KnownField, value: Any, zone_name: str, now: datetime) -> datetime | None:
    """The first instant (UTC) after `now` at which the answer is another, if nothing but time passes.

    None: never. `value`: the field's, as rules compare it; of `local_offset` it is reckoned from the zone.
    """
    if field.table == "local":
        return _at_new_offset(leaf, field, zone_name, now)
    if value is None:
        return None
    ours = meets_value(leaf, field, value, zone_name, now)
    edges = sorted(edge for edge in _edges(leaf, field, value, zone_name, now) if now < edge < FOREVER)
    return next((edge for edge in edges if meets_value(leaf, field, value, zone_name, edge) != ours), None)


def _edges(leaf: Leaf, field: KnownField, value: Any, zone_name: str, now: datetime) -> Iterator[datetime]:
    """Every instant at which the answer may change, or more."""
    window = window_of(leaf, field.type)
    if window is not None and field.type == "instant":
        yield from _reached(window, value)
    elif zone_name not in zone_names():
        return
    elif window is not None:
        yield from _midnights(zone_name, _days_reached(window, date.fromisoformat(value)))
    elif leaf.op == "on":
        day = date.fromisoformat(value) if field.type == "date" else _day_of(zone_name, value)
        yield from _midnights(zone_name, _days_that_mean(str(leaf.value), day))
    elif leaf.op == "anniversary_within":
        assert isinstance(leaf.value, Duration)  # noqa: S101 - so it was read
        today = local_day(zone_name, now)
        yield from _midnights(zone_name, _around_anniversaries(value[5:], leaf.value.days, today.year))


def _reached(window: Window, value: datetime) -> Iterator[datetime]:
    for edge in (window.high, window.low):
        if edge is not None and (at := _shifted(value, timedelta(seconds=-edge))) is not None:
            yield at


def _days_reached(window: Window, day: date) -> Iterator[date]:
    for edge in (window.high, window.low):
        if edge is not None and (on := _shifted(day, -edge * _DAY)) is not None:
            yield on


def _days_that_mean(word: str, day: date) -> Iterator[date]:
    """The first day on which the word means `day`, and the first on which it does so no more."""
    try:
        yield from days_of(_SEEN_FROM_THERE[word], day)
    except (OverflowError, ValueError):
        # In the first or last years of the calendar: what is not told lies before now, or after FOREVER.
        return


def _around_anniversaries(year_day: str, ahead: int, this_year: int) -> Iterator[date]:
    for year in range(this_year - 1, this_year + _YEARS + 1):
        is_leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
        celebrated = "02-28" if year_day == _LEAP_DAY and not is_leap else year_day
        day = date.fromisoformat(f"{year:04}-{celebrated}")
        yield day - ahead * _DAY
        yield day + _DAY


def _midnights(zone_name: str, days: Iterable[date]) -> Iterator[datetime]:
    for day in days:
        try:
            yield midnight(zone_name, day)
        except OverflowError:  # at the ends of the calendar
            continue


def _day_of(zone_name: str, instant: datetime) -> date:
    """The local day between whose midnights the instant lies, also where clocks were put back over one."""
    day = local_day(zone_name, instant)
    while midnight(zone_name, day) > instant:
        day -= _DAY
    while midnight(zone_name, day + _DAY) <= instant:
        day += _DAY
    return day


def _shifted(one: Any, by: timedelta) -> Any | None:
    try:
        return one + by
    except OverflowError:  # at the ends of the calendar
        return None


def _at_new_offset(leaf: Leaf, field: KnownField, zone_name: str, now: datetime) -> datetime | None:
    if zone_name not in zone_names():
        return None

    def answer(at: datetime) -> bool:
        return meets_value(leaf, field, HoursAhead().of(zone_name, at), zone_name, at)

    ours = answer(now)
    return next((at for at in _changes(zone_name, now) if answer(at) != ours), None)


def _changes(zone_name: str, after: datetime) -> Iterator[datetime]:
    """The instants after that one at which the zone's offset changes."""
    keys, first = offsets().keys, behaviour(zone_name) * SPAN
    start = bisect_right(keys, first + (after - _EPOCH) // _SECOND)
    end = bisect_left(keys, first + SPAN)
    for key in keys[start:end]:
        yield _EPOCH + (key - first) * _SECOND
