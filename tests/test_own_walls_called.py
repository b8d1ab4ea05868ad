"""Promises on the customer's own wall that move while they are called, or wait behind a call for them."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from calls import say, take
from promises import HOUR, MINUTE, live, promises, row_of, violations
from sqlalchemy import text
from test_own_walls import AZORES, HELSINKI, TUESDAY, at, on_wall, verify
from world import LISBON, NOON, World

from calling.customers.verifying import withdraw_zone
from calling.follow_ups import own_wall, promising
from calling.follow_ups.asking import Wish
from calling.follow_ups.promising import Patch
from calling.handout.allocate import allocate_all
from calling.handout.give_back import give_up
from calling.handout.hand_out import HandOut, next_customer
from models import turnstile
from models.outcomes import Outcome

AT_NOON = NOON.replace(tzinfo=None)
EARLIER = NOON - HOUR


def withdraw(world: World, customer: int, now: datetime) -> list[own_wall.PromiseMoved]:
    return list(withdraw_zone(world.opener(now), customer, author="Bo", reason="mistaken").moved)


def given_up(world: World, assignment: int, card: HandOut, now: datetime) -> None:
    with world.work(now) as work:
        turnstile.pass_shared(work, [assignment])
        assert give_up(work, [card.lease_id]) == [card.lease_id]


# --- moved during its call ------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["east", "west and east", "undone", "noted and undone"])
@pytest.mark.parametrize("outcome", [Outcome.ANSWERED, Outcome.NO_ANSWER])
def test_its_call_consumes_what_has_come_there_too_and_nobody_is_rung_again_at_once(
    world: World, way: str, outcome: Outcome
) -> None:
    """Noon in Lisbon is ten in Helsinki; or the zone was mistaken, and is noon again. Planted: what has
    moved is always another promise; seen to fail."""
    assignment = world.assignment(gap_seconds=3600)
    (customer,) = world.customers(1, assignment)
    seller = world.seller(assignment)
    on_wall(world, assignment, customer, AT_NOON, EARLIER, seller=seller)
    card = take(world, seller)
    if way != "east":
        verify(world, customer, AZORES, NOON + MINUTE)
    if way.startswith("noted"):
        noted = promises(world)[-1].id
        promising.change(world.opener(NOON + MINUTE), noted, Patch(note="x"), author="a", made_by="api")
    if way.endswith("east"):
        verify(world, customer, HELSINKI, NOON + 2 * MINUTE)
    else:
        withdraw(world, customer, NOON + 2 * MINUTE)
    say(world, card.lease_id, outcome, NOON + 3 * MINUTE)
    assert [row.ended_by for row in promises(world)][-1] == "outcome"
    assert row_of(world, customer).state == "resting"
    assert next_customer(world.opener(NOON + 4 * MINUTE), seller) is None
    assert violations(world, NOON + 4 * MINUTE) == []


def test_changed_to_another_time_it_outlives_the_call_though_the_wall_moved_it_as_well(world: World) -> None:
    """To two past noon by the wall of the Azores; the call is over at three past. Planted: followed through
    any change; seen to fail."""
    assignment = world.assignment()
    (customer,) = world.customers(1, assignment)
    seller = world.seller(assignment)
    on_wall(world, assignment, customer, AT_NOON, EARLIER, seller=seller)
    card = take(world, seller)
    verify(world, customer, AZORES, NOON + MINUTE)
    patch = Patch(Wish(wall_time=AT_NOON - HOUR + 2 * MINUTE))
    made = promises(world)[-1].id
    promising.change(world.opener(NOON + MINUTE), made, patch, author="a", made_by="api")
    say(world, card.lease_id, Outcome.ANSWERED, NOON + 3 * MINUTE)
    row = row_of(world, customer)
    assert (row.state, row.due_at) == ("follow_up", NOON + 2 * MINUTE)


def dialled(world: World) -> tuple[int, UUID]:
    """A customer whom a dialer rings at noon, as promised on their wall; and the lease."""
    assignment = world.assignment(gap_seconds=0)
    (customer,) = world.customers(1, assignment)
    with world.work() as work:
        second = """insert into customer_number (crm_id, customer_id, e164, position, zones)
                    values (:crm_id, :id, '+351210000001', 1, array[:zone])"""
        work.run(text(second), id=customer, zone=LISBON)
    world.dialer(assignment, mode="connect")
    with world.work() as work:
        work.run(text("update dialer set wanted = 5, wanted_at = :now where crm_id = :crm_id"))
    on_wall(world, assignment, customer, AT_NOON, EARLIER)
    allocate_all(world.opener(), assignment)
    (lease,) = live(world)
    assert lease.follow_up_id is not None
    return customer, lease.id


def test_the_last_word_on_a_call_does_not_consume_what_came_after_the_call(world: World) -> None:
    """One in the afternoon came ten minutes before the seller's word on the call at noon. Planted: judged
    when the word is told; seen to fail."""
    customer, lease = dialled(world)
    verify(world, customer, AZORES, NOON + MINUTE)
    say(world, lease, Outcome.ANSWERED, NOON + 2 * MINUTE, by="dialer", rung_at=NOON)
    say(world, lease, Outcome.NO_ANSWER, NOON + HOUR + 10 * MINUTE)
    row = row_of(world, customer)
    assert (row.state, row.due_at) == ("follow_up", NOON + HOUR)
    assert violations(world, NOON + HOUR + 10 * MINUTE) == []


def test_what_the_last_word_lets_stand_again_is_on_the_wall_of_today(world: World) -> None:
    """The first word had consumed it, then she was found to live elsewhere. Planted: left on the wall of
    before; seen to fail."""
    customer, lease = dialled(world)
    say(world, lease, Outcome.ANSWERED, by="dialer")
    assert verify(world, customer, AZORES, NOON + MINUTE).moved == ()
    say(world, lease, Outcome.WRONG_PERSON, NOON + 2 * MINUTE)
    before, after = promises(world)
    assert (before.ended_by, after.ended_by, after.replaces) == ("moved", None, before.id)
    assert (after.zone, after.asked_at, after.due_at) == (AZORES, NOON + HOUR, NOON + HOUR)
    assert (row_of(world, customer).state, row_of(world, customer).due_at) == ("follow_up", NOON + HOUR)
    assert violations(world, NOON + 2 * MINUTE) == []


def test_whoever_is_on_the_wall_of_another_zone_is_found_astray(world: World) -> None:
    """Planted: judged by the zone it was asked in; seen to fail."""
    assignment = world.assignment()
    (customer,) = world.customers(1, assignment)
    on_wall(world, assignment, customer)
    with world.work() as work:
        assert own_wall.astray(work, [customer]) == set()
        work.run(text("update customer set reckoning_zone = :zone"), zone=AZORES)
        assert own_wall.astray(work, [customer]) == {customer}


# --- waiting behind its call ----------------------------------------------------------------------


@pytest.mark.parametrize("noted", [False, True])
@pytest.mark.parametrize("moved_first", [False, True])
def test_given_up_it_waits_the_gap_on_any_wall(world: World, noted: bool, moved_first: bool) -> None:
    """Nobody knows whether it rang (P5). Planted: the wait looked for in the promise's own row, or only where
    the row's own time has come; the move during the call forgotten; each seen to fail."""
    assignment = world.assignment(gap_seconds=4 * 3600)
    (customer,) = world.customers(1, assignment)
    seller = world.seller(assignment)
    on_wall(world, assignment, customer, AT_NOON, EARLIER)
    card = take(world, seller)
    now, until = NOON + 10 * MINUTE, NOON + 10 * MINUTE + 4 * HOUR
    if moved_first:
        verify(world, customer, AZORES, NOON + MINUTE)
    given_up(world, assignment, card, now)
    if noted:
        made = promises(world)[-1].id
        promising.change(world.opener(now), made, Patch(note="x"), author="a", made_by="api")
    zones = (HELSINKI, AZORES) if moved_first else (AZORES, HELSINKI)
    for zone in zones:
        (moved,) = verify(world, customer, zone, now + MINUTE).moved
        assert (moved.to_zone, moved.due_at, moved.told) == (zone, until, own_wall.WAITS)
    (back,) = withdraw(world, customer, now + 2 * MINUTE)
    assert (back.to_zone, back.due_at, row_of(world, customer).due_at) == (LISBON, until, until)
    assert next_customer(world.opener(NOON + HOUR + MINUTE), seller) is None
    assert next_customer(world.opener(until), seller) is not None
    assert violations(world, until) == []


def test_a_far_wall_and_back_is_no_longer_wait(world: World) -> None:
    """Behind the call they wait until ten past one; in New York noon is later than that."""
    assignment = world.assignment(gap_seconds=3600)
    (customer,) = world.customers(1, assignment)
    on_wall(world, assignment, customer, AT_NOON, EARLIER)
    given_up(world, assignment, take(world, world.seller(assignment)), NOON + 10 * MINUTE)
    (moved,) = verify(world, customer, "America/New_York", NOON + 11 * MINUTE).moved
    assert (moved.due_at, moved.told) == (NOON + 5 * HOUR, "")
    (back,) = withdraw(world, customer, NOON + 12 * MINUTE)
    assert (back.due_at, back.told) == (NOON + HOUR + 10 * MINUTE, own_wall.WAITS)
    verify(world, customer, AZORES, NOON + 4 * HOUR)
    assert row_of(world, customer).due_at == NOON + HOUR + 10 * MINUTE


def test_a_rest_after_congestion_is_kept_on_any_wall(world: World) -> None:
    """Planted: due when the wall says; seen to fail."""
    assignment = world.assignment(gap_seconds=0, retry_plan={"congestion": {"delay": 4 * 3600}})
    (customer,) = world.customers(1, assignment)
    on_wall(world, assignment, customer, AT_NOON, EARLIER)
    card = take(world, world.seller(assignment))
    say(world, card.lease_id, Outcome.CONGESTION, NOON + MINUTE)
    until = row_of(world, customer).due_at
    assert until >= NOON + 4 * HOUR
    (moved,) = verify(world, customer, AZORES, NOON + 2 * MINUTE).moved
    assert (moved.due_at, moved.told) == (until, own_wall.WAITS)


def test_what_only_shut_hours_kept_from_its_time_is_due_at_once_where_they_are_open(world: World) -> None:
    """Half past eight in Lisbon waits until nine; in Helsinki it is a quarter to eleven. Planted: hours of
    before taken for a wait; seen to fail."""
    assignment = world.assignment()
    (customer,) = world.customers(1, assignment)
    wall = TUESDAY.replace(hour=8, minute=30)
    made = on_wall(world, assignment, customer, wall)
    now = at(wall, LISBON) + timedelta(minutes=15)
    assert made.due_at > now
    (moved,) = verify(world, customer, HELSINKI, now).moved
    assert (moved.due_at, moved.told) == (now, own_wall.PASSED)
