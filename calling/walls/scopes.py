"""Do-not-call beyond one CRM: for all CRMs of the data owner, or for everyone.

Each CRM of the scope has an entry of its own (spreading.py). Only a number crosses: a customer belongs to one
CRM.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import text

from calling.handout import gates
from calling.handout.recalling import Elsewhere, WallAnswer
from calling.walls import spreading
from models.work import OpenWork, Work

_SHARE = text("""
    insert into shared_suppression (scope, owner_id, e164, reason, author, created_at, expires_at)
    select :scope, case when :scope = 'owner' then (select owner_id from crm where id = :crm_id) end,
           number, :reason, t.author, :now, :expires_at
      from unnest(cast(:numbers as text[]), cast(:authors as text[]))
           with ordinality as t(number, author, place) order by place
    returning id, e164
""")
_ADOPT = text("""
    insert into suppression (crm_id, e164, scope, origin_id, reason, author, created_at, expires_at)
    select :crm_id, o.e164, o.scope, o.id, o.reason, o.author, o.created_at, o.expires_at
      from shared_suppression o
     where o.spread_at is null and o.lifted_at is null
       and (o.expires_at is null or o.expires_at > :now)
       and not exists (select from suppression s where s.crm_id = :crm_id and s.origin_id = o.id)
     order by o.id limit 10000 for share of o
    on conflict do nothing
""")
# A CRM that is founded has all that stands; nobody rings there yet: it is a wall at once.
INHERIT = text("""
    insert into suppression (crm_id, e164, scope, origin_id, reason, author, created_at, expires_at,
                             walled_at)
    select :crm_id, o.e164, o.scope, o.id, o.reason, o.author, o.created_at, o.expires_at, :now
      from shared_suppression o
     where o.lifted_at is null and (o.expires_at is null or o.expires_at > :now)
     order by o.id
""")
_FOLLOW_LIFTS = text("""
    update suppression s set lifted_at = o.lifted_at, lifted_by = o.lifted_by
      from shared_suppression o
     where s.crm_id = :crm_id and s.origin_id = o.id and s.lifted_at is null
       and o.spread_at is null and o.lifted_at is not null
    returning s.e164
""")
_LIFT = text("""
    update shared_suppression o set lifted_at = :now, lifted_by = :author, spread_at = null
     where o.lifted_at is null and o.scope = :scope and o.e164 = :e164
    returning o.id
""")
_WITH = text(
    "select distinct customer_id from customer_number where crm_id = :crm_id and e164 = any(:numbers)"
)


def share(
    work: Work, numbers: Sequence[str], *, scope: str, reason: str, author: str | Mapping[str, str],
    expires_at: datetime | None = None,
) -> dict[str, int]:  # fmt: skip
    """Write the shared rows of these numbers; number -> id. The caller writes this CRM's own entries.

    `author`: of all, or number -> author.
    """
    work.run(spreading.NOBODY_FOUNDS)
    authors = [author if isinstance(author, str) else author[number] for number in numbers]
    rows = work.run(
        _SHARE, scope=scope, numbers=list(numbers), authors=authors, reason=reason, expires_at=expires_at
    )
    return {row.e164: row.id for row in rows}


def adopt(work: Work) -> int:
    """Give this CRM the entries of shared rows that it lacks, and lift those that were; how many changed.

    Whose gates a lift may open are stamped anew in the same transaction. New entries are no wall yet.
    """
    came = work.run(_ADOPT).rowcount
    lifted = list(work.run(_FOLLOW_LIFTS).scalars())
    if lifted:
        customers = sorted(work.run(_WITH, numbers=lifted).scalars())
        gates.restamp(work, customers)
    return came + len(lifted)


def lift_shared(work: Work, e164: str, scope: str, author: str) -> int:
    """Lift the standing shared rows of a number; how many. This CRM's entries follow with `adopt`."""
    work.run(spreading.NOBODY_FOUNDS)
    return len(work.run(_LIFT, e164=e164, scope=scope, author=author).all())


def spread(open_work: OpenWork, finish_there: Callable[[OpenWork], WallAnswer]) -> Elsewhere:
    """Bring what is shared and not everywhere yet to the other CRMs of its scope, wall by wall.

    `finish_there` adopts and walls in one CRM. Twice does no harm: an entry has one origin. A tick finds
    again what a crash left.
    """
    told = Elsewhere()
    brought = spreading.unspread(open_work, "shared_suppression")
    if not brought.origins:
        return told
    finish_there(open_work)  # what another CRM has shared since we last adopted is marked below as ours too
    for there in brought.others:
        told.add(finish_there(there))
    spreading.is_spread(open_work, brought)
    return told
