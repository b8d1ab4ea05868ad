"""Where customers stand when something about them changes: whose segments have to follow."""

from collections.abc import Sequence

from sqlalchemy import text

from models import turnstile
from models.work import Work

_ASSIGNMENTS = text("""
    select distinct assignment_id from placement
     where crm_id = :crm_id and customer_id = any(:customers) and state not in ('left', 'anonymised')
     order by assignment_id
""")


def pass_turnstiles(work: Work, customers: Sequence[int]) -> list[int]:
    """Pass the turnstiles of every assignment in which these customers stand; the assignments.

    Who enters another one meanwhile is placed by its rebuild, which reads what we have committed.
    """
    assignments = list(work.run(_ASSIGNMENTS, customers=list(customers)).scalars())
    turnstile.pass_shared(work, assignments)
    return assignments
