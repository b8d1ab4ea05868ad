"""The hours of customers who are tried again in another part of the day: read once for a batch of outcomes.

Hours are those of the segment in which somebody stands. Whom the outcome itself moves to a segment under
other hours is reckoned anew behind the move; hours that change later are joined at the hand-out, as ever.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Row, text

from calling.handout.placements import Rows
from calling.hours.opening import Openings, openings
from calling.outcomes.retrying import Opens, at_any_time, in_other_part, plan_of
from calling.outcomes.segments import Key
from calling.segments.following import follow
from models.outcomes import EFFECTS, Outcome
from models.work import Work

_DUE = text("""
    update placement p set due_at = t.due_at
      from unnest(cast(:assignments as bigint[]), cast(:customers as bigint[]), cast(:dues as timestamptz[]))
           as t(assignment_id, customer_id, due_at)
     where p.crm_id = :crm_id and p.assignment_id = t.assignment_id and p.customer_id = t.customer_id
       and p.state = 'resting'
""")


@dataclass(slots=True)
class WhenAgain:
    """Who is tried again within their hours, and what hours those are."""

    rows: Rows
    known: Openings | None
    _asked: dict[tuple[Any, ...], datetime | None] = field(default_factory=dict)
    _resting: dict[Key, tuple[Row[Any], datetime]] = field(default_factory=dict)

    def opens(self, lease: Row[Any], outcome: Outcome) -> Opens:
        """The hours of a lease's customer where the plan of this outcome asks them; else any time."""
        key = (lease.assignment_id, lease.customer_id)
        if self.known is None or not _asks(lease, outcome) or key not in self.rows:
            return at_any_time
        row = self.rows[key]
        return partial(self._opening, lease.assignment_id, row.segment_id, row.clock_id)

    def _opening(self, assignment_id: int, segment_id: int, clock_id: int, at: datetime) -> datetime | None:
        """Many of a batch rest until the same instant, under the same hours."""
        assert self.known is not None  # noqa: S101 - asked only where it is
        doors = self.known.of(assignment_id, segment_id)
        key = (id(doors.hours), clock_id, at)
        if key not in self._asked:
            self._asked[key] = doors.next_opening(clock_id, at)
        return self._asked[key]

    def note(self, lease: Row[Any], outcome: Outcome, state: str, times: int, now: datetime) -> None:
        """Remember how soon a customer may be tried again, should the outcome move them."""
        if self.known is not None and state == "resting" and _asks(lease, outcome):
            soonest = plan_of(outcome, lease.retry_plan).soonest(lease.id, times, now)
            self._resting[lease.assignment_id, lease.customer_id] = lease, soonest

    def after_moves(self, work: Work, moved: Mapping[Key, int]) -> None:
        """Write the due times of those who rest under other hours in the segment that they moved to."""
        if self.known is None:
            return
        dues: dict[Key, datetime] = {}
        for key in moved.keys() & self._resting.keys():
            (lease, soonest), row = self._resting[key], self.rows[key]
            before, after = (self.known.of(key[0], segment) for segment in (row.segment_id, moved[key]))
            if before.hours is not after.hours:
                there = partial(self._opening, key[0], moved[key], row.clock_id)
                dues[key] = in_other_part(soonest, lease.rung_at or work.now, lease.zone, there)
        if dues:
            assignments, customers = zip(*sorted(dues), strict=True)
            work.run(
                _DUE, assignments=list(assignments), customers=list(customers),
                dues=[dues[key] for key in sorted(dues)],
            )  # fmt: skip
            for assignment_id in sorted(set(assignments)):
                moved_there = [customer for where, customer in sorted(dues) if where == assignment_id]
                follow(work, assignment_id, moved_there, "due", "event")


def when_again(
    work: Work, leases: Iterable[Row[Any]], outcomes: Mapping[Any, Outcome], rows: Rows
) -> WhenAgain:
    """Read the hours, if any of these outcomes asks them. `rows`: the placements, locked."""
    clocks = {
        rows[key].clock_id
        for lease in leases
        if _asks(lease, outcomes[lease.id]) and (key := (lease.assignment_id, lease.customer_id)) in rows
    }
    return WhenAgain(rows, openings(work, sorted(clocks)) if clocks else None)


def _asks(lease: Row[Any], outcome: Outcome) -> bool:
    return EFFECTS[outcome].after == "rest" and plan_of(outcome, lease.retry_plan).other_part
