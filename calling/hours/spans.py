"""Stretches of time, and how a day on the wall of a zone lies in UTC.

A span is [from, to) in whole minutes: of a local day (0 to 1440) or since 1970 (UTC). Edges of hours and
changes of offset fall on whole minutes, so minutes are exact.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from calling.hours.zones import zone

Span = tuple[int, int]
Spans = tuple[Span, ...]
Offsets = tuple[tuple[int, int, int], ...]
"""(from, to, offset) of each stretch of one offset, in minutes; to the east of Greenwich it is above 0."""

DAY = 24 * 60
WHOLE_DAY: Spans = ((0, DAY),)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTE = timedelta(minutes=1)
_FIRST_DAY = _EPOCH.date().toordinal()
_EARLIEST, _LATEST = -15 * 60, DAY + 13 * 60  # a local day lies within these minutes of its UTC midnight


def minute_of(instant: datetime) -> int:
    """The whole minute since 1970 that `instant` (aware) lies in."""
    return (instant - _EPOCH) // _MINUTE


@lru_cache(maxsize=4096)  # of a thousand open clocks nearly all close at the same few minutes
def instant_of(minute: int) -> datetime:
    """The instant (UTC) at which a minute begins."""
    return _EPOCH + timedelta(minutes=minute)


def date_of(minute: int) -> date:
    """The UTC date of a minute."""
    return date.fromordinal(_FIRST_DAY + minute // DAY)


def midnight(day: date) -> int:
    """The minute at which `day` begins in UTC."""
    return (day.toordinal() - _FIRST_DAY) * DAY


def merge(spans: Iterable[Span]) -> Spans:
    """The same stretches in order, those that overlap or touch made one."""
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)


def intersect(one: Sequence[Span], other: Sequence[Span]) -> Spans:
    """What lies in both; each in order and without overlaps."""
    both: list[Span] = []
    i = j = 0
    while i < len(one) and j < len(other):
        start, end = max(one[i][0], other[j][0]), min(one[i][1], other[j][1])
        if start < end:
            both.append((start, end))
        if one[i][1] < other[j][1]:
            i += 1
        else:
            j += 1
    return tuple(both)


def shrink(spans: Spans, margin: int) -> Spans:
    """Each stretch without `margin` minutes at either edge."""
    return tuple((start + margin, end - margin) for start, end in spans if end - start > 2 * margin)


def wall_to_utc(day: date, offsets: Offsets, wall: Spans) -> Spans:
    """When, in UTC, clocks on the walls of a zone of these offsets show `day` and a time within `wall`.

    Exact on the days when clocks change: an hour that is skipped is never, one that is doubled is twice.
    """
    start_of_day = midnight(day)
    return merge(
        span
        for start, end, offset in offsets
        for span in intersect(
            [(start, end)], [(start_of_day + a - offset, start_of_day + b - offset) for a, b in wall]
        )
    )


@lru_cache(maxsize=16_384)
def offsets_on(zone_name: str, day: date) -> Offsets:
    """The stretches of one offset around a local day of a zone."""
    start, last = midnight(day) + _EARLIEST, midnight(day) + _LATEST
    pieces: list[tuple[int, int, int]] = []
    offset = _offset(zone_name, start)
    for hour in range(start + 60, last + 60, 60):
        if (later := _offset(zone_name, hour)) != offset:
            change = _change(zone_name, hour - 60, hour, offset)
            pieces.append((start, change, offset))
            start, offset = change, later
    return (*pieces, (start, last, offset))


def _change(zone_name: str, before: int, after: int, offset: int) -> int:
    """The first minute after `before`, at most `after`, whose offset is no longer `offset`."""
    while after - before > 1:
        middle = (before + after) // 2
        if _offset(zone_name, middle) == offset:
            before = middle
        else:
            after = middle
    return after


def _offset(zone_name: str, minute: int) -> int:
    """Minutes that the zone is ahead of UTC."""
    offset = instant_of(minute).astimezone(zone(zone_name)).utcoffset()
    assert offset is not None  # noqa: S101 - every zone has one
    return offset // _MINUTE
