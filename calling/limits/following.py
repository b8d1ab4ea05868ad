"""A limit was changed: whom it may stop or let go is stamped anew, in batches; what was offered comes back.

Rings are judged by the limits in force anyway, and allocation stamps whom it meets. This keeps the lists
full and the sellers' screens true. It begins again where it stopped, and twice does no harm.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from calling.handout import gap, gates
from calling.handout.recalling import recall
from calling.limits import law
from calling.limits.changing import concerned, wall
from calling.limits.standing import standing
from calling.limits.stops import stops
from models.work import OpenWork, Work

BATCH = 200

_OPEN = text("select id from limit_change where crm_id = :crm_id and followed_at is null order by id")
_CHANGE = text("""
    select deed, assignment_id, before, after, followed_to from limit_change
     where crm_id = :crm_id and id = :id and followed_at is null
""")
# Whom a limit stops has rung within its window, or shares a number with somebody who has: those are stopped
# when they are met, and who is offered is looked at in the end. Whom it lets go is stamped.
_NEXT = text("""
    select customer_id from (
        (select distinct l.customer_id from lease l
          where l.crm_id = :crm_id and l.customer_id > :after and l.rung_at > :since
          order by l.customer_id limit :batch)
        union
        (select distinct p.customer_id from placement p
          where p.crm_id = :crm_id and p.customer_id > :after and p.gated_by = 'limit'
          order by p.customer_id limit :batch)) one
     order by customer_id limit :batch
""")
# Whom a gap stops was rung within the longer of what it was and is, whoever rang; whom it lets go is stamped.
_NEXT_BY_GAP = text("""
    select customer_id from (
        (select distinct l.customer_id from lease l
          where l.crm_id = :crm_id and l.customer_id > :after
            and (l.rung_at > :since or (l.rung_at is not null and l.ended_at > :since))
          order by l.customer_id limit :batch)
        union
        (select distinct p.customer_id from placement p
          where p.crm_id = :crm_id and p.customer_id > :after and p.gated_by = 'gap'
          order by p.customer_id limit :batch)) one
     order by customer_id limit :batch
""")
_NEXT_BY_ATTEMPTS = text("""
    select p.customer_id from placement p
     where p.crm_id = :crm_id and p.assignment_id = :assignment_id and p.customer_id > :after
       and p.attempts >= :fewer and p.state not in ('closed', 'left', 'anonymised')
     order by p.customer_id limit :batch
""")
# Another number of theirs may be free: then no stamp says that the one which is to be rung is not.
_OFFERED = text(f"""
    select l.id, l.assignment_id, l.customer_id, l.e164,
           p.gated_by in ('limit', 'gap')
           or (l.follow_up_id is null
               and (select max({gap.until("l.assignment_id")}) {gap.last_rings("l.customer_id", "l.e164")})
                   > :now) as gated
      from lease l
      join placement p on p.crm_id = :crm_id and p.assignment_id = l.assignment_id
                      and p.customer_id = l.customer_id
     where l.crm_id = :crm_id and l.ended_at is null and l.state = 'offered'
       and l.customer_id = any(:customers)
     order by l.id
""")  # noqa: S608 - our own words
_ALL_OFFERED = text("""
    select distinct customer_id from lease
     where crm_id = :crm_id and ended_at is null and state = 'offered' order by customer_id
""")
_REACHED = text("""
    update limit_change set followed_to = greatest(followed_to, :customer_id)
     where crm_id = :crm_id and id = :id
""")
_DONE = text("""
    update limit_change set followed_at = :now where crm_id = :crm_id and id = :id and followed_at is null
""")


def changes_to_follow(open_work: OpenWork) -> list[int]:
    """Changes of limits that customers have not followed yet, oldest first."""
    with open_work() as work:
        return list(work.run(_OPEN).scalars())


def follow_change(open_work: OpenWork, change_id: int) -> int:
    """Stamp anew whoever a changed limit may concern; how many placements changed. Done is done."""
    with open_work() as work:
        change = work.run(_CHANGE, id=change_id).first()
    if change is None:
        return 0
    wall(open_work, change_id)  # whoever changed it may have died before
    after, changed, more = change.followed_to, 0, True
    while more:
        customers, stamped = _batch(open_work, change, after)
        changed += stamped
        more = len(customers) == BATCH
        after = customers[-1] if customers else after
        if not more:
            changed += _offered(open_work, change)
        with open_work() as work:
            work.run(_REACHED, id=change_id, customer_id=after)
            if not more:
                work.run(_DONE, id=change_id)
                for assignment_id in concerned(work, None if change.deed == "gap" else change.assignment_id):
                    work.hint("allocate", assignment_id)
    return changed


def _batch(open_work: OpenWork, change: Row[Any], after: int) -> tuple[list[int], int]:
    """The next customers, and how many placements of theirs changed; then what was offered is recalled."""
    with open_work() as work:
        customers = _next(work, change, after)
        stamped, offered = _stamp(work, customers)
    _take_back(open_work, offered)
    return customers, stamped


def _offered(open_work: OpenWork, change: Row[Any]) -> int:
    """The same for whoever is offered: they may share a number with somebody who was rung."""
    if change.deed == "attempts":
        return 0
    with open_work() as work:
        customers = list(work.run(_ALL_OFFERED).scalars())
    changed = 0
    for start in range(0, len(customers), BATCH):
        with open_work() as work:
            stamped, offered = _stamp(work, customers[start : start + BATCH])
        _take_back(open_work, offered)
        changed += stamped
    return changed


def _stamp(work: Work, customers: list[int]) -> tuple[int, list[UUID]]:
    """How many placements of theirs changed, and what is offered of them in vain."""
    return gates.restamp(work, customers), _stopped(work, customers)


def _take_back(open_work: OpenWork, offered: list[UUID]) -> None:
    if offered:
        with open_work() as work:  # claims are locked before placements
            recall(work, offered, "a limit was changed", states=["offered"])


def _next(work: Work, change: Row[Any], after: int) -> list[int]:
    """The next customers whom the change may stop or let go, by id."""
    if change.deed == "attempts":
        asked = {"assignment_id": change.assignment_id, "fewer": min(change.before, change.after)}
        return list(work.run(_NEXT_BY_ATTEMPTS, **asked, after=after, batch=BATCH).scalars())
    if change.deed == "gap":
        since = work.now - timedelta(seconds=max(change.before, change.after))
        return list(work.run(_NEXT_BY_GAP, since=since, after=after, batch=BATCH).scalars())
    return list(work.run(_NEXT, after=after, since=_since(work), batch=BATCH).scalars())


def _stopped(work: Work, customers: list[int]) -> list[UUID]:
    """Offered leases whose customer a limit stops, or the number that they ring: another one may be free."""
    rows = work.run(_OFFERED, customers=customers).all()
    stopped = {(s.assignment_id, s.customer_id, s.e164) for s in stops(work, [r.customer_id for r in rows])}
    return [r.id for r in rows if r.gated or (r.assignment_id, r.customer_id, r.e164) in stopped]


def _since(work: Work) -> datetime:
    """A ring before it is counted by no limit."""
    return work.now - max(limit.reach for limit in (*law.shipped(), *standing(work).own))
