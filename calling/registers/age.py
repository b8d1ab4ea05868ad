"""A register that has grown too old shuts the clocks of its country: no row is touched; loading opens them.

The last day is one of the customer's own: in the earliest of their zones it is over first.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

import orjson

from calling.hours.zones import zone
from calling.registers import law

NEVER_LOADED = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A register without a version that is young enough stops its country. `last_day` None: never loaded."""

    register: str
    country: str
    last_day: date | None

    def __str__(self) -> str:
        if self.last_day is None:
            return f"register stale: {self.register} was never loaded"
        return f"register stale: {self.register} may be called by until {self.last_day}"


@lru_cache(maxsize=256)
def refusals(used: str | None) -> tuple[Refusal, ...]:
    """Of the registers that a CRM uses, as the database tells them: [{"name", "dated"}, ...] or null."""
    told = [
        refusal_of(one["name"], date.fromisoformat(one["dated"]) if one["dated"] else None)
        for one in orjson.loads(used or "[]")
    ]
    return tuple(one for one in told if one)


def refusal_of(name: str, dated: date | None) -> Refusal | None:
    """What a version of that day refuses once it is too old; None: it warns, or nobody knows it."""
    row = law.shipped().get(name)
    if row is None or not row.refuses:
        return None
    return Refusal(row.name, row.country, row.last_day_of(dated) if dated else None)


@lru_cache(maxsize=4096)
def refused_from(
    by: tuple[Refusal, ...], places: tuple[str, ...], zones: tuple[str, ...]
) -> tuple[datetime, Refusal] | None:
    """From which instant (UTC) on a clock is shut by one of these, and by which; None: by none."""
    countries = {place.partition("-")[0] for place in places}
    ends = [(_end(one, zones), one) for one in by if one.country in countries]
    return min(ends, key=lambda end: end[0], default=None)


def _end(refusal: Refusal, zones: Iterable[str]) -> datetime:
    if refusal.last_day is None:
        return NEVER_LOADED
    midnight = datetime.combine(refusal.last_day + timedelta(days=1), time())
    ends = [midnight.replace(tzinfo=zone(name)).astimezone(UTC) for name in zones]
    return min(ends, default=midnight.replace(tzinfo=UTC))
