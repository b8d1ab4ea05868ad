"""What stops a call to a hot lead now, and until when: said to whoever makes them one."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import text

from calling.handout import gates
from calling.hours.opening import REGISTER_STALE, openings
from calling.views.next_call import callable_at
from calling.walls import pauses
from models.work import Work

_PLACED = text("""
    select p.*, s.retired_at
      from placement p join segment s on s.crm_id = :crm_id and s.id = p.segment_id
     where p.crm_id = :crm_id and p.assignment_id = :assignment_id
       and p.customer_id = any(cast(:customers as bigint[]))
""")


class Stop(NamedTuple):
    """The first gate that is shut; `callable_at` (UTC): when time alone will let them be called, if ever."""

    gate: str
    callable_at: datetime | None


def stopped(work: Work, assignment_id: int, customers: Sequence[int]) -> dict[int, Stop]:
    """Those of these customers who may not be rung now."""
    if not customers:
        return {}
    rows = work.run(_PLACED, assignment_id=assignment_id, customers=list(customers)).all()
    facts = gates.facts_of(work, assignment_id, [row.customer_id for row in rows])
    hours = openings(work, sorted({row.clock_id for row in rows}))
    paused = pauses.standing(work)
    found = {}
    for row in rows:
        doors = hours.of(assignment_id, row.segment_id)
        pause = paused.shut(assignment_id=assignment_id, segment_id=row.segment_id)
        shut = [gate for gate, _ in facts[row.customer_id].shut]
        if pause:
            shut.append("pause")
        if not doors.is_open(row.clock_id, work.now):
            shut.append(REGISTER_STALE if doors.refused(row.clock_id, work.now) else "window")
        if shut:
            found[row.customer_id] = Stop(shut[0], callable_at(work, row, doors))
    return found
