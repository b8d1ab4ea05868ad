"""When a worked list runs dry, if it goes on as in the last hour.

Customers are reckoned by segment and clock, a quarter of an hour at a time: who is free now or promised a
call by now, who comes back from a rest or from behind a gate, which clocks open and close. Who is rung
meanwhile, or held elsewhere, and comes back is not among them, so it may last longer, and never shorter for
that. What may be called now is what the funnel says.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import chain

from sqlalchemy import text

from calling.hours.opening import Doors, openings
from calling.views.browse import assignment
from calling.views.stepped_over import SteppedOver, forbidden_to_all, stepped_over
from calling.walls import pauses
from models.work import Work

STEP = timedelta(minutes=15)
HORIZON = timedelta(hours=24)
LOOK_BACK = timedelta(hours=1)
SHORTEST = timedelta(minutes=5)
"""Of work that says how fast it goes; what began less than this ago is not believed to be faster."""

Place = tuple[int, int]
"""(segment, clock): who shares both is open at the same time."""

# Each ring is a lease, whatever was said of it and however late.
_RUNG = text("""
    select count(*) as rings, min(rung_at) as first from lease
     where crm_id = :crm_id and assignment_id = :assignment_id and rung_at > :since
""")
_FREE = text("""
    select p.segment_id, p.clock_id, -1 as step, count(*) as customers
      from placement p
      join segment s on s.crm_id = :crm_id and s.id = p.segment_id and s.retired_at is null
     where p.crm_id = :crm_id and p.assignment_id = :assignment_id
       and (p.state = 'ready' or (p.state = 'follow_up' and p.due_at <= :now)) and p.gated_by is null
     group by p.segment_id, p.clock_id
""")
# Who comes back by time alone; `step` counts from now. A rest that is over ends with the next tick, in the
# first step; a promise that is due is free now.
_COMING = text("""
    select segment_id, clock_id, greatest(0, floor(extract(epoch from at - :now) / :seconds))::int as step,
           count(*) as customers
      from (select segment_id, clock_id, greatest(due_at, gated_until) as at from placement
             where crm_id = :crm_id and assignment_id = :assignment_id
               and state in ('resting', 'follow_up') and due_at <= :until
               and not (state = 'follow_up' and due_at <= :now and gated_by is null)
               and (gated_by is null or gated_until <= :until)
            union all
            select segment_id, clock_id, gated_until from placement
             where crm_id = :crm_id and assignment_id = :assignment_id
               and state = 'ready' and gated_by is not null and gated_until <= :until) coming
     group by 1, 2, 3
""")


@dataclass(frozen=True, slots=True)
class Point:
    """What the list holds at an instant (UTC): customers who may be rung, and who wait for their hours.

    `refused` wait for a newer version of a register instead: theirs is too old to call by then.
    """

    at: datetime
    callable: int
    waiting: int
    refused: int = 0


@dataclass(frozen=True, slots=True)
class Forecast:
    """`rings_an_hour` as in the last hour. `course`: a point each quarter of an hour, the first is now.

    `dry_at` (UTC): from then on nobody may be rung, for a while at least; None: not within the horizon.
    `waiting` of its customers wait for their hours then, and `refused` for a newer version of their register;
    with neither the customers themselves run out.
    """

    rings_an_hour: float
    callable_now: int
    dry_at: datetime | None
    waiting: int
    course: list[Point]
    refused: int = 0


def forecast(work: Work, assignment_id: int) -> Forecast:
    """What becomes of an assignment's list in the next 24 hours. Raises NotFound."""
    assignment(work, assignment_id)
    rate = _rings_an_hour(work, assignment_id)
    free, coming = _customers(work, assignment_id)
    known = openings(work, sorted({clock for _, clock in _places(free, coming)}))
    forbidden = forbidden_to_all(work, assignment_id, known)
    for found in (free, *coming.values()):
        for place in [place for place in found if place[1] in forbidden]:
            del found[place]
    places = _places(free, coming)
    doors = {segment: known.of(assignment_id, segment) for segment, _ in places}
    course = list(_course(work.now, doors, free, coming, rate))
    dry = _dry(course, rate)
    return Forecast(
        rate, course[0].callable, dry.at if dry else None, dry.waiting if dry else 0, course,
        dry.refused if dry else 0,
    )  # fmt: skip


def _rings_an_hour(work: Work, assignment_id: int) -> float:
    row = work.run(_RUNG, assignment_id=assignment_id, since=work.now - LOOK_BACK).one()
    if not row.rings:
        return 0.0
    return float(row.rings / (max(work.now - row.first, SHORTEST) / timedelta(hours=1)))


def _places(free: Counter[Place], coming: Mapping[int, Counter[Place]]) -> set[Place]:
    return {*free, *chain.from_iterable(coming.values())}


def _customers(work: Work, assignment_id: int) -> tuple[Counter[Place], dict[int, Counter[Place]]]:
    """Free customers by place, and by step and place those who come; none of what is paused for longer."""
    standing = pauses.standing(work)
    over: dict[Place, list[SteppedOver]] = {}
    for one in stepped_over(work, assignment_id):
        over.setdefault((one.segment_id, one.clock_id), []).append(one)
    free: Counter[Place] = Counter()
    coming: dict[int, Counter[Place]] = {}
    bound = {"seconds": STEP.total_seconds(), "until": work.now + HORIZON, "assignment_id": assignment_id}
    for row in (*work.run(_FREE, assignment_id=assignment_id), *work.run(_COMING, **bound)):
        paused = standing.shut(assignment_id=assignment_id, segment_id=row.segment_id)
        if paused is not None and paused[1] is None:
            continue  # until somebody resumes it
        ends = int((paused[1] - work.now) / STEP) if paused and paused[1] else -1
        place = row.segment_id, row.clock_id
        here = row.customers
        for one in over.pop(place, ()) if row.step < 0 else ():
            some = min(one.customers, here)
            here -= some
            if one.until is not None:
                _come(coming, max(ends, int((one.until - work.now) / STEP)), place, some)
        step = max(row.step, ends)
        if step < 0:
            free[place] += here
        else:
            _come(coming, step, place, here)
    return free, coming


def _come(coming: dict[int, Counter[Place]], step: int, place: Place, customers: int) -> None:
    coming.setdefault(step, Counter())[place] += customers


def _course(
    now: datetime, doors: Mapping[int, Doors], free: Mapping[Place, int],
    coming: Mapping[int, Mapping[Place, int]], rings_an_hour: float,
) -> Iterator[Point]:  # fmt: skip
    """Step by step: who comes, who may be rung, and that as many are rung as in the last hour."""
    stock = {place: float(customers) for place, customers in free.items()}
    rings = rings_an_hour * (STEP / timedelta(hours=1))
    for step in range(HORIZON // STEP + 1):
        at = now + step * STEP
        open_now = {place for place in stock if doors[place[0]].is_open(place[1], at)}
        there = sum(stock[place] for place in open_now)
        refused = sum(stock[place] for place in stock if doors[place[0]].refused(place[1], at))
        yield Point(at, round(there), round(sum(stock.values()) - there - refused), round(refused))
        left = max(0.0, 1 - rings / there) if there else 0.0
        for place in open_now:
            stock[place] *= left
        for place, customers in coming.get(step, {}).items():
            stock[place] = stock.get(place, 0.0) + customers


def _dry(course: list[Point], rings_an_hour: float) -> Point | None:
    """The first at which nobody may be rung, or the instant before it at which the last one is."""
    for before, point in zip([None, *course], course, strict=False):
        if point.callable:
            continue
        if before is None or not rings_an_hour:
            return point
        last = before.at + timedelta(hours=before.callable / rings_an_hour)
        return replace(point, at=min(point.at, last))
    return None
