"""Promises taken back, changed while the call is on, and outcomes that are corrected."""

from datetime import datetime

import pytest
from calls import say, take
from promises import DAY, HOUR, MINUTE, live, promise, promises, row_of, violations
from sqlalchemy import text
from world import NOON, World

from calling.follow_ups import promising
from calling.follow_ups.asking import Wish, check_promises
from calling.follow_ups.promising import Patch
from calling.handout.allocate import allocate_all
from calling.handout.due import wake_due
from calling.handout.hand_out import next_customer
from calling.handout.reaper import reap
from models.errors import BadInput
from models.outcomes import Outcome

DUE = NOON + MINUTE


def cancel_last(world: World, now: object = NOON) -> None:
    """Take back the promise made last."""
    promising.cancel(world.opener(now), promises(world)[-1].id, author="Di")  # type: ignore[arg-type]


# --- taken back -----------------------------------------------------------------------------------


def test_taken_back_whoever_rested_rests_on(world: World) -> None:
    """And changed in between. Planted: ready; seen to fail."""
    assignment = world.assignment(gap_seconds=0)
    (customer,) = world.customers(1, assignment)
    seller = world.seller(assignment)
    say(world, take(world, seller).lease_id, Outcome.NO_ANSWER)
    rested = row_of(world, customer)
    made = promise(world, assignment, customer, NOON + HOUR)
    promising.change(world.opener(), made.id, Patch(Wish(NOON + 2 * HOUR)), author="a", made_by="api")
    cancel_last(world, NOON + MINUTE)
    row = row_of(world, customer)
    assert (row.state, row.due_at) == ("resting", rested.due_at)
    assert next_customer(world.opener(NOON + 2 * MINUTE), seller) is None
    promise(world, assignment, customer, rested.due_at + DAY, NOON + MINUTE)
    cancel_last(world, rested.due_at)  # the rest is over by now
    assert (row_of(world, customer).state, row_of(world, customer).due_at) == ("ready", None)
    assert violations(world) == []


@pytest.mark.parametrize("outcome", [Outcome.SALE, Outcome.NO_SALE, Outcome.INVALID_NUMBER])
def test_taken_back_whoever_was_closed_is_closed(world: World, outcome: Outcome) -> None:
    assignment = world.assignment(gap_seconds=0)
    (customer,) = world.customers(1, assignment)
    say(world, take(world, world.seller(assignment)).lease_id, outcome)
    promise(world, assignment, customer, NOON + HOUR)
    cancel_last(world)
    assert row_of(world, customer).state == "closed"


def test_taken_back_what_was_promised_in_a_call_rests_as_if_no_time_had_been_told(world: World) -> None:
    """Planted: ready; seen to fail."""
    assignment = world.assignment(gap_seconds=0)
    (customer,) = world.customers(1, assignment)
    say(world, take(world, world.seller(assignment)).lease_id, Outcome.FOLLOW_UP, promise=Wish(NOON + DAY))
    cancel_last(world)
    row = row_of(world, customer)
    assert (row.state, row.due_at) == ("resting", NOON + 4 * HOUR)
    assert wake_due(world.opener(NOON + 4 * HOUR)) == 1


def test_taken_back_after_a_late_outcome_they_rest_as_that_says(world: World) -> None:
    """It came while they waited for the promise, which outlived it. Planted: what they were when it was
    promised; seen to fail."""
    assignment = world.assignment(gap_seconds=0)
    (customer,) = world.customers(1, assignment)
    card = take(world, world.seller(assignment), rung=False)
    reap(world.opener(NOON + HOUR))
    promise(world, assignment, customer, NOON + DAY, NOON + HOUR)
    assert say(world, card.lease_id, Outcome.ANSWERED, NOON + 2 * HOUR).state == "follow_up"
    cancel_last(world, NOON + 2 * HOUR)
    assert (row_of(world, customer).state, row_of(world, customer).due_at) == ("resting", NOON + 6 * HOUR)


def test_taken_back_what_was_put_off_rests_so_long(world: World) -> None:
    """After congestion, and after a ring that nobody explained."""
    assignment = world.assignment(gap_seconds=1800)
    first, second = world.customers(2, assignment)
    seller = world.seller(assignment)
    promise(world, assignment, first, DUE)
    say(world, take(world, seller, DUE).lease_id, Outcome.CONGESTION, DUE)
    put_off = row_of(world, first).due_at
    cancel_last(world, DUE)
    assert (row_of(world, first).state, row_of(world, first).due_at) == ("resting", put_off)
    promise(world, assignment, second, DUE)
    take(world, seller, DUE)
    given_up = DUE + 2 * HOUR
    reap(world.opener(given_up))
    cancel_last(world, given_up)
    row = row_of(world, second)
    assert (row.state, row.due_at) == ("resting", given_up + HOUR / 2)


def test_taken_back_while_the_call_is_on_it_goes_back_there(world: World) -> None:
    assignment = world.assignment(gap_seconds=0)
    (customer,) = world.customers(1, assignment)
    seller = world.seller(assignment)
    say(world, take(world, seller).lease_id, Outcome.NO_ANSWER)
    rested = row_of(world, customer).due_at
    promise(world, assignment, customer, DUE, seller=seller)
    take(world, seller, DUE)
    cancel_last(world, DUE)
    row = row_of(world, customer)
    assert (row.state, row.return_state, row.return_due_at) == ("leased", "resting", rested)


# --- changed while the call is on -----------------------------------------------------------------


@pytest.mark.parametrize("patch", [Patch(note="dog barks"), Patch(reowned=True), Patch(Wish(DUE), "dog")])
def test_a_note_or_an_owner_changed_on_screen_is_the_same_promise(world: World, patch: Patch) -> None:
    """So is the time that it has, said again though it has come. Planted: only the promise that was handed
    out is consumed; seen to fail."""
    assignment = world.assignment()
    (customer,) = world.customers(1, assignment)
    seller = world.seller(assignment)
    made = promise(world, assignment, customer, DUE, seller=seller)
    card = take(world, seller, DUE)
    later = DUE + MINUTE
    second = promising.change(world.opener(later), made.id, patch, author="s", made_by="seller")
    promising.change(world.opener(later), second.id, Patch(note="cat too"), author="s", made_by="seller")
    say(world, card.lease_id, Outcome.NO_ANSWER, later)
    assert row_of(world, customer).state == "resting"
    assert [row.ended_by for row in promises(world)] == ["changed", "changed", "outcome"]
    assert next_customer(world.opener(later + MINUTE), seller) is None
    assert violations(world) == []


def test_another_time_said_on_screen_outlives_the_call(world: World) -> None:
    """Planted: whatever replaces it is consumed; seen to fail."""
    assignment = world.assignment()
    (customer,) = world.customers(1, assignment)
    seller = world.seller(assignment)
    made = promise(world, assignment, customer, DUE, seller=seller)
    card = take(world, seller, DUE)
    promising.change(world.opener(DUE), made.id, Patch(Wish(NOON + DAY)), author="s", made_by="seller")
    say(world, card.lease_id, Outcome.NO_ANSWER, DUE)
    assert (row_of(world, customer).state, row_of(world, customer).due_at) == ("follow_up", NOON + DAY)


def test_a_time_that_has_come_while_they_typed_is_promised(world: World) -> None:
    """But none before the call. Planted: refused against the clock; seen to fail."""
    assignment = world.assignment()
    world.customers(1, assignment)
    card = take(world, world.seller(assignment))
    with world.work(NOON + 3 * MINUTE) as work:
        check_promises(work, {card.lease_id: Wish(NOON + 2 * MINUTE)})
        with pytest.raises(BadInput, match="past"):
            check_promises(work, {card.lease_id: Wish(NOON - MINUTE)})
    told = say(world, card.lease_id, Outcome.FOLLOW_UP, NOON + 3 * MINUTE, promise=Wish(NOON + 2 * MINUTE))
    assert told.state == "follow_up"


# --- corrected ------------------------------------------------------------------------------------


def _second_number(world: World, customer: int) -> None:
    with world.work() as work:
        work.run(
            text("""insert into customer_number (crm_id, customer_id, e164, position, zones)
                    values (:crm_id, :c, '+351919999999', 1, '{Europe/Lisbon}')"""),
            c=customer,
        )


def test_what_the_dialer_consumed_a_sellers_word_brings_back(world: World) -> None:
    """Somebody else answered, and another number is left. Planted: over is over; seen to fail."""
    assignment = world.assignment(gap_seconds=0)
    (customer,) = world.customers(1, assignment)
    _second_number(world, customer)
    world.dialer(assignment, wanted=1, wanted_at=DUE)
    made = promise(world, assignment, customer, DUE)
    allocate_all(world.opener(DUE), assignment)
    (lease,) = live(world)
    say(world, lease.id, Outcome.ANSWERED, DUE, by="dialer")
    assert promises(world)[0].ended_by == "outcome"
    said = say(world, lease.id, Outcome.WRONG_PERSON, DUE + MINUTE, by="seller")
    assert (said.kind, said.state, row_of(world, customer).state) == ("completion", "follow_up", "follow_up")
    (row,) = promises(world)
    assert (row.id, row.ended_at, row.ended_by, row.ended_lease_id) == (made.id, None, None, None)
    assert violations(world) == []
    cancel_last(world, DUE + MINUTE)
    assert row_of(world, customer).state == "ready"  # wrong person: at once on the next number


def test_what_the_dialer_consumed_stays_so_where_the_seller_reached_them(world: World) -> None:
    assignment = world.assignment(gap_seconds=0)
    (customer,) = world.customers(1, assignment)
    world.dialer(assignment, wanted=1, wanted_at=DUE)
    promise(world, assignment, customer, DUE)
    allocate_all(world.opener(DUE), assignment)
    (lease,) = live(world)
    say(world, lease.id, Outcome.ANSWERED, DUE, by="dialer")
    say(world, lease.id, Outcome.NO_SALE, DUE, by="seller")
    assert [row.ended_by for row in promises(world)] == ["outcome"]
    assert row_of(world, customer).state == "closed"
    assert violations(world) == []


def test_corrected_after_a_new_promise_that_one_stands(world: World) -> None:
    assignment = world.assignment(gap_seconds=0)
    (customer,) = world.customers(1, assignment)
    _second_number(world, customer)
    world.dialer(assignment, wanted=1, wanted_at=DUE)
    promise(world, assignment, customer, DUE)
    allocate_all(world.opener(DUE), assignment)
    (lease,) = live(world)
    say(world, lease.id, Outcome.ANSWERED, DUE, by="dialer")
    promise(world, assignment, customer, NOON + DAY, DUE)
    say(world, lease.id, Outcome.WRONG_PERSON, DUE, by="seller")
    assert [row.ended_by for row in promises(world)] == ["outcome", None]
    assert row_of(world, customer).due_at == NOON + DAY
    assert violations(world) == []


# --- a zone that is no more -----------------------------------------------------------------------


@pytest.mark.parametrize("asked_as", ["own_zone", "named_zone"])
def test_a_promise_in_a_zone_that_the_data_have_no_more_is_changed_as_any_other(
    world: World, asked_as: str
) -> None:
    """Its note, its owner, its time. Seen to fail before: refused, since there is no such zone."""
    assignment = world.assignment()
    (customer,) = world.customers(1, assignment)
    made = promise(world, assignment, customer, NOON + HOUR, seller=world.seller(assignment))
    with world.work() as work:
        work.run(text("update follow_up set zone = 'Europe/Gone', asked_as = :a"), a=asked_as)
        work.run(text("update customer set reckoning_zone = 'Europe/Gone'"))
    key = made.id
    at_four = Wish(wall_time=datetime(2026, 3, 2, 16))  # noqa: DTZ001 - on a wall
    for patch in (Patch(note="rather short"), Patch(reowned=True), Patch(wish=at_four)):
        changed = promising.change(world.opener(), key, patch, author="Kari", made_by="api")
        assert changed.due_at == (NOON + HOUR if patch.wish is None else NOON + 4 * HOUR)
        key = changed.id
    assert [row.note for row in promises(world)] == ["", *["rather short"] * 3]
    cancel_last(world)
