"""How a segment's calls went, and at which hours: of a period, and of its last calls where there are many."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import sqrt
from typing import Any

from sqlalchemy import Row, text

from models.ids import first_id_of, instant_of
from models.outcomes import EFFECTS, Outcome
from models.work import Work
from models.zones import zone, zone_names

PERIOD = timedelta(days=90)
"""How far back unless asked otherwise: who answered when two years ago says little about tomorrow."""

MOST_CALLS = 100_000
"""The last ones of the period, at most: a rate of these is right to a third of a per cent."""

_SURE = 1.96  # standard deviations: 95 of 100
_UNKNOWN = "Etc/UTC"

_CONTACTS = sorted(outcome.value for outcome, effect in EFFECTS.items() if effect.contact)

# Of the attempt that is the first too many; newest first, by index alone.
_TOO_MANY = text("""
    select lease_id from attempt
     where crm_id = :crm_id and assignment_id = :assignment_id and segment_id = :segment_id
       and lease_id >= :since
     order by lease_id desc offset :most limit 1
""")
# The highest revision of a lease is in force. Offsets are quarters of an hour: the zone that was rung makes
# an hour of the day of each, in Python, whose zone rules do not depend on the server's.
_CALLS = text("""
    select a.zone, date_bin('15 minutes', coalesce(a.rung_at, a.reported_at), :epoch) as quarter,
           count(*) as attempts, count(*) filter (where a.outcome = any(:contacts)) as contacts,
           count(*) filter (where a.outcome = :sale) as sales
      from attempt a
     where a.crm_id = :crm_id and a.assignment_id = :assignment_id and a.segment_id = :segment_id
       and a.lease_id >= :since and a.kind <> 'undo'
       and not exists (select from attempt later where later.crm_id = :crm_id and later.lease_id >= :since
                          and later.lease_id = a.lease_id and later.revision > a.revision)
     group by 1, 2
""")
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Worked:
    """Attempts in force, undone ones left out; contacts reached a person. Rates of nothing are None."""

    attempts: int
    contacts: int
    sales: int

    @property
    def contact_rate(self) -> float | None:
        """Contacts an attempt."""
        return self.contacts / self.attempts if self.attempts else None

    @property
    def conversion_rate(self) -> float | None:
        """Sales a contact."""
        return self.sales / self.contacts if self.contacts else None


@dataclass(frozen=True, slots=True)
class Calls:
    """Of attempts whose leases began at `since` (UTC) or later. `hours`: (local, work), best first.

    `cut`: there were more than MOST_CALLS since the instant that was asked for; these are the last ones.
    """

    since: datetime
    cut: bool
    worked: Worked
    hours: tuple[tuple[int, Worked], ...]


def calls(work: Work, assignment_id: int, segment_id: int, since: datetime | None) -> Calls:
    """How the segment's calls went since `since` (UTC), or in the last PERIOD."""
    where: dict[str, Any] = {"assignment_id": assignment_id, "segment_id": segment_id}
    begins = since or work.now - PERIOD
    oldest = work.run(_TOO_MANY, since=first_id_of(begins), most=MOST_CALLS, **where).scalar()
    if oldest is not None:
        begins = instant_of(oldest) + timedelta(milliseconds=1)
    rows = work.run(
        _CALLS, since=first_id_of(begins), contacts=_CONTACTS, sale=Outcome.SALE.value, epoch=_EPOCH, **where
    ).all()  # fmt: skip
    hours = _by_hour(rows)
    best_first = sorted(hours.items(), key=lambda hour: (-_at_least(hour[1]), hour[0]))
    return Calls(begins, oldest is not None, _sum(hours.values()), tuple(best_first))


def _by_hour(rows: Iterable[Row[Any]]) -> dict[int, Worked]:
    """Hour of the customers' own day -> what was done in it."""
    hours: dict[int, list[Worked]] = {}
    for row in rows:
        there = zone(row.zone if row.zone in zone_names() else _UNKNOWN)
        done = Worked(row.attempts, row.contacts, row.sales)
        hours.setdefault(row.quarter.astimezone(there).hour, []).append(done)
    return {hour: _sum(done) for hour, done in hours.items()}


def _sum(hours: Iterable[Worked]) -> Worked:
    each = list(hours)
    return Worked(*(sum(getattr(one, name) for one in each) for name in ("attempts", "contacts", "sales")))


def _at_least(worked: Worked) -> float:
    """What the contact rate hardly lies below (Wilson's bound): one lucky call makes no best hour."""
    n, rate, z = worked.attempts, worked.contacts / worked.attempts, _SURE
    spread = z * sqrt(rate * (1 - rate) / n + z * z / (4 * n * n))
    return (rate + z * z / (2 * n) - spread) / (1 + z * z / n)
