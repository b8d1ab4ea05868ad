"""The ring, a moment of its own: everything that may stop it is looked at once more.

And giving a customer back unrung.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from calling.handout import gates, placements
from calling.handout.give_back import UNRUNG, give_back, note_rings
from calling.hours.opening import REGISTER_STALE, openings
from calling.walls import pauses
from models import turnstile
from models.errors import BadInput, LeaseGone, NotNow
from models.work import Work

_LOCK = text("""
    select id, state, seller_id, dialer_id, assignment_id, customer_id, e164, ring_by, rung_at, wrap_up_at,
           expires_at, ended_by, ended_author, ended_reason
      from lease where crm_id = :crm_id and id = :lease_id for update
""")
_WHERE = text("""
    select assignment_id, seller_id, connected_seller_id from lease
     where crm_id = :crm_id and id = :lease_id
""")
_RING = text("""
    update lease set state = 'rung', rung_at = :now, expires_at = :expires_at, clock_id = :clock_id
     where crm_id = :crm_id and id = :lease_id
""")


@dataclass(frozen=True, slots=True)
class Ring:
    """The last look was good: ring `e164` now, and never after `ring_by`."""

    lease_id: UUID
    e164: str
    ring_by: datetime
    rung_at: datetime


TALK = timedelta(hours=1)
"""Business time after a ring in which an outcome is awaited; then the lease is unconfirmed."""


def ring(work: Work, lease_id: UUID, seller_id: int) -> Ring:
    """The moment before the telephone rings: window, pause, suppression and limits are looked at again.

    Ringing twice is one ring.
    Raises LeaseGone, NotNow (with the gate, and until when).
    """
    lease = lock_live(work, lease_id, seller_id)
    if lease.state == "rung":
        return Ring(lease_id, lease.e164, lease.ring_by, lease.rung_at)
    if lease.state != "taken":
        raise LeaseGone(lease_id, f"it is {lease.state}, not taken")
    touched = {customer for _, customer in placements.lock_touched(work, [lease_id])}
    fact = refuse_if_shut(work, lease)
    work.run(_RING, lease_id=lease_id, expires_at=work.now + TALK, clock_id=fact.clock_id)
    note_rings(work, [lease_id])
    gates.restamp(work, touched, locked=True)
    return Ring(lease_id, lease.e164, lease.ring_by, work.now)


def refuse_if_shut(work: Work, lease: Any) -> gates.Facts:
    """Raise NotNow for the first gate that is shut for this lease's customer and number; what all say.

    Never trusts the stamp. The caller has passed the turnstile.
    """
    if work.now >= lease.ring_by:
        raise NotNow("ring_by", None)
    fact = gates.facts_of(work, lease.assignment_id, [lease.customer_id], e164=lease.e164)[lease.customer_id]
    paused = pauses.standing(work).shut(
        assignment_id=lease.assignment_id, segment_id=fact.segment_id,
        seller_id=lease.seller_id, dialer_id=lease.dialer_id,
    )  # fmt: skip
    if fact.closed:
        raise NotNow("closed by the outcome of an earlier call", None)
    if paused:
        raise NotNow(f"paused: {paused[0]}", paused[1])
    if fact.shut:
        raise NotNow(*fact.shut[0])
    hours = openings(work, [fact.clock_id]).of(lease.assignment_id, fact.segment_id)
    if not hours.is_open(fact.clock_id, work.now):
        if hours.refused(fact.clock_id, work.now):
            raise NotNow(REGISTER_STALE, None)
        raise NotNow("window", hours.next_opening(fact.clock_id, work.now))
    return fact


def release(work: Work, lease_id: UUID, seller_id: int) -> None:
    """Give a customer back unrung. Giving back twice is once. Raises LeaseGone, BadInput when it has rung."""
    pass_own(work, lease_id, seller_id)
    if give_back(work, [lease_id], "released"):
        return
    if lock(work, lease_id).state not in (*UNRUNG, "ended"):
        raise BadInput("it has rung: report an outcome instead of giving it back", lease=str(lease_id))


def pass_own(work: Work, lease_id: UUID, seller_id: int, *, even_connected: bool = False) -> None:
    """Pass the turnstile of a lease's assignment. Raises LeaseGone where the lease is not this seller's.

    `even_connected`: a dialer's call that was put through to them is theirs.
    """
    found = work.run(_WHERE, lease_id=lease_id).first()
    connected = even_connected and found is not None and found.connected_seller_id == seller_id
    if found is None or not (found.seller_id == seller_id or connected):
        raise LeaseGone(lease_id, "there is no such lease of yours")
    turnstile.pass_shared(work, [found.assignment_id])


def lock(work: Work, lease_id: UUID) -> Row[Any]:
    """Lock a lease, live or ended; the turnstile is passed."""
    return work.run(_LOCK, lease_id=lease_id).one()


def lock_live(work: Work, lease_id: UUID, seller_id: int, *, even_connected: bool = False) -> Row[Any]:
    """Pass the turnstile, then lock the lease; it has to be this seller's and live. Raises LeaseGone."""
    pass_own(work, lease_id, seller_id, even_connected=even_connected)
    lease = lock(work, lease_id)
    if lease.state == "ended":
        raise LeaseGone(lease_id, how_it_ended(lease))
    return lease


def how_it_ended(lease: Row[Any]) -> str:
    """For whoever had it on their screen: how, and by whose word and why if somebody said so."""
    by = f" by {lease.ended_author}" if lease.ended_author else ""
    return f"it ended: {lease.ended_by}{by}" + (f": {lease.ended_reason}" if lease.ended_reason else "")
