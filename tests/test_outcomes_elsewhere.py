"""What an outcome says of a number is said in every assignment of the customer, and of whoever shares it."""

from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from calls import say, take
from interleaving import acting_before
from sqlalchemy import text
from world import NOON, World, wait_until

from calling.customers.numbers import set_number
from calling.dialers.orders import recalls, to_offer
from calling.follow_ups.asking import Wish
from calling.handout.allocate import allocate_all
from calling.handout.due import wake_due
from calling.handout.give_back import give_up
from calling.handout.hand_out import HandOut, next_customer
from calling.handout.reaper import reap
from calling.outcomes import dead_numbers_sql
from calling.outcomes import outcome_sql as sql
from calling.outcomes.outcome import Report, record, record_all
from calling.segments.publishing import publish
from calling.segments.resegmenting import rebuilds_to_do, run_rebuild
from calling.views.audit import audit
from models.outcomes import Outcome
from segmentation.resegment import differing

MINUTE = timedelta(minutes=1)
HAS_PHONE = {"segments": [{"key": "p", "name": "P", "when": {"f": "has_phone", "op": "is_true"}}]}


def share(world: World, one: int, *others: int, position: int = 0) -> str:
    """The others are rung at the first number of the one; at this place of theirs, 0: at no other."""
    with world.work() as work:
        numbers = text("select e164 from customer_number where customer_id = :c order by position limit 1")
        e164 = str(work.run(numbers, c=one).scalar_one())
        if not position:
            work.run(text("delete from customer_number where customer_id = any(:o)"), o=list(others))
        work.run(
            text("""insert into customer_number (crm_id, customer_id, e164, position, zones)
                    select :crm_id, o, :e164, :at, '{Europe/Lisbon}' from unnest(cast(:o as bigint[])) o"""),
            o=list(others), e164=e164, at=position,
        )  # fmt: skip
    return e164


def states(world: World, e164: str) -> dict[int, str]:
    """What the number is, customer by customer."""
    with world.work() as work:
        rows = work.run(text("select customer_id, state from customer_number where e164 = :n"), n=e164)
        return {row.customer_id: row.state for row in rows}


def gated(world: World) -> dict[int, str | None]:
    with world.work() as work:
        rows = work.run(text("select customer_id, gated_by from placement order by assignment_id"))
        return {row.customer_id: row.gated_by for row in rows}


def by_phone(world: World, *assignments: int) -> None:
    """Segmented by whether there is a number to ring."""
    for assignment in assignments:
        publish(world.opener(), assignment, HAS_PHONE, author="a")
    for rebuild in rebuilds_to_do(world.opener()):
        run_rebuild(world.opener(), rebuild)


@pytest.mark.parametrize("outcome", [Outcome.INVALID_NUMBER, Outcome.WRONG_PERSON])
def test_what_is_said_of_a_number_is_said_in_every_assignment(world: World, outcome: Outcome) -> None:
    """A rule of another assignment asks has_phone (P6). Seen to fail before: only its own followed."""
    here, there = world.assignment(gap_seconds=0), world.assignment(gap_seconds=0)
    everybody = world.customers(3, here)
    world.place(everybody, there)
    by_phone(world, here, there)
    handed = next_customer(world.opener(), world.seller(here))
    assert handed is not None
    record_all(world.opener(), [Report(handed.lease_id, outcome, "seller")])
    with world.work() as work:
        assert (differing(work, here), differing(work, there)) == (0, 0)
        count = text("select count(distinct segment_id) from placement where assignment_id = :there")
        assert work.run(count, there=there).scalar() == 2
        assert rebuilds_to_do(world.opener()) == []


def test_whoever_enters_while_their_number_is_given_up_is_placed_by_a_rebuild(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other assignment's turnstile was not passed. Planted: no rebuild asked for; fails."""
    here, there = world.assignment(gap_seconds=0), world.assignment(gap_seconds=0)
    (customer,) = world.customers(1, here)
    handed = next_customer(world.opener(), world.seller(here))
    assert handed is not None
    acting_before(monkeypatch)(sql.LOCK, lambda: world.place([customer], there))
    record_all(world.opener(), [Report(handed.lease_id, Outcome.INVALID_NUMBER, "seller")])
    assert len(rebuilds_to_do(world.opener())) == 1


def test_what_is_out_of_service_is_so_for_whoever_has_the_number(world: World) -> None:
    """In every assignment, gates and segments too, in the same transaction; who has another is rung there.

    Planted: the customer's own marked alone; their gates and segments left; those without a place in an
    assignment left; each seen to fail.
    """
    here, there = world.assignment(gap_seconds=0), world.assignment(gap_seconds=0)
    (one,) = world.customers(1, here)
    (alone, two) = world.customers(2, there)
    (nowhere,) = world.customers(1)
    e164 = share(world, one, alone, nowhere)
    share(world, one, two, position=1)
    by_phone(world, here, there)
    say(world, take(world, world.seller(here)).lease_id, Outcome.INVALID_NUMBER)
    assert states(world, e164) == dict.fromkeys((one, alone, two, nowhere), "disconnected")
    assert gated(world) == {one: "no_number", alone: "no_number", two: None}
    with world.work() as work:
        assert (differing(work, here), differing(work, there)) == (0, 0)
        assert [found for found in audit(work) if found.count] == []
    assert rebuilds_to_do(world.opener()) == []
    seller = world.seller(there)
    card = take(world, seller, NOON + MINUTE)
    assert (card.customer_id, card.e164 == e164) == (two, False)
    assert next_customer(world.opener(NOON + MINUTE), world.seller(there)) is None


def test_a_wrong_person_is_so_for_one_customer_alone(world: World) -> None:
    """Planted: said of everybody; seen to fail."""
    assignment = world.assignment(gap_seconds=0)
    one, other = world.customers(2, assignment)
    e164 = share(world, one, other)
    seller = world.seller(assignment)
    say(world, take(world, seller).lease_id, Outcome.WRONG_PERSON)
    assert states(world, e164) == {one: "wrong_person", other: "unverified"}
    assert take(world, seller, NOON + MINUTE).customer_id == other


def test_told_late_it_takes_back_who_is_offered_at_the_number(world: World) -> None:
    """A seller's at once, a dialer's by its link. Planted: no recall; seen to fail."""
    assignment = world.assignment(gap_seconds=0)
    one, other = world.customers(2, assignment)
    share(world, one, other)
    seller = world.seller(assignment)
    late = take(world, seller, NOON - 60 * MINUTE)
    with world.work(NOON - 31 * MINUTE) as work:
        give_up(work, [late.lease_id])  # nobody told what came of it
        work.run(text("update seller set presence = 'away'"))
        work.run(text("update placement set state = 'closed' where customer_id = :c"), c=one)
    robot = world.dialer(assignment, wanted=1, wanted_at=NOON)
    allocate_all(world.opener(), assignment)
    with world.work() as work:
        (order,) = to_offer(work, robot)
    assert order.e164 == late.e164
    say(world, late.lease_id, Outcome.INVALID_NUMBER)
    with world.work() as work:
        assert recalls(work, robot) == [order.lease_id]


def test_who_is_offered_at_it_comes_back_though_we_died_before_the_recall(world: World) -> None:
    """The next tick finds it. Planted: numbers not looked at by the reaper; seen to fail."""
    assignment = world.assignment(gap_seconds=0)
    one, other = world.customers(2, assignment)
    share(world, one, other)
    late = take(world, world.seller(assignment), NOON - 60 * MINUTE)
    with world.work(NOON - 31 * MINUTE) as work:
        give_up(work, [late.lease_id])  # nobody told what came of it
        work.run(text("update seller set presence = 'away'"))
        work.run(text("update placement set state = 'closed' where customer_id = :c"), c=one)
    robot = world.dialer(assignment, wanted=1, wanted_at=NOON)
    allocate_all(world.opener(), assignment)
    with world.work() as work:
        (order,) = to_offer(work, robot)
        record(work, [Report(late.lease_id, Outcome.INVALID_NUMBER, "seller")])
    with world.work() as work:
        assert recalls(work, robot) == []
    reap(world.opener())
    with world.work() as work:
        assert recalls(work, robot) == [order.lease_id]


def test_told_late_it_is_in_service_for_all_if_somebody_has_answered_since(world: World) -> None:
    """Whoever it was. Planted: later calls not looked at; each customer's own alone; seen to fail."""
    assignment = world.assignment(gap_seconds=0)
    one, other, third = world.customers(3, assignment)
    e164 = share(world, one, other, third)
    ana, bo = world.seller(assignment), world.seller(assignment)
    first = take(world, ana, NOON - 60 * MINUTE)
    with world.work(NOON - 31 * MINUTE) as work:
        give_up(work, [first.lease_id])  # nobody told what came of it
        work.run(text("update placement set state = 'closed' where customer_id = :c"), c=one)
    later = take(world, bo, NOON - 30 * MINUTE)
    assert (first.customer_id, later.customer_id) == (one, other)
    say(world, later.lease_id, Outcome.FOLLOW_UP, NOON - 29 * MINUTE)
    assert say(world, first.lease_id, Outcome.INVALID_NUMBER).kind == "first"
    assert states(world, e164) == {one: "unverified", other: "good", third: "unverified"}


def given_up(world: World, assignment: int, seller: int) -> HandOut:
    """A call an hour ago of which nobody has told what came of it."""
    card = take(world, seller, NOON - 60 * MINUTE)
    with world.work(NOON - 59 * MINUTE) as work:
        give_up(work, [card.lease_id])
    return card


def test_told_late_of_a_number_that_has_answered_since_it_closes_nobody(world: World) -> None:
    """A number is left: that very one. Seen to fail before: closed for want of a number that is good."""
    assignment = world.assignment(gap_seconds=0)
    world.customers(1, assignment)
    seller = world.seller(assignment)
    first = given_up(world, assignment, seller)
    wake_due(world.opener(NOON))
    say(world, take(world, seller).lease_id, Outcome.ANSWERED)
    recorded = say(world, first.lease_id, Outcome.INVALID_NUMBER, NOON + MINUTE)
    assert (recorded.kind, recorded.late, recorded.dead) == ("first", True, None)
    with world.work() as work:
        row = work.run(text("select state, status, attempts, gated_by from placement")).one()
    assert tuple(row) == ("resting", "answered", 2, None)
    assert set(states(world, first.e164).values()) == {"good"}


def test_whoever_answers_proves_the_number_though_an_earlier_call_found_it_dead_meanwhile(
    world: World,
) -> None:
    """Told while somebody talks there, or after: it comes to the same (P4), for whoever has the number.

    Seen to fail before: the call that was promised was never rung, for want of a number.
    """
    here, there = world.assignment(gap_seconds=0), world.assignment(gap_seconds=0)
    (one,), (other,) = world.customers(1, here), world.customers(1, there)
    e164 = share(world, one, other)
    by_phone(world, here, there)
    seller = world.seller(here)
    first = given_up(world, here, seller)
    wake_due(world.opener(NOON))
    second = take(world, seller)
    say(world, first.lease_id, Outcome.INVALID_NUMBER)
    assert states(world, e164) == {one: "disconnected", other: "disconnected"}
    promise = Wish(at=NOON + 60 * MINUTE)
    say(world, second.lease_id, Outcome.FOLLOW_UP, NOON + MINUTE, promise=promise)
    assert states(world, e164) == {one: "good", other: "unverified"}
    assert gated(world) == {one: None, other: None}
    with world.work() as work:
        assert (differing(work, here), differing(work, there)) == (0, 0)
    assert take(world, seller, NOON + 60 * MINUTE).customer_id == one


def test_an_answer_of_before_leaves_it_dead(world: World) -> None:
    """Told late. Planted: whichever call answered; seen to fail."""
    assignment = world.assignment(gap_seconds=0)
    (one,) = world.customers(1, assignment)
    seller = world.seller(assignment)
    first = given_up(world, assignment, seller)
    wake_due(world.opener(NOON))
    say(world, take(world, seller).lease_id, Outcome.INVALID_NUMBER)
    say(world, first.lease_id, Outcome.ANSWERED, NOON + MINUTE)
    assert states(world, first.e164) == {one: "disconnected"}


def test_what_a_person_has_called_bad_stays_so_whatever_a_call_unsays(world: World) -> None:
    """For the customer of whom they said it. Seen to fail before: it was rung again."""
    here, there = world.assignment(gap_seconds=0), world.assignment(gap_seconds=0)
    (one,), (other, third) = world.customers(1, here), world.customers(2, there)
    e164 = share(world, one, other, third)
    set_number(world.opener(), other, e164, state="disconnected", author="Kari")
    robot = world.dialer(here, wanted=1, wanted_at=NOON)
    allocate_all(world.opener(), here)
    with world.work() as work:
        (order,) = to_offer(work, robot)
    say(world, order.lease_id, Outcome.INVALID_NUMBER, by="dialer")
    say(world, order.lease_id, Outcome.SALE)
    assert states(world, e164) == {one: "good", other: "disconnected", third: "unverified"}


@pytest.mark.parametrize("together", [True, False])
def test_both_numbers_of_a_customer_are_given_up_in_one_batch(world: World, together: bool) -> None:
    """As told one by one: closed, for no number is left. Seen to fail before: they rested for ever."""
    here, there = world.assignment(gap_seconds=0), world.assignment(gap_seconds=0)
    (one,), (other,) = world.customers(1, here), world.customers(1, there)
    e164 = share(world, one, other, position=1)
    first = given_up(world, there, world.seller(there))
    second = take(world, world.seller(here))
    assert (first.customer_id, second.e164) == (other, e164)
    reports = [Report(x.lease_id, Outcome.INVALID_NUMBER, "seller") for x in (second, first)]
    for batch in [reports] if together else [[report] for report in reports]:
        record_all(world.opener(), batch)
    with world.work() as work:
        found = work.run(text("select customer_id, state from placement order by 1")).all()
    assert [tuple(row) for row in found] == [(one, "closed"), (other, "closed")]


def test_a_machine_took_it_for_dead_and_the_seller_sold(world: World) -> None:
    """The last word of a call counts: for whoever has the number. Planted: left as it was; seen to fail."""
    here, there = world.assignment(gap_seconds=0), world.assignment(gap_seconds=0)
    (one,), (other,) = world.customers(1, here), world.customers(1, there)
    e164 = share(world, one, other)
    by_phone(world, here, there)
    robot = world.dialer(here, wanted=1, wanted_at=NOON)
    allocate_all(world.opener(), here)
    with world.work() as work:
        (order,) = to_offer(work, robot)
    say(world, order.lease_id, Outcome.INVALID_NUMBER, by="dialer")
    assert states(world, e164) == {one: "disconnected", other: "disconnected"}
    assert say(world, order.lease_id, Outcome.SALE).kind == "completion"
    assert states(world, e164) == {one: "good", other: "unverified"}
    assert gated(world)[other] is None
    with world.work() as work:
        assert (differing(work, here), differing(work, there)) == (0, 0)


def test_many_numbers_that_are_shared_are_given_up_at_once(world: World) -> None:
    """By two, with sharers who stand in no assignment, in opposite orders: nobody waits for the other."""
    assignment = world.assignment(gap_seconds=0)
    callers = world.customers(60, assignment)
    sharers = world.customers(20)
    for at, one in enumerate(callers, 1):
        share(world, one, *sharers, position=at)
    sellers = [world.seller(assignment) for _ in range(20)]
    leases = [take(world, seller).lease_id for seller in sellers]
    halves = [leases[::2], leases[1::2]]
    with ThreadPoolExecutor(2) as pool:
        work = [
            pool.submit(
                record_all, world.opener(), [Report(x, Outcome.INVALID_NUMBER, "seller") for x in half]
            )
            for half in halves
        ]
        assert sum(len(one.result(30)) for one in work) == 20
    with world.work() as checked:
        dead = text("select count(*) from customer_number where state = 'disconnected'")
        assert checked.run(dead).scalar() == 20 * 21


def test_who_stands_nowhere_is_locked_like_the_others(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a person says meanwhile of the number is said after the outcome.

    Planted: no lock; seen to fail.
    """
    assignment = world.assignment(gap_seconds=0)
    (one,) = world.customers(1, assignment)
    (nowhere,) = world.customers(1)
    e164 = share(world, one, nowhere)
    lease = take(world, world.seller(assignment)).lease_id
    done: list[bool] = []
    with ThreadPoolExecutor(1) as pool:
        said: list[Future[Any]] = []

        def meanwhile() -> None:
            said.append(pool.submit(set_number, world.opener(), nowhere, e164, state="good", author="Kari"))
            wait_until(lambda: said[0].done() or bool(world.waited_for()))
            done.append(said[0].done())

        acting_before(monkeypatch)(dead_numbers_sql.MARK, meanwhile)
        say(world, lease, Outcome.INVALID_NUMBER)
        said[0].result(10)
    assert done == [False]
    assert states(world, e164) == {one: "disconnected", nowhere: "good"}
