"""Calls that a dialer puts through: on the seller's screen until they told what came of it, or the limit."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from calls import say
from sqlalchemy import text
from test_outcomes import attempts, dialers_lease, placement, tell, violations
from world import NOON, World

from calling.dialers.inbox import Told
from calling.handout.hand_out import HandOut, next_customer
from calling.handout.heartbeat import alive
from calling.handout.reaper import reap
from calling.handout.screen import on_screen
from calling.views.floor import floor
from models.errors import NotFound
from models.outcomes import Outcome

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)


def events(lease: UUID, seller: Any, *kinds: str, result: str = "answered") -> list[Told]:
    """What a dialer tells of one call, ten seconds apart."""
    bodies = {"connected": {"seller": seller}, "ended": {"result": result, "talk_seconds": 60}}
    return [
        Told(f"{lease}:{kind}", lease, kind, NOON + i * timedelta(seconds=10), bodies.get(kind, {}))
        for i, kind in enumerate(kinds)
    ]


def shown(world: World, seller: int, now: Any = NOON + MINUTE) -> HandOut | None:
    with world.work(now) as work:
        return on_screen(work, seller)


def put_through(world: World, **columns: Any) -> tuple[int, int, UUID, int, int]:
    """A call that somebody answered, with Ana on the line: (assignment, dialer, lease, customer, Ana)."""
    assignment, dialer, lease, customer = dialers_lease(world)
    if columns:
        with world.work() as work:
            work.run(text("update assignment set wrap_up_seconds = :limit"), limit=columns["wrap_up_seconds"])
    world.customers(2, assignment)
    seller = world.seller(assignment, "Ana")
    tell(world, dialer, *events(lease, "Ana", "taken", "ringing", "answered", "connected"), now=NOON + MINUTE)
    return assignment, dialer, lease, customer, seller


def test_it_is_on_their_screen_while_they_talk_and_until_they_told(world: World) -> None:
    """Finish this first: no other card is dealt. Planted: `next` without a look at the line; seen to fail."""
    _, dialer, lease, customer, seller = put_through(world)
    card = next_customer(world.opener(NOON + MINUTE), seller)
    assert card is not None
    assert (card.lease_id, card.customer_id, card.state) == (lease, customer, "rung")
    tell(world, dialer, *events(lease, "Ana", "hung_up", "ended"), now=NOON + 2 * MINUTE)
    card = next_customer(world.opener(NOON + 2 * MINUTE), seller)
    assert card is not None
    assert (card.lease_id, card.state) == (lease, "wrap_up")
    assert shown(world, seller) == card
    with world.work(NOON + 2 * MINUTE) as work:
        told = alive(work, seller, NOON)
    assert (told.lease_id, told.state, told.expires_at) == (lease, "wrap_up", card.expires_at)
    with world.work(NOON + 3 * MINUTE) as work:
        (now,) = floor(work, card.assignment_id).sellers
    assert (now.state, now.lease_id) == ("wrap_up", lease)
    done = say(world, lease, Outcome.SALE, NOON + 3 * MINUTE)
    assert (done.kind, done.state) == ("completion", "closed")
    with world.work(NOON + 3 * MINUTE) as work:
        (now,) = floor(work, card.assignment_id).sellers
    assert (now.state, now.lease_id) == ("waiting", None)
    card = next_customer(world.opener(NOON + 3 * MINUTE), seller)
    assert card is not None
    assert card.lease_id != lease
    assert violations(world, NOON + 3 * MINUTE) == []


def test_the_attempt_names_the_seller_who_talked_and_the_dialer_that_rang(world: World) -> None:
    """Planted: the lease's holder alone; seen to fail."""
    _, dialer, lease, _, seller = put_through(world)
    tell(world, dialer, *events(lease, "Ana", "ended"), now=NOON + 2 * MINUTE)
    say(world, lease, Outcome.NO_SALE, NOON + 3 * MINUTE)
    assert [(a.kind, a.outcome, a.seller_id, a.dialer_id) for a in attempts(world)] == [
        ("first", "answered", seller, dialer),
        ("completion", "no_sale", seller, dialer),
    ]


def test_who_tells_nothing_within_the_limit_is_free_and_may_tell_later(world: World) -> None:
    """Planted: no limit once the dialer's result has ended the lease; seen to fail."""
    _, dialer, lease, customer, seller = put_through(world, wrap_up_seconds=120)
    tell(world, dialer, *events(lease, "Ana", "ended"), now=NOON + 2 * MINUTE)
    assert shown(world, seller, NOON + 4 * MINUTE - SECOND) is not None
    assert shown(world, seller, NOON + 4 * MINUTE) is None
    card = next_customer(world.opener(NOON + 4 * MINUTE), seller)
    assert card is not None
    assert card.customer_id != customer
    with world.work() as work:
        assert work.run(text("select connected_lease_id from seller")).scalar_one() is None
    assert say(world, lease, Outcome.SALE, NOON + HOUR).kind == "completion"
    assert placement(world, customer).state == "closed"


def test_a_hang_up_that_is_told_before_its_ring_is_a_ring(world: World) -> None:
    """Events in any order come to the same. Planted: a hang-up does not ring; seen to fail."""
    assignment, dialer, lease, _ = dialers_lease(world)
    with world.work() as work:
        work.run(text("update assignment set wrap_up_seconds = 60"))
    world.seller(assignment, "Ana")
    tell(world, dialer, *events(lease, "Ana", "hung_up"), now=NOON + MINUTE)
    tell(world, dialer, *events(lease, "Ana", "taken", "connected", "ringing"), now=NOON + MINUTE)
    with world.work() as work:
        row = work.run(text("select * from lease where id = :l"), l=lease).one()
    assert (row.state, row.rung_at, row.wrap_up_at, row.expires_at) == ("wrap_up", NOON, NOON, NOON + MINUTE)
    reap(world.opener(NOON + MINUTE))
    with world.work() as work:
        assert (
            work.run(text("select ended_by from lease where id = :l"), l=lease).scalar_one() == "unconfirmed"
        )
    assert violations(world, NOON + MINUTE) == []


@pytest.mark.parametrize("of_id", [False, True])
def test_sellers_are_named_by_name_or_id(world: World, of_id: bool) -> None:
    assignment, dialer, lease, _ = dialers_lease(world)
    seller = world.seller(assignment, "Ana")
    tell(world, dialer, *events(lease, seller if of_id else "Ana", "connected"))
    card = shown(world, seller)
    assert card is not None
    assert card.lease_id == lease


@pytest.mark.parametrize(
    ("named", "problem"), [("Bea", "left out seller: 'Bea'"), (None, None), (True, None)]
)
def test_a_seller_whom_nobody_knows_is_left_out_and_the_call_counts(
    world: World, named: Any, problem: str | None
) -> None:
    assignment, dialer, lease, _ = dialers_lease(world)
    seller = world.seller(assignment, "Ana")
    tell(world, dialer, *events(lease, named, "connected"))
    with world.work() as work:
        row = work.run(text("select state, connected_seller_id from lease")).one()
        told = work.run(text("select processed_at, problem from dialer_event")).one()
        aside = work.run(text("select count(*) from set_aside")).scalar_one()
    assert (row.state, row.connected_seller_id, told.problem, aside) == ("rung", None, problem, 0)
    assert told.processed_at is not None
    assert shown(world, seller) is None


def test_an_old_call_told_late_takes_nobodys_screen(world: World) -> None:
    """Planted: the last that is told, not the last call; seen to fail."""
    assignment, dialer, lease, _, seller = put_through(world)
    newer = UUID(int=lease.int + (1 << 100))
    with world.work() as work:
        work.run(text("update seller set connected_lease_id = :newer"), newer=newer)
    tell(world, dialer, Told("late", lease, "connected", NOON, {"seller": "Ana"}), now=NOON + MINUTE)
    with world.work() as work:
        assert work.run(text("select connected_lease_id from seller")).scalar_one() == newer
    assert assignment
    assert seller


def test_what_a_reaper_takes_is_told_to_whom_it_was_put_through(world: World) -> None:
    _, _, lease, _, seller = put_through(world)
    reap(world.opener(NOON + 2 * HOUR))
    assert shown(world, seller, NOON + 2 * HOUR) is None
    assert seller in {hint.subject for hint in world.hints if hint.kind == "lease_taken_away"}
    assert say(world, lease, Outcome.SALE, NOON + 2 * HOUR).late


def test_nobody_has_a_screen_who_is_not_there(world: World) -> None:
    with world.work() as work, pytest.raises(NotFound):
        on_screen(work, 999_999)
