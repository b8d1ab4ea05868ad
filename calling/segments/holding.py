"""Holds: a manual placing in a segment that wins over rules, and says who, why and until when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from calling.segments.bulk import Progress, Wish, begin, carry_out, untold
from calling.segments.bulk_steps import check_segment
from models.work import OpenWork, Work
from segmentation.resegment import by_rule

_HOLDS = text("""
    select h.customer_id as id, c.external_id, c.name, h.segment_id, s.name as segment, h.author, h.reason,
           h.created_at, h.expires_at
      from hold h
      join placement p on p.crm_id = :crm_id and p.assignment_id = h.assignment_id
                      and p.customer_id = h.customer_id and p.state not in ('left', 'anonymised')
      join customer c on c.crm_id = :crm_id and c.id = h.customer_id
      join segment s on s.crm_id = :crm_id and s.id = h.segment_id and s.retired_at is null
     where h.crm_id = :crm_id and h.assignment_id = :assignment_id and h.customer_id > :after
       and (h.expires_at is null or h.expires_at > :now)
       and h.segment_id = coalesce(:segment_id, h.segment_id)
     order by h.customer_id limit :most
""")
_HELD_IN = text("""
    select segment_id, array_agg(customer_id) as who from hold
     where crm_id = :crm_id and assignment_id = :assignment_id
       and customer_id = any(cast(:customers as bigint[]))
     group by segment_id order by segment_id
""")
_NAMES = text("select id, name from segment where crm_id = :crm_id and assignment_id = :assignment_id")


@dataclass(frozen=True, slots=True)
class Held:
    """A customer by rule in one segment, held in another by somebody, for a reason, until when (UTC)."""

    id: int
    external_id: str
    name: str
    segment_id: int
    segment: str
    author: str
    reason: str
    created_at: datetime
    expires_at: datetime | None
    by_rule_id: int
    by_rule: str


def hold(
    open_work: OpenWork, assignment_id: int, customers: Sequence[int], segment_id: int, *,
    author: str, reason: str, expires_at: datetime | None = None, progress: Progress = untold,
) -> int:  # fmt: skip
    """Hold customers in a segment until released or `expires_at` (UTC); how many moved there.

    State, status and follow-ups stay as they are; offered leases are recalled. Raises BadInput, NotFound.
    """
    wish = Wish(assignment_id, "hold", author, reason, segment_id, expires_at=expires_at)
    with open_work() as work:
        check_segment(work, assignment_id, segment_id)
        action_id = begin(work, wish, customers)
    return carry_out(open_work, action_id, progress).changed


def release(open_work: OpenWork, assignment_id: int, customers: Sequence[int], *, author: str) -> int:
    """Let go of holds; the rules place their customers again. How many moved.

    An action for each segment they are held in: its history tells of its own, and of nobody else's.
    """
    with open_work() as work:
        found = work.run(_HELD_IN, assignment_id=assignment_id, customers=sorted(set(customers))).all()
        begun = [
            begin(
                work, Wish(assignment_id, "release", author, "released", of_segment=one.segment_id), one.who
            )
            for one in found
        ]
    return sum(carry_out(open_work, action_id).changed for action_id in begun)


def holds(
    work: Work, assignment_id: int, after: int, most: int, *, segment_id: int | None = None
) -> list[Held]:
    """The holds in force with a customer's id above `after`; `segment_id` None: in any segment."""
    rows = work.run(
        _HOLDS, assignment_id=assignment_id, after=after, most=most, segment_id=segment_id
    ).all()  # fmt: skip
    belongs = by_rule(work, assignment_id, [row.id for row in rows])
    names = {row.id: row.name for row in work.run(_NAMES, assignment_id=assignment_id)}
    return [Held(**row._asdict(), by_rule_id=belongs[row.id], by_rule=names[belongs[row.id]]) for row in rows]
