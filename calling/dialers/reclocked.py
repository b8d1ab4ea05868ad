"""Orders of customers who get another clock: `ring_by` came from the zones that they had (P3)."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Row, text

from calling.dialers.orders import want_back
from models.work import Work

# Sent or not: the link that offers one meanwhile waits, and looks at the customer's new clock.
_ORDERS = text("""
    select id, customer_id, dialer_id from lease
     where crm_id = :crm_id and customer_id = any(:customers) and ended_at is null and dialer_id is not null
     order by id for update
""")

Orders = Sequence[Row[Any]]


def lock_orders(work: Work, customers: Iterable[int]) -> Orders:
    """Lock the orders of customers whose numbers or address are about to change; before the customers."""
    return work.run(_ORDERS, customers=sorted(set(customers))).all()


def want_back_reclocked(work: Work, orders: Orders, reclocked: Sequence[int]) -> None:
    """Recall those of these orders whose customers' clock has changed.

    What is unsent stops at the last look before it is offered.
    """
    changed = set(reclocked)
    outside = [order for order in orders if order.customer_id in changed]
    if outside:
        want_back(work, [order.id for order in outside], "the customer has another clock")
    for dialer_id in sorted({order.dialer_id for order in outside}):
        work.hint("recall", dialer_id)
