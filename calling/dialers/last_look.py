"""The last look at orders before they are offered outside: what changed since they were dealt stops them.

A late outcome in another assignment may have marked the number or begun a gap; the customer may have got
other zones, or another number. From here on only the dialer's answer frees them.
"""

from collections.abc import Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from calling.handout import gates
from calling.hours.opening import Openings, last_ring_by, openings
from calling.walls import pauses
from models.tables.people import ROBOTS
from models.work import Work

_ASSIGNMENT = attrgetter("assignment_id")

_STANDING = text("""
    select l.id, l.assignment_id, l.customer_id, l.dialer_id, l.e164, l.ring_by, p.return_due_at, d.mode,
           d.rings_late_seconds * interval '1 second' as rings_late
      from lease l
      join placement p on p.crm_id = :crm_id and p.assignment_id = l.assignment_id
                      and p.customer_id = l.customer_id
      join dialer d on d.crm_id = :crm_id and d.id = l.dialer_id
     where l.crm_id = :crm_id and l.id = any(:leases)
     order by l.id
""")


def shut_orders(work: Work, leases: Sequence[UUID]) -> set[UUID]:
    """Those of these unsent orders that may not be rung any more.

    The caller has passed the turnstiles, and locked the leases.
    """
    if not leases:
        return set()
    rows = work.run(_STANDING, leases=list(leases)).all()
    standing = pauses.standing(work)
    hours = openings(work)
    stopped: set[UUID] = set()
    for assignment_id, group in groupby(sorted(rows, key=_ASSIGNMENT), key=_ASSIGNMENT):
        orders = list(group)
        facts = gates.facts_of(work, assignment_id, sorted({order.customer_id for order in orders}))
        stopped |= {x.id for x in orders if _shut(work, x, facts[x.customer_id], standing, hours)}
    return stopped


def _shut(work: Work, order: Row[Any], fact: gates.Facts, standing: pauses.Pauses, hours: Openings) -> bool:
    """Whether anything stops this order now. A number that is not the best one any more is dealt anew."""
    closes_at = hours.of(order.assignment_id, fact.segment_id).closes_at(fact.clock_id, work.now)
    return (
        bool(fact.shut)
        or fact.closed
        or fact.e164 != order.e164
        or (order.return_due_at is not None and order.return_due_at > work.now)
        or closes_at is None
        or (order.mode in ROBOTS and fact.clock_id in hours.without_robots())
        or order.ring_by > last_ring_by(closes_at, order.rings_late)
        or standing.shut(
            assignment_id=order.assignment_id, segment_id=fact.segment_id, dialer_id=order.dialer_id
        )
        is not None
    )
