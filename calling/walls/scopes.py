"""Do-not-call beyond one CRM: for all CRMs of the data owner, or for everyone.

The origin is one shared row; each CRM of its scope gets an entry of its own, with a wall of its own, so that
whoever hands out asks nothing but its own CRM. Only a number crosses: a customer belongs to one CRM. What is
told of another CRM is how many leases, and no more (P7).
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import text

from calling.handout import gates
from calling.handout.recalling import Elsewhere, WallAnswer
from models.work import OpenWork, Work

# Of the shared rows the database shows those of our owner, and those for everyone.
#
# Whoever founds a CRM takes this lock alone: it has what is shared by now, or we find it among the CRMs.
_NOBODY_FOUNDS = text("select pg_advisory_xact_lock_shared(7401, 3)")
FOUND = text("select pg_advisory_xact_lock(7401, 3)")
"""Taken by whoever founds a CRM, until it is there."""
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
_UNSPREAD = text("select o.id from shared_suppression o where o.spread_at is null")
_CONCERNED = text("""
    select c.id from crm c
     where c.id <> :crm_id
       and exists (select from shared_suppression o
                    where o.id = any(:origins) and coalesce(o.owner_id, c.owner_id) = c.owner_id)
     order by c.id
""")
_SPREAD = text("""
    update shared_suppression set spread_at = :now
     where id = any(:origins) and spread_at is null and (lifted_at is not null) = :lifted
""")
_LIFTED = text("select id from shared_suppression where id = any(:origins) and lifted_at is not null")
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
    work.run(_NOBODY_FOUNDS)
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
    work.run(_NOBODY_FOUNDS)
    return len(work.run(_LIFT, e164=e164, scope=scope, author=author).all())


def spread(open_work: OpenWork, finish_there: Callable[[OpenWork], WallAnswer]) -> Elsewhere:
    """Bring what is shared and not everywhere yet to the other CRMs of its scope, wall by wall.

    `finish_there` adopts and walls in one CRM. Twice does no harm: an entry has one origin. A tick finds
    again what a crash left.
    """
    told = Elsewhere()
    with open_work() as work:
        origins = list(work.run(_UNSPREAD).scalars())
        lifted = set(work.run(_LIFTED, origins=origins).scalars()) if origins else set()
        others = list(work.run(_CONCERNED, origins=origins).scalars()) if origins else []
        door = work.elsewhere
    if not origins or door is None:
        return told
    finish_there(open_work)  # what another CRM has shared since we last adopted is marked below as ours too
    for crm_id in others:
        told.add(finish_there(door(crm_id)))
    with open_work() as work:  # whoever lifted one meanwhile has it spread once more
        work.run(_SPREAD, origins=sorted(lifted), lifted=True)
        work.run(_SPREAD, origins=sorted(set(origins) - lifted), lifted=False)
    return told
