"""Pause is a wall (P2), do-not-call is at once (P8): nothing begins behind them but what the answer names.

By race: test_wall_race.py.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from datetime import timedelta

import pytest
from sqlalchemy import text
from world import NOON, World, wait_until

from calling.dialers.orders import came_back, recalls, to_offer, too_late
from calling.handout.allocate import allocate, allocate_all
from calling.handout.hand_out import next_customer
from calling.handout.recalling import WallAnswer, fates
from calling.handout.ring import ring
from calling.views.explain import explain
from calling.walls.pause import finish_pauses, pause, resume
from calling.walls.suppress import finish_suppressions, lift, suppress
from models import turnstile
from models.errors import BadInput, NotFound, NotNow

HOUR = timedelta(hours=1)


def stop_all(world: World, _: int) -> WallAnswer:
    return pause(world.opener(), "crm", None, reason="r", author="a")


def stop_one(world: World, customer: int) -> WallAnswer:
    return suppress(world.opener(), customer_id=customer, reason="r", author="a")


@pytest.mark.parametrize("hand_out", ["allocate", "next"])
@pytest.mark.parametrize(("wall", "caught"), [(stop_all, 2), (stop_one, 1)], ids=["pause", "do-not-call"])
def test_a_wall_waits_for_whoever_has_passed_the_turnstile(
    world: World, hand_out: str, wall: Callable[[World, int], WallAnswer], caught: int
) -> None:
    """P2, P8, step by step: a hand-out has read that nothing is stopped, and has not committed yet.

    Seen to fail: with the exclusive pass left out of `finish_pause` or `finish_suppression`, and with the
    shared one out of `allocate` (it answered, and leases came to be behind it) or out of `next_customer`.
    """
    assignment = world.assignment()
    customers = world.customers(4, assignment)
    seller = world.seller(assignment)
    if hand_out == "next":
        allocate_all(world.opener(), assignment)
    with ThreadPoolExecutor(1) as pool:
        with world.work() as work:
            if hand_out == "allocate":
                assert allocate(work, assignment).leased == 2
            else:
                assert next_customer(lambda: nullcontext(work), seller)
            waiting = pool.submit(wall, world, customers[0])
            wait_until(lambda: waiting.done() or bool(world.waited_for()))
            assert world.waited_for() == ["advisory"]
        answer = waiting.result()
    assert len(answer.recalled) == caught
    with world.work() as work:
        assert work.run(text("select count(*) from lease where ended_at is null")).scalar_one() == 2 - caught


@pytest.mark.parametrize("scope", ["segment", "assignment", "seller", "dialer", "crm"])
def test_a_pause_waits_for_those_only_who_may_hand_out_from_it(world: World, scope: str) -> None:
    """Somebody is under way in another assignment: a seller, or a dialer, may have turned to that one.

    Planted: all turnstiles passed whatever the scope; a seller's own assignment's alone; seen to fail.
    """
    assignment, other = world.assignment(), world.assignment()
    target = {
        "segment": world.unsegmented(assignment), "assignment": assignment, "crm": None,
        "seller": world.seller(assignment), "dialer": world.dialer(assignment),
    }[scope]  # fmt: skip
    with ThreadPoolExecutor(1) as pool:
        with world.work() as work:
            turnstile.pass_shared(work, [other])
            waiting = pool.submit(pause, world.opener(), scope, target, reason="r", author="a")
            wait_until(lambda: waiting.done() or bool(world.waited_for()))
            assert waiting.done() == (scope in ("segment", "assignment"))
        waiting.result()


def test_the_answer_has_three_lists(world: World) -> None:
    assignment = world.assignment(gap_seconds=0)
    world.customers(20, assignment)
    offered, taken, rung = (world.seller(assignment) for _ in range(3))
    dialer = world.dialer(assignment, wanted=2, wanted_at=NOON, rings_late_seconds=5)
    allocate_all(world.opener(), assignment)
    next_customer(world.opener(), taken)
    handed = next_customer(world.opener(), rung)
    assert handed is not None
    with world.work() as work:
        ring(work, handed.lease_id, rung)
    with world.work() as work:
        sent = to_offer(work, dialer)
    answer = pause(world.opener(), "assignment", assignment, reason="r", author="a")
    assert answer.rung == [handed.lease_id]
    assert len(answer.recalled) == 5
    late = {order.lease_id: order.ring_by + timedelta(seconds=5) for order in sent}
    assert dict(answer.unknown) == late
    assert offered


def test_the_answer_waits_for_the_link_a_moment(world: World) -> None:
    """One order comes back while the caller waits, one was taken, one is never answered."""
    assignment = world.assignment()
    world.customers(3, assignment)
    dialer = world.dialer(assignment, wanted=3, wanted_at=NOON)
    allocate_all(world.opener(), assignment)
    with world.work() as work:
        back, took, silent = (order.lease_id for order in to_offer(work, dialer))
    looks = iter((True, False))

    def the_link_answers_meanwhile() -> bool:
        look_again = next(looks)
        if look_again:
            with world.work() as work:
                assert recalls(work, dialer) == [back, took, silent]
                too_late(work, [took])
            came_back(world.opener(), [back], "recalled")
        return look_again

    answer = pause(
        world.opener(), "dialer", dialer, reason="r", author="a", patience=the_link_answers_meanwhile
    )
    assert answer.recalled == [back]
    assert [lease for lease, _ in answer.unknown] == [took, silent]
    assert fates(world.opener(), [back]).recalled == [back]


def test_a_taken_customer_of_a_paused_segment_cannot_ring(world: World) -> None:
    """The wall may come between a take and its ring; the recall has not run yet."""
    assignment = world.assignment()
    segment = world.segment(assignment)
    world.customers(2, assignment, segment_id=segment)
    seller = world.seller(assignment)
    handed = next_customer(world.opener(), seller)
    assert handed is not None
    with world.work() as work:
        work.run(
            text("""insert into pause (crm_id, scope, target_id, reason, author, started_at)
                    values (:crm_id, 'segment', :s, 'r', 'a', :now)"""),
            s=segment,
        )
    with world.work() as work, pytest.raises(NotNow, match="paused: segment"):
        ring(work, handed.lease_id, seller)


def test_a_tick_finishes_what_a_crash_left_of_a_pause(world: World) -> None:
    assignment = world.assignment()
    world.customers(2, assignment)
    seller = world.seller(assignment)
    handed = next_customer(world.opener(), seller)
    with world.work() as work:
        work.run(
            text("""insert into pause (crm_id, scope, target_id, reason, author, started_at)
                    values (:crm_id, 'assignment', :a, 'r', 'a', :now)"""),
            a=assignment,
        )
    assert finish_pauses(world.opener()) == 1
    assert finish_pauses(world.opener()) == 0
    assert handed is not None
    assert fates(world.opener(), [handed.lease_id]).recalled == [handed.lease_id]


def test_a_pause_ends_by_itself_and_by_hand(world: World) -> None:
    assignment = world.assignment()
    world.customers(2, assignment)
    seller = world.seller(assignment)
    pause(world.opener(), "crm", None, reason="r", author="a", ends_at=NOON + HOUR)
    assert next_customer(world.opener(), seller) is None
    assert next_customer(world.opener(NOON + HOUR), seller) is not None
    assert resume(world.opener(), "crm", None, author="a") == 1
    assert next_customer(world.opener(), seller) is not None


def test_what_cannot_be_paused_is_told(world: World) -> None:
    with pytest.raises(NotFound):
        pause(world.opener(), "segment", 10**9, reason="r", author="a")
    with pytest.raises(BadInput, match="cannot be paused"):
        pause(world.opener(), "moon", 1, reason="r", author="a")
    with pytest.raises(BadInput, match="needs a target"):
        pause(world.opener(), "segment", None, reason="r", author="a")


def test_a_suppressed_number_comes_back_from_every_list_and_is_lifted_again(world: World) -> None:
    """P8. Seen to fail: with the recall left out of `finish_suppression`."""
    assignment = world.assignment()
    (customer,) = world.customers(1, assignment)
    seller = world.seller(assignment)
    handed = next_customer(world.opener(), seller)
    assert handed is not None
    answer = suppress(world.opener(), e164=handed.e164, reason="asked", author="a")
    assert answer.recalled == [handed.lease_id]
    assert next_customer(world.opener(), seller) is None
    with world.work() as work:
        told = explain(work, assignment, customer)
    assert [a.gate for a in told.answers if not a.open] == ["suppressed"]
    assert lift(world.opener(), e164=handed.e164, author="Kari") == 1
    assert next_customer(world.opener(), seller) is not None


def test_one_suppressed_number_of_two_leaves_the_other(world: World) -> None:
    assignment = world.assignment()
    (customer,) = world.customers(1, assignment)
    with world.work() as work:
        first = work.run(text("select e164 from customer_number")).scalar_one()
        work.run(
            text("""insert into customer_number (crm_id, customer_id, e164, position, zones)
                    values (:crm_id, :c, '+351210000009', 1, '{Europe/Lisbon}')"""),
            c=customer,
        )
    suppress(world.opener(), e164=first, reason="asked", author="a")
    handed = next_customer(world.opener(), world.seller(assignment))
    assert handed is not None
    assert handed.e164 == "+351210000009"


def test_a_suppression_expires(world: World) -> None:
    assignment = world.assignment()
    (customer,) = world.customers(1, assignment)
    seller = world.seller(assignment)
    suppress(world.opener(), customer_id=customer, reason="a while", author="a", expires_at=NOON + HOUR)
    assert next_customer(world.opener(), seller) is None
    with world.work() as work:
        told = explain(work, assignment, customer)
    assert (told.callable_now, told.callable_at) == (False, NOON + HOUR)


def test_a_tick_finishes_what_a_crash_left_of_a_suppression(world: World) -> None:
    assignment = world.assignment()
    (customer,) = world.customers(1, assignment)
    seller = world.seller(assignment)
    handed = next_customer(world.opener(), seller)
    assert handed is not None
    with world.work() as work:
        work.run(
            text("""insert into suppression (crm_id, customer_id, reason, author, created_at)
                    values (:crm_id, :c, 'r', 'a', :now)"""),
            c=customer,
        )
    assert finish_suppressions(world.opener()) == 1
    assert fates(world.opener(), [handed.lease_id]).recalled == [handed.lease_id]
