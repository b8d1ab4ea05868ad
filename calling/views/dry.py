"""Lists that are dry: somebody wants customers, there are some, and nobody may be rung. With the reason."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from calling.hours.opening import REGISTER_STALE, openings
from calling.views.funnel import funnel, why_dry
from calling.views.stepped_over import HELD_BY_ANYBODY, KEPT_FREE, forbidden_to_all
from calling.walls import pauses
from models.work import Work

_WANTING = text("""
    select assignment_id as id, a.name
      from (select assignment_id from seller
             where crm_id = :crm_id and presence = 'available' and assignment_id is not null
            union
            select assignment_id from dialer
             where crm_id = :crm_id and wanted > 0 and assignment_id is not null) w
      join assignment a on a.crm_id = :crm_id and a.id = w.assignment_id
     order by assignment_id
""")
# From pair to pair by index, however many customers each has; whom a hand-out steps over does not count.
_READY = text(f"""
    with recursive over as materialized (
        {HELD_BY_ANYBODY}
        union
        select customer_id from ({KEPT_FREE}) kept
    ), pair as (
        (select segment_id, clock_id from placement
          where crm_id = :crm_id and assignment_id = :assignment_id and state = 'ready' and gated_by is null
          order by segment_id, clock_id limit 1)
        union all
        select next.segment_id, next.clock_id
          from pair cross join lateral (
               select segment_id, clock_id from placement
                where crm_id = :crm_id and assignment_id = :assignment_id
                  and state = 'ready' and gated_by is null
                  and (segment_id, clock_id) > (pair.segment_id, pair.clock_id)
                order by segment_id, clock_id limit 1) next)
    select p.segment_id, p.clock_id
      from pair p join segment s on s.crm_id = :crm_id and s.id = p.segment_id and s.retired_at is null
     where exists (select from placement free
                    where free.crm_id = :crm_id and free.assignment_id = :assignment_id
                      and free.state = 'ready' and free.gated_by is null
                      and free.segment_id = p.segment_id and free.clock_id = p.clock_id
                      and free.customer_id not in (select over.customer_id from over))
""")  # noqa: S608 - our own words
_PROMISED = text(f"""
    with held as materialized ({HELD_BY_ANYBODY}
    )
    select distinct segment_id, clock_id from placement
     where crm_id = :crm_id and state = 'follow_up' and due_at <= :now and assignment_id = :assignment_id
       and gated_by is null and customer_id not in (select customer_id from held)
""")  # noqa: S608 - our own words

_NO_MORNING_OPENS = frozenset({REGISTER_STALE, "zone_unknown"})


@dataclass(frozen=True, slots=True)
class DryList:
    """An assignment that somebody works and that has nobody to ring. Most of `customers` stop at `gate`.

    `stopped` of them; `next_at` (UTC): when time lets the first on, None: somebody has to act. `after_hours`:
    the hours of none of them are open, so that nobody is alarmed: it is their night. Never where most stop at
    what no morning opens: a register that is too old, or that nobody knows where they are.
    """

    assignment_id: int
    name: str
    customers: int
    gate: str
    meaning: str
    stopped: int
    next_at: datetime | None
    after_hours: bool


def wanting(work: Work) -> dict[int, str]:
    """The assignments for which a seller is available or a dialer wants orders: id -> name."""
    return {row.id: row.name for row in work.run(_WANTING)}


def dry_lists(work: Work) -> list[DryList]:
    """Every list that is dry now. One whose customers are all finished is not dry, it is done."""
    found = (dry_list(work, assignment_id, name) for assignment_id, name in wanting(work).items())
    return [one for one in found if one is not None]


def dry_list(work: Work, assignment_id: int, name: str) -> DryList | None:
    """A list that somebody works, if it is dry now."""
    if has_somebody(work, assignment_id):
        return None
    stands = funnel(work, assignment_id)
    most = why_dry(stands)
    if most is None or stands.callable_now:
        return None
    return DryList(
        assignment_id, name, stands.total, most.gate, most.meaning, most.customers, most.next_at,
        after_hours=not stands.hours_open and most.gate not in _NO_MORNING_OPENS,
    )  # fmt: skip


def has_somebody(work: Work, assignment_id: int) -> bool:
    """Whether anybody of an assignment may be rung now: ready or promised, open, not paused, not gated, and
    stepped over by no hand-out."""
    pairs = [
        (row.segment_id, row.clock_id)
        for statement in (_READY, _PROMISED)
        for row in work.run(statement, assignment_id=assignment_id)
    ]
    standing = pauses.standing(work)
    hours = openings(work, sorted({clock for _, clock in pairs}))
    forbidden = forbidden_to_all(work, assignment_id, hours)
    return any(
        clock not in forbidden
        and hours.of(assignment_id, segment).is_open(clock, work.now)
        and not standing.shut(assignment_id=assignment_id, segment_id=segment)
        for segment, clock in pairs
    )
