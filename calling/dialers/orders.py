"""A dialer's orders, as its link sees them: to offer, to recall, to reconcile.

The link sends offers and recalls of one lease in order and reads the lease again before each offer: an
order is marked as sent in the transaction before it is offered outside.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from calling.dialers.last_look import shut_orders
from calling.handout import claims
from calling.handout.give_back import Why, give_back
from models import turnstile
from models.errors import NotFound
from models.work import OpenWork, Work

BATCH = 200


@dataclass(frozen=True, slots=True)
class OrderToOffer:
    """A lease as a dialer may see it: what to ring (E.164), until when (UTC), and for whom."""

    lease_id: UUID
    e164: str
    ring_by: datetime
    customer_ref: str
    mode: str


@dataclass(frozen=True, slots=True)
class LinkedDialer:
    """What a link has to know of its dialer."""

    id: int
    name: str
    adapter: str
    mode: str
    settings: Mapping[str, object]
    assignment_id: int | None
    epoch: str | None
    cursor: str


_DIALER = text("select * from dialer where crm_id = :crm_id and id = :dialer_id")
_HEARD = text("""
    update dialer set wanted = :wanted, wanted_at = :now, rings_late_seconds = :rings_late
     where crm_id = :crm_id and id = :dialer_id
""")
_EPOCH = text("update dialer set epoch = :epoch where crm_id = :crm_id and id = :dialer_id")
_UNSENT = text("""
    select id, assignment_id from lease
     where crm_id = :crm_id and dialer_id = :dialer_id and ended_at is null
       and state = 'offered' and sent_at is null and ring_by > :now
     order by id limit :batch
""")
# Whoever recalled, ended or sent one of them meanwhile has the row first: it is looked at again.
_LOCK_UNSENT = text("""
    select id from lease
     where crm_id = :crm_id and id = any(:leases) and ended_at is null
       and state = 'offered' and sent_at is null
     order by id for update
""")
_SEND = text("""
    update lease l set sent_at = :now, clock_id = c.clock_id
      from customer c, dialer d
     where l.crm_id = :crm_id and l.id = any(:leases)
       and c.crm_id = :crm_id and c.id = l.customer_id
       and d.crm_id = :crm_id and d.id = l.dialer_id
    returning l.id as lease_id, l.e164, l.ring_by, c.external_id as customer_ref, d.mode
""")
_RECALLS = text("""
    select r.lease_id from recall r join lease l on l.crm_id = :crm_id and l.id = r.lease_id
     where r.crm_id = :crm_id and r.dialer_id = :dialer_id and r.answered_at is null
       and l.ended_at is null
     order by r.lease_id
""")
_WANT_BACK = text("""
    insert into recall (crm_id, lease_id, dialer_id, reason, asked_at)
    select :crm_id, l.id, l.dialer_id, :reason, :now from lease l
     where l.crm_id = :crm_id and l.id = any(:leases) and l.ended_at is null and l.sent_at is not null
     order by l.id
    on conflict (crm_id, lease_id) do nothing
""")
_ANSWER = text("""
    update recall set answered_at = :now, answer = 'taken'
     where crm_id = :crm_id and lease_id = any(:leases) and answered_at is null
""")
_UNSETTLED = text("""
    select id, state from lease
     where crm_id = :crm_id and dialer_id = :dialer_id and ended_at is null and sent_at is not null
       and (:everything or (state = 'offered' and ring_by <= :now))
     order by id
""")
_ASSIGNMENTS = text("select distinct assignment_id from lease where crm_id = :crm_id and id = any(:leases)")


def linked_dialer(work: Work, dialer_id: int) -> LinkedDialer:
    """The dialer of a link. Raises NotFound."""
    row = work.run(_DIALER, dialer_id=dialer_id).first()
    if row is None:
        raise NotFound("dialer", dialer_id)
    return LinkedDialer(
        row.id, row.name, row.adapter, row.mode, row.settings, row.assignment_id, row.epoch, row.cursor
    )


def heard(work: Work, dialer_id: int, *, wanted: int, rings_late_seconds: int) -> None:
    """The link is in touch, and the dialer would hold `wanted` orders."""
    work.run(_HEARD, dialer_id=dialer_id, wanted=wanted, rings_late=rings_late_seconds)


def entered_epoch(work: Work, dialer_id: int, epoch: str) -> None:
    """From here on orders are offered under `epoch`."""
    work.run(_EPOCH, dialer_id=dialer_id, epoch=epoch)


def to_offer(work: Work, dialer_id: int) -> list[OrderToOffer]:
    """Mark the next unsent orders as sent, and return them best first; commit before offering them.

    Between the deal and now a gate may have shut: such orders are given back instead.
    """
    unsent = work.run(_UNSENT, dialer_id=dialer_id, batch=BATCH).all()
    if not unsent:
        return []
    turnstile.pass_shared(work, (row.assignment_id for row in unsent))
    claims.lock(work, [row.id for row in unsent])
    locked = list(work.run(_LOCK_UNSENT, leases=[row.id for row in unsent]).scalars())
    stopped = shut_orders(work, locked)
    if stopped:
        give_back(
            work, sorted(stopped), "recalled", why=Why(reason="stopped by the last look before it is sent")
        )
    rows = work.run(_SEND, leases=[lease for lease in locked if lease not in stopped]).all()
    orders = [OrderToOffer(r.lease_id, r.e164, r.ring_by, r.customer_ref, r.mode) for r in rows]
    return sorted(orders, key=lambda order: order.lease_id)


def recalls(work: Work, dialer_id: int) -> list[UUID]:
    """The orders that are wanted back and unanswered."""
    return list(work.run(_RECALLS, dialer_id=dialer_id).scalars())


def unsettled(work: Work, dialer_id: int, *, everything: bool = False) -> list[UUID]:
    """Sent orders that can ring no more and were never taken; with `everything`, all that live outside."""
    return [row.id for row in work.run(_UNSETTLED, dialer_id=dialer_id, everything=everything)]


def came_back(open_work: OpenWork, leases: Sequence[UUID], how: str) -> int:
    """The dialer says these never rang: `how` is "recalled" or "never_seen". They are free again."""
    freed = 0
    for start in range(0, len(leases), BATCH):
        batch = sorted(leases)[start : start + BATCH]
        with open_work() as work:
            turnstile.pass_shared(work, work.run(_ASSIGNMENTS, leases=batch).scalars())
            freed += len(give_back(work, batch, how))
    return freed


def want_back(work: Work, leases: Sequence[UUID], reason: str) -> None:
    """Write recalls for these orders: the link asks until the dialer answers or the reaper ends them."""
    work.run(_WANT_BACK, leases=list(leases), reason=reason)


def too_late(work: Work, leases: Sequence[UUID]) -> None:
    """The dialer had taken these before the recall reached it: the recall is answered, the call goes on."""
    work.run(_ANSWER, leases=list(leases))
