"""Questions of time in plain Python, over one value."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from models.zones import zone, zone_names
from segmentation.calendar import WEEKDAYS, days_of, is_anniversary, local_day, midnight
from segmentation.catalogue import WITH_DURATION, KnownField
from segmentation.durations import Duration
from segmentation.nodes import Leaf
from segmentation.windows import Window, window_of

TIME = WITH_DURATION | {"on", "weekday_in"}
"""The operators that are answered here."""


def meets_time(leaf: Leaf, field: KnownField, value: Any, zone_name: str, now: datetime) -> bool:
    """Whether `value` (an instant, or a day as "2026-03-02") meets the leaf when it is `now`."""
    window = window_of(leaf, field.type)
    if field.type == "instant" and window is not None:
        return _lies_in(window, value, now)
    if field.type == "date" and leaf.op == "weekday_in":
        return _is_among(leaf, date.fromisoformat(value))
    # Whatever is asked now depends on the zone: in one that nobody knows it is not so.
    return zone_name in zone_names() and _meets_local(leaf, field, value, zone_name, now, window)


def _meets_local(
    leaf: Leaf, field: KnownField, value: Any, zone_name: str, now: datetime, window: Window | None
) -> bool:
    today = local_day(zone_name, now)
    if field.type == "instant":
        if leaf.op == "weekday_in":
            return _is_among(leaf, value.astimezone(zone(zone_name)).date())
        first, after = (midnight(zone_name, day) for day in days_of(str(leaf.value), today))
        return bool(first <= value.astimezone(UTC) < after)
    if window is not None:
        days = (date.fromisoformat(value) - today).days
        return days <= window.high and (window.low is None or window.low < days)
    if leaf.op == "on":
        first_day, after_last = days_of(str(leaf.value), today)
        return first_day <= date.fromisoformat(value) < after_last
    assert isinstance(leaf.value, Duration)  # noqa: S101 - so it was read
    return is_anniversary(value[5:], today, leaf.value.days)


def _lies_in(window: Window, value: datetime, now: datetime) -> bool:
    low = window.low
    return value <= now + timedelta(seconds=window.high) and (
        low is None or now + timedelta(seconds=low) < value
    )


def _is_among(leaf: Leaf, day: date) -> bool:
    assert isinstance(leaf.value, tuple)  # noqa: S101 - so it was read
    return WEEKDAYS[day.weekday()] in leaf.value
