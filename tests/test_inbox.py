"""What a dialer tells is taken at its word about when, however late it is heard."""

from datetime import timedelta

from sqlalchemy import text
from world import NOON, World

from calling import allocate, inbox, orders
from calling.audit import audit
from calling.inbox import Told


def test_a_ring_that_nobody_announced_is_as_old_as_its_end(world: World) -> None:
    """Seen to fail: a result heard after closing counted as a ring at that very minute (P3)."""
    assignment = world.assignment()
    world.customers(2, assignment)
    dialer = world.dialer(assignment)
    with world.work() as work:
        orders.heard(work, dialer, wanted=1, rings_late_seconds=0)
    allocate.allocate_all(world.opener(), assignment)
    with world.work() as work:
        (order,) = orders.to_offer(work, dialer)
    # Given a dialer that tells nothing but how it ended, and a link that hears it in the night
    ended = NOON + timedelta(seconds=40)
    said = {"result": "no_answer", "talk_seconds": 0}
    night = NOON + timedelta(hours=11)
    with world.work(night) as work:
        inbox.journal(work, dialer, [Told("1", order.lease_id, "ended", ended, said)])
    # When it takes effect
    inbox.process_inbox(world.opener(night), dialer)
    # Then it rang when the dialer says, inside the hours
    with world.work(night) as work:
        rung_at = work.run(text("select rung_at from lease where id = :id"), id=order.lease_id).scalar_one()
        assert rung_at == ended
        assert [found for found in audit(work) if found.count] == []
