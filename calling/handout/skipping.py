"""A seller would rather not ring the customer on their screen, and says why.

Released, the customer would be the first card of the same list again. Skipped, they rest for a while, and a
promised call moves by as much, its owner's still; the manager sees who skips whom, and why.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from calling.handout.give_back import STARTED, Why, give_back
from calling.handout.ring import how_it_ended, lock, pass_own
from models.errors import BadInput, LeaseGone
from models.work import Work

LONGEST_REASON = 200
"""Characters of a reason."""

_FATE = text("""
    select p.state, p.due_at from lease l
      join placement p on p.crm_id = :crm_id and p.assignment_id = l.assignment_id
                      and p.customer_id = l.customer_id
     where l.crm_id = :crm_id and l.id = :lease_id
""")


@dataclass(frozen=True, slots=True)
class Skipped:
    """The customer was skipped: what their placement is now, and until when (UTC)."""

    lease_id: UUID
    state: str
    due_at: datetime | None


def skip(work: Work, lease_id: UUID, seller_id: int, reason: str) -> Skipped:
    """Give a customer back unrung, for whoever comes later: they rest as long as their assignment says.

    Skipping twice is once. Raises LeaseGone; BadInput without a reason, or when it has rung.
    """
    told = reason.strip()
    if not told or len(told) > LONGEST_REASON:
        raise BadInput(f"reason: say why you skip them, in at most {LONGEST_REASON} characters")
    pass_own(work, lease_id, seller_id)
    if not give_back(work, [lease_id], "skipped", why=Why(reason=told)):
        lease = lock(work, lease_id)
        if lease.state in STARTED:
            raise BadInput("it has rung: report an outcome instead of skipping it", lease=str(lease_id))
        if lease.ended_by != "skipped":
            raise LeaseGone(lease_id, how_it_ended(lease))
    now = work.run(_FATE, lease_id=lease_id).one()
    return Skipped(lease_id, now.state, now.due_at)
