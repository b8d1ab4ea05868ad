"""Calls that a dialer put through to a seller: on their screen until they have told what came of it.

The dialer's own result ends the lease while the seller still writes; their disposition completes it. The
order stays the dialer's: who rang is the dialer, who talked is the seller.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from calling.handout.ring import TALK
from calling.handout.wrapping import LIMIT
from models.outcomes import Outcome
from models.work import Work

_UNTIL = f"coalesce(l.wrap_up_at, l.ended_at) + {LIMIT}"

STATE = "case when l.ended_at is null then l.state else 'wrap_up' end"
"""SQL over `l` lease that is awaited: how it stands for the seller."""

AWAITED = f"""(l.ended_at is null
            or (l.ended_by = 'outcome' and :now < {_UNTIL}
                and (select array_agg(t.outcome) = array['{Outcome.ANSWERED.value}'] from attempt t
                      where t.crm_id = :crm_id and t.lease_id = l.id)))"""  # noqa: S608 - our own words
"""SQL over `l` lease that was put through, `a` its assignment, with `talk` bound: its seller may tell of it.

Live, or ended by its dialer's word that somebody answered, and not told of since, for as long as a wrap-up
may take.
"""

_AWAITED = text(f"""
    select l.id as lease_id, {STATE} as state, l.flagged,
           case when l.ended_at is null then l.expires_at else {_UNTIL} end as expires_at
      from lease l join assignment a on a.crm_id = :crm_id and a.id = l.assignment_id
     where l.crm_id = :crm_id and l.id = :lease_id and l.connected_seller_id = :seller_id and {AWAITED}
""")  # noqa: S608 - our own words
_IS_OVER = text("""
    update seller set connected_lease_id = null
     where crm_id = :crm_id and id = :seller_id and connected_lease_id = :lease_id
""")
_SELLERS = text("""
    select id, name from seller
     where crm_id = :crm_id and (name = any(:told) or id::text = any(:told)) order by id
""")
_LOCK = text("select id from lease where crm_id = :crm_id and id = any(:leases) order by id for update")
_CONNECT = text("""
    update lease l set connected_seller_id = t.seller_id
      from unnest(cast(:leases as uuid[]), cast(:sellers as bigint[])) as t(id, seller_id)
     where l.crm_id = :crm_id and l.id = t.id
""")
# An old call that is told late takes nobody's screen.
_SHOW = text("""
    with shown as (
        select s.id, t.lease_id from seller s
          join unnest(cast(:leases as uuid[]), cast(:sellers as bigint[])) as t(lease_id, seller_id)
            on t.seller_id = s.id
         where s.crm_id = :crm_id and (s.connected_lease_id is null or s.connected_lease_id < t.lease_id)
         order by s.id for no key update of s
    )
    update seller s set connected_lease_id = shown.lease_id
      from (select id, max(lease_id::text)::uuid as lease_id from shown group by id) shown
     where s.crm_id = :crm_id and s.id = shown.id
""")


def awaited(work: Work, seller_id: int, lease_id: UUID) -> Row[Any] | None:
    """The call put through to them, while it is theirs to tell of: lease_id, state, flagged, expires_at."""
    return work.run(_AWAITED, lease_id=lease_id, seller_id=seller_id, talk=TALK).first()


def is_over(work: Work, seller_id: int, lease_id: UUID) -> None:
    """It is on their screen no more."""
    work.run(_IS_OVER, seller_id=seller_id, lease_id=lease_id)


def sellers_named(work: Work, told: Sequence[str]) -> dict[str, int]:
    """What dialers call sellers, by name or else by id -> the seller's id; who is unknown is missing."""
    rows = work.run(_SELLERS, told=sorted(set(told))).all() if told else []
    return {str(row.id): row.id for row in rows} | {row.name: row.id for row in rows}


def connect(work: Work, calls: Sequence[tuple[UUID, int]]) -> None:
    """Dialers told to which seller each of these calls was put through; the last word of a call counts.

    The caller has passed the turnstiles of their assignments.
    """
    if not calls:
        return
    last = dict(calls)
    leases = sorted(last)
    sellers = [last[lease] for lease in leases]
    work.run(_LOCK, leases=leases)
    work.run(_CONNECT, leases=leases, sellers=sellers)
    work.run(_SHOW, leases=leases, sellers=sellers)
