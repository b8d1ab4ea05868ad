"""Promised calls that are late: their time and the grace are over, nobody has rung, and what keeps them."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from calling.hours.opening import REGISTER_STALE, openings
from calling.walls import pauses
from models.work import Work

NOBODY = "nobody"
"""The gate of those that nothing keeps: somebody could have rung, and did not."""

_LATE = text("""
    select a.id as assignment_id, a.name, p.segment_id, p.clock_id, p.gated_by, count(*) as promises,
           min(f.due_at) as since
      from assignment a
      join follow_up f on f.crm_id = :crm_id and f.assignment_id = a.id and f.ended_at is null
                      and f.due_at <= :now - a.follow_up_grace_seconds * interval '1 second'
      join placement p on p.crm_id = :crm_id and p.assignment_id = a.id and p.customer_id = f.customer_id
                      and p.state = 'follow_up'
     where a.crm_id = :crm_id and (cast(:assignment_id as bigint) is null or a.id = :assignment_id)
     group by a.id, a.name, p.segment_id, p.clock_id, p.gated_by
""")


@dataclass(frozen=True, slots=True)
class Late:
    """So many promises of an assignment are late for one reason; the oldest was due at `since` (UTC).

    `gate`: a stamped one, pause, register_stale, window, or `nobody`.
    """

    assignment_id: int
    name: str
    gate: str
    promises: int
    since: datetime


def late_promises(work: Work, assignment_id: int | None = None) -> list[Late]:
    """What is late in one assignment, or in all, by what keeps it; who is on the telephone is not counted."""
    rows = work.run(_LATE, assignment_id=assignment_id).all()
    if not rows:
        return []
    standing = pauses.standing(work)
    known = openings(work, sorted({row.clock_id for row in rows}))
    groups: dict[tuple[int, str, str], list[tuple[int, datetime]]] = defaultdict(list)
    for row in rows:
        gate = row.gated_by or NOBODY
        if standing.shut(assignment_id=row.assignment_id, segment_id=row.segment_id):
            gate = "pause"
        elif not (hours := known.of(row.assignment_id, row.segment_id)).is_open(row.clock_id, work.now):
            shut = REGISTER_STALE if hours.refused(row.clock_id, work.now) else "window"
            gate = row.gated_by or shut
        groups[row.assignment_id, row.name, gate].append((row.promises, row.since))
    return [
        Late(*key, sum(promises for promises, _ in found), min(since for _, since in found))
        for key, found in sorted(groups.items())
    ]
