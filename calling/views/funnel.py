"""Why is this list empty? Each customer is counted once, at the first gate that stops them; it adds up.

The gates are those of `explain`, in the same order. Stamped ones are taken as they are stamped, which is how
a hand-out sees them: what time opens counts as shut until the tick has opened it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text

from calling.handout import gates
from calling.hours.opening import REGISTER_STALE, Doors, after_hours, openings
from calling.views.browse import assignment
from calling.views.stepped_over import (
    HELD,
    KEPT,
    MEANINGS,
    ROBOTS,
    SteppedOver,
    forbidden_to_all,
    stepped_over,
)
from calling.walls import pauses
from models.errors import NotFound
from models.tables import FOREVER
from models.work import Work

# One pass, however many there are; what a clock or a pause says is asked once a group. Promised calls whose
# time has come are handed out: they are a group of their own.
_GROUPS = text("""
    with counted as materialized (
        select segment_id, clock_id, state, gated_by, count(*) as customers,
               count(*) filter (where due_at <= :now) as due_now,
               min(due_at) as due_at, min(due_at) filter (where due_at > :now) as later_at,
               min(gated_until) as gated_until
          from placement
         where crm_id = :crm_id and assignment_id = :assignment_id and gone_at is null
           and (cast(:segment_id as bigint) is null or segment_id = :segment_id)
         group by segment_id, clock_id, state, gated_by
    ), parted as (
        select segment_id, clock_id, state, gated_by, customers - due_now as customers,
               later_at as due_at, gated_until
          from counted where state = 'follow_up'
        union all
        select segment_id, clock_id, 'promised now', gated_by, due_now, due_at, gated_until
          from counted where state = 'follow_up'
        union all
        select segment_id, clock_id, state, gated_by, customers, due_at, gated_until
          from counted where state <> 'follow_up'
    )
    select p.*, s.retired_at is not null as deleted
      from parted p join segment s on s.crm_id = :crm_id and s.id = p.segment_id
     where p.customers > 0
""")

_SEGMENT = text("""
    select 1 from segment where crm_id = :crm_id and id = :segment_id and assignment_id = :assignment_id
""")

_STATES = {
    "closed": "finished: a final outcome, all attempts used, or closed by hand",
    "leased": "in somebody's hand or list",
    "resting": "rest after their last call",
    "follow_up": "were promised a call at a time that has not come",
}
_MEANINGS = {
    **_STATES,
    "segment": "their segment was deleted; the rebuild puts them where they belong",
    **{gate.name: gate.meaning for gate in gates.STAMPED},
    HELD: MEANINGS[HELD],
    KEPT: MEANINGS[KEPT],
    "pause": "what they are in is paused",
    REGISTER_STALE: "the register of their country is too old to call by: load a newer version",
    "window": "their hours are shut",
    ROBOTS: MEANINGS[ROBOTS],
}
"""Every gate in the order in which it is asked, and what it means. A hand-out steps over who is held, or kept
free for a promise; a promise that is due here is kept whatever another assignment has promised."""


_Key = tuple[int, int, str]
"""(segment, clock, state)"""


@dataclass(frozen=True, slots=True)
class Step:
    """`customers` stop at this gate. `next_at` (UTC): when time lets the first on; None: somebody has to."""

    gate: str
    meaning: str
    customers: int
    next_at: datetime | None


@dataclass(frozen=True, slots=True)
class Funnel:
    """`total` = the customers of all steps + `callable_now`. Who has left is not among them.

    `hours_open`: false where the timetable alone shuts all who are not finished: the list is after hours.
    """

    total: int
    steps: list[Step]
    callable_now: int
    hours_open: bool = True


def funnel(work: Work, assignment_id: int, segment_id: int | None = None) -> Funnel:
    """Where the customers of an assignment, or of one of its segments, stop now. Raises NotFound."""
    assignment(work, assignment_id)
    if (
        segment_id is not None
        and not work.run(_SEGMENT, assignment_id=assignment_id, segment_id=segment_id).first()
    ):
        raise NotFound("segment", segment_id)
    groups = work.run(_GROUPS, assignment_id=assignment_id, segment_id=segment_id).all()
    over = _by_group(stepped_over(work, assignment_id))
    standing = pauses.standing(work)
    known = openings(work, sorted({group.clock_id for group in groups}))
    doors = {group.segment_id: known.of(assignment_id, group.segment_id) for group in groups}
    forbidden = forbidden_to_all(work, assignment_id, known)
    stopped: dict[str, list[tuple[int, datetime | None]]] = {}
    free = 0
    told = {doors[one.segment_id].by_hours(one.clock_id, work.now) for one in groups if one.state != "closed"}
    for group in groups:
        customers = group.customers
        for one in over.get(_key(group), ()):
            some = min(one.customers, customers)  # counted by another statement, a moment later
            stopped.setdefault(one.gate, []).append((some, one.until))
            customers -= some
        paused = standing.shut(assignment_id=assignment_id, segment_id=group.segment_id)
        hours = doors[group.segment_id]
        shut = _shut(hours, group.clock_id, work.now)
        gate = _first(group, paused=paused is not None, shut=shut)
        if gate is None and group.clock_id in forbidden:
            gate = ROBOTS
        if gate is None:
            free += customers
        elif customers:
            ends = paused[1] if paused else None
            stopped.setdefault(gate, []).append((customers, _next(gate, group, ends, hours, work.now)))
    steps = [_step(gate, stopped[gate]) for gate in _MEANINGS if gate in stopped]
    return Funnel(free + sum(step.customers for step in steps), steps, free, not after_hours(told))


def _shut(hours: Doors, clock_id: int, now: datetime) -> str | None:
    """What shuts the door of a clock; None: nothing."""
    if hours.is_open(clock_id, now):
        return None
    return REGISTER_STALE if hours.refused(clock_id, now) else "window"


def _by_group(found: Iterable[SteppedOver]) -> dict[_Key, list[SteppedOver]]:
    """By the group of whom they are part: ready, or promised now, stopped by no stamp."""
    groups: dict[_Key, list[SteppedOver]] = {}
    for one in found:
        key = (one.segment_id, one.clock_id, "promised now" if one.promised else "ready")
        groups.setdefault(key, []).append(one)
    return groups


def _key(group: Row[Any]) -> _Key:
    """The group by which stepped-over customers are found; of a deleted segment nobody is looked for."""
    free = not group.deleted and group.gated_by is None
    return group.segment_id, group.clock_id, group.state if free else ""


def _first(group: Row[Any], *, paused: bool, shut: str | None) -> str | None:
    """The first gate that stops a group; None: nothing does."""
    if group.state in _STATES:
        return str(group.state)
    if group.deleted:
        return "segment"
    if group.gated_by is not None:
        return str(group.gated_by)
    if paused:
        return "pause"
    return shut


def _next(
    gate: str, group: Row[Any], pause_ends: datetime | None, hours: Doors, now: datetime
) -> datetime | None:
    """When time lets the first of a group pass this gate."""
    if gate in ("resting", "follow_up"):
        return group.due_at  # type: ignore[no-any-return]
    if gate == "pause":
        return pause_ends
    if gate == "window":
        return hours.next_opening(group.clock_id, now)
    if gate == group.gated_by and group.gated_until < FOREVER:
        return group.gated_until  # type: ignore[no-any-return]
    return None


def _step(gate: str, parts: Iterable[tuple[int, datetime | None]]) -> Step:
    found = list(parts)
    nexts = [at for _, at in found if at is not None]
    return Step(
        gate, _MEANINGS[gate], sum(customers for customers, _ in found), min(nexts) if nexts else None
    )


def why_dry(found: Funnel) -> Step | None:
    """The gate at which most of those stop who may still be called one day; None: there is nobody left."""
    waiting = [step for step in found.steps if step.gate != "closed"]
    return max(waiting, key=lambda step: step.customers, default=None)
