"""The segments of an assignment as a manager steers them: where their customers stand, held ones, pauses."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from calling.segments.selection import NOBODY
from models.tables.assignments import UNSEGMENTED
from models.work import Work
from segmentation.nodes import dump_node

_SEGMENTS = text("""
    with standing as (
        select segment_id, count(*) as size,
               count(*) filter (where state = 'ready' and gated_by is null) as free,
               count(*) filter (where state = 'ready' and gated_by is not null) as gated,
               count(*) filter (where state = 'leased') as leased,
               count(*) filter (where state = 'resting') as resting,
               count(*) filter (where state = 'follow_up') as follow_up,
               count(*) filter (where state = 'closed') as closed
          from placement
         where crm_id = :crm_id and assignment_id = :assignment_id and state not in ('left', 'anonymised')
         group by segment_id
    ), held as (
        select segment_id, count(*) as held from hold
         where crm_id = :crm_id and assignment_id = :assignment_id
           and (expires_at is null or expires_at > :now)
         group by segment_id
    )
    select s.id, s.key, s.name, s.position, s.rule, coalesce(p.size, 0) as size, coalesce(p.free, 0) as free,
           coalesce(p.gated, 0) as gated, coalesce(p.leased, 0) as leased, coalesce(p.resting, 0) as resting,
           coalesce(p.follow_up, 0) as follow_up, coalesce(p.closed, 0) as closed,
           coalesce(h.held, 0) as held,
           w.scope as pause_scope, w.reason as pause_reason, w.author as pause_author,
           w.ends_at as pause_ends_at
      from segment s
      left join standing p on p.segment_id = s.id
      left join held h on h.segment_id = s.id
      left join lateral (
           select scope, reason, author, ends_at from pause w
            where w.crm_id = :crm_id and w.lifted_at is null and (w.ends_at is null or w.ends_at > :now)
              and ((w.scope = 'segment' and w.target_id = s.id)
                or (w.scope = 'assignment' and w.target_id = s.assignment_id)
                or w.scope in ('crm', 'owner', 'everything'))
            order by w.scope <> 'segment', w.ends_at desc nulls first, w.id limit 1) w on true
     where s.crm_id = :crm_id and s.assignment_id = :assignment_id and s.retired_at is null
     order by s.position, s.id
""")
_DELETED = text("""
    select s.id, s.key, s.name, s.retired_at as deleted_at,
           (select count(*) from placement p
             where p.crm_id = :crm_id and p.assignment_id = s.assignment_id and p.segment_id = s.id
               and p.state not in ('left', 'anonymised')) as size
      from segment s
     where s.crm_id = :crm_id and s.assignment_id = :assignment_id and s.retired_at is not null
       and s.id > :after
     order by s.id limit :most
""")


@dataclass(frozen=True, slots=True)
class StandingPause:
    """Why nothing of the segment is handed out. `scope`: segment, or what it is part of."""

    scope: str
    reason: str
    author: str
    ends_at: datetime | None


@dataclass(frozen=True, slots=True)
class SegmentNow:
    """One segment. Size = free + gated + leased + resting + follow_up + closed; `held` of them by hand.

    `by_hand`: its rule is met by nobody, only people put customers into it.
    """

    id: int
    key: str
    name: str
    position: int
    by_hand: bool
    size: int
    free: int
    gated: int
    leased: int
    resting: int
    follow_up: int
    closed: int
    held: int
    pause: StandingPause | None

    @property
    def is_unsegmented(self) -> bool:
        """Whether it is where everybody is who matches no rule; it stays, and has no name of its own."""
        return self.key == UNSEGMENTED


def segment_list(work: Work, assignment_id: int) -> list[SegmentNow]:
    """Every segment of an assignment, in order of priority. One pass over its placements."""
    nobody = dump_node(NOBODY)
    return [
        SegmentNow(
            row.id, row.key, row.name, row.position, row.rule == nobody, row.size, row.free, row.gated,
            row.leased, row.resting, row.follow_up, row.closed, row.held,
            StandingPause(row.pause_scope, row.pause_reason, row.pause_author, row.pause_ends_at)
            if row.pause_scope else None,
        )
        for row in work.run(_SEGMENTS, assignment_id=assignment_id)
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class DeletedSegment:
    """A segment that was deleted (UTC). `size`: so many still stand there, until the rebuild takes them."""

    id: int
    key: str
    name: str
    deleted_at: datetime
    size: int


def deleted_segments(work: Work, assignment_id: int, after: int, most: int) -> list[DeletedSegment]:
    """Deleted segments with an id above `after`: their history stays, and a roll back brings them back."""
    rows = work.run(_DELETED, assignment_id=assignment_id, after=after, most=most)
    return [DeletedSegment(**row._mapping) for row in rows]
