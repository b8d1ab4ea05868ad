"""The wall of a CRM's registers: what is in the air comes back at once (P8), and each wall stays written.

It depends on no stamp: allocation, `ring` and the link ask the register itself.
"""

from sqlalchemy import text

from calling.handout.recalling import Patience, WallAnswer, no_patience, recall_all
from calling.registers.standing import on_register
from calling.walls.shut_offers import take_back_shut
from models import turnstile
from models.work import OpenWork

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
# An exemption that ended before the turnstiles were passed lets off nobody any more behind them.
_ENDED = text("""
    select id from register_exemption
     where crm_id = :crm_id and ended_at is not null and walled_at is null order by id
""")
_FREE_NOBODY = text("""
    update register_exemption set walled_at = :now
     where crm_id = :crm_id and id = any(:ended) and walled_at is null
""")
# Whoever changed an exemption meanwhile has it walled anew.
_WALLED = text("""
    with walled as (
        update crm_register set walled_version = :version, walled_at = :now
         where crm_id = :crm_id and id = :id and changes = :changes
        returning id
    )
    insert into register_wall (crm_id, use_id, version, walled_at)
    select :crm_id, id, cast(:version as bigint), :now from walled
""")
_ASSIGNMENTS = text("select id from assignment where crm_id = :crm_id order by id")


def stands(open_work: OpenWork) -> bool:
    """Whether every use, and every version in force, is a wall already."""
    with open_work() as work:
        return work.run(_UNWALLED).first() is None


def wall(open_work: OpenWork, patience: Patience = no_patience) -> WallAnswer:
    """From the answer on nobody of this CRM rings whom its registers name, except what it names (P8).

    Nor anybody behind a door that a register shuts because it is too old, or was never loaded: only a use
    that is new shuts one, a version in force is followed by a younger one alone. Nothing to do when every
    use, and every version in force, is a wall already.
    """
    with open_work() as work:
        unwalled = work.run(_UNWALLED).all()
        ended = list(work.run(_ENDED).scalars())
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
        work.run(_FREE_NOBODY, ended=ended)
    return answer
