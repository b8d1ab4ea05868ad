"""Who is dealt to: who has nothing first, of those who waits longest; how deep lists are; what strands."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from random import Random
from statistics import mean, median
from typing import Any

import pytest
from calls import say, take
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from interleaving import acting_before
from promises import promise, violations
from sqlalchemy import text
from world import NOON, World

from calling.handout import claims
from calling.handout.allocate import _spread, allocate_all
from calling.handout.candidates import Card
from calling.handout.hand_out import HandOut, next_customer
from calling.handout.needs import Need
from calling.handout.presence import be
from calling.handout.reaper import reap
from calling.views.explain import explain
from calling.views.holders import Who
from models.ids import time_ordered_id
from models.outcomes import Outcome
from models.work import Work

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
ONE_CLOCK = {1: {1: NOON + 8 * HOUR}}


def ask(world: World, seller: int, now: datetime = NOON) -> HandOut | None:
    return next_customer(world.opener(now), seller)


def lists(world: World) -> dict[int, list[str]]:
    """Seller -> the states of what they hold, in the order in which it was dealt."""
    with world.work() as work:
        rows = work.run(text("select seller_id, state from lease where ended_at is null order by id")).all()
    held: dict[int, list[str]] = {}
    for row in rows:
        held.setdefault(row.seller_id, []).append(row.state)
    return held


# --- whose turn it is -----------------------------------------------------------------------------


class Floor:
    """Sellers who talk for as long as the dice say, and customers who come one at a time."""

    def __init__(self, world: World, dice: Random, sellers: int) -> None:
        self.world, self.dice = world, dice
        self.assignment = world.assignment(gap_seconds=0)
        self.sellers = [world.seller(self.assignment) for _ in range(sellers)]
        self.since = dict.fromkeys(self.sellers, NOON)
        self.waits: dict[int, list[float]] = {seller: [] for seller in self.sellers}
        self.calls: dict[int, tuple[datetime, HandOut]] = {}
        for seller in self.sellers:
            assert ask(world, seller) is None

    def one_comes(self, now: datetime) -> None:
        """Whoever sits nearest to the door asks first, each time."""
        for seller, (until, card) in list(self.calls.items()):
            if until <= now:
                del self.calls[seller]
                say(self.world, card.lease_id, Outcome.NO_SALE, until)
                self.since[seller] = until
                self._asks(seller, until)
        self.world.customers(1, self.assignment)
        idle = [seller for seller in self.sellers if seller not in self.calls]
        if idle and not self._asks(idle[0], now):
            dealt = next(one for one in idle if one in lists(self.world))
            assert self._asks(dealt, now)

    def _asks(self, seller: int, now: datetime) -> bool:
        card = ask(self.world, seller, now)
        if card is None:
            return False
        self.waits[seller].append((now - self.since[seller]).total_seconds())
        self.calls[seller] = (now + self.dice.randint(60, 400) * SECOND, card)
        return True


@settings(max_examples=2, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**6))
def test_nobody_waits_longer_than_twice_the_median(world: World, seed: int) -> None:
    """Ten sellers, a customer each half minute, talks as they come, and one who always asks first.

    Planted: dealt in the order of ids; whoever asks deals for themself alone; each seen to fail.
    """
    floor = Floor(world, Random(seed), 10)
    for half_minutes in range(1, 41):
        floor.one_comes(NOON + half_minutes * 30 * SECOND)
    waits = [mean(each or [10**9]) for each in floor.waits.values()]
    assert max(waits) <= 2 * median(waits)


@given(
    held=st.lists(st.tuples(st.integers(0, 3), st.integers(1, 3)), min_size=1, max_size=8),
    free=st.integers(0, 20),
)
def test_nobodys_second_comes_before_everybodys_first(held: Sequence[tuple[int, int]], free: int) -> None:
    """What they have in hand counts. Planted: dealt round by round whatever they have; seen to fail."""
    needs = [Need(n, None, None, wanted, 0 * SECOND, 1, in_hand=has) for n, (has, wanted) in enumerate(held)]
    nowhere: Any = None
    work = Work(nowhere, 1, NOON, partial(time_ordered_id, dice=Random(0)))
    chosen = _spread(work, [Card(n, 1, 1) for n in range(free)], needs, ONE_CLOCK)
    assert [one.customer_id for one in chosen] == list(range(min(free, sum(wanted for _, wanted in held))))
    given_ = [sum(one.need is need for one in chosen) for need in needs]
    for need, got in zip(needs, given_, strict=True):
        for other, others in zip(needs, given_, strict=True):
            hungry = others < other.wanted
            assert not (got and hungry and need.in_hand + got > other.in_hand + others + 1)


def test_who_comes_late_waits_behind_those_who_were_there(world: World) -> None:
    """And is dealt to after them. Planted: in the order of ids; seen to fail."""
    assignment = world.assignment()
    late, *others = [world.seller(assignment, presence="away") for _ in range(3)]
    for minute, seller in enumerate([*others, late]):
        with world.work(NOON + minute * MINUTE) as work:
            be(work, seller, "available", assignment_id=assignment)
        assert ask(world, seller, NOON + minute * MINUTE) is None
    got = []
    for minute in range(3, 6):
        world.customers(1, assignment)
        allocate_all(world.opener(NOON + minute * MINUTE), assignment)
        got += [seller for seller in lists(world) if seller not in got]
    assert got == [*others, late]


def test_waiting_begins_anew_with_each_presence_and_ends_with_a_card(world: World) -> None:
    """Planted: what was asked before a break counts; left standing with the take; each seen to fail."""
    assignment = world.assignment(gap_seconds=0)
    first, second = world.seller(assignment), world.seller(assignment)
    assert ask(world, first) is None
    for what in ("away", "available"):  # lunch: whoever asked meanwhile has waited longer
        with world.work(NOON + MINUTE) as work:
            be(work, first, what, assignment_id=assignment)
    assert ask(world, second, NOON + MINUTE) is None
    world.customers(1, assignment)
    later = NOON + 2 * MINUTE
    allocate_all(world.opener(later), assignment)
    assert list(lists(world)) == [second]
    say(world, take(world, second, later).lease_id, Outcome.NO_SALE, later)
    assert ask(world, first, later) is None
    assert ask(world, second, later + MINUTE) is None
    world.customers(1, assignment)
    allocate_all(world.opener(later + MINUTE), assignment)
    assert list(lists(world)) == [first]


def test_who_lets_a_card_expire_is_not_dealt_to_before_those_who_ask(world: World) -> None:
    """They went without a word. Planted: the reaper leaves them waiting; seen to fail."""
    assignment = world.assignment(hold_seconds=60)
    gone, there = world.seller(assignment), world.seller(assignment)
    assert ask(world, gone) is None
    world.customers(1, assignment)
    allocate_all(world.opener(), assignment)
    assert ask(world, there) is None
    assert reap(world.opener(NOON + 2 * MINUTE)) == 1
    allocate_all(world.opener(NOON + 2 * MINUTE), assignment)
    assert list(lists(world)) == [there]


def test_a_shared_promise_is_given_to_who_has_nothing(world: World) -> None:
    """Planted: to the first by id; seen to fail."""
    assignment = world.assignment()
    full = world.seller(assignment)
    world.customers(1, assignment)
    allocate_all(world.opener(), assignment)
    idle = world.seller(assignment)
    (promised,) = world.customers(1, assignment)
    promise(world, assignment, promised, NOON + MINUTE)
    allocate_all(world.opener(NOON + HOUR), assignment)
    with world.work() as work:
        owner = work.run(text("select seller_id from lease where customer_id = :c"), c=promised).scalar_one()
    assert (owner, sorted(lists(world))) == (idle, [full, idle])


# --- how deep a list is ---------------------------------------------------------------------------


@pytest.mark.parametrize(("customers", "dealt"), [(2, 2), (3, 2), (7, 2), (8, 4), (20, 4)])
def test_lists_shrink_to_one_as_the_free_ones_run_out(world: World, customers: int, dealt: int) -> None:
    """Two sellers: two each while twice as many are free. Planted: two each always; seen to fail."""
    assignment = world.assignment()
    world.customers(customers, assignment)
    sellers = [world.seller(assignment) for _ in range(2)]
    assert allocate_all(world.opener(), assignment) == dealt
    assert lists(world) == {seller: ["offered"] * (dealt // 2) for seller in sellers}


def test_a_list_stays_deep_where_another_segment_runs_out(world: World) -> None:
    """Scarce is what a seller may ring, not what others miss. Planted: all counted together; seen to fail."""
    assignment = world.assignment()
    full, dry = world.segment(assignment), world.segment(assignment)
    world.customers(4, assignment, segment_id=full)
    world.customers(1, assignment, segment_id=dry)
    deep = world.seller(assignment, segment_id=full)
    shallow = [world.seller(assignment, segment_id=dry) for _ in range(2)]
    allocate_all(world.opener(), assignment)
    assert lists(world) == {deep: ["offered"] * 2, shallow[0]: ["offered"]}


def test_who_is_in_a_call_is_dealt_nobody_while_few_are_free(world: World) -> None:
    """The one who is left stays free for whoever asks. Planted: one card beside a call; seen to fail."""
    assignment = world.assignment()
    world.customers(2, assignment)
    talks = world.seller(assignment)
    take(world, talks)
    assert allocate_all(world.opener(), assignment) == 0
    idle = world.seller(assignment)
    assert ask(world, idle) is not None
    assert lists(world) == {talks: ["rung"], idle: ["taken"]}


def test_explain_knows_how_deep_a_list_is_just_now(world: World) -> None:
    """With one in hand: no more while few are free. Planted: the depth alone looked at; seen to fail."""
    assignment = world.assignment()
    world.customers(1, assignment)
    seller = world.seller(assignment)
    allocate_all(world.opener(), assignment)
    (other,) = world.customers(1, assignment)

    def wants() -> tuple[bool, str]:
        with world.work() as work:
            found = explain(work, assignment, other, Who("seller", seller)).holder
        assert found is not None
        (one,) = [one for one in found.answers if one.gate == "wants"]
        return one.open, one.fact

    assert wants() == (False, "has one already, and too few are free for two each")
    assert allocate_all(world.opener(), assignment) == 0
    world.customers(1, assignment)
    assert wants() == (True, "would take one more")
    assert allocate_all(world.opener(), assignment) == 1


# --- what lies with who cannot ring it -------------------------------------------------------------


def stranding(world: World, assignment: int) -> int:
    """A seller in a call with two more in their list; nobody else is free any more."""
    seller = world.seller(assignment)
    world.customers(8, assignment)
    take(world, seller)
    allocate_all(world.opener(), assignment)
    with world.work() as work:
        work.run(text("update placement set state = 'closed' where state = 'ready'"))
    assert lists(world) == {seller: ["rung", "offered", "offered"]}
    return seller


def test_cards_of_who_talks_are_taken_back_for_who_has_none(world: World) -> None:
    """Those they would come to last. Planted: nothing is taken back; seen to fail."""
    assignment = world.assignment(gap_seconds=0)
    talks = stranding(world, assignment)
    first, second, third = (world.seller(assignment) for _ in range(3))
    assert ask(world, first) is not None
    assert lists(world) == {talks: ["rung", "offered"], first: ["taken"]}
    assert ask(world, second) is not None
    assert ask(world, third) is None  # a call is nobody else's
    assert lists(world) == {talks: ["rung"], first: ["taken"], second: ["taken"]}
    assert violations(world) == []


def test_the_last_card_of_who_waits_is_never_taken(world: World) -> None:
    """It would go back and forth. Planted: any offered card is taken; seen to fail."""
    assignment = world.assignment()
    world.customers(8, assignment)
    owner = world.seller(assignment)
    allocate_all(world.opener(), assignment)
    with world.work() as work:
        work.run(text("update placement set state = 'closed' where state = 'ready'"))
    first, second = world.seller(assignment), world.seller(assignment)
    assert ask(world, first) is not None
    assert ask(world, second) is None
    assert lists(world) == {owner: ["offered"], first: ["taken"]}


def test_only_what_the_asker_may_ring_is_taken_back(world: World) -> None:
    """Not of a segment that they do not work. Planted: any segment; seen to fail."""
    assignment = world.assignment()
    other = world.segment(assignment)
    talks = stranding(world, assignment)
    assert ask(world, world.seller(assignment, segment_id=other)) is None
    assert lists(world) == {talks: ["rung", "offered", "offered"]}


def test_a_promise_is_never_taken_from_a_list(world: World) -> None:
    """It was dealt last, and is somebody's own. Planted: promises as well; seen to fail."""
    assignment, later = world.assignment(), NOON + 2 * MINUTE
    owner = world.seller(assignment)
    (free,) = world.customers(1, assignment)
    allocate_all(world.opener(), assignment)
    (promised,) = world.customers(1, assignment)
    promise(world, assignment, promised, NOON + MINUTE, seller=owner)
    allocate_all(world.opener(later), assignment)
    assert lists(world) == {owner: ["offered", "offered"]}
    card = ask(world, world.seller(assignment), later)
    assert card is not None
    assert card.customer_id == free
    assert take(world, owner, later).customer_id == promised


def test_a_card_that_its_holder_takes_at_this_very_moment_is_theirs(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planted: whatever state it is in is taken back; seen to fail."""
    assignment = world.assignment(gap_seconds=0)
    talks = stranding(world, assignment)
    idle = world.seller(assignment)

    def comes_to_the_last() -> None:
        for _ in range(2):
            card = ask(world, talks)
            assert card is not None
            say(world, card.lease_id, Outcome.NO_SALE)
        take(world, talks, rung=False)

    acting_before(monkeypatch)(claims._LOCK, comes_to_the_last)
    assert ask(world, idle) is None
    assert lists(world) == {talks: ["taken"]}
    assert violations(world) == []
