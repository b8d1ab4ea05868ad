"""Promised calls: asked for and slid, handed out before all others, to whom, and through which gates."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from promises import DAY, HOUR, MINUTE, live, promise, promises, row_of, violations, watch
from sqlalchemy import text
from world import NOON, World

from calling.dialers.orders import to_offer
from calling.follow_ups import promising
from calling.follow_ups.asking import Wish
from calling.follow_ups.promising import Patch
from calling.handout.allocate import allocate_all
from calling.handout.due import open_gates, wake_due
from calling.handout.hand_out import next_customer
from calling.handout.presence import be
from calling.handout.reaper import reap
from calling.handout.ring import release, ring
from calling.outcomes.outcome import Report, record_all
from calling.views.explain import explain
from calling.walls.pause import pause
from calling.walls.suppress import suppress
from models.errors import BadInput, Conflict, NotFound, NotNow
from models.outcomes import Outcome

EVENING = NOON.replace(hour=22)
TUESDAY_OPEN = datetime(2026, 3, 3, 9, 1, tzinfo=UTC)


def handed(world: World, seller: int, now: datetime) -> int | None:
    card = next_customer(world.opener(now), seller)
    return card.customer_id if card else None


def say(world: World, lease_id: UUID, outcome: Outcome, now: datetime, **more: Any) -> Any:
    (recorded,) = record_all(world.opener(now), [Report(lease_id, outcome, "seller", **more)])
    return recorded


# --- asked, and will be ---------------------------------------------------------------------------


def test_a_promise_stands_at_the_time_that_was_asked_for(world: World) -> None:
    assignment = world.assignment()
    (customer,) = world.customers(1, assignment)
    made = promise(world, assignment, customer, NOON + 2 * HOUR, note="about the boat")
    assert (made.asked_at, made.due_at, made.told) == (NOON + 2 * HOUR, NOON + 2 * HOUR, "")
    assert (made.wall_time, made.zone, made.note) == ("2026-03-02T14:00", "Europe/Lisbon", "about the boat")
    row = row_of(world, customer)
    assert (row.state, row.due_at) == ("follow_up", NOON + 2 * HOUR)
    assert violations(world) == []


def test_outside_the_hours_it_slides_to_the_next_opening_and_says_so(world: World) -> None:
    """Planted: due at the time asked for; seen to fail."""
    assignment = world.assignment()
    (customer,) = world.customers(1, assignment)
    made = promise(world, assignment, customer, EVENING)
    assert (made.asked_at, made.due_at) == (EVENING, TUESDAY_OPEN)
    assert made.told == "nobody may be rung then: Tue 03 Mar 09:01 is the next opening"
    assert row_of(world, customer).due_at == TUESDAY_OPEN


def test_a_time_on_the_wall_is_the_customers_own(world: World) -> None:
    assignment = world.assignment()
    (customer,) = world.customers(1, assignment, zones=("Atlantic/Azores",))
    wall = datetime(2026, 3, 3, 10, 30)  # noqa: DTZ001 - on the wall
    with world.work() as work:
        work.run(text("update customer set reckoning_zone = 'Atlantic/Azores'"))
    wish = Wish(wall_time=wall)
    made = promising.promise(world.opener(), assignment, customer, wish, author="Kari", made_by="api")
    assert (made.asked_at, made.zone) == (datetime(2026, 3, 3, 11, 30, tzinfo=UTC), "Atlantic/Azores")
    theirs = Wish(wall_time=wall, zone="Europe/Oslo")
    made = promising.promise(world.opener(), assignment, customer, theirs, author="Kari", made_by="api")
    assert (made.asked_at, made.zone) == (datetime(2026, 3, 3, 9, 30, tzinfo=UTC), "Europe/Oslo")
    assert made.due_at == datetime(2026, 3, 3, 10, 1, tzinfo=UTC)  # 09:01 on the Azores
    assert violations(world) == []


IMPOSSIBLE = (
    (Wish(NOON - MINUTE), "lies in the past"),
    (Wish(NOON), "lies in the past"),
    (Wish(NOON + 367 * DAY), "more than 366 days ahead"),
    (Wish(), "one of the two"),
    (Wish(NOON + HOUR, wall_time=NOON.replace(tzinfo=None)), "one of the two"),
    (Wish(NOON + HOUR, zone="Europe/Oslo"), "goes with a time on the wall"),
    (Wish(wall_time=NOON.replace(tzinfo=None), zone="Europe/Osl"), "did you mean Europe/Oslo"),
    (Wish(NOON + HOUR, note="x" * 1001), "at most 1000"),
)


def test_what_nobody_can_promise_is_refused(world: World) -> None:
    assignment = world.assignment()
    (customer,) = world.customers(1, assignment)
    for wish, why in IMPOSSIBLE:
        with pytest.raises(BadInput, match=why):
            promising.promise(world.opener(), assignment, customer, wish, author="Kari", made_by="api")
    assert (promises(world), row_of(world, customer).state) == ([], "ready")


def test_nobody_is_promised_a_call_who_is_not_there(world: World) -> None:
    assignment = world.assignment()
    (customer,) = world.customers(1, assignment)
    with pytest.raises(NotFound, match="customer in the assignment"):
        promise(world, world.assignment(), customer, NOON + HOUR)
    with pytest.raises(NotFound, match="seller 999"):
        promise(world, assignment, customer, NOON + HOUR, seller=999)
    with world.work() as work:
        work.run(text("update placement set state = 'left', gone_at = :now"))
    with pytest.raises(Conflict, match="they are left"):
        promise(world, assignment, customer, NOON + HOUR)


def test_whoever_is_not_leased_waits_for_the_promise(world: World) -> None:
    assignment = world.assignment()
    people = [world.customers(1, assignment, state=state)[0] for state in ("ready", "closed")]
    people += world.customers(1, assignment, state="resting", due_at=NOON + DAY)
    for customer in people:
        promise(world, assignment, customer, NOON + HOUR)
    assert {row_of(world, customer).state for customer in people} == {"follow_up"}
    assert wake_due(world.opener(NOON + 2 * DAY)) == 0  # it never becomes ready
    assert violations(world) == []


# --- changed, taken back --------------------------------------------------------------------------


def test_a_change_is_another_promise_in_place_of_the_first(world: World) -> None:
    assignment = world.assignment()
    (customer,) = world.customers(1, assignment)
    first = promise(world, assignment, customer, NOON + HOUR)
    with pytest.raises(BadInput):
        promising.change(world.opener(), first.id, Patch(Wish(NOON)), author="Di", made_by="hand")
    second = promising.change(
        world.opener(), first.id, Patch(Wish(NOON + 3 * HOUR)), author="Di", made_by="hand"
    )
    old, new = promises(world)
    assert (old.ended_by, old.ended_author, old.ended_at) == ("changed", "Di", NOON)
    assert (new.id, new.replaces, new.ended_at) == (second.id, old.id, None)
    assert row_of(world, customer).due_at == NOON + 3 * HOUR
    with pytest.raises(Conflict, match="has ended: changed"):
        promising.cancel(world.opener(), first.id, author="Di")
    assert violations(world) == []


def test_taken_back_they_are_in_the_line_again_or_closed(world: World) -> None:
    assignment = world.assignment()
    for attempts, state in ((0, "ready"), (8, "closed")):
        (customer,) = world.customers(1, assignment, attempts=attempts)
        made = promise(world, assignment, customer, NOON + HOUR)
        promising.cancel(world.opener(NOON + MINUTE), made.id, author="Di")
        row = promises(world)[-1]
        assert (row.ended_by, row.ended_author, row.ended_at) == ("cancelled", "Di", NOON + MINUTE)
        assert (row_of(world, customer).state, row_of(world, customer).due_at) == (state, None)


def test_taken_back_while_it_is_offered_the_lease_is_recalled(world: World) -> None:
    """Planted: without the recall; seen to fail."""
    assignment = world.assignment()
    (customer,) = world.customers(1, assignment)
    made = promise(world, assignment, customer, NOON + MINUTE)
    seller = world.seller(assignment)
    allocate_all(world.opener(NOON + MINUTE), assignment)
    (lease,) = live(world)
    assert (lease.follow_up_id, lease.seller_id, lease.state) == (made.id, seller, "offered")
    promising.cancel(world.opener(NOON + MINUTE), made.id, author="Di")
    assert live(world) == []
    assert row_of(world, customer).state == "ready"
    assert violations(world) == []


# --- handed out -----------------------------------------------------------------------------------


def test_personal_first_then_shared_then_rank(world: World) -> None:
    """However long the list that the seller has by then. Planted: lists by the order of dealing; no look for
    promises at `next`; seen to fail, both."""
    assignment = world.assignment()
    people = world.customers(6, assignment)
    seller, other = world.seller(assignment), world.seller(assignment)
    shared = promise(world, assignment, people[4], NOON + 2 * MINUTE)
    own = promise(world, assignment, people[5], NOON + 3 * MINUTE, seller=seller)
    promise(world, assignment, people[3], NOON + MINUTE, seller=other)
    allocate_all(world.opener(), assignment)  # two of rank each are in their lists
    later, order = NOON + 5 * MINUTE, []
    for _ in range(3):
        card = next_customer(world.opener(later), seller)
        assert card is not None
        order.append((card.customer_id, card.promised_at))
        say(world, card.lease_id, Outcome.NO_SALE, later)
    assert order[:2] == [(people[5], own.asked_at), (people[4], shared.asked_at)]
    assert order[2][0] in people[:3]
    assert order[2][1] is None
    assert violations(world, later) == []


def test_before_its_time_nobody_is_handed_it(world: World) -> None:
    assignment = world.assignment()
    (customer,) = world.customers(1, assignment)
    seller = world.seller(assignment)
    promise(world, assignment, customer, NOON + HOUR, seller=seller)
    assert handed(world, seller, NOON + HOUR - MINUTE) is None
    assert handed(world, seller, NOON + HOUR) == customer


def test_a_personal_one_is_its_owners_until_the_grace_is_over(world: World) -> None:
    """Planted: everybody's at once; seen to fail."""
    assignment = world.assignment(follow_up_grace_seconds=600)
    (customer,) = world.customers(1, assignment)
    owner, other = world.seller(assignment), world.seller(assignment)
    due = NOON + HOUR
    promise(world, assignment, customer, due, seller=owner)
    watch(world, due)
    assert handed(world, other, due + 10 * MINUTE - MINUTE) is None
    assert handed(world, other, due + 10 * MINUTE) == customer


def test_an_owner_who_is_away_for_the_day_is_not_waited_for(world: World) -> None:
    """Away for an hour: no break is. Planted: without the look at presence, whoever is away; seen to fail."""
    assignment = world.assignment()
    first, second = world.customers(2, assignment, gated_by="gap", gated_until=NOON + DAY)
    gone, other = world.seller(assignment), world.seller(assignment)
    resting = world.seller(assignment)
    for seller, since in ((gone, NOON), (resting, NOON + 30 * MINUTE)):
        with world.work(since) as work:
            be(work, seller, "away")
    promise(world, assignment, first, NOON + HOUR, seller=gone)
    promise(world, assignment, second, NOON + HOUR, seller=resting)
    watch(world, NOON + HOUR)
    card = next_customer(world.opener(NOON + HOUR), other)
    assert card is not None
    assert card.customer_id == first
    say(world, card.lease_id, Outcome.NO_SALE, NOON + HOUR)
    assert handed(world, other, NOON + HOUR) is None


def test_nobody_who_is_on_the_telephone_is_given_one(world: World) -> None:
    """It would wait behind a conversation. Planted: promised to whoever is there; seen to fail."""
    assignment = world.assignment()
    people = world.customers(4, assignment)
    talking, free = world.seller(assignment), world.seller(assignment)
    card = next_customer(world.opener(), talking)
    assert card is not None
    with world.work() as work:
        ring(work, card.lease_id, talking)
    promise(world, assignment, people[3], NOON + MINUTE)
    allocate_all(world.opener(NOON + MINUTE), assignment)
    assert [(x.seller_id, x.customer_id) for x in live(world) if x.follow_up_id] == [(free, people[3])]


def test_the_depth_holds_but_for_one_promise(world: World) -> None:
    assignment = world.assignment()
    people = world.customers(10, assignment)
    seller = world.seller(assignment)
    allocate_all(world.opener(), assignment)
    for customer in people[5:9]:
        promise(world, assignment, customer, NOON + MINUTE)
    for _ in range(3):
        allocate_all(world.opener(NOON + MINUTE), assignment)
    leases = live(world)
    assert [bool(x.follow_up_id) for x in leases] == [False, False, True]
    assert {x.seller_id for x in leases} == {seller}


def test_the_gap_does_not_keep_a_promise_waiting(world: World) -> None:
    """Rung, and promised another call in twenty minutes. Planted: the gap for promised calls too; seen to
    fail."""
    assignment = world.assignment(gap_seconds=7200)
    (customer,) = world.customers(1, assignment)
    seller = world.seller(assignment)
    card = next_customer(world.opener(), seller)
    assert card is not None
    with world.work() as work:
        ring(work, card.lease_id, seller)
    wish = Wish(NOON + 20 * MINUTE)
    told = say(world, card.lease_id, Outcome.FOLLOW_UP, NOON + MINUTE, promise=wish)
    assert (told.state, told.status, told.promised.due_at) == ("follow_up", "follow_up", NOON + 20 * MINUTE)
    again = next_customer(world.opener(NOON + 20 * MINUTE), seller)
    assert again is not None
    with world.work(NOON + 20 * MINUTE) as work:
        ring(work, again.lease_id, seller)
    assert violations(world, NOON + 20 * MINUTE) == []
    # Consumed: from here on the gap counts like any other.
    say(world, again.lease_id, Outcome.NO_ANSWER, NOON + 21 * MINUTE)
    assert row_of(world, customer).gated_by == "gap"


def test_an_explanation_says_what_was_promised_and_whose_it_is(world: World) -> None:
    assignment = world.assignment()
    (customer,) = world.customers(1, assignment)
    promise(world, assignment, customer, NOON + HOUR, seller=world.seller(assignment, "Ana"))
    with world.work() as work:
        told = explain(work, assignment, customer)
    assert (told.callable_now, told.callable_at, told.answers[0].until) == (False, NOON + HOUR, NOON + HOUR)
    said = (
        "promised a call at 2026-03-02 13:00 in Europe/Lisbon; Ana's, everybody's from 2026-03-02 13:15 UTC"
    )
    assert told.answers[0].fact == said
    with world.work(NOON + HOUR) as work:
        assert explain(work, assignment, customer).callable_now


def test_what_law_and_wish_forbid_stops_a_promise_too(world: World) -> None:
    """Do-not-call, no number, an unknown zone, a pause, shut hours."""
    assignment = world.assignment()
    people = world.customers(4, assignment)
    (nowhere,) = world.customers(1, assignment, zones=())
    seller = world.seller(assignment)
    with world.work() as work:
        work.run(text("update customer set clock_id = :c where id = :id"), c=world.clock([]), id=nowhere)
        work.run(
            text("update placement set clock_id = :c where customer_id = :id"), c=world.clock([]), id=nowhere
        )
        work.run(
            text("update customer_number set state = 'disconnected' where customer_id = :c"), c=people[1]
        )
    for customer in (*people, nowhere):
        promise(world, assignment, customer, NOON + MINUTE, seller=seller)
    suppress(world.opener(), customer_id=people[0], reason="r", author="a")
    later = NOON + HOUR
    got = [handed(world, seller, later)]
    assert got[0] in people[2:]
    with world.work(later) as work:
        waiting = work.run(text("select customer_id from placement where state = 'follow_up'")).scalars()
        why = {customer: explain(work, assignment, customer).answers for customer in waiting}
    held = {customer: {gate.gate for gate in answers if not gate.open} for customer, answers in why.items()}
    assert held.pop(people[0]) == {"suppressed"}
    assert held.pop(people[1]) == {"no_number"}
    assert held.pop(nowhere) == {"zone_unknown", "window"}
    assert list(held.values()) == [set()]
    pause(world.opener(later), "assignment", assignment, reason="r", author="a")
    assert handed(world, seller, later) is None
    assert violations(world, later) == []


def test_shut_hours_hold_a_promise_whatever_was_reckoned(world: World) -> None:
    """The CRM's hours change after the promise: nobody is rung outside the new ones."""
    assignment = world.assignment()
    (customer,) = world.customers(1, assignment)
    seller = world.seller(assignment)
    promise(world, assignment, customer, NOON + HOUR, seller=seller)
    with world.app.shared() as session:
        session.execute(text("""update crm set hours = jsonb_set(hours, '{mon}', '[["15:00", "20:00"]]')"""))
    assert handed(world, seller, NOON + 2 * HOUR) is None
    assert handed(world, seller, NOON.replace(hour=15, minute=1)) == customer


def test_a_dialer_is_given_what_is_anybodys(world: World) -> None:
    assignment = world.assignment()
    mine, ours = world.customers(2, assignment, state="closed")
    dialer = world.dialer(assignment, wanted=5, wanted_at=NOON + MINUTE)
    promise(world, assignment, mine, NOON + MINUTE, seller=world.seller(assignment, presence="away"))
    made = promise(world, assignment, ours, NOON + MINUTE)
    allocate_all(world.opener(NOON + MINUTE), assignment)
    assert [(x.dialer_id, x.follow_up_id) for x in live(world)] == [(dialer, made.id)]
    with world.work(NOON + MINUTE) as work:
        assert len(to_offer(work, dialer)) == 1


# --- and back -------------------------------------------------------------------------------------


def test_unrung_it_goes_back_to_being_promised(world: World) -> None:
    """Released, and expired. Planted: back to ready; seen to fail."""
    assignment = world.assignment()
    (customer,) = world.customers(1, assignment)
    seller = world.seller(assignment)
    made = promise(world, assignment, customer, NOON + MINUTE, seller=seller)
    now = NOON + MINUTE
    card = next_customer(world.opener(now), seller)
    assert card is not None
    with world.work(now) as work:
        release(work, card.lease_id, seller)
    assert (row_of(world, customer).state, row_of(world, customer).due_at) == ("follow_up", made.due_at)
    assert handed(world, seller, now) == customer
    assert reap(world.opener(now + HOUR)) == 1
    assert (row_of(world, customer).state, row_of(world, customer).due_at) == ("follow_up", made.due_at)
    assert violations(world, now + HOUR) == []


def test_the_reaper_leaves_a_promised_lease_that_is_as_it_was_dealt(world: World) -> None:
    """It goes back to something else than `ready` by right. Planted: as if overtaken; seen to fail."""
    assignment = world.assignment()
    (customer,) = world.customers(1, assignment)
    world.seller(assignment)
    promise(world, assignment, customer, NOON + MINUTE)
    allocate_all(world.opener(NOON + MINUTE), assignment)
    reap(world.opener(NOON + 2 * MINUTE))
    assert [x.customer_id for x in live(world)] == [customer]


def test_after_a_ring_that_nobody_explained_it_waits_the_gap_and_stays_promised(world: World) -> None:
    """Only an outcome consumes it. Planted: to rest; seen to fail."""
    assignment = world.assignment(gap_seconds=1800)
    (customer,) = world.customers(1, assignment)
    seller = world.seller(assignment)
    promise(world, assignment, customer, NOON + MINUTE)
    card = next_customer(world.opener(NOON + MINUTE), seller)
    assert card is not None
    with world.work(NOON + MINUTE) as work:
        ring(work, card.lease_id, seller)
    given_up = NOON + 2 * HOUR
    assert reap(world.opener(given_up)) == 1
    assert (row_of(world, customer).state, row_of(world, customer).due_at) == (
        "follow_up",
        given_up + HOUR / 2,
    )
    assert violations(world, given_up) == []
    say(world, card.lease_id, Outcome.NO_ANSWER, given_up + MINUTE)  # late, and it consumes
    assert row_of(world, customer).state == "resting"
    assert [x.ended_by for x in promises(world)] == ["outcome"]
    assert violations(world, given_up) == []


# --- elsewhere ------------------------------------------------------------------------------------


def test_a_due_promise_recalls_who_is_offered_elsewhere(world: World) -> None:
    """And nobody there is offered them again before. Planted: no recall; they are not kept free; seen to
    fail, both."""
    here, there = world.assignment(), world.assignment()
    (customer,) = world.customers(1, here)
    world.place([customer], there)
    seller, rival = world.seller(here), world.seller(there)
    promise(world, here, customer, NOON + MINUTE)
    allocate_all(world.opener(), there)
    assert [x.seller_id for x in live(world)] == [rival]
    due = NOON + MINUTE
    assert handed(world, seller, due) is None
    assert watch(world, due) == 1
    assert live(world) == []
    allocate_all(world.opener(due), there)
    assert live(world) == []
    assert handed(world, seller, due) == customer
    assert violations(world, due) == []


def test_who_is_taken_elsewhere_is_left_there(world: World) -> None:
    here, there = world.assignment(), world.assignment()
    (customer,) = world.customers(1, here)
    world.place([customer], there)
    rival = world.seller(there)
    promise(world, here, customer, NOON + MINUTE)
    card = next_customer(world.opener(), rival)
    assert card is not None
    assert watch(world, NOON + MINUTE) == 0
    assert [x.id for x in live(world)] == [card.lease_id]


def test_promised_while_offered_the_lease_is_recalled_and_they_wait(world: World) -> None:
    assignment = world.assignment()
    (customer,) = world.customers(1, assignment)
    world.seller(assignment)
    allocate_all(world.opener(), assignment)
    promise(world, assignment, customer, NOON + DAY)
    assert live(world) == []
    assert (row_of(world, customer).state, row_of(world, customer).due_at) == ("follow_up", NOON + DAY)


def test_moved_to_tomorrow_while_taken_the_gap_counts_again(world: World) -> None:
    assignment = world.assignment(gap_seconds=7200)
    (customer,) = world.customers(1, assignment)
    seller = world.seller(assignment)
    first = next_customer(world.opener(), seller)
    assert first is not None
    with world.work() as work:
        ring(work, first.lease_id, seller)
    told = say(world, first.lease_id, Outcome.FOLLOW_UP, NOON, promise=Wish(NOON + 10 * MINUTE))
    now = NOON + 10 * MINUTE
    card = next_customer(world.opener(now), seller)
    assert card is not None
    tomorrow = Wish(NOON + DAY)
    promising.change(world.opener(now), told.promised.id, Patch(tomorrow), author="a", made_by="api")
    with world.work(now) as work, pytest.raises(NotNow, match="gap"):
        ring(work, card.lease_id, seller)
    assert row_of(world, customer).return_due_at == NOON + DAY
    open_gates(world.opener(now))
    assert violations(world, now) == []
