"""When customers answer: the share of calls that reached a person, by weekday and hour of their own clocks.

A slot with few calls says little, so each rate is drawn towards what is expected of it without them, as if
PRIOR more calls had come to just that (the mean of a beta distribution, as in empirical Bayes): the hour and
the weekday towards all calls, a slot towards its hour and weekday, a slot of a place towards the slot.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row, text

from calling.views.browse import assignment
from models.ids import first_id_of
from models.outcomes import EFFECTS
from models.work import Work
from models.zones import zone, zone_names
from segmentation.portrait.calls import MOST_CALLS, PERIOD

PRIOR = 50
"""Calls that the expectation weighs: with as many of its own a slot is believed by half."""

MOST_PLACES = 12
HOURS_OF_A_WEEK = 7 * 24
_HOURS, _DAYS = range(24), range(7)
_UNKNOWN_ZONE = "Etc/UTC"
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_CONTACTS = sorted(outcome.value for outcome, effect in EFFECTS.items() if effect.contact)

_TOO_MANY = text("""
    select reported_at from attempt
     where crm_id = :crm_id and assignment_id = :assignment_id and revision = 0
       and lease_id >= :first and reported_at > :since
     order by reported_at desc offset :most limit 1
""")
# Whose address is unknown is where the law sees them first: their number's country or state.
# The highest revision of a lease is in force. A quarter of an hour lies within one hour of any zone.
_CALLS = text("""
    select coalesce(nullif(c.place, ''), k.places[1], '') as place, a.zone,
           date_bin('15 minutes', coalesce(a.rung_at, a.reported_at), :epoch) as quarter,
           count(*) as attempts, count(*) filter (where a.outcome = any(:contacts)) as contacts
      from attempt a join customer c on c.crm_id = :crm_id and c.id = a.customer_id
      left join call_clock k on k.id = c.clock_id
     where a.crm_id = :crm_id and a.assignment_id = :assignment_id and a.lease_id >= :first
       and a.reported_at > :since and a.kind <> 'undo'
       and not exists (select from attempt later where later.crm_id = :crm_id and later.lease_id >= :first
                          and later.lease_id = a.lease_id and later.revision > a.revision)
     group by 1, 2, 3
""")


@dataclass(frozen=True, slots=True)
class Slot:
    """An hour (0 to 23) of a weekday (Monday is 0) on the customers' clocks. `rate`: as it is believed."""

    weekday: int
    hour: int
    attempts: int
    contacts: int
    rate: float


@dataclass(frozen=True, slots=True)
class BestTimes:
    """Of calls reported after `since` (UTC). All 168 slots of the assignment, and of its largest places.

    `cut`: there were more than MOST_CALLS in the period; these are the last ones.
    """

    since: datetime
    cut: bool
    attempts: int
    rate: float | None
    slots: list[Slot]
    places: dict[str, list[Slot]]

    def best(self, most: int = 5) -> list[Slot]:
        """The slots in which most answer, among those in which somebody was called at all."""
        called = [slot for slot in self.slots if slot.attempts]
        return sorted(called, key=lambda slot: (-slot.rate, slot.weekday, slot.hour))[:most]


@dataclass(slots=True)
class _Tally:
    """Attempts and contacts by (weekday, hour)."""

    attempts: dict[tuple[int, int], int] = field(default_factory=lambda: defaultdict(int))
    contacts: dict[tuple[int, int], int] = field(default_factory=lambda: defaultdict(int))

    def add(self, at: datetime, row: Row[Any]) -> None:
        self.attempts[at.weekday(), at.hour] += row.attempts
        self.contacts[at.weekday(), at.hour] += row.contacts

    def of(self, which: Callable[[int, int], bool]) -> tuple[int, int]:
        """(attempts, contacts) of some slots."""
        keys = [key for key in self.attempts if which(*key)]
        return sum(self.attempts[key] for key in keys), sum(self.contacts[key] for key in keys)


def best_times(work: Work, assignment_id: int, since: datetime | None = None) -> BestTimes:
    """When customers of an assignment answer, by calls since `since` (UTC) or in the last PERIOD.

    Raises NotFound.
    """
    assignment(work, assignment_id)
    begins = since or work.now - PERIOD
    where = {"assignment_id": assignment_id, "first": first_id_of(begins)}
    oldest = work.run(_TOO_MANY, since=begins, most=MOST_CALLS, **where).scalar()
    begins = oldest or begins
    whole, by_place = _tallied(work.run(_CALLS, since=begins, epoch=_EPOCH, contacts=_CONTACTS, **where))
    attempts, contacts = whole.of(lambda *_: True)
    expected = _expected(whole, contacts / attempts if attempts else 0.0)
    slots = _slots(whole, expected)
    believed = {(slot.weekday, slot.hour): slot.rate for slot in slots}
    largest = sorted(by_place, key=lambda place: (-by_place[place].of(lambda *_: True)[0], place))
    places = {place: _slots(by_place[place], believed) for place in largest[:MOST_PLACES]}
    return BestTimes(
        begins, oldest is not None, attempts, contacts / attempts if attempts else None, slots, places
    )


def shrunk(contacts: int, attempts: int, expected: float) -> float:
    """The rate of a slot as it is believed: its own calls beside PRIOR that came to what is expected."""
    return (contacts + PRIOR * expected) / (attempts + PRIOR)


def _tallied(rows: Iterable[Row[Any]]) -> tuple[_Tally, dict[str, _Tally]]:
    whole, places = _Tally(), dict[str, _Tally]()
    for row in rows:
        there = zone(row.zone if row.zone in zone_names() else _UNKNOWN_ZONE)
        at = row.quarter.astimezone(there)
        whole.add(at, row)
        if row.place:
            places.setdefault(row.place, _Tally()).add(at, row)
    return whole, places


def _expected(whole: _Tally, rate: float) -> dict[tuple[int, int], float]:
    """Of each slot without its own calls: the rate of all, times what its hour and its weekday are to it."""
    hours = {hour: _rate(whole, rate, lambda _, h, hour=hour: h == hour) for hour in _HOURS}
    days = {day: _rate(whole, rate, lambda d, _, day=day: d == day) for day in _DAYS}
    return {
        (day, hour): min(1.0, hours[hour] * days[day] / rate) if rate else 0.0
        for day in _DAYS for hour in _HOURS
    }  # fmt: skip


def _rate(whole: _Tally, expected: float, which: Callable[..., bool]) -> float:
    attempts, contacts = whole.of(which)
    return shrunk(contacts, attempts, expected)


def _slots(tally: _Tally, expected: Mapping[tuple[int, int], float]) -> list[Slot]:
    return [
        Slot(*key, n := tally.attempts.get(key, 0), c := tally.contacts.get(key, 0), shrunk(c, n, rate))
        for key, rate in sorted(expected.items())
    ]
