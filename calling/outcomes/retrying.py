"""When somebody is tried again after an outcome, and whether at all: the pure part.

A plan per outcome: a delay that grows with each time the outcome came, a jitter that is the same for the same
lease, another part of the day than the one just tried, and an end. Another part of the day is one in which
their hours are open: who was tried in the evening, and may be rung in no morning, is tried in an afternoon.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta, tzinfo
from functools import lru_cache
from hashlib import blake2b
from typing import Any
from uuid import UUID

from models.outcomes import EFFECTS, Outcome
from models.zones import zone, zone_names

MINUTE, HOUR, DAY = 60, 3600, 86_400

PARTS = (("morning", time(6)), ("afternoon", time(12)), ("evening", time(17)))
"""Parts of the day on the customer's clock, each until the next; a try in the night counts as the coming
morning's."""

NIGHT = time(21)

LOOK_AHEAD = timedelta(days=14)
"""For so long another part of the day is looked for in which hours are open: a week, and one of holidays."""

Opens = Callable[[datetime], datetime | None]
"""The first instant (UTC) from one on at which a customer's hours are open; None: they never are."""


def at_any_time(at: datetime) -> datetime | None:
    """Hours that are never shut."""
    return at


@dataclass(frozen=True, slots=True)
class RetryPlan:
    """What an outcome that does not close a customer makes of them.

    `delay`: seconds of business time until they are tried again; times `growth` for each time more that this
    outcome came in the assignment, `longest` seconds at most. `jitter`: a share of the delay by which it is
    longer or shorter. `other_part`: not in the same part of the day, and when hours are open.
    `final_after`: so many of this outcome close them; None: the limit of attempts alone does.
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

    def due(
        self, lease_id: UUID, times: int, tried_at: datetime, now: datetime, zone_name: str,
        opens: Opens = at_any_time,
    ) -> datetime:  # fmt: skip
        """When they are tried again (UTC). `tried_at`: when it rang; `zone_name`: their reckoning zone.

        `opens`: their hours, asked only for another part of the day.
        """
        due = self.soonest(lease_id, times, now)
        return in_other_part(due, tried_at, zone_name, opens) if self.other_part else due

    def soonest(self, lease_id: UUID, times: int, now: datetime) -> datetime:
        """When they have rested long enough (UTC), whatever part of the day it is."""
        grown = min(self.delay * self.growth ** min(times - 1, 64), float(max(self.longest, self.delay)))
        return now + timedelta(seconds=round(grown * (1 + self.jitter * (2 * _share(lease_id) - 1))))


DEFAULTS: Mapping[Outcome, RetryPlan] = {
    Outcome.ANSWERED: RetryPlan(4 * HOUR),
    Outcome.NO_ANSWER: RetryPlan(4 * HOUR, other_part=True),
    Outcome.BUSY: RetryPlan(30 * MINUTE, growth=2, longest=DAY),
    Outcome.MACHINE: RetryPlan(6 * HOUR, other_part=True),
    Outcome.CONGESTION: RetryPlan(10 * MINUTE, growth=2, longest=4 * HOUR),
    Outcome.FAILED: RetryPlan(10 * MINUTE, growth=2, longest=4 * HOUR),
    Outcome.ABANDONED: RetryPlan(DAY),
    Outcome.FOLLOW_UP: RetryPlan(4 * HOUR),
    Outcome.LANGUAGE: RetryPlan(DAY),
    Outcome.KEY_PRESSED: RetryPlan(4 * HOUR),
    Outcome.INTENT: RetryPlan(4 * HOUR),
}
"""Of every outcome after which a customer rests. Somebody busy is there, so soon; whoever does not answer at
ten does not at eleven either; a call that we dropped is not repeated on the same day, nor one in which nobody
understood the other: by tomorrow somebody else may be there."""

assert DEFAULTS.keys() == {o for o, effect in EFFECTS.items() if effect.after == "rest"}  # noqa: S101


def plan_of(outcome: Outcome, own: Mapping[str, Mapping[str, Any]]) -> RetryPlan:
    """The plan of an outcome: what the assignment says of it over the default."""
    said = own.get(outcome)
    return replace(DEFAULTS[outcome], **said) if said else DEFAULTS[outcome]


@lru_cache(maxsize=4096)
def part_of(at: datetime, zone_name: str) -> str:
    """Which part of the day an instant is on the clocks of a zone."""
    return _part(at.astimezone(_clock(zone_name)).time())


@lru_cache(maxsize=4096)
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


def in_other_part(soonest: datetime, tried_at: datetime, zone_name: str, opens: Opens) -> datetime:
    """The first instant from `soonest` on, in another part of the day than `tried_at`, that hours allow.

    It is never in the night: who did not answer in the evening is tried in the morning, not at eleven.
    Where there is none within two weeks the next opening has to do; without any, `soonest` itself.
    """
    tried, at = part_of(tried_at, zone_name), soonest
    while (opening := opens(at)) is not None and opening < soonest + LOOK_AHEAD:
        dawn = _dawn(opening, zone_name)
        if dawn is None and part_of(opening, zone_name) != tried:
            return opening
        at = dawn or next_part(opening, zone_name)
    return opens(soonest) or soonest


@lru_cache(maxsize=4096)  # those of a batch rest until a few instants, in a few zones
def _dawn(at: datetime, zone_name: str) -> datetime | None:
    """When the night ends (UTC) in which an instant lies; None: it is day."""
    local, (_, begins) = at.astimezone(_clock(zone_name)), PARTS[0]
    if begins <= local.time() < NIGHT:
        return None
    day = local.date() + timedelta(days=1 if local.time() >= NIGHT else 0)
    return datetime.combine(day, begins, local.tzinfo).astimezone(UTC)


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
