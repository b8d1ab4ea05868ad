"""P3 held against the past: each ring by the hours that stood when somebody last looked before it.

What an owner changed afterwards makes no ring of before wrong, and none right. A ring that was decided by
other data (laws, zones) than the installed ones cannot be judged by these: its lease names them.
"""

from bisect import bisect_left, bisect_right
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, text

from calling.hours.book import HoursBook
from calling.hours.opening import Doors, read_known
from calling.hours.spans import merge
from calling.hours.stricter import exemption_from, stricter_from
from calling.hours.timetable import MARGIN
from calling.hours.versions import known_version
from calling.hours.week import Week, read_week
from calling.views.audit_sql import KNOWN
from models.work import Work

# Behind the look of a seller's ring there is nothing; behind that of an order there is its dialer. Where the
# customer was held to be then stands on the lease; it did not always.
_RINGS = text(f"""
    select coalesce(l.clock_id, p.clock_id) as clock_id, array[l.segment_id, p.segment_id] as segments,
           l.assignment_id, l.rung_at,
           coalesce(l.sent_at, l.rung_at) as decided_at
      from lease l
      join placement p on p.crm_id = :crm_id and p.assignment_id = l.assignment_id
                      and p.customer_id = l.customer_id
     where l.crm_id = :crm_id and l.rung_at is not null and l.ended_by is distinct from 'unconfirmed'
       and {KNOWN} and (l.data_version is null or l.data_version = :data_version)
""")  # noqa: S608 - our own words
# Orders outside, and those whose dialer never said what became of them: each may have rung until its last
# moment. The first minute of lateness is the margin, which lies inside the window's closing already.
_MAY_HAVE_RUNG = text("""
    select coalesce(l.clock_id, p.clock_id) as clock_id, array[l.segment_id, p.segment_id] as segments,
           l.assignment_id,
           l.sent_at as decided_at,
           l.ring_by + greatest(d.rings_late_seconds - 60 * :margin, 0) * interval '1 second' as last_ring
      from lease l
      join dialer d on d.crm_id = :crm_id and d.id = l.dialer_id
      join placement p on p.crm_id = :crm_id and p.assignment_id = l.assignment_id
                      and p.customer_id = l.customer_id
     where l.crm_id = :crm_id and l.sent_at is not null
       and (l.ended_by = 'unconfirmed' or (l.ended_at is null and l.rung_at is null))
       and (l.data_version is null or l.data_version = :data_version)
""")
_OWN = text("select hours from crm where id = :crm_id")
_OWN_CHANGES = text("select * from own_hours_change where crm_id = :crm_id order by id")
_ABOUT_DEBTS = text("select id from assignment where crm_id = :crm_id and about_debts")
# One that becomes about debts is so behind its wall, one that is not any more from the change on.
_DEBTS = text("""
    select assignment_id, deed = 'debts' as debts,
           case when deed = 'debts' then walled_at else changed_at end as since
      from limit_change where crm_id = :crm_id and deed in ('debts', 'no_debts') order by id
""")
_STRICTER = text("select * from stricter_hours where crm_id = :crm_id order by id")
_EXEMPTIONS = text("select * from exemption where crm_id = :crm_id order by id")
_CLOCKS = text("select id from call_clock")


class PastHours:
    """The hours of a CRM as they stood at any instant."""

    def __init__(self, work: Work) -> None:
        self._own = read_week(work.run(_OWN).scalar_one())
        self._own_changes = work.run(_OWN_CHANGES).all()
        self._about_debts = frozenset(work.run(_ABOUT_DEBTS).scalars())
        self._debts = work.run(_DEBTS).all()
        self._stricter = work.run(_STRICTER).all()
        self._exemptions = work.run(_EXEMPTIONS).all()
        self._clocks = read_known(work, list(work.run(_CLOCKS).scalars()))
        rows = (*self._stricter, *self._exemptions)
        instants = {at for row in rows for at in (row.walled_at, row.ended_at)}
        instants |= {row.given_at for row in self._exemptions} | {row.since for row in self._debts}
        instants |= {at for row in self._own_changes for at in (row.changed_at, row.walled_at)}
        self._changes = sorted(at for at in instants if at is not None)
        self._books: dict[tuple[int, int], HoursBook] = {}

    def shut(self, row: Row[Any], at: datetime) -> bool:
        """Whether a lease's clock was shut at an instant, by the hours that stood when it was decided on.

        By those of the segment it was handed out from, and of the one its customer stands in: an outcome
        moves them on, and who moves between card and ring is rung by the hours of where they are then.
        """
        return not any(self._of(row, segment).is_open(row.clock_id, at) for segment in row.segments)

    def _of(self, row: Row[Any], segment_id: int) -> Doors:
        at = row.decided_at
        between = bisect_left(self._changes, at), bisect_right(self._changes, at)
        book = self._books.get(between) or self._books.setdefault(between, self._book(at))
        return Doors(book.of(row.assignment_id, segment_id), self._clocks)

    def _book(self, at: datetime) -> HoursBook:
        """The book of an instant: what was a wall before it, and whatever somebody was let off by then."""
        return HoursBook(
            self._own_at(at),
            [stricter_from(row._asdict()) for row in self._stricter if _bound(row, at)],
            [exemption_from(row._asdict()) for row in self._exemptions if _freed(row, at)],
            self._about_debts_at(at),
        )

    def _own_at(self, at: datetime) -> Week:
        """The CRM's own hours of an instant; until a change is a wall, those of before it as well."""
        if not self._own_changes:
            return self._own
        own = read_week(self._own_changes[0].before)
        for row in self._own_changes:
            after = read_week(row.after)
            if row.walled_at is not None and row.walled_at < at:
                own = after
            elif row.changed_at <= at:
                own = Week(tuple(merge((*own.on(day), *after.on(day))) for day in range(7)))
        return own

    def _about_debts_at(self, at: datetime) -> frozenset[int]:
        """The assignments that were about debts then; of which nobody ever said so, they were all along."""
        said: dict[int, bool] = {}
        for row in self._debts:
            said.setdefault(row.assignment_id, not row.debts)
            if row.since is not None and row.since < at:
                said[row.assignment_id] = row.debts
        return (self._about_debts - said.keys()) | {key for key, debts in said.items() if debts}


def _bound(hours: Row[Any], at: datetime) -> bool:
    walled = hours.walled_at is not None and hours.walled_at < at
    return walled and (hours.ended_at is None or at < hours.ended_at)


def _freed(exemption: Row[Any], at: datetime) -> bool:
    """Once ended it frees nobody behind the wall of its end."""
    return bool(exemption.given_at <= at and (exemption.walled_at is None or at <= exemption.walled_at))


def rung_outside_hours(work: Work) -> int:
    """Rings at an instant at which the customer's clock was shut, each held against the hours anew."""
    hours = PastHours(work)
    rows = work.run(_RINGS, data_version=known_version(work))
    return sum(hours.shut(row, row.rung_at) for row in rows)


def may_ring_outside_hours(work: Work) -> int:
    """Orders whose dialer may ring, or may have rung, until after closing: nothing rings at `last_ring`."""
    hours, moment = PastHours(work), timedelta(microseconds=1)
    rows = work.run(_MAY_HAVE_RUNG, margin=MARGIN, data_version=known_version(work))
    return sum(hours.shut(row, row.last_ring - moment) for row in rows)
