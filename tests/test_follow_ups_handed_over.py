"""A leaver's promises become another's; and two who want one promise at once, step by step."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from threading import Barrier
from typing import Any

import pytest
from interleaving import Hook, acting_after, acting_before
from promises import DAY, HOUR, MINUTE, live, promise, promises, row_of, violations, watch
from sqlalchemy import text
from world import NOON, World, wait_until

from calling.customers.verifying import verify_zone
from calling.follow_ups import handing_over, listing, promising
from calling.follow_ups.asking import Wish
from calling.follow_ups.handing_over import hand_over
from calling.follow_ups.promising import Patch
from calling.handout import placements, recalling
from calling.handout.allocate import allocate_all
from calling.handout.hand_out import next_customer
from calling.handout.reaper import reap
from calling.outcomes.outcome import Report, record_all
from models.errors import BadInput, Conflict, NotFound
from models.outcomes import Outcome
from models.sql import load

DUE = NOON + MINUTE


@pytest.fixture
def before(monkeypatch: pytest.MonkeyPatch) -> Hook:
    return acting_before(monkeypatch)


@pytest.fixture
def after(monkeypatch: pytest.MonkeyPatch) -> Hook:
    return acting_after(monkeypatch)


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as threads:
        yield threads


class Died(Exception):
    """The process ends here."""


def die() -> None:
    raise Died


# --- handed over ----------------------------------------------------------------------------------


def test_a_leavers_promises_become_anothers_or_everybodys(world: World) -> None:
    """In all their assignments at once; what has ended, and what is others', stays."""
    one, two = world.assignment(), world.assignment()
    people = world.customers(3, one)
    world.place(people[:1], two)
    leaver, heir, other = world.seller(one), world.seller(one), world.seller(one)
    promise(world, one, people[0], NOON + HOUR, seller=leaver)
    promise(world, two, people[0], NOON + HOUR, seller=leaver)
    promise(world, one, people[1], NOON + HOUR, seller=other)
    over = promise(world, one, people[2], NOON + HOUR, seller=leaver)
    promising.cancel(world.opener(), over.id, author="a")
    assert handing_over.theirs(world.opener(), leaver) == 2
    done = hand_over(world.opener(DUE), leaver, heir, expected=2, author="Kari")
    assert done.handed == 2
    rows = promises(world)
    assert [row.seller_id for row in rows] == [heir, heir, other, leaver]
    assert {(row.handed_by, row.handed_at, row.handed_from) for row in rows[:2]} == {("Kari", DUE, leaver)}
    assert [row.handed_at for row in rows[2:]] == [None, None]
    assert hand_over(world.opener(), heir, None, expected=2, author="Kari").handed == 2
    assert [row.seller_id for row in promises(world)][:2] == [None, None]
    assert violations(world) == []


def test_not_as_many_as_somebody_saw_and_nothing_is_done(world: World) -> None:
    assignment = world.assignment()
    (customer,) = world.customers(1, assignment)
    leaver = world.seller(assignment)
    promise(world, assignment, customer, NOON + HOUR, seller=leaver)
    with pytest.raises(Conflict) as refused:
        hand_over(world.opener(), leaver, None, expected=2, author="Kari")
    assert refused.value.data["count"] == 1
    assert [row.seller_id for row in promises(world)] == [leaver]
    for to, error in ((999, NotFound), (leaver, BadInput)):
        with pytest.raises(error):
            hand_over(world.opener(), leaver, to, expected=1, author="Kari")


def test_what_is_offered_to_the_leaver_is_wanted_back(world: World) -> None:
    """Planted: without the recall; seen to fail."""
    assignment = world.assignment()
    (customer,) = world.customers(1, assignment)
    leaver, heir = world.seller(assignment), world.seller(assignment)
    promise(world, assignment, customer, DUE, seller=leaver)
    allocate_all(world.opener(DUE), assignment)
    assert [lease.seller_id for lease in live(world)] == [leaver]
    hand_over(world.opener(DUE), leaver, heir, expected=1, author="Kari")
    assert live(world) == []
    card = next_customer(world.opener(DUE), heir)
    assert card is not None
    assert card.customer_id == customer


def test_handed_over_while_it_is_being_dealt(world: World, after: Hook, pool: ThreadPoolExecutor) -> None:
    """Who deals is seen, or sees the new owner. Planted: handed over beside the allocator; seen to fail: the
    leaver is offered it and nobody wants it back."""
    assignment = world.assignment()
    (customer,) = world.customers(1, assignment)
    leaver, heir = world.seller(assignment), world.seller(assignment)
    promise(world, assignment, customer, DUE, seller=leaver)
    going: list[Future[Any]] = []

    def meanwhile() -> None:
        who = (world.opener(DUE), leaver, heir)
        going.append(pool.submit(hand_over, *who, expected=1, author="Kari"))
        wait_until(lambda: going[0].done() or bool(world.waited_for()))

    after(load("due_promises"), meanwhile)
    allocate_all(world.opener(DUE), assignment)
    assert going[0].result().handed == 1
    assert [lease.seller_id for lease in live(world) if lease.seller_id == leaver] == []
    allocate_all(world.opener(DUE), assignment)
    assert [lease.seller_id for lease in live(world)] == [heir]


def test_moved_while_it_is_handed_over_it_goes_with_the_others(world: World, before: Hook) -> None:
    """Their zone is verified once the open ones are counted: another follow-up is in its place. Planted: the
    ids of before the lock; seen to fail: it stays the leaver's, without a word."""
    people = world.customers(2, assignment := world.assignment())
    leaver, heir = world.seller(assignment), world.seller(assignment)
    for customer in people:
        wish = Wish(wall_time=datetime(2026, 3, 3, 15))  # noqa: DTZ001 - on a wall
        who: dict[str, Any] = {"seller_id": leaver, "author": "Kari", "made_by": "api"}
        promising.promise(world.opener(), assignment, customer, wish, **who)
    said: dict[str, Any] = {"author": "Bo", "reason": "asked her", "anyway": True}
    before(placements._LOCK, lambda: verify_zone(world.opener(), people[0], "Asia/Tokyo", **said))
    assert hand_over(world.opener(), leaver, heir, expected=2, author="Kari").handed == 2
    standing = [row for row in promises(world) if row.ended_at is None]
    assert [(row.customer_id, row.seller_id) for row in standing] == [(people[1], heir), (people[0], heir)]
    assert standing[1].zone == "Asia/Tokyo"
    assert violations(world) == []


@pytest.mark.parametrize("as_many", [True, False])
def test_others_than_somebody_saw_by_the_lock_and_nothing_is_done(
    world: World, before: Hook, as_many: bool
) -> None:
    """One is taken back just before the lock, and another may be promised in another assignment. Planted:
    whoever they are; seen to fail."""
    one, two = world.assignment(), world.assignment()
    people = world.customers(2, one)
    world.place(people, two)
    leaver, heir = world.seller(one), world.seller(one)
    made = [promise(world, one, customer, NOON + HOUR, seller=leaver) for customer in people]

    def meanwhile() -> None:
        promising.cancel(world.opener(), made[0].id, author="a")
        if as_many:
            promise(world, two, people[0], NOON + HOUR, seller=leaver)

    before(placements._LOCK, meanwhile)
    with pytest.raises(Conflict, match="are others by now"):
        hand_over(world.opener(), leaver, heir, expected=2, author="Kari")
    assert {row.seller_id for row in promises(world)} == {leaver}
    assert hand_over(world.opener(), leaver, heir, expected=1 + as_many, author="Kari").handed == 1 + as_many


def test_not_all_could_be_handed_over_and_none_is(world: World, before: Hook) -> None:
    """Whoever wrote one beside the lock. Planted: nobody counts; seen to fail."""
    people = world.customers(2, assignment := world.assignment())
    leaver, heir = world.seller(assignment), world.seller(assignment)
    made = [promise(world, assignment, customer, NOON + HOUR, seller=leaver) for customer in people]

    def beside() -> None:
        with world.work() as work:
            ended = "update follow_up set ended_at = :now, ended_by = 'cancelled' where id = :id"
            work.run(text(ended), id=made[0].id)

    before(handing_over._HAND, beside)
    with pytest.raises(Conflict, match="1 of their 2 open follow-ups"):
        hand_over(world.opener(), leaver, heir, expected=2, author="Kari")
    assert {row.seller_id for row in promises(world)} == {leaver}


def test_dead_after_the_hand_over_the_leavers_offer_runs_out(world: World, before: Hook) -> None:
    """The second half was lost: the list's own time is over soon, and then the heir has it."""
    assignment = world.assignment(hold_seconds=300)
    (customer,) = world.customers(1, assignment)
    leaver, heir = world.seller(assignment), world.seller(assignment)
    promise(world, assignment, customer, DUE, seller=leaver)
    allocate_all(world.opener(DUE), assignment)
    before(recalling._HOLDERS, die)
    with suppress(Died):
        hand_over(world.opener(DUE), leaver, heir, expected=1, author="Kari")
    assert [row.seller_id for row in promises(world)] == [heir]
    later = DUE + 5 * MINUTE
    assert reap(world.opener(later)) == 1
    card = next_customer(world.opener(later), heir)
    assert card is not None
    assert card.customer_id == customer


# --- two at once ----------------------------------------------------------------------------------


def test_eight_sellers_ask_for_one_promise_at_once(world: World, pool: ThreadPoolExecutor) -> None:
    """One gets it, the others somebody else or nobody, and nobody waits for ever."""
    assignment = world.assignment()
    people = world.customers(9, assignment)
    sellers = [world.seller(assignment) for _ in range(8)]
    promise(world, assignment, people[8], DUE)
    together = Barrier(8)

    def ask(seller: int) -> int | None:
        together.wait()
        card = next_customer(world.opener(DUE), seller)
        return card.customer_id if card else None

    got = list(pool.map(ask, sellers))
    assert sorted(filter(None, got)) == sorted(set(filter(None, got)))
    assert people[8] in got
    assert violations(world, DUE) == []


@pytest.mark.parametrize("to", ["tomorrow", "another"])
def test_changed_while_it_is_being_dealt(world: World, after: Hook, to: str) -> None:
    """It was tomorrow's, or another's, by the time the lease was written. Planted: no look whether the
    promise is over (another's), nor whether it is due (tomorrow's); seen to fail."""
    assignment = world.assignment()
    (customer,) = world.customers(1, assignment)
    world.seller(assignment)
    other = world.seller(assignment)
    made = promise(world, assignment, customer, DUE)
    patch = Patch(Wish(NOON + DAY)) if to == "tomorrow" else Patch(reowned=True, seller_id=other)
    after(
        load("due_promises"),
        lambda: promising.change(world.opener(DUE), made.id, patch, author="a", made_by="api"),
    )
    allocate_all(world.opener(DUE), assignment)
    assert live(world) == []
    due = NOON + DAY if to == "tomorrow" else DUE
    assert (row_of(world, customer).state, row_of(world, customer).due_at) == ("follow_up", due)
    allocate_all(world.opener(due), assignment)
    holders = [lease.seller_id for lease in live(world)]
    assert holders == [other] or to == "tomorrow"
    assert violations(world, due) == []


def test_an_outcome_and_a_change_at_once(world: World, before: Hook) -> None:
    """The call comes to an outcome just before the change has its lock. Planted: whether it is open is looked
    at before the lock alone; seen to fail: closed, and promised another call."""
    assignment = world.assignment(gap_seconds=0)
    (customer,) = world.customers(1, assignment)
    seller = world.seller(assignment)
    made = promise(world, assignment, customer, DUE)
    card = next_customer(world.opener(DUE), seller)
    assert card is not None
    sold = Report(card.lease_id, Outcome.SALE, "seller")
    before(placements._ROWS, lambda: record_all(world.opener(DUE), [sold]))
    with pytest.raises(Conflict, match="has ended: outcome"):
        promising.change(world.opener(DUE), made.id, Patch(Wish(NOON + DAY)), author="a", made_by="api")
    assert row_of(world, customer).state == "closed"
    assert violations(world, DUE) == []


def test_promises_and_outcomes_of_many_at_once(world: World, pool: ThreadPoolExecutor) -> None:
    """Whatever comes first: one open promise at most each, as the placement says, and no deadlock."""
    assignment = world.assignment(gap_seconds=0)
    people = world.customers(30, assignment)
    world.dialer(assignment, wanted=30, wanted_at=NOON)
    allocate_all(world.opener(), assignment)
    leases = {lease.customer_id: lease.id for lease in live(world)}
    together = Barrier(8)

    def act(n: int) -> None:
        together.wait()
        for customer in people[n % 3 :: 3] if n % 2 else people[::-1]:
            if n < 4:
                promise(world, assignment, customer, NOON + (n + 1) * HOUR)
            else:
                outcome = (Outcome.NO_ANSWER, Outcome.FOLLOW_UP, Outcome.NO_SALE, Outcome.BUSY)[n - 4]
                told = Wish(NOON + DAY) if outcome is Outcome.FOLLOW_UP else None
                record_all(world.opener(), [Report(leases[customer], outcome, "dialer", promise=told)])

    list(pool.map(act, range(8)))
    assert violations(world) == []
    assert {row.made_by for row in promises(world)} >= {"api"}


def test_dead_before_the_recall_the_reaper_takes_back_what_was_offered(world: World, before: Hook) -> None:
    """Promised while offered, and the process ends."""
    assignment = world.assignment()
    (customer,) = world.customers(1, assignment)
    world.seller(assignment)
    allocate_all(world.opener(), assignment)
    before(recalling._HOLDERS, die)
    with suppress(Died):
        promise(world, assignment, customer, NOON + DAY)
    assert len(live(world)) == 1
    reap(world.opener(DUE))
    assert live(world) == []
    assert (row_of(world, customer).state, row_of(world, customer).due_at) == ("follow_up", NOON + DAY)


# --- lists ----------------------------------------------------------------------------------------


def test_lists_say_whose_when_and_what_keeps_them(world: World) -> None:
    assignment = world.assignment(follow_up_grace_seconds=600)
    people = world.customers(4, assignment)
    seller, other = world.seller(assignment, "Ana"), world.seller(assignment)
    now = NOON + HOUR
    promise(world, assignment, people[0], DUE, seller=seller)
    promise(world, assignment, people[1], now - 5 * MINUTE, seller=seller, note="boat")
    promise(world, assignment, people[2], NOON.replace(hour=22), seller=other)
    over = promise(world, assignment, people[3], now + HOUR)
    promising.cancel(world.opener(NOON), over.id, author="Di")

    watch(world, DUE)
    watch(world, now - 5 * MINUTE)

    def ids(**which: Any) -> list[int]:
        with world.work(now) as work:
            return [row.customer_id for row in listing.follow_ups(work, 0, 50, **which)]

    assert ids() == people[:3]
    assert ids(seller_id=seller) == people[:2]
    assert ids(which="due") == people[:2]
    assert ids(which="overdue") == people[:1]
    assert ids(which="ended") == people[3:]
    assert ids(assignment_id=assignment + 1) == []
    with world.work(now) as work:
        late, fresh, evening = listing.follow_ups(work, 0, 50)
        assert [row.id for row in listing.follow_ups(work, late.id, 1)] == [fresh.id]
    assert [(x.standing, x.anybodys) for x in (late, fresh, evening)] == [
        ("due", True), ("due", False), ("waits", False),
    ]  # fmt: skip
    assert (fresh.seller, fresh.note, fresh.will_be) == ("Ana", "boat", now)
    assert (evening.asked_at, evening.will_be) == (
        NOON.replace(hour=22), NOON.replace(day=3, hour=9, minute=1),
    )  # fmt: skip
