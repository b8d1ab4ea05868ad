"""An earlier call of a customer came to an outcome while a later lease holds them (P4).

Who is only offered is recalled. Who is on a screen, or rings, stays: whoever has them is told what the
earlier call came to, and looks before they ring or go on talking.
"""

from collections.abc import Mapping
from typing import Literal
from uuid import UUID

from sqlalchemy import text

from models.work import Work

Fate = Literal["recalled", "flagged", "wanted_back"]
"""What became of the later lease; `wanted_back`: its dialer was asked, and has not answered yet."""

BATCH = 200

_FLAG = text("""
    with started as (
        select id from lease
         where crm_id = :crm_id and id = any(:leases) and ended_at is null and state <> 'offered'
         order by id for update
    )
    update lease l set flagged = t.told
      from started, unnest(cast(:leases as uuid[]), cast(:told as text[])) as t(id, told)
     where l.crm_id = :crm_id and l.id = started.id and t.id = l.id
    returning coalesce(l.seller_id, l.connected_seller_id) as seller_id
""")
_FATES = text("""
    select id, case when ended_at is null then case state when 'offered' then 'wanted_back' else 'flagged' end
                    else 'recalled' end as fate
      from lease
     where crm_id = :crm_id and id = any(:leases) and (ended_at is null or ended_by = 'recalled')
""")
# A crash may have come between a late outcome and the flag. (Whatever was told before the lease began was
# known to who dealt it.)
_UNFLAGGED = text("""
    select l.id, p.last_outcome as told
      from lease l
      join placement p on p.crm_id = :crm_id and p.assignment_id = l.assignment_id
                      and p.customer_id = l.customer_id
     where l.crm_id = :crm_id and l.ended_at is null and l.state <> 'offered' and l.flagged is null
       and p.lease_id = l.id and p.last_attempt_at > l.offered_at
     order by l.id limit :batch
""")


def flag(work: Work, told: Mapping[UUID, str]) -> dict[UUID, Fate]:
    """Flag those of these later leases that have started with what an earlier call came to.

    What became of each; missing is what ended in another way. In a transaction of its own, behind the recall.
    """
    leases = sorted(told)
    rows = work.run(_FLAG, leases=leases, told=[told[lease] for lease in leases]).all()
    for seller_id in sorted({row.seller_id for row in rows if row.seller_id is not None}):
        work.hint("lease_taken_away", seller_id)
    return {row.id: row.fate for row in work.run(_FATES, leases=leases)}


def flag_overtaken(work: Work) -> int:
    """Flag whom a late outcome concerns that died before its flag; how many. For the reaper."""
    found = {row.id: row.told for row in work.run(_UNFLAGGED, batch=BATCH)}
    if found:
        flag(work, found)
    return len(found)
