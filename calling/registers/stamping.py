"""Who is named by the registers that a CRM uses is stamped, in windows, behind the wall.

Stamps keep whom a register names out of the probe index; no wall depends on them. Whoever dies on the way is
followed by a tick, from where the stamps end.
"""

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Row, text

from calling.handout import gates
from models.work import OpenWork, Work

WINDOW = 500
"""Customers who are looked at in a transaction; those whom a version concerns are stamped in it."""

# A use that has ended is followed once more: it stops nobody any longer.
_UNSTAMPED = text("""
    select u.id from crm_register u join register r on r.id = u.register_id
     where u.crm_id = :crm_id
       and case when u.ended_at is null then u.stamped_version is distinct from r.in_force
                else u.stamped_version is distinct from 0 end
     order by u.id
""")
_LOCK = text("""
    select u.id, u.register_id, u.stamped_version, u.done_to, u.done_version,
           case when u.ended_at is null then r.in_force else 0 end as target
      from crm_register u join register r on r.id = u.register_id
     where u.crm_id = :crm_id and u.id = :id for update of u
""")
# By id, so many at a time, whether a version concerns them or not: a window is short however few it names.
# A version concerns whom it added or took away since the one that they are stamped by; anew, also whoever is
# stamped at all.
_WINDOW = text("""
    with next as materialized (
        select id from customer where crm_id = :crm_id and id > :after order by id limit :window
    )
    select (select max(id) from next) as last, (select count(*) from next) as looked_at,
           array(select c.id from next c
                  where exists (select from customer_number m
                                  join register_number x on x.register_id = :register_id and x.e164 = m.e164
                                 where m.crm_id = :crm_id and m.customer_id = c.id
                                   and ((x.added_in > :since and x.added_in <= :target)
                                     or (x.removed_in > :since and x.removed_in <= :target)))
                     or (:anew and exists (select from customer_number m
                                  join register_number x on x.register_id = :register_id and x.e164 = m.e164
                                 where m.crm_id = :crm_id and m.customer_id = c.id))
                     or (:anew and exists (select from placement p
                                            where p.crm_id = :crm_id and p.customer_id = c.id
                                              and p.gated_by = 'register'))
                  order by c.id) as customers
""")
_REACHED = text("""
    update crm_register set done_to = :done_to, done_version = :target where crm_id = :crm_id and id = :id
""")
_STAMPED = text("""
    update crm_register set stamped_version = :target, done_to = 0, done_version = null
     where crm_id = :crm_id and id = :id
""")
_ASSIGNMENTS = text("select id from assignment where crm_id = :crm_id order by id")
Progress = Callable[[int], None]
"""Told how many more customers have been looked at."""


def nobody(_: int) -> None:
    """Nobody wants to know how far it is."""


def uses_to_stamp(open_work: OpenWork) -> list[int]:
    """The uses of registers whose customers are not all stamped by the version in force."""
    with open_work() as work:
        return list(work.run(_UNSTAMPED).scalars())


def stamp(open_work: OpenWork, progress: Progress = nobody) -> int:
    """Stamp whomever a version in force concerns, window by window; how many placements changed.

    Two who do it at once share the work: each window is taken under the lock of the use.
    """
    changed = 0
    while uses := uses_to_stamp(open_work):
        for use in uses:
            changed += stamp_use(open_work, use, progress)
    return changed


def stamp_use(open_work: OpenWork, use: int, progress: Progress = nobody) -> int:
    """Stamp whomever one use concerns; how many placements changed. Done is done."""
    changed, more = 0, True
    while more:
        with open_work() as work:
            stamped, looked_at, more = _window(work, use)
        changed += stamped
        progress(looked_at)
    return changed


def _window(work: Work, use: int) -> tuple[int, int, bool]:
    """The next window of one use: placements that changed, customers looked at, whether more are left."""
    row = work.run(_LOCK, id=use).one()
    if row.target == row.stamped_version or row.target is None:
        return 0, 0, False
    found = work.run(_WINDOW, window=WINDOW, **_bounds(row)).one()
    changed = gates.restamp(work, found.customers)
    if found.looked_at < WINDOW:
        work.run(_STAMPED, id=use, target=row.target)
        for assignment_id in work.run(_ASSIGNMENTS).scalars():
            work.hint("allocate", assignment_id)
        return changed, found.looked_at, False
    work.run(_REACHED, id=use, target=row.target, done_to=found.last)
    return changed, found.looked_at, True


def _bounds(row: Row[Any]) -> Mapping[str, Any]:
    """Where the window begins; a version that came meanwhile begins at the first customer again."""
    return {
        "register_id": row.register_id, "target": row.target, "since": row.stamped_version or 0,
        "anew": row.stamped_version is None, "after": row.done_to if row.done_version == row.target else 0,
    }  # fmt: skip
