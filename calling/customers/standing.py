"""Where customers stand when something about them changes: whose segments follow, and on whose screen."""

from collections.abc import Sequence

from sqlalchemy import text

from models import turnstile
from models.errors import NotFound
from models.work import Work

_ASSIGNMENTS = text("""
    select distinct assignment_id from placement
     where crm_id = :crm_id and customer_id = any(:customers) and state not in ('left', 'anonymised')
     order by assignment_id
""")
_HOLDS = text("""
    select 1 from lease
     where crm_id = :crm_id and customer_id = :customer_id and seller_id = :seller_id and ended_at is null
       and state in ('taken', 'rung', 'wrap_up')
""")


def check_on_screen(work: Work, customer_id: int, seller_id: int) -> None:
    """Raises NotFound unless this seller has the customer on their screen: others are none of theirs."""
    if not work.run(_HOLDS, customer_id=customer_id, seller_id=seller_id).first():
        raise NotFound("customer on your screen", customer_id)


def assignments_of(work: Work, customers: Sequence[int]) -> list[int]:
    """The assignments in which any of these customers stand, by id."""
    return list(work.run(_ASSIGNMENTS, customers=list(customers)).scalars())


def pass_turnstiles(work: Work, customers: Sequence[int]) -> list[int]:
    """Pass the turnstiles of every assignment in which these customers stand; the assignments.

    Who enters another one meanwhile is placed by its rebuild, which reads what we have committed.
    """
    assignments = assignments_of(work, customers)
    turnstile.pass_shared(work, assignments)
    return assignments
