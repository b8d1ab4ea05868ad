"""P1: a customer, and every number of theirs, is held by at most one lease. The database refuses a second."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text

from models.sql import load
from models.work import Work

# One statement, customers first: the parts are counted, so read and locked, in the order they are named.
_LOCK = text("""
    with customer as materialized (
        select 1 from claim_customer where crm_id = :crm_id and lease_id = any(:leases)
         order by customer_id for update
    ), number as materialized (
        select 1 from claim_number where crm_id = :crm_id and lease_id = any(:leases)
         order by e164 for update
    )
    select (select count(*) from customer), (select count(*) from number)
""")
_DROP = text("""
    with customer as (
        delete from claim_customer where crm_id = :crm_id and lease_id = any(:leases)
    )
    delete from claim_number where crm_id = :crm_id and lease_id = any(:leases)
""")


def claim(work: Work, wanted: Sequence[tuple[int, UUID]]) -> set[UUID]:
    """Claim (customer, lease) pairs; the leases whose claim is whole. The rest is dropped again.

    In one turn: numbers of customers who are somebody else's are claimed on the way, and dropped.
    """
    if not wanted:
        return set()
    asked = {"customers": [c for c, _ in wanted], "leases": [lease for _, lease in wanted]}
    customers, numbers = work.run_together((load("claim_customers"), asked), (load("claim_numbers"), asked))
    whole = set(numbers.scalars()) & {row.lease_id for row in customers}
    drop(work, [lease for _, lease in wanted if lease not in whole])
    return whole


def lock(work: Work, leases: Sequence[UUID]) -> None:
    """Lock the claims of these leases in key order, before anything else of them is locked."""
    work.run(_LOCK, leases=list(leases))


def drop(work: Work, leases: Sequence[UUID]) -> None:
    """Let go of what these leases claimed. Locked or made by this transaction before."""
    if leases:
        work.run(_DROP, leases=list(leases))
