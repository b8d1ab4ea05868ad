"""Rings inside the minimum gap: every ring held against those before it, by the gaps that stood when it rang.

As a hand-out reckons it (calling/handout/gap.py): of the assignment that rang and of the one that rings next
the longer gap counts. What somebody changed afterwards makes no ring of before wrong, and none right.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, text

from calling.views.audit_sql import KNOWN
from models.work import Work

# An order that was given up counts from then: they may have talked till then. What is told of a card that was
# taken back counts for whoever rings next, and is not judged itself: when it rang nobody knows.
_RINGS = text(f"""
    select l.assignment_id, l.customer_id, l.e164, l.rung_at, l.follow_up_id is not null as promised,
           {KNOWN} as known,
           coalesce(l.sent_at, l.rung_at) as decided_at,
           greatest(l.rung_at, case when l.ended_by = 'unconfirmed' then l.ended_at end) as counts_from
      from lease l where l.crm_id = :crm_id and l.rung_at is not null
     order by l.rung_at, l.id
""")  # noqa: S608 - our own words
_GAPS = text("select id, gap_seconds from assignment where crm_id = :crm_id")
_CHANGES = text("""
    select assignment_id, before, after, changed_at, walled_at from limit_change
     where crm_id = :crm_id and deed = 'gap' order by id
""")


class PastGaps:
    """The gap of each assignment as it stood at any instant."""

    def __init__(self, work: Work) -> None:
        self._now = {row.id: row.gap_seconds for row in work.run(_GAPS)}
        self._changes: dict[int, list[Row[Any]]] = defaultdict(list)
        for row in work.run(_CHANGES):
            self._changes[row.assignment_id].append(row)

    def at(self, assignment_id: int, instant: datetime) -> timedelta:
        """How long whoever it rang, or rings next, had to be left in peace by then.

        The shortest that may have been read: until a change is a wall, what was before it may have been.
        """
        changes = self._changes.get(assignment_id)
        read = {changes[0].before if changes else self._now[assignment_id]}
        for change in changes or ():
            if change.walled_at is not None and change.walled_at < instant:
                read = {change.after}
            elif change.changed_at <= instant:
                read.add(change.after)
        return timedelta(seconds=min(read))


def rung_inside_the_gap(work: Work) -> tuple[int, int]:
    """How many rings came too soon: to a number that had been rung, and to a customer."""
    gaps, rings = PastGaps(work), work.run(_RINGS).all()
    return _too_soon(rings, "e164", gaps), _too_soon(rings, "customer_id", gaps)


def _too_soon(rings: Iterable[Row[Any]], subject: str, gaps: PastGaps) -> int:
    """`rings` in their order. Of each assignment the last ring is the one that forbids the longest."""
    last: dict[object, dict[int, datetime]] = defaultdict(dict)
    found = 0
    for ring in rings:
        before = last[getattr(ring, subject)]
        found += ring.known and not ring.promised and _inside(ring, before, gaps)
        known = before.get(ring.assignment_id, ring.counts_from)
        before[ring.assignment_id] = max(known, ring.counts_from)
    return found


def _inside(ring: Row[Any], before: Mapping[int, datetime], gaps: PastGaps) -> bool:
    mine = gaps.at(ring.assignment_id, ring.decided_at) if before else timedelta()
    return any(ring.rung_at - at < max(mine, gaps.at(rang, ring.decided_at)) for rang, at in before.items())
