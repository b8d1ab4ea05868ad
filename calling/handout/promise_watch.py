"""The tick of promised calls that are due: whose they are by now, and that nobody else is in the way.

The grace of a personal one runs while it could be rung, at a stretch: hours, a pause or a gate that holds it
stop the clock, and begin it anew. Whoever is wanted for a promise is kept free of all else meanwhile.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from calling.handout import placements
from calling.handout.closing import Closing, bound, closing_at, worked_segments
from calling.handout.needs import hungry_and_there
from calling.handout.promised import BATCH, due_promises, match
from calling.handout.recalling import recall
from calling.hours.opening import Openings, openings
from calling.walls import pauses
from models.work import OpenWork, Work

AWAY_FOR_THE_DAY = timedelta(hours=1)
"""Business time, in hours at which they might have rung, after which nobody waits for an owner who is away
without a word, or has not come back when they said."""

KEPT_FREE = timedelta(minutes=2)
"""For so long from a look on, whoever is wanted for a promise is offered to nobody for anything else."""

_DUE = text("""
    select a.id from assignment a
     where a.crm_id = :crm_id
       and (select min(f.due_at) from follow_up f
             where f.crm_id = :crm_id and f.assignment_id = a.id and f.ended_at is null) <= :now
     order by a.id
""")
# What was opened or shut since the last look; a paused segment has no doors. By keys whatever the planner has
# heard of the tables' sizes (offset 0): before the first ANALYZE every promise was read for each seller.
_TURNED = text(f"""
    select f.id, f.customer_id,
           case when not stands.open then null
                when stands.gone then cast(:now as timestamptz)
                else :now + stands.grace end as anybodys_at
      from seller s
     cross join lateral (
        select f.* from follow_up f
         where f.crm_id = :crm_id and f.seller_id = s.id and f.ended_at is null and f.due_at <= :now
        offset 0) f
      join assignment a on a.crm_id = :crm_id and a.id = f.assignment_id
     cross join lateral (
        select p.* from placement p
         where p.crm_id = :crm_id and p.assignment_id = f.assignment_id and p.customer_id = f.customer_id
           and p.state = 'follow_up' offset 0) p
      left join unnest(cast(:segments as bigint[]), cast(:hours as bigint[]), cast(:hours_then as bigint[]))
                as door(segment_id, hours, hours_then) on door.segment_id = p.segment_id
     cross join lateral (
        select p.gated_by is null
               and coalesce(door.hours + p.clock_id = any(cast(:open as bigint[])), false) as open,
               coalesce(s.off_until > cast(:now as timestamptz), false)
               or (s.presence = 'away'
                   and greatest(s.presence_since, s.back_at) <= cast(:now as timestamptz)
                                           - interval '{AWAY_FOR_THE_DAY.total_seconds():.0f} seconds'
                   and coalesce(door.hours_then + p.clock_id = any(cast(:open_then as bigint[])), false)
                  ) as gone,
               a.follow_up_grace_seconds * interval '1 second' as grace) stands
     where s.crm_id = :crm_id and f.assignment_id = :assignment_id
       and case when not stands.open then f.anybodys_at is not null
                else f.anybodys_at is null or (stands.gone and f.anybodys_at > :now) end
     limit :batch
""")  # noqa: S608 - our own words
_TURN = text("""
    update follow_up f set anybodys_at = t.anybodys_at
      from unnest(cast(:ids as bigint[]), cast(:anybodys as timestamptz[])) as t(id, anybodys_at)
     where f.crm_id = :crm_id and f.id = t.id and f.ended_at is null and f.due_at <= :now
""")
_UNKEPT = text("""
    select id, customer_id from follow_up
     where crm_id = :crm_id and id = any(:ids) and ended_at is null
       and (kept_free_until is null or kept_free_until < :soon)
""")
_KEEP_FREE = text("""
    update follow_up set kept_free_until = :until
     where crm_id = :crm_id and id = any(:ids) and ended_at is null
""")
# Theirs, and whoever's call holds a number of theirs.
_IN_THE_WAY = text("""
    select l.id from unnest(cast(:customers as bigint[])) as wanted(customer_id)
     cross join lateral (
        select c.lease_id from claim_customer c
         where c.crm_id = :crm_id and c.customer_id = wanted.customer_id
        union
        select n.lease_id from customer_number m
          join claim_number n on n.crm_id = :crm_id and n.e164 = m.e164
         where m.crm_id = :crm_id and m.customer_id = wanted.customer_id) held
      join lease l on l.crm_id = :crm_id and l.id = held.lease_id
     where l.ended_at is null and l.state = 'offered' and l.follow_up_id is null and l.hot_lead_id is null
       and not exists (select from recall r where r.crm_id = :crm_id and r.lease_id = l.id)
     order by l.id
""")


def watch_promises(open_work: OpenWork) -> int:
    """Look after every due promise of the CRM; how many leases are recalled for one.

    Personal ones become everybody's in time. Whom somebody is there to ring is kept free of all else; who is
    offered for something else is wanted back as soon as somebody has room for the promise. Once a recall is
    confirmed it is handed out. Whoever has taken or rung them goes on.
    """
    with open_work() as work:
        assignments = list(work.run(_DUE).scalars())
    recalled = 0
    for assignment_id in assignments:
        with open_work() as work:
            leases = _look(work, assignment_id)
        if leases:
            with open_work() as work:
                recall(work, leases, "a promised call is due", states=["offered"])
        recalled += len(leases)
    return recalled


def _look(work: Work, assignment_id: int) -> list[UUID]:
    """One assignment; the leases that are in the way of somebody with room for a promise."""
    standing, known = pauses.standing(work), openings(work)
    segments = worked_segments(work, standing, assignment_id)
    closing = closing_at(known, assignment_id, segments, work.now)
    turned = _turned(work, assignment_id, known, closing)
    hungry, there = hungry_and_there(work, standing, assignment_id)
    for need in (*hungry, *there):
        need.forbidden = known.without_robots() if need.robot else frozenset()
    found = due_promises(work, assignment_id, there, closing, even_offered=True) if there else []
    soon = work.now + KEPT_FREE / 2
    unkept = work.run(_UNKEPT, ids=[due.follow_up_id for due in found], soon=soon).all() if found else []
    _write(work, turned, unkept)
    # Somebody with room would be dealt them at once, but for what is in the way.
    wanted = [due.customer_id for due, _ in match(found, hungry, closing, work.now)]
    if not wanted:
        return []
    work.hint("allocate", assignment_id)
    return sorted(in_the_way(work, wanted))


def in_the_way(work: Work, customers: Sequence[int]) -> set[UUID]:
    """What is offered of these customers, or of whoever shares a number with them, and jumps no queue."""
    return set(work.run(_IN_THE_WAY, customers=list(customers)).scalars()) if customers else set()


def _turned(work: Work, assignment_id: int, known: Openings, closing: Closing) -> Sequence[Row[Any]]:
    """The personal ones whose grace begins, is over early, or stops."""
    segments = list(closing)
    then = bound(closing_at(known, assignment_id, segments, work.now - AWAY_FOR_THE_DAY), segments)
    return work.run(
        _TURNED, assignment_id=assignment_id, batch=BATCH, **bound(closing, segments),
        hours_then=then["hours"], open_then=then["open"],
    ).all()  # fmt: skip


def _write(work: Work, turned: Sequence[Row[Any]], unkept: Sequence[Row[Any]]) -> None:
    """A follow-up's rows are written by who holds its placement's lock: it may end at this very moment."""
    if not (turned or unkept):
        return
    placements.lock(work, [row.customer_id for row in (*turned, *unkept)])
    if turned:
        work.run(_TURN, ids=[row.id for row in turned], anybodys=[row.anybodys_at for row in turned])
    if unkept:
        work.run(_KEEP_FREE, ids=[row.id for row in unkept], until=work.now + KEPT_FREE)
