"""What falls between the parts: promised calls, robots, hours and numbers together."""

from datetime import timedelta

import pytest
from calls import take
from promises import DAY, MINUTE, live, promise, row_of
from sqlalchemy import text
from world import NOON, World

from calling.dialers.inbox import Told, journal, process_inbox
from calling.dialers.orders import to_offer
from calling.follow_ups import promising
from calling.follow_ups.asking import Wish
from calling.handout import gates
from calling.handout.allocate import allocate_all
from calling.handout.due import open_gates, wake_due
from calling.handout.hand_out import next_customer
from calling.handout.ring import ring
from calling.outcomes.outcome import Report, record_all
from calling.views.explain import explain
from calling.walls.suppress import suppress
from models.outcomes import Outcome

HOUR = timedelta(hours=1)


def test_a_robot_is_not_starved_by_whom_it_may_never_ring(world: World) -> None:
    """A seller with a full list wants nobody, and is no reason to choose whom a robot may not call.

    Seen to fail before: the best were all in Iran, and the robot got nobody at any tick.
    """
    assignment = world.assignment()
    world.place(world.customers(12), assignment, clock_id=world.clock(["Asia/Tehran"], ["IR"]))
    others = world.customers(2, assignment, rank=9)
    world.seller(assignment)
    allocate_all(world.opener(), assignment)
    robot = world.dialer(assignment, mode="voice_robot", wanted=2, wanted_at=NOON)
    allocate_all(world.opener(), assignment)
    assert {lease.customer_id for lease in live(world) if lease.dialer_id == robot} == set(others)


@pytest.mark.parametrize("wall", ["2025-04-01T10:00", "2026-03-02T11:30"], ids=["last year", "today"])
def test_a_key_press_for_a_time_that_is_over_promises_nothing(world: World, wall: str) -> None:
    """Seen to fail before: due at once, exempt from the gap, and offered again after a minute."""
    assignment = world.assignment()
    (customer,) = world.customers(1, assignment)
    dialer = world.dialer(assignment, wanted=1, wanted_at=NOON)
    allocate_all(world.opener(), assignment)
    with world.work() as work:
        (order,) = to_offer(work, dialer)
    now = NOON + MINUTE
    with world.work(now) as work:
        body = {"result": "follow_up", "promised_wall_time": wall}
        journal(work, dialer, [Told("x-ended", order.lease_id, "ended", now, body)])
    process_inbox(world.opener(now), dialer)
    assert row_of(world, customer).state == "resting"
    assert live(world) == []


def test_a_promise_in_a_zone_that_is_gone_costs_no_outcome(world: World) -> None:
    """P4, whatever is in the data. Seen to fail before: the report was refused, a dialer's one was lost."""
    assignment = world.assignment()
    world.customers(1, assignment)
    seller = world.seller(assignment)
    card = next_customer(world.opener(), seller)
    assert card is not None
    with world.work() as work:
        ring(work, card.lease_id, seller)
        work.run(text("update customer set reckoning_zone = 'Mars/Base'"))
    for wish in (Wish(NOON + DAY), Wish(wall_time=(NOON + DAY).replace(tzinfo=None))):
        report = Report(card.lease_id, Outcome.FOLLOW_UP, "seller", promise=wish)
        (recorded,) = record_all(world.opener(), [report])
        assert recorded.kind in ("first", "again")


def test_the_next_call_is_told_by_the_number_that_is_best_by_then(world: World) -> None:
    """At night one is on a list and the other free; in the morning the better one is back, and rests.

    Seen to fail before: told 09:01, and shut until noon when it came.
    """
    assignment = world.assignment()
    (customer,) = world.customers(1, assignment)
    night, noon = NOON.replace(hour=22), NOON + DAY
    with world.work() as work:
        first = work.run(text("select e164 from customer_number")).scalar_one()
        second = text("""
            insert into customer_number (crm_id, customer_id, e164, position, zones)
            values (:crm_id, :customer, '+351919999999', 1, '{Europe/Lisbon}')
        """)
        work.run(second, customer=customer)
        gap = text("""
            insert into ring_limit (crm_id, scope, subject, assignment_id, rung_at)
            values (:crm_id, 'number', :number, :assignment, :at)
        """)
        work.run(gap, number=first, assignment=assignment, at=noon - HOUR)
    suppress(world.opener(), e164=first, reason="x", author="Kari", expires_at=night + 5 * HOUR)
    with world.work(night) as work:
        gates.restamp(work, [customer])
        told = explain(work, assignment, customer).callable_at
    assert told is not None
    for at in (night + 6 * HOUR, told):
        wake_due(world.opener(at))
        open_gates(world.opener(at))
    with world.work(told) as work:
        assert explain(work, assignment, customer).callable_now


@pytest.mark.parametrize("outcome", [Outcome.SALE, Outcome.NO_SALE, Outcome.DO_NOT_CALL])
def test_a_promise_taken_back_reopens_nobody_who_was_closed(world: World, outcome: Outcome) -> None:
    """Only a manager does. Seen to fail before: whoever had bought was handed out at once."""
    assignment = world.assignment()
    (customer,) = world.customers(1, assignment)
    card = take(world, world.seller(assignment))
    record_all(world.opener(), [Report(card.lease_id, outcome, "seller")])
    made = promise(world, assignment, customer, NOON + DAY)
    promising.cancel(world.opener(NOON + HOUR), made.id, author="Kari")
    assert row_of(world, customer).state == "closed"
