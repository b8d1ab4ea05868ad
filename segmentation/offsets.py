"""When each zone changes its clocks, as one sorted array: the local weekday of an instant needs it.

PostgreSQL finds the offset of an instant in it by bisection (width_bucket). It has zone rules of its own,
but they may be years old, and it refuses the whole statement for one name it does not know.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from itertools import pairwise

from models.zones import zone_names
from segmentation.calendar import local_offset

FIRST, LAST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2050, 1, 1, tzinfo=UTC)
"""Before and after these an offset is taken to last."""

SPAN = 10**11
"""Seconds, more than any instant has: the key of a change is its behaviour * SPAN + its second."""

_STEP = timedelta(days=15)  # no change of clocks is undone sooner: Morocco's lasts a month
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)

_Changes = tuple[tuple[int, int], ...]  # (second, seconds ahead of UTC from then on), the first from 0 on


@dataclass(frozen=True, slots=True)
class Offsets:
    """`keys` ascend; from a key to the next one the zones of its behaviour are `ahead` of UTC (seconds)."""

    keys: tuple[int, ...]
    ahead: tuple[int, ...]
    behaviours: dict[str, int]


@cache
def offsets() -> Offsets:
    """The changes of all zones; a quarter of a second when first asked."""
    numbers: dict[_Changes, int] = {}
    behaviours: dict[str, int] = {}
    for names in _alike():
        number = numbers.setdefault(_changes(names[0]), len(numbers))
        behaviours |= dict.fromkeys(names, number)
    changes = [(number * SPAN + at, ahead) for each, number in numbers.items() for at, ahead in each]
    return Offsets(tuple(key for key, _ in changes), tuple(ahead for _, ahead in changes), behaviours)


def last_change(start: datetime, end: datetime) -> datetime | None:
    """The last instant in (start, end] at which any zone of the world changed its clocks (UTC)."""
    found = bisect_right(_seconds(), (end - _EPOCH) // _SECOND)
    last = _EPOCH + _seconds()[found - 1] * _SECOND if found else start
    return last if last > start else None


@cache
def _seconds() -> tuple[int, ...]:
    """Of all changes of all zones, sorted."""
    return tuple(sorted({key % SPAN for key in offsets().keys if key % SPAN}))


def behaviour(zone_name: str) -> int:
    """The number that a zone shares with those that change their clocks alike."""
    return offsets().behaviours[zone_name]


def _alike() -> Sequence[list[str]]:
    """The names of each set of rules: half of all names are another's."""
    by_rules: dict[bytes, list[str]] = {}
    for name in sorted(zone_names()):
        rules = (files("tzdata") / "zoneinfo").joinpath(*name.split("/")).read_bytes()
        by_rules.setdefault(rules, []).append(name)
    return list(by_rules.values())


def _changes(zone_name: str) -> _Changes:
    samples = [FIRST + i * _STEP for i in range((LAST - FIRST) // _STEP + 1)]
    known = [(sample, local_offset(zone_name, sample)) for sample in samples]
    found = [(0, known[0][1] // _SECOND)]
    for (before, old), (after, new) in pairwise(known):
        if old != new:
            change = _change(zone_name, before, after, old)
            found.append(((change - _EPOCH) // _SECOND, new // _SECOND))
    return tuple(found)


def _change(zone_name: str, before: datetime, after: datetime, old: timedelta) -> datetime:
    """The first second after `before` at which the offset is no longer `old`."""
    while after - before > _SECOND:
        middle = before + (after - before) // _SECOND // 2 * _SECOND
        if local_offset(zone_name, middle) == old:
            before = middle
        else:
            after = middle
    return after
