"""Pauses beyond one CRM: of all CRMs of the data owner, or of everything.

Each CRM of the scope has a pause of its own (spreading.py), which nobody but the origin's lift lifts.
"""

from datetime import datetime

from sqlalchemy import text

from calling.walls import spreading
from models.work import OpenWork, Work

_SHARE = text("""
    insert into shared_pause (scope, owner_id, reason, author, started_at, ends_at)
    select :scope, case when :scope = 'owner' then (select owner_id from crm where id = :crm_id) end,
           :reason, :author, :now, :ends_at
    returning id
""")
_ADOPT = text("""
    insert into pause (crm_id, scope, origin_id, reason, author, started_at, ends_at)
    select :crm_id, o.scope, o.id, o.reason, o.author, o.started_at, o.ends_at
      from shared_pause o
     where o.spread_at is null and o.lifted_at is null and (o.ends_at is null or o.ends_at > :now)
       and not exists (select from pause w where w.crm_id = :crm_id and w.origin_id = o.id)
     order by o.id for share of o
    on conflict do nothing
""")
# Nobody rings in a CRM that is founded: it is a wall at once.
INHERIT = text("""
    insert into pause (crm_id, scope, origin_id, reason, author, started_at, ends_at, walled_at)
    select :crm_id, o.scope, o.id, o.reason, o.author, o.started_at, o.ends_at, :now
      from shared_pause o
     where o.lifted_at is null and (o.ends_at is null or o.ends_at > :now)
     order by o.id
""")
_FOLLOW_LIFTS = text("""
    update pause w set lifted_at = o.lifted_at, lifted_by = o.lifted_by
      from shared_pause o
     where w.crm_id = :crm_id and w.origin_id = o.id and w.lifted_at is null
       and o.spread_at is null and o.lifted_at is not null
    returning w.id
""")
_LIFT = text("""
    update shared_pause o set lifted_at = :now, lifted_by = :author, spread_at = null
     where o.lifted_at is null and o.scope = :scope
    returning o.id
""")
_ASSIGNMENTS = text("select id from assignment where crm_id = :crm_id order by id")


def share(work: Work, scope: str, *, reason: str, author: str, ends_at: datetime | None) -> int:
    """Write the origin; its id. The caller writes this CRM's own pause, the others `adopt` theirs."""
    work.run(spreading.NOBODY_FOUNDS)
    return int(work.run(_SHARE, scope=scope, reason=reason, author=author, ends_at=ends_at).scalar_one())


def adopt(work: Work) -> None:
    """Give this CRM the pauses of origins that it lacks, no wall yet, and lift those that were."""
    work.run(_ADOPT)
    if work.run(_FOLLOW_LIFTS).all():
        for assignment_id in work.run(_ASSIGNMENTS).scalars():
            work.hint("allocate", assignment_id)


def lift(open_work: OpenWork, scope: str, *, author: str) -> int:
    """Lift the standing pauses of this scope in every CRM that has them; how many origins."""
    with open_work() as work:
        work.run(spreading.NOBODY_FOUNDS)
        lifted = len(work.run(_LIFT, scope=scope, author=author).all())
        adopt(work)
    return lifted
