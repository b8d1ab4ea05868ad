"""Who has whom now, where and since when; which cards were skipped, and of which calls nobody has told.

Rows carry ids of leases, which are in the order of time.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from models.ids import first_id_of
from models.work import Work

FIRST = UUID(int=0)
"""Before every lease."""

RECENT = timedelta(days=7)
"""Whoever has told nothing of a call for so long tells nothing any more."""

_WHOM = """
           l.id, l.assignment_id, a.name as assignment, l.segment_id, g.name as segment,
           case when l.seller_id is null then 'dialer' else 'seller' end as kind,
           coalesce(l.seller_id, l.dialer_id) as holder_id, coalesce(s.name, d.name) as holder,
           to_whom.name as connected_to, l.customer_id, c.external_id, c.name as customer
"""
_JOINS = """
      join assignment a on a.crm_id = :crm_id and a.id = l.assignment_id
      join segment g on g.crm_id = :crm_id and g.id = l.segment_id
      join customer c on c.crm_id = :crm_id and c.id = l.customer_id
      left join seller s on s.crm_id = :crm_id and s.id = l.seller_id
      left join dialer d on d.crm_id = :crm_id and d.id = l.dialer_id
      left join seller to_whom on to_whom.crm_id = :crm_id and to_whom.id = l.connected_seller_id
"""
_LIVE = text(f"""
    select {_WHOM}, l.state, l.sent_at is not null as sent,
           coalesce(l.wrap_up_at, l.rung_at, l.taken_at, l.offered_at) as since, l.ring_by, l.expires_at,
           l.flagged, r.reason as wanted_back
      from lease l {_JOINS}
      left join recall r on r.crm_id = :crm_id and r.lease_id = l.id and r.answered_at is null
     where l.crm_id = :crm_id and l.ended_at is null and l.id > :after
       and (cast(:assignment_id as bigint) is null or l.assignment_id = :assignment_id)
       and (cast(:seller_id as bigint) is null or l.seller_id = :seller_id)
       and (cast(:dialer_id as bigint) is null or l.dialer_id = :dialer_id)
       and (:listed or l.state <> 'offered')
     order by l.id limit :most
""")  # noqa: S608 - our own words
# Few of all leases that ever were: they have an index of their own.
_ENDED = f"""
    select {_WHOM}, l.rung_at, l.ended_at, l.ended_author, l.ended_reason
      from lease l {_JOINS}
     where l.crm_id = :crm_id and l.ended_by = '{{how}}' and l.id < :before and l.id >= :since
       {{more}}
     order by l.id desc limit :most
"""  # noqa: S608 - our own words
_SKIPPED = text(_ENDED.format(how="skipped", more=""))
_UNTOLD = """and not exists (select from attempt t where t.crm_id = :crm_id and t.lease_id = l.id)"""
_UNCONFIRMED = text(_ENDED.format(how="unconfirmed", more=_UNTOLD))
_MANY_UNCONFIRMED = text(f"""
    select count(*) from lease l
     where l.crm_id = :crm_id and l.ended_by = 'unconfirmed' and l.id >= :since {_UNTOLD}
""")  # noqa: S608 - our own words

LAST = UUID(int=2**128 - 1)
"""Behind every lease."""


def who_has_whom(
    work: Work, after: UUID = FIRST, most: int = 200, *, assignment_id: int | None = None,
    seller_id: int | None = None, dialer_id: int | None = None, listed: bool = True,
) -> Sequence[Row[Any]]:  # fmt: skip
    """Live leases with an id above `after`, the oldest first; without `listed` none that waits in a list.

    `since` (UTC): of the state. `wanted_back`: why its dialer was asked to give it back, unanswered as yet.
    """
    return work.run(
        _LIVE, after=after, most=most, assignment_id=assignment_id, seller_id=seller_id, dialer_id=dialer_id,
        listed=listed,
    ).all()  # fmt: skip


def skipped(work: Work, before: UUID = LAST, most: int = 200) -> Sequence[Row[Any]]:
    """Cards that sellers skipped within a week, the last first, with an id below `before`; and why."""
    return work.run(_SKIPPED, before=before, since=first_id_of(work.now - RECENT), most=most).all()


def unconfirmed(work: Work, before: UUID = LAST, most: int = 200) -> Sequence[Row[Any]]:
    """Calls of a week of which nobody has told what they came to, the last first, with an id below `before`.

    Whoever knows may still report: a late word counts, and the customer goes where it says.
    """
    return work.run(_UNCONFIRMED, before=before, since=first_id_of(work.now - RECENT), most=most).all()


def many_unconfirmed(work: Work) -> int:
    """How many there are of these."""
    return int(work.run(_MANY_UNCONFIRMED, since=first_id_of(work.now - RECENT)).scalar_one())
