"""Which clocks are open now: the hours of the CRM joined to the clocks of its customers, in Python.

All clocks of the world are a few hundred; they are asked at each hand-out, so that nothing is rewritten
when time passes, hours change or the clocks are put forward (design 5.2).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, text

from calling.hours.clocks import Clock
from calling.hours.timetable import MARGIN, Timetable, timetable
from models.work import Work

_HOURS = text("""
    select hours, case when :all then array(select id from call_clock order by id) end as clocks
      from crm where id = :crm_id
""")
_CLOCKS = text("select id, zones, places from call_clock where id = any(:ids) order by id")

_known: WeakKeyDictionary[Engine, dict[int, Clock]] = WeakKeyDictionary()
"""Clocks once read, by database: a clock never changes, and no id is given twice."""


@dataclass(frozen=True, slots=True)
class Openings:
    """The clocks of a CRM by id, and its hours. An unknown clock is never open."""

    hours: Timetable
    clocks: Mapping[int, Clock]

    def open(self, now: datetime) -> dict[int, datetime]:
        """The clocks that are open at `now` (UTC), each with the instant from which it may not ring."""
        ids = self.hours.open_clocks(self.clocks.values(), now)
        return {clock_id: self.hours.closes_at(self.clocks[clock_id], now) for clock_id in ids}

    def is_open(self, clock_id: int, at: datetime) -> bool:
        """Whether this clock is open at an instant (UTC)."""
        clock = self.clocks.get(clock_id)
        return clock is not None and bool(self.hours.open_clocks([clock], at))

    def next_opening(self, clock_id: int, now: datetime) -> datetime | None:
        """The first instant from `now` on at which it is open; None: never."""
        clock = self.clocks.get(clock_id)
        return self.hours.next_opening(clock, now) if clock else None

    def next_of_all(self, now: datetime) -> datetime | None:
        """The next instant after `now` at which any shut clock opens: there is a tick then."""
        shut = set(self.clocks) - set(self.hours.open_clocks(self.clocks.values(), now))
        openings = [self.hours.next_opening(self.clocks[clock_id], now) for clock_id in shut]
        return min((at for at in openings if at is not None), default=None)

    def why_shut(self, clock_id: int, now: datetime) -> str:
        """Every zone and rule that keeps it shut, in words."""
        clock = self.clocks.get(clock_id)
        return "; ".join(map(str, self.hours.why_shut(clock, now))) if clock else "no such clock"


def openings(work: Work, clock_ids: Sequence[int] | None = None) -> Openings:
    """The openings of some clocks, or of all."""
    row = work.run(_HOURS, all=clock_ids is None).one()
    ids = row.clocks if clock_ids is None else clock_ids
    known = _known.setdefault(work.session.connection().engine, {})
    if missing := [clock_id for clock_id in ids if clock_id not in known]:
        for found in work.run(_CLOCKS, ids=missing):
            known[found.id] = Clock(found.id, tuple(found.zones), tuple(found.places))
    return Openings(timetable(row.hours), {key: known[key] for key in ids if key in known})


def last_ring_by(closes_at: datetime, rings_late: timedelta) -> datetime:
    """The latest `ring_by` for a dialer that may ring so much later: no ring is past closing.

    The margin lies inside `closes_at` already: only what is later than that counts.
    """
    return closes_at - max(timedelta(0), rings_late - timedelta(minutes=MARGIN))
