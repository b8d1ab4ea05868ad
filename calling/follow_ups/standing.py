"""When a promised call will really be: behind hours, pauses and gates, in the segment that they are in.

A call is reckoned when it is asked for; the same outcome may then move the customer to a segment under other
hours, and be the last ring that a limit allows. So it is looked at once more before anybody is told.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Row, text

from calling.follow_ups.asking import Asked, still_known, told
from calling.follow_ups.wall_time import wall_of
from calling.handout.gates import STAMPED
from calling.hours.opening import Doors, openings
from calling.hours.zones import zone
from calling.segments.following import follow
from calling.walls.pauses import Pauses, standing
from models.tables import FOREVER
from models.work import Work

if TYPE_CHECKING:
    from calling.follow_ups.putting import Promised

Key = TypeVar("Key")

_MEANINGS = {gate.name: gate.meaning for gate in STAMPED}

_PLACED = text("""
    select p.assignment_id, p.customer_id, p.segment_id, p.clock_id, p.gated_by, p.gated_until
      from unnest(cast(:assignments as bigint[]), cast(:customers as bigint[]))
           as w(assignment_id, customer_id)
      join placement p on p.crm_id = :crm_id and p.assignment_id = w.assignment_id
                      and p.customer_id = w.customer_id
""")
_SLIDE = text("""
    with slid as (
        update follow_up f set due_at = t.due_at, anybodys_at = null
          from unnest(cast(:ids as bigint[]), cast(:dues as timestamptz[])) as t(id, due_at)
         where f.crm_id = :crm_id and f.id = t.id and f.ended_at is null
        returning f.assignment_id, f.customer_id, f.due_at
    )
    update placement p
       set due_at = case when p.state = 'follow_up' then s.due_at else p.due_at end,
           return_due_at = case when p.return_state = 'follow_up' then s.due_at else p.return_due_at end
      from slid s
     where p.crm_id = :crm_id and p.assignment_id = s.assignment_id and p.customer_id = s.customer_id
""")


def will_be(at: datetime, row: Row[Any], hours: Doors, paused: Pauses) -> datetime | None:
    """The first instant from `at` on at which hours, pauses and the stamp of `row` let it be rung.

    As they stand now; None: somebody has to act first. `row`: of the placement.
    """
    if row.gated_by is not None:
        if row.gated_until >= FOREVER:
            return None
        at = max(at, row.gated_until)
    while True:
        stop = paused.shut(assignment_id=row.assignment_id, segment_id=row.segment_id, at=at)
        if stop is not None and stop[1] is None:
            return None
        opening = hours.next_opening(row.clock_id, stop[1] if stop and stop[1] else at)
        if opening is None or opening == at:
            return opening
        at = opening


def never_opens(at: datetime, clock_id: int, hours: Doors) -> str:
    """Why no hour from `at` on opens a clock, in words; empty: one does."""
    if hours.next_opening(clock_id, at) is not None:
        return ""
    opening = hours.hours.next_opening(hours.clocks[clock_id], at)
    stale = hours.refused(clock_id, opening) if opening is not None else None
    return f"{stale.register} is too old by then, load a newer version" if stale else "their hours never open"


def as_they_stand(
    work: Work, made: "Mapping[Key, Promised]", asked: Mapping[Key, Asked]
) -> "dict[Key, Promised]":
    """Promises that were just written, due when the hours of their segment are open, and with what to tell.

    The placements are locked, stamped and in their segments.
    """
    if not made:
        return {}
    rows = _rows(work, list(made.values()))
    known = openings(work, sorted({row.clock_id for row in rows.values()}))
    paused = standing(work)
    after: dict[Key, Promised] = {}
    for key, one in made.items():
        row = rows[one.assignment_id, one.customer_id]
        hours = known.of(row.assignment_id, row.segment_id)
        due_at = hours.next_opening(row.clock_id, one.due_at) or one.due_at
        said = told(asked[key].reading, one.zone, one.asked_at, due_at)
        stops = _stops(one, due_at, row, hours, paused)
        after[key] = replace(one, due_at=due_at, told="; ".join(filter(None, (said, stops))))
    slid = [one for key, one in after.items() if one.due_at != made[key].due_at]
    if slid:
        work.run(_SLIDE, ids=[one.id for one in slid], dues=[one.due_at for one in slid])
        # The due time is a fact that rules ask; where that moves them on, they are due as told (P6).
        for assignment_id in sorted({one.assignment_id for one in slid}):
            there = [one.customer_id for one in slid if one.assignment_id == assignment_id]
            follow(work, assignment_id, there, "due", "event")
    return after


def _rows(work: Work, made: "Sequence[Promised]") -> dict[tuple[int, int], Row[Any]]:
    asked = {
        "assignments": [one.assignment_id for one in made], "customers": [one.customer_id for one in made],
    }  # fmt: skip
    return {(row.assignment_id, row.customer_id): row for row in work.run(_PLACED, **asked)}


def _stops(one: "Promised", due_at: datetime, row: Row[Any], hours: Doors, paused: Pauses) -> str:
    """What else but hours keeps it from being rung when it is due, in words; empty: nothing does."""
    first = will_be(due_at, row, hours, paused)
    if first == due_at:
        return ""
    acted_on = row.gated_by is not None and row.gated_until >= FOREVER
    if not acted_on and (why := never_opens(due_at, row.clock_id, hours)):
        return f"nobody may be rung then as things stand: {why}"
    why = _MEANINGS.get(row.gated_by, "")
    if not why or (first is not None and row.gated_until <= due_at):
        why = "what they are in is paused"
    if first is None:
        return f"{why}: nobody may ring until somebody acts"
    return f"{why}: {wall_of(zone(still_known(one.zone)), first):%a %d %b %H:%M} is the first time"
