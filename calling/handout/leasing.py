"""Customers who were dealt become leases: claimed, and still as they were chosen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import RowMapping

from calling.handout import claims, gates, placements
from calling.handout.closing import Closing
from calling.handout.hot import HOLD as HOT_HOLD
from calling.handout.needs import Need
from calling.handout.promised import ended_promises
from calling.hours.opening import last_ring_by
from calling.hours.versions import version_id
from models.sql import load
from models.tables.customers import CALLABLE_NUMBER_STATES
from models.work import Work

EXPIRY_GRACE = timedelta(seconds=120)
"""Business time that a link has, after `ring_by`, to say what became of an order."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """A customer dealt to a holder, not leased yet. `follow_up_id`: the promise that is kept by it.

    `hot_lead_id`: the hot lead as which they are dealt.
    """

    customer_id: int
    segment_id: int
    clock_id: int
    need: Need
    lease_id: UUID
    follow_up_id: int | None = None
    hot_lead_id: int | None = None


def lease_all(
    work: Work, assignment: RowMapping, chosen: Sequence[Chosen],
    facts: Mapping[int, gates.Facts], closing: Closing, blocked: Sequence[int],
) -> set[UUID]:  # fmt: skip
    """Claims first, then leases only where the placement is still as it was chosen.

    The `blocked` are stamped on the way: all placements that are written here are locked at once, by key.
    """
    data_version = version_id(work)  # before anything is claimed: the first one writes a row
    whole = claims.claim(work, [(c.customer_id, c.lease_id) for c in chosen])
    rows = [c for c in chosen if c.lease_id in whole]
    placements.lock(work, [*(c.customer_id for c in rows), *blocked])
    gates.restamp(work, blocked, locked=True)
    over = ended_promises(work, [c.follow_up_id for c in rows if c.follow_up_id is not None])
    claims.drop(work, [c.lease_id for c in rows if c.follow_up_id in over])
    rows = [c for c in rows if c.follow_up_id not in over]
    if not rows:
        return set()
    ring_bys = [_ring_by(work, assignment, c, closing[c.segment_id][c.clock_id]) for c in rows]
    leased = set(
        work.run(
            load("lease"),
            assignment_id=assignment["id"],
            data_version=data_version,
            customers=[c.customer_id for c in rows],
            leases=[c.lease_id for c in rows],
            segments=[c.segment_id for c in rows],
            sellers=[c.need.seller_id for c in rows],
            dialers=[c.need.dialer_id for c in rows],
            numbers=[facts[c.customer_id].e164 for c in rows],
            zones=[facts[c.customer_id].zone for c in rows],
            ring_bys=ring_bys,
            expiries=[
                _expiry(work, assignment, c, ring_by) for c, ring_by in zip(rows, ring_bys, strict=True)
            ],
            follow_ups=[c.follow_up_id for c in rows],
            hot_leads=[c.hot_lead_id for c in rows],
            callable=list(CALLABLE_NUMBER_STATES),
        ).scalars()
    )
    claims.drop(work, [c.lease_id for c in rows if c.lease_id not in leased])
    return leased


def _ring_by(work: Work, assignment: RowMapping, chosen: Chosen, closes_at: datetime) -> datetime:
    """An order's life for a dialer; a seller may take longer to look. Never past closing."""
    if chosen.need.dialer_id is None:
        return closes_at
    latest = last_ring_by(closes_at, chosen.need.rings_late)
    return min(latest, work.now + timedelta(seconds=assignment["offer_seconds"]))


def _expiry(work: Work, assignment: RowMapping, chosen: Chosen, ring_by: datetime) -> datetime:
    """When the reaper looks: a seller's list after its hold, a dialer's order when it can ring no more.

    A hot lead lies in no list for longer than a minute: whoever has not seen them by then is not there.
    """
    if chosen.need.dialer_id is None:
        hold = timedelta(seconds=assignment["hold_seconds"])
        return min(ring_by, work.now + (hold if chosen.hot_lead_id is None else min(hold, HOT_HOLD)))
    return ring_by + chosen.need.rings_late + EXPIRY_GRACE
