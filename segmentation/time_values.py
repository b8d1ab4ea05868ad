"""Values of time beside an operator: days, instants, durations, words of the calendar."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

from segmentation.calendar import MOST_AHEAD, WEEKDAYS, WORDS
from segmentation.catalogue import KnownField
from segmentation.durations import DAY_SECONDS, MAX_DAYS, Duration, read_duration
from segmentation.nodes import Scalar
from segmentation.problems import Refused, did_you_mean, shown

DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2})"
)
_OF_NO_LENGTH = ("older_than", "overdue_by")  # these may ask whether an instant has come at all


def is_day(written: object) -> bool:
    """Whether this is a day of the calendar, written as in "2026-03-02"."""
    if not isinstance(written, str) or not DAY.fullmatch(written):
        return False
    try:
        date.fromisoformat(written)
    except ValueError:
        return False
    return True


def day(field: KnownField, given: Any) -> Scalar:
    """A day. Raises Refused."""
    if not isinstance(given, str) or not DAY.fullmatch(given):
        raise Refused(f'{field.key} is a date; {shown(given)} is not: write "2026-03-02"')
    if not is_day(given):
        raise Refused(f"{shown(given)} is no day of the calendar")
    return date.fromisoformat(given)


def instant(field: KnownField, given: Any) -> Scalar:
    """An instant, in UTC. Raises Refused."""
    if not isinstance(given, str) or not _INSTANT.fullmatch(given):
        example = '"2026-03-02T12:00:00+01:00", with its offset from UTC'
        raise Refused(f"{field.key} is an instant; {shown(given)} is not: write {example}")
    try:
        return datetime.fromisoformat(given).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Refused(f"{shown(given)} is no instant of the calendar") from None


def duration_of(op: str) -> Callable[[KnownField, Any], Scalar]:
    """The reader of the duration beside `op`."""

    def read(field: KnownField, given: Any) -> Scalar:
        duration = read_duration(given)
        if duration is None:
            raise Refused(
                f'{shown(given)} is no duration of at most {MAX_DAYS} days: write "30m", "12h", "3d", "2w"'
            )
        _check_days(field, op, duration, given)
        if not duration.seconds and op == "within_last":
            raise Refused(f"{shown(given)} is no time at all, so it is never true")
        if not duration.seconds and field.type == "instant" and op not in _OF_NO_LENGTH:
            raise Refused(f"{shown(given)} is no time at all, so it is never true")
        return duration

    return read


def word(_field: KnownField, given: Any) -> Scalar:
    """A word of the calendar. Raises Refused."""
    return _one_of(WORDS, "is no word of the calendar", given)


def weekday(_field: KnownField, given: Any) -> Scalar:
    """A day of the week. Raises Refused."""
    return _one_of(WEEKDAYS, "is no day of the week", given)


def _check_days(field: KnownField, op: str, duration: Duration, given: Any) -> None:
    if field.type == "date" and duration.seconds % DAY_SECONDS:
        raise Refused(f"{field.key} is a date: {shown(given)} is not whole days or weeks")
    if op == "anniversary_within" and duration.days > MOST_AHEAD:
        raise Refused(f"{shown(given)} is every day of the year; at most {MOST_AHEAD} days are allowed")


def _one_of(known: tuple[str, ...], is_none: str, given: Any) -> str:
    if isinstance(given, str) and given in known:
        return given
    meant = did_you_mean(given, known) or f": it is one of {', '.join(known)}"
    raise Refused(f"{shown(given)} {is_none}{meant}")
