"""A hot lead is rung before all others, now; and nothing that binds is forced for one."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest
from promises import HOUR, MINUTE, live, promise, promises, row_of, violations, watch
from sqlalchemy import Row, text
from world import NOON, World

from calling.handout.allocate import allocate_all
from calling.handout.due import wake_due
from calling.handout.give_back import give_back
from calling.handout.hand_out import next_customer
from calling.handout.reaper import reap
from calling.handout.ring import release, ring
from calling.hot_leads.making import Made, cool, make_hot
from calling.hot_leads.watching import watch_hot_leads
from calling.outcomes.outcome import Report, record_all
from calling.walls.pause import pause
from models.errors import BadInput, Conflict, NotFound
from models.outcomes import Outcome


def hot(
    world: World, assignment: int, customers: Sequence[int], now: datetime = NOON, **how: Any
) -> list[Made]:
    """By a manager."""
    how = {"reason": "asked on the web", "author": "Kari", "made_by": "hand"} | how
    return make_hot(world.opener(now), assignment, customers, **how)


def one(world: World, assignment: int, customer: int, now: datetime = NOON, **how: Any) -> Made:
    """Just one."""
    (made,) = hot(world, assignment, [customer], now, **how)
    return made


def leads(world: World) -> list[Row[Any]]:
    """Every hot lead there was."""
    with world.work() as work:
        return list(work.run(text("select * from hot_lead order by id")))


def call(world: World, seller: int, outcome: Outcome, now: datetime) -> int:
    """Take the next, ring, report; who it was."""
    card = next_customer(world.opener(now), seller)
    assert card is not None
    with world.work(now) as work:
        ring(work, card.lease_id, seller)
    record_all(world.opener(now), [Report(card.lease_id, outcome, by="seller")])
    return card.customer_id


def test_it_comes_before_everybody_in_whatever_segment_it_is(world: World) -> None:
    assignment = world.assignment()
    world.customers(50, assignment, segment_id=world.segment(assignment))
    last = world.customers(1, assignment, segment_id=world.segment(assignment), rank=2**59)[0]
    seller = world.seller(assignment)

    made = one(world, assignment, last)

    assert (made.became, made.gate) == ("front", None)
    card = next_customer(world.opener(), seller)
    assert card is not None
    assert (card.customer_id, card.hot_at, card.hot_reason) == (last, NOON, "asked on the web")


def test_it_jumps_what_lies_in_a_list_already(world: World) -> None:
    assignment = world.assignment()
    customers = world.customers(9, assignment)
    seller = world.seller(assignment)
    allocate_all(world.opener(), assignment)
    assert len(live(world)) == 2

    one(world, assignment, customers[-1])

    card = next_customer(world.opener(), seller)
    assert card is not None
    assert card.customer_id == customers[-1]


def test_it_comes_before_a_promise_that_is_due(world: World) -> None:
    assignment = world.assignment()
    promised, lead = world.customers(2, assignment)
    seller = world.seller(assignment)
    promise(world, assignment, promised, NOON + MINUTE)

    one(world, assignment, lead, NOON + 2 * MINUTE)

    now = NOON + 2 * MINUTE
    assert [call(world, seller, Outcome.NO_ANSWER, now) for _ in range(2)] == [lead, promised]


def test_it_waits_in_nobodys_list_for_whoever_is_free_first(world: World) -> None:
    """Planted: hot leads left among the candidates; seen to fail: it lay behind a conversation."""
    assignment = world.assignment()
    lead = world.customers(20, assignment)[1]
    talking, free = world.seller(assignment), world.seller(assignment, presence="away")
    card = next_customer(world.opener(), talking)
    assert card is not None
    with world.work() as work:
        give_back(work, [lease.id for lease in live(world) if lease.state == "offered"], "recalled")

    one(world, assignment, lead)
    allocate_all(world.opener(), assignment)
    assert lead not in {lease.customer_id for lease in live(world)}

    with world.work() as work:
        work.run(text("update seller set presence = 'available' where id = :s"), s=free)
    card = next_customer(world.opener(), free)
    assert card is not None
    assert card.customer_id == lead


def test_two_at_once_go_to_two_sellers(world: World) -> None:
    assignment = world.assignment()
    first, second, *_ = world.customers(20, assignment)
    sellers = [world.seller(assignment), world.seller(assignment)]

    hot(world, assignment, [first, second])
    allocate_all(world.opener(), assignment)

    held = {lease.customer_id: lease.seller_id for lease in live(world) if lease.hot_lead_id}
    assert set(held) == {first, second}
    assert set(held.values()) == set(sellers)


def test_a_second_one_waits_for_somebody_else_while_the_first_lies_unseen(world: World) -> None:
    """Planted: a hot lead in a list keeps nobody busy; seen to fail."""
    assignment = world.assignment()
    first, second, *_ = world.customers(20, assignment)
    world.seller(assignment)

    for lead in (first, second):
        one(world, assignment, lead)
        allocate_all(world.opener(), assignment)

    assert [lease.customer_id for lease in live(world) if lease.hot_lead_id] == [first]
    assert second not in {lease.customer_id for lease in live(world)}


def test_whoever_rests_is_ready_at_once_and_rests_again_after_the_call(world: World) -> None:
    assignment = world.assignment(gap_seconds=0)
    (customer,) = world.customers(1, assignment, state="resting", due_at=NOON + 9 * HOUR)
    seller = world.seller(assignment)

    assert one(world, assignment, customer).became == "front"

    assert call(world, seller, Outcome.NO_ANSWER, NOON) == customer
    watch_hot_leads(world.opener(NOON + MINUTE))
    assert row_of(world, customer).state == "resting"
    (lead,) = leads(world)
    assert (lead.ended_by, lead.ended_lease_id) == ("rung", row_of(world, customer).last_lease_id)


def test_a_call_that_reached_nobody_is_no_call(world: World) -> None:
    """Planted: any ring ends a hot lead; seen to fail."""
    assignment = world.assignment(gap_seconds=0)
    (customer,) = world.customers(1, assignment)
    seller = world.seller(assignment)
    one(world, assignment, customer)

    call(world, seller, Outcome.CONGESTION, NOON)
    watch_hot_leads(world.opener(NOON + MINUTE))
    assert [lead.ended_at for lead in leads(world)] == [None]
    assert row_of(world, customer).state == "resting"  # a full line is given its ten minutes

    again = row_of(world, customer).due_at
    wake_due(world.opener(again))
    card = next_customer(world.opener(again), seller)
    assert card is not None
    assert card.hot_at == NOON


def test_made_once_however_often_it_is_asked_for(world: World) -> None:
    assignment = world.assignment()
    (customer,) = world.customers(1, assignment)

    first, again = one(world, assignment, customer), one(world, assignment, customer, NOON + MINUTE)

    assert first.hot_lead_id == again.hot_lead_id
    assert len(leads(world)) == 1


def test_asked_for_again_after_the_call_it_is_another_one(world: World) -> None:
    """Planted: what a call had ended was left for the tick to end; seen to fail: the second was lost."""
    assignment = world.assignment(gap_seconds=0)
    (customer,) = world.customers(1, assignment)
    seller = world.seller(assignment)
    first = one(world, assignment, customer)
    call(world, seller, Outcome.NO_ANSWER, NOON + MINUTE)

    second = one(world, assignment, customer, NOON + 2 * MINUTE)

    assert second.hot_lead_id != first.hot_lead_id
    watch_hot_leads(world.opener(NOON + 3 * MINUTE))
    assert call(world, seller, Outcome.SALE, NOON + 3 * MINUTE) == customer


def test_whoever_has_them_is_told(world: World) -> None:
    assignment = world.assignment()
    (customer,) = world.customers(1, assignment)
    ana = world.seller(assignment, "Ana")
    card = next_customer(world.opener(), ana)
    assert card is not None

    made = one(world, assignment, customer)
    assert (made.became, made.holder) == ("taken", "Ana")
    with world.work() as work:
        ring(work, card.lease_id, ana)
    made = one(world, assignment, customer)
    assert (made.became, made.holder, made.hot_lead_id) == ("talking", "Ana", None)


def test_given_back_from_a_screen_they_are_the_next_of_whoever_is_free(world: World) -> None:
    assignment = world.assignment()
    (customer, *_) = world.customers(9, assignment)
    ana, bo = world.seller(assignment, "Ana"), world.seller(assignment, "Bo", presence="away")
    card = next_customer(world.opener(), ana)
    assert card is not None
    one(world, assignment, customer)

    with world.work() as work:
        release(work, card.lease_id, ana)
        work.run(text("update seller set presence = 'available' where id = :s"), s=bo)

    card = next_customer(world.opener(), bo)
    assert card is not None
    assert (card.customer_id, card.hot_reason) == (customer, "asked on the web")


def test_offered_in_the_list_of_who_talks_they_come_back_at_once(world: World) -> None:
    assignment = world.assignment()
    customers = world.customers(9, assignment)
    ana = world.seller(assignment, "Ana")
    next_customer(world.opener(), ana)
    allocate_all(world.opener(), assignment)
    (waits, *_) = [lease for lease in live(world) if lease.state == "offered"]
    assert waits.customer_id in customers

    assert one(world, assignment, waits.customer_id).became == "front"

    bo = world.seller(assignment, "Bo")
    card = next_customer(world.opener(), bo)
    assert card is not None
    assert card.customer_id == waits.customer_id
    assert not violations(world)


def test_the_tick_recalls_what_a_crash_left_in_a_list(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    assignment = world.assignment()
    world.customers(9, assignment)
    ana = world.seller(assignment, "Ana")
    next_customer(world.opener(), ana)
    allocate_all(world.opener(), assignment)
    (waits, *_) = [lease for lease in live(world) if lease.state == "offered"]
    monkeypatch.setattr("calling.hot_leads.making.recall", lambda *_, **__: None)
    one(world, assignment, waits.customer_id)
    assert waits.id in {lease.id for lease in live(world)}

    assert watch_hot_leads(world.opener()) == 1

    assert waits.id not in {lease.id for lease in live(world)}


def test_whoever_holds_their_number_elsewhere_gives_it_back(world: World) -> None:
    assignment, other = world.assignment(), world.assignment()
    (lead,) = world.customers(1, assignment)
    (sharer,) = world.customers(1, other)
    with world.work() as work:
        work.run(
            text("insert into customer_number (crm_id, customer_id, e164, position, zones)"
                 " select crm_id, :s, e164, 1, zones from customer_number where customer_id = :l"),
            s=sharer, l=lead,
        )  # fmt: skip
    world.seller(other, "Ana")
    allocate_all(world.opener(), other)
    bo = world.seller(assignment, "Bo")
    one(world, assignment, lead)
    assert next_customer(world.opener(), bo) is None

    assert watch_hot_leads(world.opener()) == 1

    card = next_customer(world.opener(), bo)
    assert card is not None
    assert card.customer_id == lead


def test_a_promised_call_is_due_now_its_owners_first_and_anybodys(world: World) -> None:
    assignment = world.assignment()
    mine, theirs = world.customers(2, assignment)
    ana, bo = world.seller(assignment, "Ana"), world.seller(assignment, "Bo")
    promise(world, assignment, mine, NOON + 3 * HOUR, seller=ana, note="has questions")
    promise(world, assignment, theirs, NOON + 3 * HOUR, seller=ana)

    made = hot(world, assignment, [mine, theirs])

    assert [x.became for x in made] == ["promised", "promised"]
    allocate_all(world.opener(), assignment)
    held = {lease.customer_id: lease.seller_id for lease in live(world)}
    assert held == {mine: ana, theirs: bo} or held == {theirs: ana, mine: bo}
    assert {p.note for p in promises(world) if p.ended_at is None} == {
        "asked on the web; has questions", "asked on the web",
    }  # fmt: skip
    watch(world, NOON)
    assert not violations(world)


def test_who_is_closed_is_called_only_if_asked_for_all_the_same(world: World) -> None:
    assignment = world.assignment()
    (customer,) = world.customers(1, assignment, state="closed", attempts=8)
    seller = world.seller(assignment)

    assert one(world, assignment, customer).became == "closed"
    assert not leads(world)
    assert one(world, assignment, customer, even_closed=True).became == "promised"

    assert call(world, seller, Outcome.NO_SALE, NOON) == customer
    assert row_of(world, customer).state == "closed"


def test_nothing_that_binds_is_forced_and_the_answer_says_so(world: World) -> None:
    assignment = world.assignment()
    segment = world.segment(assignment)
    (gated,) = world.customers(1, assignment)
    (paused,) = world.customers(1, assignment, segment_id=segment)
    seller = world.seller(assignment)
    with world.work() as work:
        work.run(
            text("insert into suppression (crm_id, customer_id, scope, reason, author, created_at)"
                 " values (:crm_id, :c, 'crm', 'asked', 'Kari', :now)"), c=gated,
        )  # fmt: skip
    pause(world.opener(), "segment", segment, reason="wrong script", author="Kari", ends_at=NOON + HOUR)

    made = {m.customer_id: m for m in hot(world, assignment, [gated, paused])}

    assert (made[gated].became, made[gated].gate, made[gated].callable_at) == ("front", "suppressed", None)
    assert (made[paused].gate, made[paused].callable_at) == ("pause", NOON + HOUR)
    assert next_customer(world.opener(), seller) is None


def test_at_night_they_are_told_when_they_may_be_called_and_are_the_first_then(world: World) -> None:
    assignment = world.assignment()
    customers = world.customers(5, assignment)
    seller = world.seller(assignment)
    night = NOON + 11 * HOUR

    made = one(world, assignment, customers[-1], night)

    assert made.gate == "window"
    assert made.callable_at is not None
    assert next_customer(world.opener(night), seller) is None
    card = next_customer(world.opener(made.callable_at), seller)
    assert card is not None
    assert card.customer_id == customers[-1]


def test_the_word_on_an_earlier_call_does_not_keep_them_waiting(world: World) -> None:
    """Planted: the tick wakes nobody; seen to fail."""
    assignment = world.assignment(gap_seconds=0)
    (customer,) = world.customers(1, assignment)
    seller = world.seller(assignment)
    card = next_customer(world.opener(), seller)
    assert card is not None
    with world.work() as work:
        ring(work, card.lease_id, seller)
    later = NOON + 61 * MINUTE
    reap(world.opener(later))  # unconfirmed
    one(world, assignment, customer, later)

    record_all(world.opener(later), [Report(card.lease_id, Outcome.NO_ANSWER, by="seller")])
    assert row_of(world, customer).state == "resting"
    watch_hot_leads(world.opener(later))

    assert row_of(world, customer).state == "ready"
    again = next_customer(world.opener(later), seller)
    assert again is not None
    assert again.hot_at == later


def test_cooled_they_wait_like_anybody(world: World) -> None:
    assignment = world.assignment()
    customers = world.customers(3, assignment)
    seller = world.seller(assignment)
    made = one(world, assignment, customers[-1])
    assert made.hot_lead_id is not None

    with world.work() as work:
        cool(work, made.hot_lead_id, author="Kari")

    card = next_customer(world.opener(), seller)
    assert card is not None
    assert card.customer_id == customers[0]
    with world.work() as work, pytest.raises(Conflict, match="cooled"):
        cool(work, made.hot_lead_id, author="Kari")
    with world.work() as work, pytest.raises(NotFound):
        cool(work, 10_000, author="Kari")


def test_who_lies_unseen_in_a_list_goes_to_somebody_else_after_a_minute(world: World) -> None:
    assignment = world.assignment()
    (customer,) = world.customers(1, assignment)
    world.seller(assignment, "Ana")
    bo = world.seller(assignment, "Bo", presence="away")
    one(world, assignment, customer)
    allocate_all(world.opener(), assignment)
    assert [lease.customer_id for lease in live(world)] == [customer]
    with world.work() as work:
        work.run(text("update seller set presence = 'available' where id = :s"), s=bo)

    reap(world.opener(NOON + MINUTE))

    card = next_customer(world.opener(NOON + MINUTE), bo)
    assert card is not None
    assert card.customer_id == customer


@pytest.mark.parametrize(
    ("customers", "how", "said"),
    [([1], {"reason": " "}, "reason"), ([1], {"reason": "x" * 201}, "reason"), ([], {}, "customers: 0")],
)
def test_what_is_wrong_is_said(world: World, customers: list[int], how: dict[str, Any], said: str) -> None:
    assignment = world.assignment()
    with pytest.raises(BadInput, match=said):
        hot(world, assignment, customers, **how)


def test_who_is_not_there_is_no_hot_lead(world: World) -> None:
    assignment = world.assignment()
    (gone,) = world.customers(1, assignment, state="left", gone_at=NOON)

    assert [m.became for m in hot(world, assignment, [gone, 999_999])] == ["gone", "unknown"]
    assert not leads(world)
    with pytest.raises(NotFound):
        one(world, 999_999, gone)


def test_a_dialer_rings_them_where_no_seller_is_free(world: World) -> None:
    assignment = world.assignment()
    customers = world.customers(9, assignment)
    robot = world.dialer(assignment, wanted=1, wanted_at=NOON)

    one(world, assignment, customers[-1])
    allocate_all(world.opener(), assignment)

    (lease,) = live(world)
    assert (lease.customer_id, lease.dialer_id) == (customers[-1], robot)
