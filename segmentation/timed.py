"""What time alone can flip: which rows the sweep has to look at again (design 5.7).

Windows of instants are (from, to] of the sweep, shifted; whatever goes by local days flips for the rows of a
zone when its day changes.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any

from models.zones import zone_names
from segmentation.calendar import days_of, is_anniversary, local_day, midnight
from segmentation.catalogue import BUILT_IN
from segmentation.durations import Duration
from segmentation.nodes import Leaf, Rules, leaves
from segmentation.offsets import last_change
from segmentation.time_values import is_day
from segmentation.windows import window_of

INSTANTS = frozenset(key for key, known in BUILT_IN.items() if known.type == "instant")
"""The fields that hold an instant: last_call, entered, due, customer_since."""

_YEAR = 366  # days of a leap year: whoever has slept longer has missed no more than this


@dataclass(frozen=True, slots=True)
class Timed:
    """Everything that rules ask of time. A leaf can flip between two instants only if one of these holds:

    `instants`, (field, seconds): the field lies in (from - seconds, to - seconds];
    `days`, (own field, days): it lies in (today at from - days, today at to - days] of the row's zone;
    `words`, (field, word): the local day has changed, and the field lies in what the word meant on one of
    the days from then to now, but not on all (`flipping_days`; of an instant: between their midnights);
    `anniversaries`, (own field, days ahead): likewise (`flipping_year_days`);
    `local_offset`: a zone has changed its offset.
    """

    instants: frozenset[tuple[str, int]] = field(default=frozenset())
    days: frozenset[tuple[str, int]] = field(default=frozenset())
    words: frozenset[tuple[str, str]] = field(default=frozenset())
    anniversaries: frozenset[tuple[str, int]] = field(default=frozenset())
    local_offset: bool = False

    def __bool__(self) -> bool:
        """Whether time flips anything at all."""
        return self != Timed()


def timed(rules: Rules) -> Timed:
    """Collect from all rules, segments' and labels'; those they name are among them."""
    trees = [segment.when for segment in rules.segments] + [label.when for label in rules.labels]
    asked = {leaf for tree in trees for leaf in leaves(tree)}
    instants, days = set[tuple[str, int]](), set[tuple[str, int]]()
    for leaf in asked:
        (instants if leaf.field in INSTANTS else days).update((leaf.field, end) for end in _ends(leaf))
    return Timed(
        frozenset(instants),
        frozenset(days),
        frozenset((leaf.field, str(leaf.value)) for leaf in asked if leaf.op == "on"),
        frozenset((leaf.field, _days(leaf)) for leaf in asked if leaf.op == "anniversary_within"),
        any(leaf.field == "local_offset" for leaf in asked),
    )


def flipping_days(word: str, first: date, last: date) -> list[tuple[date, date]]:
    """[first, last) spans of days that `word` means on some days from `first` to `last`, and not on all.

    On all between as well: a row that was placed on one of them stands as it was then.
    """
    old, new = sorted((days_of(word, first), days_of(word, last)))
    spans = [(old[0], new[0]), (old[1], new[1])]
    return [span for span in spans if span[0] < span[1]]


@lru_cache(maxsize=256)
def flipping_year_days(ahead: int, first: date, last: date) -> frozenset[int]:
    """month * 100 + day of whose anniversary is within `ahead` days on some days of these, and not on all."""
    first, last = sorted((first, last))
    days = [first + timedelta(days=i) for i in range(min((last - first).days, _YEAR) + 1)]
    leap_year = (date(2000, 1, 1) + timedelta(days=i) for i in range(_YEAR))
    return frozenset(
        day.month * 100 + day.day
        for day in leap_year
        if len({is_anniversary(day.strftime("%m-%d"), today, ahead) for today in days}) > 1
    )


def can_flip(asked: Timed, row: Mapping[str, Any], start: datetime, end: datetime) -> bool:
    """Whether any leaf over this row can differ at two instants from `start` to `end`; in plain Python.

    What the sweep's SQL has to find, at the least.
    """
    if any(
        row[key] is not None and start < row[key] + timedelta(seconds=seconds) <= end
        for key, seconds in asked.instants
    ):
        return True
    zone_name = row["zone"]
    if zone_name not in zone_names():
        return False
    if asked.local_offset and last_change(start, end) is not None:
        return True
    before, after = local_day(zone_name, start), local_day(zone_name, end)
    return before != after and any(_flips_of_days(asked, row, before, after))


def _flips_of_days(asked: Timed, row: Mapping[str, Any], before: date, after: date) -> Iterator[bool]:
    first, last = sorted((before, after))
    for key, ahead in asked.days:
        day = _day(row, key)
        yield day is not None and first < day + timedelta(days=ahead) <= last
    for key, ahead in asked.anniversaries:
        day = _day(row, key)
        yield day is not None and day.month * 100 + day.day in flipping_year_days(ahead, before, after)
    for key, word in asked.words:
        spans = flipping_days(word, before, after)
        yield any(_lies_in(row, key, span) for span in spans)


def _lies_in(row: Mapping[str, Any], key: str, span: tuple[date, date]) -> bool:
    if key in INSTANTS:
        first, last = (midnight(row["zone"], day) for day in span)
        return row[key] is not None and bool(first <= row[key] < last)
    day = _day(row, key)
    return day is not None and span[0] <= day < span[1]


def _day(row: Mapping[str, Any], key: str) -> date | None:
    value = row["fields"].get(key)
    return date.fromisoformat(value) if is_day(value) else None


def _ends(leaf: Leaf) -> list[int]:
    """How long after the value lies at the ends of the leaf's window: seconds, or days of a date."""
    window = window_of(leaf, "instant" if leaf.field in INSTANTS else "date")
    if window is None:
        return []
    return [-window.high] if window.low is None else [-window.high, -window.low]


def _days(leaf: Leaf) -> int:
    assert isinstance(leaf.value, Duration)  # noqa: S101 - so it was read
    return leaf.value.days
