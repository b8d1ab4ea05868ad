"""Short ways to take a call and to say what came of it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from world import NOON, World

from calling.handout.hand_out import HandOut, next_customer
from calling.handout.ring import ring
from calling.outcomes.outcome import Recorded, Report, record_all
from models.outcomes import Outcome


def take(world: World, seller: int, now: datetime = NOON, *, rung: bool = True) -> HandOut:
    """The seller's next customer, rung."""
    handed = next_customer(world.opener(now), seller)
    assert handed is not None
    if rung:
        with world.work(now) as work:
            ring(work, handed.lease_id, seller)
    return handed


def say(world: World, lease_id: UUID, outcome: Outcome, now: datetime = NOON, **more: Any) -> Recorded:
    """Report one outcome, of the seller unless told otherwise."""
    (recorded,) = record_all(world.opener(now), [Report(lease_id, outcome, more.pop("by", "seller"), **more)])
    return recorded
