"""Business time is read when a transaction begins, and transactions end in another order than they began."""

from datetime import timedelta

import pytest
from world import NOON, World

from calling.handout.allocate import allocate_all
from calling.handout.reaper import reap
from calling.views import audit


@pytest.fixture
def assignment(world: World) -> int:
    made = world.assignment()
    world.customers(1, made)
    world.seller(made)
    return made


def test_who_waited_for_a_customer_offers_them_after_they_were_free(world: World, assignment: int) -> None:
    """An allocator that began before the reaper, and got the customer after it: the leases do not overlap.

    Plant the bug: offered_at is the allocator's own instant.
    """
    allocate_all(world.opener(NOON), assignment)
    later = NOON + timedelta(minutes=16)
    reap(world.opener(later))
    allocate_all(world.opener(later - timedelta(seconds=1)), assignment)
    with world.work(later) as work:
        assert dict(audit.by_promise(audit.audit(work))) == {f"P{n}": 0 for n in range(1, 9)}
