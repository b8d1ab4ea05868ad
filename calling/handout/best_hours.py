"""Orders that depend on the hour: customers come first where they answer best just now (design 6).

What is learned of calls (calling/views/best_times.py) is kept as a *lift* for each hour of the week and
place: how many times likelier somebody there answers in that hour than in all called hours of that place.
So everybody is called at *their* best hour; a place that answers well all day does not starve the others.
A clock lags behind the best open one by so many tenths of its lift: less than a tenth is no difference.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import text

from calling.hours.clocks import Clock
from calling.hours.opening import read_known
from calling.views.best_times import HOURS_OF_A_WEEK, BestTimes, Slot, best_times
from models.errors import NotFound
from models.work import OpenWork, Work
from models.zones import zone

LEARNED_EVERY = timedelta(hours=1)
"""Business time after which what was learned is learned anew."""

TENTHS = 10
EVERYWHERE = ""

_SET = text("""
    insert into best_hours (crm_id, assignment_id, ordering, changed_by, changed_at)
    select :crm_id, a.id, :ordering, :author, :now
      from assignment a where a.crm_id = :crm_id and a.id = :assignment_id
    on conflict (crm_id, assignment_id) do update
       set ordering = excluded.ordering, changed_by = excluded.changed_by, changed_at = excluded.changed_at
    returning assignment_id
""")
_LEARNED = text("""
    update best_hours set lifts = cast(:lifts as jsonb), learned_at = :now
     where crm_id = :crm_id and assignment_id = :assignment_id and ordering
""")
_STALE = text("""
    select assignment_id from best_hours
     where crm_id = :crm_id and ordering and (learned_at is null or learned_at <= :before)
     order by assignment_id
""")
_STANDING = text("""
    select coalesce(b.ordering, false) as ordering, b.changed_by, b.changed_at, b.learned_at
      from assignment a
      left join best_hours b on b.crm_id = :crm_id and b.assignment_id = a.id
     where a.crm_id = :crm_id and a.id = :assignment_id
""")

Lifts = Mapping[str, list[float]]
"""Place, or EVERYWHERE -> the lift of each hour of the week, Monday's first hour first."""


def order_by_hour(work: Work, assignment_id: int, *, ordering: bool, author: str) -> None:
    """Have an assignment call first, among equally often tried customers, where they answer best at the hour.

    It takes effect at the next allocation. Raises NotFound.
    """
    if work.run(_SET, assignment_id=assignment_id, ordering=ordering, author=author).first() is None:
        raise NotFound("assignment", assignment_id)
    if ordering:
        _learn(work, assignment_id)
    work.hint("allocate", assignment_id)


def standing_order(work: Work, assignment_id: int) -> dict[str, Any]:
    """Whether an assignment orders by the hour, since when by whose word, and when it last learned (UTC).

    Raises NotFound.
    """
    row = work.run(_STANDING, assignment_id=assignment_id).mappings().first()
    if row is None:
        raise NotFound("assignment", assignment_id)
    return dict(row)


def learn_best_hours(open_work: OpenWork) -> int:
    """Learn anew for every assignment that orders by the hour and is due; how many. A tick."""
    with open_work() as work:
        stale = list(work.run(_STALE, before=work.now - LEARNED_EVERY).scalars())
    for assignment_id in stale:
        with open_work() as work:
            _learn(work, assignment_id)
    return len(stale)


def lags(work: Work, lifts: Lifts | None, clock_ids: Iterable[Iterable[int]]) -> dict[int, int]:
    """By how many tenths each open clock lags behind the best one at this hour; who does not is left out.

    `lifts`: what was learned, None if the assignment does not order by the hour. `clock_ids`: the open ones,
    segment by segment.
    """
    if not lifts:
        return {}
    known = read_known(work, sorted(set().union(*clock_ids)))
    there = {clock.id: lift_of(lifts, clock, work.now) for clock in known.values()}
    best = max(there.values(), default=0.0)
    late = {key: int(TENTHS * (1 - lift / best)) for key, lift in sorted(there.items())} if best else {}
    return {key: lag for key, lag in late.items() if lag}


def lift_of(lifts: Lifts, clock: Clock, now: datetime) -> float:
    """The lift of a clock at an instant (UTC): the mean over its places and candidate zones."""
    hours = {(at.weekday() * 24 + at.hour) for name in clock.zones for at in [now.astimezone(zone(name))]}
    weeks = [lifts[place] for place in clock.places if place in lifts] or [lifts[EVERYWHERE]]
    found = [week[hour] for week in weeks for hour in hours]
    return sum(found) / len(found) if found else 0.0


def _learn(work: Work, assignment_id: int) -> None:
    lifts = lifts_of(best_times(work, assignment_id))
    work.run(_LEARNED, assignment_id=assignment_id, lifts=orjson.dumps(lifts).decode())


def lifts_of(found: BestTimes) -> dict[str, list[float]]:
    """The lifts of all hours of the week: everywhere, and at the places that are known apart."""
    return {EVERYWHERE: _lifts(found.slots)} | {place: _lifts(s) for place, s in found.places.items()}


def _lifts(slots: list[Slot]) -> list[float]:
    attempts = sum(slot.attempts for slot in slots)
    mean = sum(slot.attempts * slot.rate for slot in slots) / attempts if attempts else 0.0
    if not mean:
        return [1.0] * HOURS_OF_A_WEEK
    by_hour = sorted(slots, key=lambda slot: (slot.weekday, slot.hour))
    return [round(slot.rate / mean, 3) for slot in by_hour]
