"""A tag that lets somebody off a register was given or taken: gates follow, and what is offered."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text

from calling.handout import gates
from calling.registers.standing import on_register
from models.work import Work

_LETS_OFF = text("""
    select 1 from register_exemption where crm_id = :crm_id and ended_at is null and tag = any(:tags) limit 1
""")
_CAUGHT = text(f"""
    select l.id from lease l
     where l.crm_id = :crm_id and l.ended_at is null and l.customer_id = any(:customers)
       and {on_register("l.e164", "l.assignment_id", "l.customer_id")}
     order by l.id
""")  # noqa: S608 - only our own words go in


def follow_tags(work: Work, customers: Sequence[int], tags: Sequence[str]) -> list[UUID]:
    """Stamp these customers anew if any of these tags lets them off a register; the leases to be recalled.

    The caller has locked their placements, and recalls once it has committed.
    """
    if not customers or work.run(_LETS_OFF, tags=list(tags)).first() is None:
        return []
    gates.restamp(work, customers, locked=True)
    return list(work.run(_CAUGHT, customers=list(customers)).scalars())
