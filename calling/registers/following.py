"""A CRM follows its registers: what is in the air comes back at once (P8), then all are stamped in batches.

The wall depends on no stamp: allocation, `ring` and the link ask the register itself. Stamps keep whom it
names out of the probe index. Whoever dies on the way is followed by a tick, from where the stamps end.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, text

from calling.handout import gates
from calling.handout.recalling import Elsewhere, Patience, WallAnswer, no_patience, recall_all
from calling.registers.loading import Shared
from calling.registers.standing import on_register
from calling.walls.shut_offers import take_back_shut
from models import turnstile
from models.work import OpenWork, Work

WINDOW = 500
"""Customers who are looked at in a transaction; those whom a version concerns are stamped in it."""

# A register that was never loaded is a wall too: by its age it may shut a country (`walled_at`).
_UNWALLED = text("""
    select u.id, r.in_force, u.changes, u.walled_at is null as is_new
      from crm_register u join register r on r.id = u.register_id
     where u.crm_id = :crm_id and u.ended_at is null
       and (u.walled_version is distinct from r.in_force or u.walled_at is null)
     order by u.id
""")
_CAUGHT = text(f"""
    select l.id from lease l
     where l.crm_id = :crm_id and l.ended_at is null
       and {on_register("l.e164", "l.assignment_id", "l.customer_id")}
     order by l.id
""")  # noqa: S608 - only our own words go in
# Whoever changed an exemption meanwhile has it walled anew.
_WALLED = text("""
    update crm_register set walled_version = :version, walled_at = :now
     where crm_id = :crm_id and id = :id and changes = :changes
""")
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
_OLDEST = text("""
    select u.register_id, min(coalesce(u.stamped_version, 0)) as version from crm_register u
     where u.crm_id = :crm_id and u.ended_at is null group by u.register_id
""")
_FORGET = text("select forget_register_numbers(:register_id, :version)")
_ALL = text(
    "select id as register_id, in_force as version from register where in_force is not null order by id"
)

Progress = Callable[[int], None]
"""Told how many more customers have been looked at."""


@dataclass(slots=True)
class Followed:
    """What following found in the air, how many CRMs use a register, and how many placements changed."""

    in_the_air: Elsewhere
    stamped: int = 0


def _nobody(_: int) -> None:
    """Nobody wants to know."""


def wall(open_work: OpenWork, patience: Patience = no_patience) -> WallAnswer:
    """From the answer on nobody of this CRM rings whom its registers name, except what it names (P8).

    Nor anybody behind a door that a register shuts because it is too old, or was never loaded: only a use
    that is new shuts one, a version in force is followed by a younger one alone. Nothing to do when every
    use, and every version in force, is a wall already.
    """
    with open_work() as work:
        unwalled = work.run(_UNWALLED).all()
        assignments = list(work.run(_ASSIGNMENTS).scalars())
    if not unwalled:
        return WallAnswer()
    turnstile.pass_exclusively(open_work, assignments)
    answer = recall_all(open_work, _CAUGHT, {}, "on a register of those not to be called", patience)
    if any(row.is_new for row in unwalled):
        answer.join(take_back_shut(open_work, "a register shuts their country", patience))
    with open_work() as work:
        for row in unwalled:
            work.run(_WALLED, id=row.id, version=row.in_force, changes=row.changes)
    return answer


def uses_to_stamp(open_work: OpenWork) -> list[int]:
    """The uses of registers whose customers are not all stamped by the version in force."""
    with open_work() as work:
        return list(work.run(_UNSTAMPED).scalars())


def stamp(open_work: OpenWork, progress: Progress = _nobody) -> int:
    """Stamp whomever a version in force concerns, window by window; how many placements changed.

    Two who do it at once share the work: each window is taken under the lock of the use.
    """
    changed = 0
    while uses := uses_to_stamp(open_work):
        for use in uses:
            changed += stamp_use(open_work, use, progress)
    return changed


def stamp_use(open_work: OpenWork, use: int, progress: Progress = _nobody) -> int:
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


def follow(open_work: OpenWork, patience: Patience = no_patience, progress: Progress = _nobody) -> WallAnswer:
    """The wall, then the stamps, of one CRM: a tick calls it for what a crash left."""
    answer = wall(open_work, patience)
    stamp(open_work, progress)
    return answer


def follow_everywhere(
    shared: Shared, openers: Mapping[int, OpenWork], patience: Patience = no_patience,
    progress: Progress = _nobody,
) -> Followed:  # fmt: skip
    """Every wall first, then every CRM's stamps; then whom no CRM needs any more is forgotten."""
    followed = Followed(Elsewhere())
    for open_work in openers.values():
        with open_work() as work:
            concerned = bool(work.run(_UNWALLED).first())
        if concerned:
            followed.in_the_air.add(wall(open_work, patience))
    for open_work in openers.values():
        followed.stamped += stamp(open_work, progress)
    forget(shared, openers)
    return followed


def forget(shared: Shared, openers: Mapping[int, OpenWork]) -> None:
    """Numbers that left a register before the version by which every CRM is stamped are deleted."""
    oldest: dict[int, int] = {}
    with shared() as session:
        for row in session.execute(_ALL):
            oldest[row.register_id] = row.version
    for open_work in openers.values():
        with open_work() as work:
            for row in work.run(_OLDEST):
                oldest[row.register_id] = min(oldest.get(row.register_id, row.version), row.version)
    with shared() as session:
        for register_id, version in oldest.items():
            session.execute(_FORGET, {"register_id": register_id, "version": version})
