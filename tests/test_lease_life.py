"""The life of a lease: wrap-up and its limit, skips, what a manager takes away, and who is told."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from calls import say, take
from interleaving import acting_before
from promises import promise
from sqlalchemy import Row, text
from world import NOON, World, flat_rest

from calling.dialers.orders import came_back, to_offer
from calling.handout import claims
from calling.handout.allocate import allocate_all
from calling.handout.due import open_gates, wake_due
from calling.handout.hand_out import next_customer
from calling.handout.lease_times import LeaseTimes, lease_times, set_lease_times
from calling.handout.reaper import reap
from calling.handout.recalling import no_patience
from calling.handout.ring import release, ring
from calling.handout.seizing import Seized, seize
from calling.handout.skipping import Skipped, skip
from calling.handout.wrapping import hang_up
from calling.views.audit import audit
from calling.views.floor import floor
from calling.views.who_has_whom import skipped, unconfirmed, who_has_whom
from models.errors import BadInput, BadValues, LeaseGone, NotFound
from models.outcomes import Outcome

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)


def lease_of(world: World, lease_id: UUID) -> Row[Any]:
    with world.work() as work:
        return work.run(text("select * from lease where id = :l"), l=lease_id).one()


def placement(world: World, customer_id: int) -> Row[Any]:
    with world.work() as work:
        return work.run(text("select * from placement where customer_id = :c"), c=customer_id).one()


def nothing_is_broken(world: World, now: datetime) -> None:
    with world.work(now) as work:
        assert [f"{f.promise} {f.what}" for f in audit(work) if f.count] == []


def told_taken_away(world: World) -> set[int | str]:
    return {hint.subject for hint in world.hints if hint.kind == "lease_taken_away"}


def hung_up(world: World, lease_id: UUID, seller: int, now: datetime) -> datetime:
    with world.work(now) as work:
        return hang_up(work, lease_id, seller).expires_at


# Wrap-up


def test_a_hang_up_begins_the_wrap_up_and_an_outcome_ends_it(world: World) -> None:
    assignment = world.assignment(wrap_up_seconds=120)
    world.customers(3, assignment)
    seller = world.seller(assignment)
    card = take(world, seller)
    assert hung_up(world, card.lease_id, seller, NOON + MINUTE) == NOON + 3 * MINUTE
    lease = lease_of(world, card.lease_id)
    assert (lease.state, lease.wrap_up_at, lease.rung_at) == ("wrap_up", NOON + MINUTE, NOON)
    with world.work(NOON + 2 * MINUTE) as work:
        (now,) = floor(work, assignment).sellers
    assert (now.state, now.since) == ("wrap_up", NOON + MINUTE)
    assert take(world, seller, NOON + 2 * MINUTE, rung=False).lease_id == card.lease_id
    assert say(world, card.lease_id, Outcome.SALE, NOON + 2 * MINUTE).kind == "first"
    assert lease_of(world, card.lease_id).ended_by == "outcome"
    assert take(world, seller, NOON + 2 * MINUTE, rung=False).lease_id != card.lease_id
    nothing_is_broken(world, NOON + 2 * MINUTE)


def test_hanging_up_twice_is_once(world: World) -> None:
    """Or whoever presses it again and again would never be over the limit."""
    assignment = world.assignment(wrap_up_seconds=120)
    world.customers(1, assignment)
    seller = world.seller(assignment)
    card = take(world, seller)
    ends = hung_up(world, card.lease_id, seller, NOON + MINUTE)
    assert hung_up(world, card.lease_id, seller, NOON + 2 * MINUTE) == ends


@pytest.mark.parametrize("rung", [True, False])
def test_only_a_call_of_ones_own_is_hung_up(world: World, rung: bool) -> None:
    assignment = world.assignment()
    world.customers(3, assignment)
    seller, stranger = world.seller(assignment), world.seller(assignment)
    card = take(world, seller, rung=rung)
    with world.work() as work, pytest.raises(LeaseGone, match="of yours" if rung else "it is taken"):
        hang_up(work, card.lease_id, stranger if rung else seller)


def test_over_the_limit_the_seller_is_free_and_a_late_word_counts(world: World) -> None:
    """Planted: no limit in the statement (an hour); seen to fail."""
    assignment = world.assignment(wrap_up_seconds=120, retry_seconds={"busy": 600})
    (customer, _) = world.customers(2, assignment)
    seller = world.seller(assignment)
    card = take(world, seller)
    hung_up(world, card.lease_id, seller, NOON + MINUTE)
    reap(world.opener(NOON + 3 * MINUTE - SECOND))
    assert lease_of(world, card.lease_id).state == "wrap_up"
    reap(world.opener(NOON + 3 * MINUTE))
    assert lease_of(world, card.lease_id).ended_by == "unconfirmed"
    assert seller in told_taken_away(world)
    row = placement(world, customer)
    assert (row.state, row.due_at) == ("resting", NOON + 3 * MINUTE + HOUR)
    assert take(world, seller, NOON + 3 * MINUTE, rung=False).customer_id != customer
    late = say(world, card.lease_id, Outcome.SALE, NOON + 4 * MINUTE)
    assert (late.kind, late.late, late.state) == ("first", True, "closed")
    nothing_is_broken(world, NOON + 4 * MINUTE)


def test_without_a_limit_nobody_is_waited_for_longer_than_an_hour(world: World) -> None:
    assignment = world.assignment()
    world.customers(1, assignment)
    seller = world.seller(assignment)
    card = take(world, seller)
    assert hung_up(world, card.lease_id, seller, NOON + 30 * MINUTE) == NOON + 90 * MINUTE


def test_limits_are_set_and_refused_in_words(world: World) -> None:
    assignment = world.assignment()
    with world.work() as work:
        assert lease_times(work, assignment) == LeaseTimes(None, 600)
        set_lease_times(work, assignment, LeaseTimes(90, 0))
        assert lease_times(work, assignment) == LeaseTimes(90, 0)
        with pytest.raises(BadValues) as refused:
            set_lease_times(work, assignment, LeaseTimes(0, -1))
        assert [path for path, _ in refused.value.problems] == ["wrap_up_seconds", "skip_seconds"]
        with pytest.raises(NotFound):
            set_lease_times(work, 999_999, LeaseTimes(90, 0))


# Skips


def skip_card(
    world: World, lease_id: UUID, seller: int, why: str = "I know them", now: datetime = NOON
) -> Any:
    with world.work(now) as work:
        return skip(work, lease_id, seller, why)


def test_who_is_skipped_rests_and_is_not_the_next_card(world: World) -> None:
    """Planted: given back to where they came from, as a release does; seen to fail."""
    assignment = world.assignment(skip_seconds=300)
    customers = world.customers(2, assignment)
    seller = world.seller(assignment)
    card = take(world, seller, rung=False)
    done = skip_card(world, card.lease_id, seller)
    assert done == Skipped(card.lease_id, "resting", NOON + 5 * MINUTE)
    other = take(world, seller, rung=False)
    assert {card.customer_id, other.customer_id} == set(customers)
    with world.work() as work:
        release(work, other.lease_id, seller)
    assert take(world, seller, rung=False).customer_id == other.customer_id
    wake_due(world.opener(NOON + 5 * MINUTE))
    assert placement(world, card.customer_id).state == "ready"
    nothing_is_broken(world, NOON + 5 * MINUTE)


def test_skipping_twice_is_once_and_its_reason_is_kept(world: World) -> None:
    assignment = world.assignment()
    world.customers(1, assignment)
    seller = world.seller(assignment, "Ana")
    card = take(world, seller, rung=False)
    first = skip_card(world, card.lease_id, seller, "  knows me ")
    assert skip_card(world, card.lease_id, seller, "again", NOON + MINUTE) == first
    with world.work(NOON + HOUR) as work:
        (row,) = skipped(work)
    assert (row.id, row.holder, row.ended_reason) == (card.lease_id, "Ana", "knows me")
    assert told_taken_away(world) == set()  # they did it themselves


def test_a_skip_wants_a_reason_an_own_card_and_no_ring(world: World) -> None:
    assignment = world.assignment()
    world.customers(4, assignment)
    seller, stranger = world.seller(assignment), world.seller(assignment)
    card = take(world, seller, rung=False)
    for why in ("", "   ", "x" * 201):
        with pytest.raises(BadInput, match="say why"):
            skip_card(world, card.lease_id, seller, why)
    with pytest.raises(LeaseGone):
        skip_card(world, card.lease_id, stranger)
    with world.work() as work:
        ring(work, card.lease_id, seller)
    with pytest.raises(BadInput, match="report an outcome"):
        skip_card(world, card.lease_id, seller)
    assert lease_of(world, card.lease_id).state == "rung"


def test_a_promised_call_that_is_skipped_moves_and_stays_its_owners(world: World) -> None:
    assignment = world.assignment(skip_seconds=600)
    (customer,) = world.customers(1, assignment)
    seller = world.seller(assignment)
    promise(world, assignment, customer, NOON + MINUTE, seller=seller)
    now = NOON + MINUTE
    card = take(world, seller, now, rung=False)
    assert card.customer_id == customer
    done = skip_card(world, card.lease_id, seller, now=now)
    assert (done.state, done.due_at) == ("follow_up", now + 10 * MINUTE)
    with world.work() as work:
        kept = work.run(text("select * from follow_up")).one()
    assert (kept.ended_at, kept.seller_id, kept.due_at) == (None, seller, now + 10 * MINUTE)
    assert next_customer(world.opener(now), seller) is None
    assert take(world, seller, now + 10 * MINUTE, rung=False).customer_id == customer
    nothing_is_broken(world, now + 10 * MINUTE)


def test_what_came_meanwhile_wins_over_a_skip(world: World) -> None:
    """Closed stays closed, and whoever was put off longer waits as long. Planted: due set by the skip alone;
    seen to fail."""
    assignment = world.assignment(retry_seconds={"busy": 7200}, skip_seconds=60)
    sold, busy = world.customers(2, assignment)
    seller, colleague = world.seller(assignment), world.seller(assignment)
    early = {c.customer_id: c for c in (take(world, seller), take(world, colleague))}
    later = NOON + 2 * HOUR
    reap(world.opener(NOON + HOUR))
    wake_due(world.opener(later))
    open_gates(world.opener(later))
    again = {}
    for who in (seller, colleague):
        card = take(world, who, later, rung=False)
        again[card.customer_id] = card, who
    say(world, early[sold].lease_id, Outcome.SALE, later)
    say(world, early[busy].lease_id, Outcome.BUSY, later)
    for customer in (sold, busy):
        card, who = again[customer]
        skip_card(world, card.lease_id, who, now=later + MINUTE)
    assert placement(world, sold).state == "closed"
    row = placement(world, busy)
    assert (row.state, row.due_at) == ("resting", later + 2 * HOUR)
    nothing_is_broken(world, later + MINUTE)


def test_who_was_put_off_meanwhile_is_not_tried_sooner_because_a_call_was_given_up(world: World) -> None:
    """Seen to fail: the gap alone was waited, an hour where a late word said four."""
    assignment = world.assignment(retry_plan={"busy": flat_rest(4 * 3600)})
    (customer,) = world.customers(1, assignment)
    seller = world.seller(assignment)
    first = take(world, seller, rung=False)
    reap(world.opener(NOON + 15 * MINUTE))
    take(world, seller, NOON + 15 * MINUTE)
    say(world, first.lease_id, Outcome.BUSY, NOON + 20 * MINUTE, rung_at=NOON - 2 * HOUR)
    reap(world.opener(NOON + 75 * MINUTE))
    row = placement(world, customer)
    assert (row.state, row.due_at) == ("resting", NOON + 20 * MINUTE + 4 * HOUR)


# A manager takes away


def take_away(world: World, *leases: UUID, now: datetime = NOON, even_rung: bool = False) -> Seized:
    return seize(
        world.opener(now), leases, author="Maria", reason="shift is over", patience=no_patience,
        even_rung=even_rung,
    )  # fmt: skip


def test_who_has_whom_and_since_when(world: World) -> None:
    assignment = world.assignment("Loans")
    world.customers(4, assignment)
    seller = world.seller(assignment, "Ana")
    card = take(world, seller, NOON + MINUTE)
    hung_up(world, card.lease_id, seller, NOON + 2 * MINUTE)
    with world.work(NOON + 3 * MINUTE) as work:
        rows = who_has_whom(work)
        on_screen = who_has_whom(work, listed=False)
        nobodys = who_has_whom(work, seller_id=world.seller(assignment))
        rest = who_has_whom(work, rows[0].id)
    assert [(row.state, row.holder) for row in rows] == [("wrap_up", "Ana"), ("offered", "Ana")]
    (row,) = on_screen
    assert (row.id, row.kind, row.holder, row.state, row.since) == (
        card.lease_id, "seller", "Ana", "wrap_up", NOON + 2 * MINUTE,
    )  # fmt: skip
    assert (row.assignment, row.external_id, row.sent) == ("Loans", card.external_id, False)
    assert (list(nobodys), [r.id for r in rest]) == ([], [r.id for r in rows[1:]])


def test_what_a_manager_takes_away_is_free_and_who_had_it_is_told(world: World) -> None:
    """Planted: the hint left out; seen to fail."""
    assignment = world.assignment()
    (customer,) = world.customers(1, assignment)
    seller = world.seller(assignment)
    card = take(world, seller, rung=False)
    assert take_away(world, card.lease_id) == Seized(back=[card.lease_id])
    assert told_taken_away(world) == {seller}
    lease = lease_of(world, card.lease_id)
    assert (lease.ended_by, lease.ended_author, lease.ended_reason) == ("recalled", "Maria", "shift is over")
    with world.work() as work, pytest.raises(LeaseGone, match="recalled by Maria: shift is over"):
        ring(work, card.lease_id, seller)
    assert placement(world, customer).state == "ready"
    assert take_away(world, card.lease_id) == Seized(over=[card.lease_id])
    nothing_is_broken(world, NOON)


def test_what_has_rung_is_taken_away_only_when_the_manager_says_so(world: World) -> None:
    """Then nobody knows what came of it: it waits the gap, and a late word counts. Planted: `even_rung` not
    asked; seen to fail."""
    assignment = world.assignment()
    (customer,) = world.customers(1, assignment)
    seller = world.seller(assignment)
    card = take(world, seller)
    assert take_away(world, card.lease_id, now=NOON + MINUTE) == Seized(rung=[card.lease_id])
    assert lease_of(world, card.lease_id).state == "rung"
    done = take_away(world, card.lease_id, now=NOON + 5 * MINUTE, even_rung=True)
    assert done == Seized(given_up=[card.lease_id])
    lease = lease_of(world, card.lease_id)
    assert (lease.ended_by, lease.ended_at, lease.ended_author) == ("unconfirmed", NOON + 5 * MINUTE, "Maria")
    row = placement(world, customer)
    assert (row.state, row.due_at) == ("resting", NOON + 5 * MINUTE + HOUR)
    with world.work(NOON + 6 * MINUTE) as work:
        (untold,) = unconfirmed(work)
    assert (untold.id, untold.ended_author, untold.ended_reason) == (card.lease_id, "Maria", "shift is over")
    assert say(world, card.lease_id, Outcome.NO_SALE, NOON + 6 * MINUTE).state == "closed"
    with world.work(NOON + 7 * MINUTE) as work:
        assert list(unconfirmed(work)) == []
    nothing_is_broken(world, NOON + 7 * MINUTE)


def test_orders_are_asked_back_from_their_dialer(world: World) -> None:
    assignment = world.assignment()
    world.customers(2, assignment)
    dialer = world.dialer(assignment, wanted=2, wanted_at=NOON)
    allocate_all(world.opener(), assignment)
    with world.work() as work:
        first, second = sorted(order.lease_id for order in to_offer(work, dialer))
        world_order = who_has_whom(work, dialer_id=dialer)
    assert [row.sent for row in world_order] == [True, True]
    done = take_away(world, first)
    assert [lease for lease, _ in done.unknown] == [first]
    with world.work() as work:
        (asked, kept) = who_has_whom(work, dialer_id=dialer)
    assert (asked.wanted_back, kept.wanted_back) == ("shift is over", None)
    came_back(world.opener(), [first], "recalled")
    assert take_away(world, first, second).over == [first]


def rings(world: World, lease_id: UUID, seller: int, now: datetime) -> None:
    with world.work(now) as work:
        ring(work, lease_id, seller)


@pytest.mark.parametrize("deed", ["taken away", "skipped", "expired"])
def test_who_rings_at_that_very_moment_is_not_taken_away(
    world: World, monkeypatch: pytest.MonkeyPatch, deed: str
) -> None:
    """Between the look and the lock. Planted: the state not looked at behind the lock; seen to fail."""
    assignment = world.assignment()
    world.customers(1, assignment)
    seller = world.seller(assignment)
    card, now = take(world, seller, rung=False), NOON + 15 * MINUTE
    acting_before(monkeypatch)(claims._LOCK, lambda: rings(world, card.lease_id, seller, now))
    if deed == "taken away":
        assert take_away(world, card.lease_id, now=now) == Seized(rung=[card.lease_id])
    elif deed == "skipped":
        with pytest.raises(BadInput, match="it has rung"):
            skip_card(world, card.lease_id, seller, now=now)
    else:
        reap(world.opener(now))
    assert lease_of(world, card.lease_id).state == "rung"
    assert placement(world, card.customer_id).state == "leased"
    nothing_is_broken(world, now)


def test_a_word_that_comes_while_a_wrap_up_is_given_up_counts_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Told between the reaper's look and its lock: the lease ended by it, and is not ended again."""
    assignment = world.assignment(wrap_up_seconds=60)
    (customer,) = world.customers(1, assignment)
    seller = world.seller(assignment)
    card = take(world, seller)
    over = hung_up(world, card.lease_id, seller, NOON + MINUTE)
    acting_before(monkeypatch)(claims._LOCK, lambda: say(world, card.lease_id, Outcome.SALE, over))
    reap(world.opener(over))
    assert lease_of(world, card.lease_id).ended_by == "outcome"
    assert placement(world, customer).state == "closed"
    nothing_is_broken(world, over)


def test_taking_away_wants_a_reason(world: World) -> None:
    with pytest.raises(BadInput, match="say why"):
        seize(world.opener(), [], author="Maria", reason=" ", patience=no_patience)
