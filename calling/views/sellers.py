"""The sellers of a CRM and how each one's presence stands; and what it was before, change by change."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, text

from models.work import Work

_SELLERS = text("""
    select s.id, s.name, s.presence, s.presence_since as since, s.away_reason as reason, s.back_at,
           coalesce(s.off_until > :now, false) as off, s.said_by, s.assignment_id, a.name as assignment,
           s.segment_id
      from seller s
      left join assignment a on a.crm_id = :crm_id and a.id = s.assignment_id
     where s.crm_id = :crm_id and s.id > :after order by s.id limit :most
""")
_CHANGES = text("""
    select c.id, c.presence, c.reason, c.back_at, c.off_until is not null as off, c.assignment_id,
           a.name as assignment, c.segment_id, c.before_presence, c.before_reason, c.before_since, c.said_by,
           c.changed_at
      from presence_change c
      left join assignment a on a.crm_id = :crm_id and a.id = c.assignment_id
     where c.crm_id = :crm_id and c.seller_id = :seller_id and (:before = 0 or c.id < :before)
     order by c.id desc limit :most
""")


def sellers(work: Work, after: int, most: int) -> Sequence[Row[Any]]:
    """Sellers with an id above `after`. `off`: for the day; `said_by` None: the seller, or nobody yet."""
    return work.run(_SELLERS, after=after, most=most).all()


def presence_changes(work: Work, seller_id: int, before: int, most: int) -> Sequence[Row[Any]]:
    """What a seller's presence became, newest first, with an id below `before` (0: all).

    `before_since`: since when it had been `before_presence`, for `before_reason`; so a break's length is told
    by the change that ends it.
    """
    return work.run(_CHANGES, seller_id=seller_id, before=before, most=most).all()
