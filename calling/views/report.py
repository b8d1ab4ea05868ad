"""What has been done, and what is left: per segment, per hour."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from models.ids import first_id_of
from models.outcomes import EFFECTS
from models.work import Work

CONTACTS = sorted(outcome.value for outcome, effect in EFFECTS.items() if effect.contact)


@dataclass(frozen=True, slots=True)
class SegmentFigures:
    """One segment now: how many are there, in what state, and what was reached among its leases.

    Size = free + gated + leased + resting + closed. `this_hour`: attempts reported in the hour that runs.
    """

    id: int
    key: str
    name: str
    position: int
    paused: bool
    size: int
    free: int
    gated: int
    leased: int
    resting: int
    closed: int
    attempts: int
    contacts: int
    sales: int
    this_hour: int


@dataclass(frozen=True, slots=True)
class Hour:
    """One hour of work: attempts, contacts and sales reported in it."""

    begins: datetime
    attempts: int
    contacts: int
    sales: int


_SEGMENTS = text("""
    with standing as (
        select segment_id, count(*) as size,
               count(*) filter (where state = 'ready' and gated_by is null) as free,
               count(*) filter (where state = 'ready' and gated_by is not null) as gated,
               count(*) filter (where state = 'leased') as leased,
               count(*) filter (where state in ('resting', 'follow_up')) as resting,
               count(*) filter (where state = 'closed') as closed
          from placement
         where crm_id = :crm_id and assignment_id = :assignment_id and state not in ('left', 'anonymised')
         group by segment_id
    ), worked as (
        select segment_id, count(*) as attempts,
               count(*) filter (where outcome = any(:contacts)) as contacts,
               count(*) filter (where outcome = 'sale') as sales,
               count(*) filter (
                   where reported_at >= date_trunc('hour', cast(:now as timestamptz))) as this_hour
          from attempt a
         where crm_id = :crm_id and assignment_id = :assignment_id and revision = 0
         group by segment_id
    )
    select s.id, s.key, s.name, s.position,
           exists (select from pause w where w.crm_id = :crm_id and w.lifted_at is null
                      and (w.ends_at is null or w.ends_at > :now)
                      and ((w.scope = 'segment' and w.target_id = s.id)
                        or (w.scope = 'assignment' and w.target_id = s.assignment_id)
                        or w.scope = 'crm')) as paused,
           coalesce(p.size, 0) as size, coalesce(p.free, 0) as free, coalesce(p.gated, 0) as gated,
           coalesce(p.leased, 0) as leased, coalesce(p.resting, 0) as resting,
           coalesce(p.closed, 0) as closed, coalesce(w.attempts, 0) as attempts,
           coalesce(w.contacts, 0) as contacts, coalesce(w.sales, 0) as sales,
           coalesce(w.this_hour, 0) as this_hour
      from segment s
      left join standing p on p.segment_id = s.id
      left join worked w on w.segment_id = s.id
     where s.crm_id = :crm_id and s.assignment_id = :assignment_id and s.retired_at is null
     order by s.position, s.id
""")
_LABELS = text("""
    with standing as (
        select one.id, count(*) as size from placement p cross join unnest(p.labels) as one(id)
         where p.crm_id = :crm_id and p.assignment_id = :assignment_id
           and p.state not in ('left', 'anonymised')
         group by one.id
    )
    select l.id, l.key, l.name, coalesce(p.size, 0) as size
      from label l left join standing p on p.id = l.id
     where l.crm_id = :crm_id and l.assignment_id = :assignment_id and l.retired_at is null
     order by l.position, l.id
""")
_HOURS = text("""
    select date_trunc('hour', reported_at) as begins, count(*) as attempts,
           count(*) filter (where outcome = any(:contacts)) as contacts,
           count(*) filter (where outcome = 'sale') as sales
      from attempt
     where crm_id = :crm_id and assignment_id = :assignment_id and revision = 0 and lease_id >= :since
       and reported_at >= :from
     group by 1 order by 1
""")


@dataclass(frozen=True, slots=True)
class LabelFigures:
    """One label now, and how many customers have it."""

    id: int
    key: str
    name: str
    size: int


def labels(work: Work, assignment_id: int) -> list[LabelFigures]:
    """Every label of an assignment, in its order."""
    return [LabelFigures(**row._mapping) for row in work.run(_LABELS, assignment_id=assignment_id)]


def segments(work: Work, assignment_id: int) -> list[SegmentFigures]:
    """Every segment of an assignment, in order of priority."""
    rows = work.run(_SEGMENTS, assignment_id=assignment_id, contacts=CONTACTS)
    return [SegmentFigures(**row._mapping) for row in rows]


def hours(work: Work, assignment_id: int, since: datetime) -> list[Hour]:
    """Attempts, contacts and sales per hour (UTC) reported since then; empty hours are left out."""
    earliest: UUID = first_id_of(since.replace(day=1))
    rows = work.run(_HOURS, assignment_id=assignment_id, contacts=CONTACTS, since=earliest, **{"from": since})
    return [Hour(**row._mapping) for row in rows]
