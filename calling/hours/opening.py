"""Which clocks are open now: the hours of a segment joined to the clocks of its customers, in Python.

All clocks of the world are a few hundred; they are asked at each hand-out, so that nothing is rewritten
when time passes, hours change or the clocks are put forward (design 5.2).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, text

from calling.hours.book import HoursBook, hours_book
from calling.hours.clocks import Clock
from calling.hours.law import shipped
from calling.hours.timetable import MARGIN, Timetable
from calling.hours.zones import zone
from models.work import Work

# What ended, or is over by every clock on earth, has no say any more. As texts: they are their own cache key.
_HOURS = text("""
    select c.hours::text as hours,
           (select jsonb_agg(to_jsonb(s) order by s.id)::text from stricter_hours s
             where s.crm_id = :crm_id and s.ended_at is null
               and (s.valid_to is null or s.valid_to >= cast(:now as date) - 2)) as stricter,
           (select jsonb_agg(to_jsonb(e) order by e.id)::text from exemption e
             where e.crm_id = :crm_id and e.ended_at is null
               and e.valid_to >= cast(:now as date) - 2) as exemptions,
           case when :all then array(select id from call_clock order by id) end as clocks
      from crm c where c.id = :crm_id
""")
_CLOCKS = text("select id, zones, places from call_clock where id = any(:ids) order by id")

_known: WeakKeyDictionary[Engine, dict[int, Clock]] = WeakKeyDictionary()
"""Clocks once read, by database: a clock never changes, and no id is given twice."""


@dataclass(frozen=True, slots=True)
class Doors:
    """The clocks of a CRM by id, under the hours of one segment. An unknown clock is never open."""

    hours: Timetable
    clocks: Mapping[int, Clock]

    def open(self, now: datetime) -> dict[int, datetime]:
        """The clocks that are open at `now` (UTC), each with the instant from which it may not ring."""
        return self.hours.closings(self.clocks.values(), now)

    def closes_at(self, clock_id: int, now: datetime) -> datetime | None:
        """The instant from which this clock may not ring; None: it is shut at `now`."""
        clock = self.clocks.get(clock_id)
        return self.hours.closings([clock], now).get(clock_id) if clock else None

    def is_open(self, clock_id: int, at: datetime) -> bool:
        """Whether this clock is open at an instant (UTC)."""
        return self.closes_at(clock_id, at) is not None

    def next_opening(self, clock_id: int, now: datetime) -> datetime | None:
        """The first instant from `now` on at which it is open; None: never."""
        clock = self.clocks.get(clock_id)
        return self.hours.next_opening(clock, now) if clock else None

    def next_of_all(self, now: datetime) -> datetime | None:
        """The next instant after `now` at which any shut clock opens."""
        shut = set(self.clocks) - set(self.hours.open_clocks(self.clocks.values(), now))
        openings = [self.hours.next_opening(self.clocks[clock_id], now) for clock_id in shut]
        return min((at for at in openings if at is not None), default=None)

    def why_shut(self, clock_id: int, now: datetime) -> str:
        """Every zone and rule that keeps it shut, in words."""
        clock = self.clocks.get(clock_id)
        return "; ".join(map(str, self.hours.why_shut(clock, now))) if clock else "no such clock"

    def basis(self, clock_id: int, now: datetime) -> str:
        """What the hours of each legal place rest on, in words; who is exempted, by whom and until when."""
        clock = self.clocks.get(clock_id)
        if clock is None:
            return ""
        day = now.astimezone(zone(clock.zones[0])).date() if clock.zones else now.date()
        return "; ".join(map(str, self.hours.basis(clock, day)))


@dataclass(frozen=True, slots=True)
class Openings:
    """All hours of a CRM, and its clocks."""

    book: HoursBook
    clocks: Mapping[int, Clock]

    def of(self, assignment_id: int | None = None, segment_id: int | None = None) -> Doors:
        """Under the hours of a segment; of an assignment; or of the CRM alone."""
        return Doors(self.book.of(assignment_id, segment_id), self.clocks)

    def by_hours(self, assignment_id: int, segments: Iterable[int]) -> list[tuple[Doors, list[int]]]:
        """The segments of an assignment, in their order, with those under the same hours together."""
        groups: dict[int, tuple[Doors, list[int]]] = {}
        for segment_id in segments:
            doors = self.of(assignment_id, segment_id)
            groups.setdefault(id(doors.hours), (doors, []))[1].append(segment_id)
        return list(groups.values())

    def any_open(self, now: datetime, assignment_id: int | None = None) -> bool:
        """Whether any clock is open, under any hours of the assignment, or of the CRM."""
        return any(doors.open(now) for doors in self._everywhere(assignment_id))

    def next_of_all(self, now: datetime, assignment_id: int | None = None) -> datetime | None:
        """The next instant after `now` at which a shut clock opens, under any hours: there is a tick then."""
        openings = [doors.next_of_all(now) for doors in self._everywhere(assignment_id)]
        return min((at for at in openings if at is not None), default=None)

    def without_robots(self) -> frozenset[int]:
        """The clocks of places whose law forbids the voices of robots at any hour."""
        return frozenset(key for key, clock in self.clocks.items() if _no_robots(clock.places))

    def _everywhere(self, assignment_id: int | None) -> list[Doors]:
        return [Doors(hours, self.clocks) for hours in self.book.all_of(assignment_id)]


@cache
def _no_robots(places: tuple[str, ...]) -> bool:
    return shipped().forbid_robots(places)


def openings(work: Work, clock_ids: Sequence[int] | None = None) -> Openings:
    """The openings of some clocks, or of all."""
    row = work.run(_HOURS, all=clock_ids is None).one()
    ids = row.clocks if clock_ids is None else clock_ids
    book = hours_book(row.hours, row.stricter, row.exemptions)
    return Openings(book, read_known(work, ids))


def read_known(work: Work, ids: Sequence[int]) -> dict[int, Clock]:
    """These clocks by id; each is read once in the life of a process."""
    known = _known.setdefault(work.session.connection().engine, {})
    if missing := [clock_id for clock_id in ids if clock_id not in known]:
        for found in work.run(_CLOCKS, ids=missing):
            known[found.id] = Clock(found.id, tuple(found.zones), tuple(found.places))
    return {key: known[key] for key in ids if key in known}


def last_ring_by(closes_at: datetime, rings_late: timedelta) -> datetime:
    """The latest `ring_by` for a dialer that may ring so much later: no ring is past closing.

    The margin lies inside `closes_at` already: only what is later than that counts.
    """
    return closes_at - max(timedelta(0), rings_late - timedelta(minutes=MARGIN))
