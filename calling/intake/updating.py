"""Known customers that a file changes: few at a time, behind the turnstile, with everything that follows.

A number that is added to a customer who is held is claimed for that lease in the same transaction; if
somebody else holds it, it stays unclaimed, and nobody rings it for this customer until it is free (P1).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from calling.customers.reclocking import reclock_and_follow
from calling.dialers.reclocked import lock_orders
from calling.follow_ups.own_wall import tell
from calling.handout import gates, placements
from calling.intake.parsing import Reject
from calling.intake.placing import note_rebuild, rerank
from calling.intake.staging import Given, Refuse, Staged, put_tags, put_zones, stage
from models import turnstile
from models.sql import load
from models.work import Work

BATCH = 200

_ASSIGNMENTS = text("""
    select distinct p.assignment_id from placement p join matched m on m.customer_id = p.customer_id
     where p.crm_id = :crm_id and p.state not in ('left', 'anonymised') order by p.assignment_id
""")
_KNOWN = text("select customer_id from matched where kind <> 'gone' order by customer_id")
_LOCK = text("""
    select 1 from customer where crm_id = :crm_id and id = any(:customers) order by id for no key update
""")
_GAINING = text("""
    select distinct m.customer_id from matched m join staged_number n on n.row_no = m.row_no
     where m.kind <> 'gone'
       and not exists (select from customer_number x
                        where x.crm_id = :crm_id and x.customer_id = m.customer_id and x.e164 = n.e164)
     order by m.customer_id
""")
_BLOCK = text("""
    insert into claim_customer (crm_id, customer_id, lease_id)
    select :crm_id, w.id, :ours from unnest(cast(:customers as bigint[])) as w(id) order by w.id
    on conflict (crm_id, customer_id) do nothing
""")
_HELD = text("""
    select customer_id, lease_id from claim_customer
     where crm_id = :crm_id and customer_id = any(:customers) and lease_id <> :ours
     order by customer_id for update
""")
_CLAIM_NUMBERS = text("""
    insert into claim_number (crm_id, e164, lease_id)
    select :crm_id, n.e164, h.lease_id
      from unnest(cast(:customers as bigint[]), cast(:leases as uuid[])) as h(customer_id, lease_id)
      join customer_number n on n.crm_id = :crm_id and n.customer_id = h.customer_id
     order by n.e164
    on conflict (crm_id, e164) do nothing
""")
_UNBLOCK = text("delete from claim_customer where crm_id = :crm_id and lease_id = :ours")


@dataclass(frozen=True, slots=True)
class Updated:
    """How many known customers a batch wrote, their assignments, and the rows that could not be taken.

    `offered`: leases that were to keep promises which have moved; the caller recalls them after the commit.
    """

    customers: int
    assignments: list[int]
    refused: list[Reject]
    offered: list[UUID]


def update_known(work: Work, rows: Sequence[Staged], given: Given, refuse: Refuse) -> Updated:
    """Write what these rows (at most BATCH) say about known customers.

    Their clock, the promises on their wall, the rank and the gates of their placements follow. A rebuild of
    each assignment is noted; the caller hints it in the end.
    """
    stage(work, rows, given)
    refused = refuse(work)
    assignments = list(work.run(_ASSIGNMENTS).scalars())
    turnstile.pass_shared(work, assignments)
    gaining = list(work.run(_GAINING).scalars())
    ours = work.new_id(work.now)
    held = _block(work, gaining, ours)
    customers = list(work.run(_KNOWN).scalars())
    orders = lock_orders(work, customers)
    work.run(_LOCK, customers=customers)
    placements.lock(work, customers)  # before their numbers, as an outcome does
    work.run(load("import_update"), **given.bindings())
    work.run(load("import_update_numbers"))
    put_tags(work, given, ["differs", "same"])
    put_zones(work, given, ["differs", "same"])
    if held:
        work.run(_CLAIM_NUMBERS, customers=[h.customer_id for h in held], leases=[h.lease_id for h in held])
    work.run(_UNBLOCK, ours=ours)
    promises = reclock_and_follow(work, customers, orders, given.author or "import").promises
    if assignments:
        rerank(work, customers)
        gates.restamp(work, customers, locked=True)
    tell(work, promises)
    for assignment_id in assignments:
        note_rebuild(work, assignment_id)
    return Updated(len(customers), assignments, refused, promises.offered)


def _block(work: Work, customers: Sequence[int], ours: Any) -> Sequence[Row[Any]]:
    """Keep everybody from claiming these customers until we commit; who holds them already."""
    if not customers:
        return []
    work.run(_BLOCK, customers=customers, ours=ours)
    return work.run(_HELD, customers=customers, ours=ours).all()
