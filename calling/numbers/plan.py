"""Which number is rung next, and when: the pure part.

A plan prefers and never forbids: a customer with a work number alone is rung there in the evening too, if the
law allows. It has two parts: which kinds of number come first at which hours of the customer's own clock, and
after how many calls in a row without an answer the next number has its turn.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time
from functools import lru_cache
from typing import Any

from models.kinds import NUMBER_KINDS
from models.zones import zone

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
UNKNOWN = "unknown"
KINDS = (*NUMBER_KINDS, UNKNOWN)
"""What a plan may name; `unknown`: numbers of which nobody knows the kind."""

NEXT_AFTER = 3
"""Calls in a row without an answer after which the next number is rung, unless an assignment says else."""

NEVER = 32_767
"""Stands for "however many": more calls than are counted."""


@dataclass(frozen=True, slots=True)
class Hours:
    """On these days of the week, from `begins` until `ends` (None: midnight), these kinds first, in order."""

    kinds: tuple[str, ...]
    days: frozenset[str] = frozenset(DAYS)
    begins: time = time()
    ends: time | None = None

    def holds(self, local: datetime) -> bool:
        """Whether it is one of these hours; `local`: what the customer's clock shows."""
        now = local.time()
        return (
            DAYS[local.weekday()] in self.days and self.begins <= now and (not self.ends or now < self.ends)
        )


@dataclass(frozen=True, slots=True)
class NumberPlan:
    """`hours`: the first that holds decides; none: no kind comes first. `next_after` None: never."""

    next_after: int | None = NEXT_AFTER
    hours: tuple[Hours, ...] = ()

    def kinds_at(self, local: datetime) -> tuple[str, ...]:
        """The kinds that come first when the customer's clock shows `local`."""
        return next((row.kinds for row in self.hours if row.holds(local)), ())


def plan_of(own: Mapping[str, Any]) -> NumberPlan:
    """A plan from what an assignment keeps; it was checked when it was written."""
    rows = tuple(
        Hours(
            tuple(row["kinds"]),
            frozenset(row.get("days", DAYS)),
            clock_time(row.get("from", "00:00")) or time(),
            clock_time(row.get("to", "24:00")),
        )
        for row in own.get("hours", ())
    )
    return NumberPlan(own.get("next_after", NEXT_AFTER), rows)


def clock_time(text: str) -> time | None:
    """ "09:00" as a time; None for "24:00". Raises ValueError."""
    if text == "24:00":
        return None
    hour, _, minute = text.partition(":")
    if not (len(hour) == len(minute) == 2 and (hour + minute).isdecimal() and text.isascii()):
        raise ValueError(text)
    return time(int(hour), int(minute))


def preferred(plan: NumberPlan, zones: Iterable[str], now: datetime) -> dict[str, dict[str, int]]:
    """Zone -> kind -> its place (from 0) among those that come first there at `now`.

    A zone in which no kind comes first is missing.
    """
    if not plan.hours:
        return {}
    minute = now.astimezone(UTC).replace(second=0, microsecond=0)  # hours begin and end with one
    return {name: kinds for name in zones if (kinds := _places(plan, name, minute))}


@lru_cache(maxsize=4096)
def _places(plan: NumberPlan, zone_name: str, minute: datetime) -> dict[str, int]:
    kinds = plan.kinds_at(minute.astimezone(zone(zone_name)))
    return {kind: place for place, kind in enumerate(kinds)}
