"""When somebody is tried again after an outcome, and whether at all: the pure part.

A plan per outcome: a delay that grows with each time the outcome came, a jitter that is the same for the same
lease, another part of the day than the one just tried, and an end.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta, tzinfo
from hashlib import blake2b
from typing import Any
from uuid import UUID

from models.outcomes import EFFECTS, Outcome
from models.zones import zone, zone_names

MINUTE, HOUR, DAY = 60, 3600, 86_400

PARTS = (("morning", time(6)), ("afternoon", time(12)), ("evening", time(17)))
"""Parts of the day on the customer's clock, each until the next; the night belongs to the coming morning."""

NIGHT = time(21)


@dataclass(frozen=True, slots=True)
class RetryPlan:
    """What an outcome that does not close a customer makes of them.

    `delay`: seconds of business time until they are tried again; times `growth` for each time more that this
    outcome came in the assignment, `longest` seconds at most. `jitter`: a share of the delay by which it is
    longer or shorter. `other_part`: not in the same part of the day. `final_after`: so many of this outcome
    close them; None: the limit of attempts alone does.
    """

    delay: int
    growth: float = 1.0
    jitter: float = 0.0
    longest: int = 7 * DAY
    other_part: bool = False
    final_after: int | None = None

    @property
    def counts(self) -> bool:
        """Whether it has to know how often the outcome came."""
        return self.growth != 1 or self.final_after is not None

    def final(self, times: int) -> bool:
        """Whether the outcome, come for the `times`-th time, closes the customer."""
        return self.final_after is not None and times >= self.final_after

    def due(self, lease_id: UUID, times: int, tried_at: datetime, now: datetime, zone_name: str) -> datetime:
        """When they are tried again (UTC). `tried_at`: when it rang; `zone_name`: their reckoning zone."""
        grown = min(self.delay * self.growth ** min(times - 1, 64), float(max(self.longest, self.delay)))
        due = now + timedelta(seconds=round(grown * (1 + self.jitter * (2 * _share(lease_id) - 1))))
        if self.other_part and part_of(due, zone_name) == part_of(tried_at, zone_name):
            return next_part(due, zone_name)
        return due


DEFAULTS: Mapping[Outcome, RetryPlan] = {
    Outcome.ANSWERED: RetryPlan(4 * HOUR),
    Outcome.NO_ANSWER: RetryPlan(4 * HOUR, other_part=True),
    Outcome.BUSY: RetryPlan(30 * MINUTE, growth=2, longest=DAY),
    Outcome.MACHINE: RetryPlan(6 * HOUR, other_part=True),
    Outcome.CONGESTION: RetryPlan(10 * MINUTE, growth=2, longest=4 * HOUR),
    Outcome.FAILED: RetryPlan(10 * MINUTE, growth=2, longest=4 * HOUR),
    Outcome.ABANDONED: RetryPlan(DAY),
    Outcome.FOLLOW_UP: RetryPlan(4 * HOUR),
}
"""Of every outcome after which a customer rests. Somebody busy is there, so soon; whoever does not answer at
ten does not at eleven either; a call that we dropped is not repeated on the same day."""

assert DEFAULTS.keys() == {o for o, effect in EFFECTS.items() if effect.after == "rest"}  # noqa: S101


def plan_of(outcome: Outcome, own: Mapping[str, Mapping[str, Any]]) -> RetryPlan:
    """The plan of an outcome: what the assignment says of it over the default."""
    return replace(DEFAULTS[outcome], **own.get(outcome, {}))


def part_of(at: datetime, zone_name: str) -> str:
    """Which part of the day an instant is on the clocks of a zone."""
    return _part(at.astimezone(_clock(zone_name)).time())


def next_part(at: datetime, zone_name: str) -> datetime:
    """The instant (UTC) after `at` at which the part of the day that follows begins."""
    local = at.astimezone(_clock(zone_name))
    now = _part(local.time())
    names = [name for name, _ in PARTS]
    _, begins = PARTS[(names.index(now) + 1) % len(PARTS)]
    day = local.date()
    if local.time() >= (NIGHT if now == "morning" else PARTS[-1][1]):  # the next one is tomorrow's
        day += timedelta(days=1)
    return datetime.combine(day, begins, _clock(zone_name)).astimezone(UTC)


def _clock(zone_name: str) -> tzinfo:
    """The zone's rules; UTC for one that there is not: an outcome counts, whatever is in the data (P4)."""
    return zone(zone_name) if zone_name in zone_names() else UTC


def _part(local: time) -> str:
    if local >= NIGHT:
        return PARTS[0][0]
    begun = [name for name, begins in PARTS if local >= begins]
    return begun[-1] if begun else PARTS[0][0]


def _share(lease_id: UUID) -> float:
    """A number from 0 up to 1, the same for the same lease."""
    return int.from_bytes(blake2b(lease_id.bytes, digest_size=8).digest()) / 2**64
