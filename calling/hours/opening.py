"""Which clocks are open now: the hours of a segment joined to the clocks of its customers, in Python.

All clocks of the world are a few hundred; they are asked at each hand-out, so that nothing is rewritten
when time passes, hours change or the clocks are put forward (design 5.2).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, Row, text

from calling.hours.book import HoursBook, hours_book
from calling.hours.clocks import Clock
from calling.hours.law import shipped
from calling.hours.reasons import OWN_HOURS
from calling.hours.timetable import MARGIN, Timetable
from calling.hours.zones import zone
from calling.registers.age import Refusal, refusals, refused_from
from models.tables import FOREVER
from models.work import Work

# What ended, or is over by every clock on earth, has no say any more. As texts: they are their own cache key.
HOURS = text("""
    select c.hours::text as hours,
           (select jsonb_agg(to_jsonb(s) order by s.id)::text from stricter_hours s
             where s.crm_id = :crm_id and s.ended_at is null
               and (s.valid_to is null or s.valid_to >= cast(:now as date) - 2)) as stricter,
           (select jsonb_agg(to_jsonb(e) order by e.id)::text from exemption e
             where e.crm_id = :crm_id and e.ended_at is null
               and e.valid_to >= cast(:now as date) - 2) as exemptions,
           array(select a.id from assignment a where a.crm_id = :crm_id and a.about_debts order by a.id)
               as about_debts,
           (select jsonb_agg(jsonb_build_object('name', r.name, 'dated', r.dated) order by r.name)::text
              from crm_register u join register r on r.id = u.register_id
             where u.crm_id = :crm_id and u.ended_at is null) as registers,
           case when :all then array(select id from call_clock order by id) end as clocks
      from crm c where c.id = :crm_id
""")
_CLOCKS = text("select id, zones, places from call_clock where id = any(:ids) order by id")

REGISTER_STALE = "register_stale"
"""What shuts a clock whose register has grown too old, where reasons have names."""

_known: WeakKeyDictionary[Engine, dict[int, Clock]] = WeakKeyDictionary()
"""Clocks once read, by database: a clock never changes, and no id is given twice."""
_all: WeakKeyDictionary[Engine, Mapping[int, Clock]] = WeakKeyDictionary()
"""All of them as they were last asked for: the same object, by which timetables know them again."""


@dataclass(frozen=True, slots=True)
class Doors:
    """The clocks of a CRM by id, under the hours of one segment. An unknown clock is never open.

    `stale`: registers by which nobody in their country is called from some day on.
    """

    hours: Timetable
    clocks: Mapping[int, Clock]
    stale: tuple[Refusal, ...] = ()

    def open(self, now: datetime) -> Mapping[int, datetime]:
        """The clocks that are open at `now` (UTC), each with the instant from which it may not ring."""
        closings = self.hours.closings_of(self.clocks, now)
        if not self.stale:
            return closings
        ends = {clock_id: self._ends(clock_id) for clock_id in closings}
        return {key: min(at, ends[key]) for key, at in closings.items() if now < ends[key]}

    def closes_at(self, clock_id: int, now: datetime) -> datetime | None:
        """The instant from which this clock may not ring; None: it is shut at `now`."""
        clock = self.clocks.get(clock_id)
        at = self.hours.closings([clock], now).get(clock_id) if clock else None
        if at is None or not self.stale:
            return at
        ends = self._ends(clock_id)
        return min(at, ends) if now < ends else None

    def is_open(self, clock_id: int, at: datetime) -> bool:
        """Whether this clock is open at an instant (UTC)."""
        return self.closes_at(clock_id, at) is not None

    def next_opening(self, clock_id: int, now: datetime) -> datetime | None:
        """The first instant from `now` on at which it is open; None: never, or not before somebody acts."""
        clock = self.clocks.get(clock_id)
        at = self.hours.next_opening(clock, now) if clock else None
        return at if at is None or not self.stale or at < self._ends(clock_id) else None

    def next_of_all(self, now: datetime) -> datetime | None:
        """The next instant after `now` at which any shut clock opens."""
        shut = set(self.clocks) - set(self.open(now))
        openings = [self.next_opening(clock_id, now) for clock_id in shut]
        return min((at for at in openings if at is not None), default=None)

    def refused(self, clock_id: int, now: datetime) -> Refusal | None:
        """The register that has grown too old to call anybody of this clock at `now`; None: none has."""
        found = self._refusal(clock_id)
        return found[1] if found and now >= found[0] else None

    def by_hours(self, clock_id: int, now: datetime) -> bool | None:
        """Whether the timetable has it open at `now`, whatever a register says.

        None: no hour will open it: nobody knows where it is, or it is shut and its register too old.
        """
        clock = self.clocks.get(clock_id)
        if clock is None or not clock.zones:
            return None
        if self.hours.closings([clock], now):
            return True
        return None if self.refused(clock_id, now) else False

    def _ends(self, clock_id: int) -> datetime:
        found = self._refusal(clock_id)
        return found[0] if found else FOREVER

    def _refusal(self, clock_id: int) -> tuple[datetime, Refusal] | None:
        clock = self.clocks.get(clock_id)
        return refused_from(self.stale, clock.places, clock.zones) if clock and self.stale else None

    def why_shut(self, clock_id: int, now: datetime) -> str:
        """Every zone and rule that keeps it shut, in words; a register that has grown too old first."""
        clock = self.clocks.get(clock_id)
        stale = self.refused(clock_id, now)
        told = [*([stale] if stale else []), *(self.hours.why_shut(clock, now) if clock else [])]
        return "; ".join(map(str, told)) if clock else "no such clock"

    def basis(self, clock_id: int, now: datetime) -> str:
        """What the hours of each legal place rest on, in words; who is exempted, by whom and until when."""
        clock = self.clocks.get(clock_id)
        if clock is None:
            return ""
        day = now.astimezone(zone(clock.zones[0])).date() if clock.zones else now.date()
        return "; ".join(map(str, self.hours.basis(clock, day))) or OWN_HOURS


@dataclass(frozen=True, slots=True)
class Openings:
    """All hours of a CRM, and its clocks."""

    book: HoursBook
    clocks: Mapping[int, Clock]
    stale: tuple[Refusal, ...] = ()

    def of(self, assignment_id: int | None = None, segment_id: int | None = None) -> Doors:
        """Under the hours of a segment; of an assignment; or of the CRM alone."""
        return Doors(self.book.of(assignment_id, segment_id), self.clocks, self.stale)

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
        return [Doors(hours, self.clocks, self.stale) for hours in self.book.all_of(assignment_id)]


@cache
def _no_robots(places: tuple[str, ...]) -> bool:
    return shipped().forbid_robots(places)


def openings(work: Work, clock_ids: Sequence[int] | None = None) -> Openings:
    """The openings of some clocks, or of all."""
    return told(work, work.run(HOURS, all=clock_ids is None).one(), clock_ids)


def told(work: Work, row: Row[Any], clock_ids: Sequence[int] | None = None) -> Openings:
    """What the row of HOURS says, of some clocks or of all."""
    clocks = _read_all(work, row.clocks) if clock_ids is None else read_known(work, clock_ids)
    book = hours_book(row.hours, row.stricter, row.exemptions, tuple(row.about_debts))
    return Openings(book, clocks, refusals(row.registers))


def read_known(work: Work, ids: Sequence[int]) -> dict[int, Clock]:
    """These clocks by id; each is read once in the life of a process."""
    known = _known.setdefault(work.session.connection().engine, {})
    if missing := [clock_id for clock_id in ids if clock_id not in known]:
        for found in work.run(_CLOCKS, ids=missing):
            known[found.id] = Clock.kept(found.id, found.zones, found.places)
    return {key: known[key] for key in ids if key in known}


def _read_all(work: Work, ids: Sequence[int]) -> Mapping[int, Clock]:
    engine = work.session.connection().engine
    found = _all.get(engine)
    if found is None or list(found) != ids:
        found = _all[engine] = read_known(work, ids)
    return found


def after_hours(by_hours: Iterable[bool | None]) -> bool:
    """Whether hours alone shut all of these clocks, as `Doors.by_hours` tells: the night, nobody's fault."""
    told = set(by_hours)
    return False in told and True not in told


def last_ring_by(closes_at: datetime, rings_late: timedelta) -> datetime:
    """The latest `ring_by` for a dialer that may ring so much later: no ring is past closing.

    The margin lies inside `closes_at` already: only what is later than that counts.
    """
    return closes_at - max(timedelta(0), rings_late - timedelta(minutes=MARGIN))
