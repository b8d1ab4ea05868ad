"""Locking placements: all that a transaction will touch, in key order, before it touches the first.

Lock order everywhere: allocator, turnstiles, customer claims, number claims, leases, customers, placements,
and only then what hangs on them: ring limits and the customers' numbers (design 5.4).
"""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from models.work import Work

# Through a subselect the planner cannot see how many leases there are: one plan fits all and is kept.
_ROWS = text("""
    select assignment_id, customer_id, state, status, attempts, lease_id, return_state, return_due_at, due_at,
           last_outcome, last_attempt_at, last_lease_id, clock_id, segment_id
      from placement
     where crm_id = :crm_id and customer_id = any(:customers)
     order by assignment_id, customer_id for no key update
""")
# For those who need nothing of what they lock.
_LOCK = text("""
    with locked as materialized (
        select 1 from placement where crm_id = :crm_id and customer_id = any(:customers)
         order by assignment_id, customer_id for no key update
    )
    select count(*) from locked
""")
_SHARERS = text("""
    select m.customer_id
      from lease l join customer_number m on m.crm_id = :crm_id and m.e164 = l.e164
     where l.crm_id = :crm_id and l.id = any((select cast(:leases as uuid[]))::uuid[])
    union
    select l.customer_id from lease l
     where l.crm_id = :crm_id and l.id = any((select cast(:leases as uuid[]))::uuid[])
""")
_LOCK_TOUCHED = text(_ROWS.text.replace("any(:customers)", f"any(array({_SHARERS.text}))"))

Rows = dict[tuple[int, int], Row[Any]]
"""(assignment, customer) -> the placement as it now is."""


def lock(work: Work, customers: Iterable[int]) -> None:
    """Lock every placement of these customers."""
    work.run(_LOCK, customers=sorted(set(customers)))


def locked(work: Work, customers: Iterable[int]) -> Rows:
    """The same, and what they now are."""
    rows = work.run(_ROWS, customers=sorted(set(customers))).all()
    return {(row.assignment_id, row.customer_id): row for row in rows}


def lock_touched(work: Work, leases: Sequence[UUID]) -> Rows:
    """Lock every placement of the customers of these leases, and of whoever shares a number they ring."""
    rows = work.run(_LOCK_TOUCHED, leases=list(leases)).all()
    return {(row.assignment_id, row.customer_id): row for row in rows}
