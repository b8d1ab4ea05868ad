"""Promises and outcomes: made exactly once, consumed by what keeps them, kept by all else (P4)."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from calls import say, take
from promises import DAY, HOUR, MINUTE, live, promise, promises, row_of, violations
from sqlalchemy import text
from world import NOON, World

from calling.dialers.inbox import Told, journal, process_inbox
from calling.dialers.orders import to_offer
from calling.follow_ups.asking import Wish
from calling.follow_ups.listing import follow_ups
from calling.handout.allocate import allocate_all
from calling.handout.hand_out import HandOut
from calling.handout.reaper import reap
from calling.hours.week import DAYS
from calling.limits.changing import NewLimit, set_limit
from calling.outcomes.outcome import Recorded, Report, record_all
from calling.walls.hours import set_hours
from calling.walls.pause import pause
from models.outcomes import EFFECTS, Outcome

TOMORROW = NOON + DAY
TELL = Wish(TOMORROW)


def promised_in_a_call(world: World, wish: Wish = TELL) -> tuple[int, int, HandOut, Recorded]:
    """An assignment, a seller, and the call in which they promised another."""
    assignment = world.assignment(gap_seconds=0)
    world.customers(1, assignment)
    seller = world.seller(assignment)
    card = take(world, seller)
    return assignment, seller, card, say(world, card.lease_id, Outcome.FOLLOW_UP, promise=wish)


def test_what_is_promised_in_a_call_is_its_sellers(world: World) -> None:
    wish = Wish(NOON.replace(hour=22), note="after supper")
    _, seller, card, told = promised_in_a_call(world, wish)
    (row,) = promises(world)
    opening = NOON.replace(day=3, hour=9, minute=1)
    assert told.promised is not None
    assert (told.promised.id, told.promised.due_at, told.promised.seller_id) == (row.id, opening, seller)
    assert "Tue 03 Mar 09:01 is the next opening" in told.promised.told
    assert (row.lease_id, row.made_by, row.note) == (card.lease_id, "seller", "after supper")
    assert (row.author, row.asked_at, row.due_at) == (
        f"seller {row.author[7:]}",
        NOON.replace(hour=22),
        opening,
    )
    assert (row_of(world, card.customer_id).state, row_of(world, card.customer_id).status) == (
        "follow_up", "follow_up",
    )  # fmt: skip
    assert violations(world) == []


def test_said_twice_it_is_promised_once(world: World) -> None:
    """Planted: a second report recorded anew; seen to fail."""
    *_, card, _ = promised_in_a_call(world)
    again = say(world, card.lease_id, Outcome.FOLLOW_UP, NOON + HOUR, promise=Wish(NOON + 2 * DAY))
    assert (again.kind, again.promised) == ("again", None)
    assert [row.asked_at for row in promises(world)] == [TOMORROW]


def test_without_a_time_it_rests(world: World) -> None:
    assignment = world.assignment()
    (customer,) = world.customers(1, assignment)
    say(world, take(world, world.seller(assignment)).lease_id, Outcome.FOLLOW_UP)
    assert (row_of(world, customer).state, promises(world)) == ("resting", [])


def test_told_late_it_is_promised_all_the_same(world: World) -> None:
    """Its time may have passed by then: it is due at once."""
    assignment = world.assignment(gap_seconds=0)
    (customer,) = world.customers(1, assignment)
    seller = world.seller(assignment)
    card = take(world, seller, rung=False)
    reap(world.opener(NOON + HOUR))
    told = say(world, card.lease_id, Outcome.FOLLOW_UP, NOON + 3 * HOUR, promise=Wish(NOON + 2 * HOUR))
    assert (told.late, told.state) == (True, "follow_up")
    assert take(world, seller, NOON + 3 * HOUR).customer_id == customer
    assert violations(world, NOON + 3 * HOUR) == []


def test_told_after_a_later_attempt_it_counts_and_is_kept_on_paper_only(world: World) -> None:
    """P4: a late one changes the state only if nothing later is known. Planted: promised; seen to fail."""
    assignment = world.assignment(gap_seconds=0)
    (customer,) = world.customers(1, assignment)
    seller = world.seller(assignment)
    first = take(world, seller, rung=False)
    reap(world.opener(NOON + HOUR))
    second = take(world, seller, NOON + HOUR)
    say(world, second.lease_id, Outcome.NO_ANSWER, NOON + HOUR)
    told = say(world, first.lease_id, Outcome.FOLLOW_UP, NOON + 2 * HOUR, promise=Wish(TOMORROW))
    assert (told.kind, told.promised, row_of(world, customer).state) == ("first", None, "resting")
    assert [(row.ended_by, row.asked_at) for row in promises(world)] == [("overtaken", TOMORROW)]
    assert row_of(world, customer).attempts == 2
    assert violations(world) == []


def test_what_keeps_a_promise_and_what_does_not(world: World) -> None:
    """Consumed if the telephone rang at the right number, or they are closed; else due again after the rest.

    Planted: consumed by every outcome, by none; seen to fail, both.
    """
    stay = {Outcome.CONGESTION, Outcome.FAILED, Outcome.INVALID_NUMBER, Outcome.WRONG_PERSON}
    for n, outcome in enumerate(sorted(set(Outcome) - {Outcome.FOLLOW_UP})):
        _, seller, card, _ = promised_in_a_call(world)
        with world.work() as work:
            work.run(
                text("""insert into customer_number (crm_id, customer_id, e164, position, zones)
                        values (:crm_id, :c, :e164, 1, '{Europe/Lisbon}')"""),
                c=card.customer_id, e164=f"+3519611111{n:02}",
            )  # fmt: skip
        kept = take(world, seller, TOMORROW)
        say(world, kept.lease_id, outcome, TOMORROW)
        row, closed = row_of(world, card.customer_id), EFFECTS[outcome].after == "close"
        expected = "follow_up" if outcome in stay else "closed" if closed else "resting"
        assert (outcome, row.state) == (outcome, expected)
        assert promises(world)[-1].ended_by == (None if outcome in stay else "outcome")
        if outcome in stay:
            rest = timedelta(minutes=10) if EFFECTS[outcome].number_state is None else timedelta(0)
            assert row.due_at == TOMORROW + rest
    assert violations(world, TOMORROW) == []


def test_a_promise_made_meanwhile_outlives_the_call(world: World) -> None:
    """By API, while they talk. Planted: consumed by any outcome; seen to fail."""
    assignment = world.assignment()
    (customer,) = world.customers(1, assignment)
    card = take(world, world.seller(assignment))
    promise(world, assignment, customer, TOMORROW)
    say(world, card.lease_id, Outcome.NO_ANSWER, NOON + MINUTE)
    assert (row_of(world, customer).state, row_of(world, customer).due_at) == ("follow_up", TOMORROW)
    assert [x.ended_by for x in promises(world)] == [None]
    assert violations(world) == []


def test_whoever_buys_meanwhile_is_promised_nothing_more(world: World) -> None:
    assignment = world.assignment()
    (customer,) = world.customers(1, assignment)
    card = take(world, world.seller(assignment))
    promise(world, assignment, customer, TOMORROW)
    say(world, card.lease_id, Outcome.SALE, NOON + MINUTE)
    assert row_of(world, customer).state == "closed"
    assert [x.ended_by for x in promises(world)] == ["outcome"]
    assert violations(world) == []


def test_a_promise_is_kept_however_many_attempts_there_were(world: World) -> None:
    assignment = world.assignment(max_attempts=1)
    (customer,) = world.customers(1, assignment)
    seller = world.seller(assignment)
    say(world, take(world, seller).lease_id, Outcome.FOLLOW_UP, promise=Wish(TOMORROW))
    assert row_of(world, customer).state == "follow_up"
    say(world, take(world, seller, TOMORROW).lease_id, Outcome.NO_ANSWER, TOMORROW)
    assert row_of(world, customer).state == "closed"


def test_a_late_promise_recalls_the_lease_that_came_after(world: World) -> None:
    assignment = world.assignment(gap_seconds=0)
    (customer,) = world.customers(1, assignment)
    seller = world.seller(assignment)
    first = take(world, seller, rung=False)
    reap(world.opener(NOON + HOUR))
    allocate_all(world.opener(NOON + HOUR), assignment)
    told = say(world, first.lease_id, Outcome.FOLLOW_UP, NOON + HOUR, promise=Wish(TOMORROW))
    assert told.promised is not None
    assert live(world) == []
    assert (row_of(world, customer).state, row_of(world, customer).due_at) == ("follow_up", TOMORROW)
    assert violations(world, NOON + HOUR) == []


def test_many_at_once_and_several_of_one_customer(world: World) -> None:
    """A batch of 40: promised, and each kept promise consumed, in the batch that tells both."""
    assignment = world.assignment(gap_seconds=0)
    people = world.customers(40, assignment)
    world.dialer(assignment, wanted=40, wanted_at=NOON)
    allocate_all(world.opener(), assignment)
    first = {lease.customer_id: lease.id for lease in live(world)}
    reap(world.opener(NOON + HOUR))
    for customer in people[:20]:
        promise(world, assignment, customer, NOON + HOUR + MINUTE, NOON + HOUR)
    with world.work() as work:
        work.run(text("update dialer set wanted_at = :now"), now=NOON + 2 * HOUR)
    allocate_all(world.opener(NOON + 2 * HOUR), assignment)
    kept = {lease.customer_id: lease.id for lease in live(world) if lease.follow_up_id}
    assert sorted(kept) == people[:20]
    then = NOON + 2 * HOUR
    reports = [Report(first[c], Outcome.FOLLOW_UP, "dialer", rung_at=NOON, promise=TELL) for c in people]
    reports += [Report(kept[c], Outcome.NO_ANSWER, "dialer", rung_at=then) for c in people[:10]]
    record_all(world.opener(NOON + 3 * HOUR), reports)
    made = sorted((row.ended_by or "open", row.made_by) for row in promises(world))
    # What the API had promised is replaced by the promise that is told later; what is told of a call before
    # the kept one stands, since that one did not consume it.
    assert made == [("open", "key_press")] * 40 + [("outcome", "api")] * 20
    assert violations(world, NOON + 3 * HOUR) == []


# --- by key press ---------------------------------------------------------------------------------


KEY_PRESSES: tuple[tuple[dict[str, Any], str, datetime | None], ...] = (
    ({"promised_at": "2026-03-03T14:00:00+01:00"}, "", TOMORROW + HOUR),
    ({"promised_wall_time": "2026-03-03T13:00"}, "", TOMORROW + HOUR),
    ({"promised_at": "tomorrow"}, "left out promised_at: 'tomorrow'", None),
    ({"promised_at": "2036-03-03T14:00:00Z"}, "left out promised_at: '2036-03-03T14:00:00Z'", None),
    ({"promised_wall_time": "2026-03-03T13:00+01:00"}, "left out promised_wall_time", None),
    ({}, "", None),
)


def test_by_key_press_through_a_dialer(world: World) -> None:
    """Shared; a time that cannot be used is told, and the outcome counts all the same (P4)."""
    for body, problem, due in KEY_PRESSES:
        assignment = world.assignment(gap_seconds=0)
        (customer,) = world.customers(1, assignment)
        dialer = world.dialer(assignment, wanted=1, wanted_at=NOON)
        allocate_all(world.opener(), assignment)
        with world.work() as work:
            (order,) = to_offer(work, dialer)
        before = len(promises(world))
        said = heard(world, dialer, order.lease_id, NOON + MINUTE, **body)
        assert (said or "").startswith(problem)
        row = row_of(world, customer)
        assert (row.status, row.attempts) == ("follow_up", 1)
        if due is None:
            assert (row.state, len(promises(world))) == ("resting", before)
        else:
            assert (row.state, row.due_at) == ("follow_up", due)
            assert (promises(world)[-1].seller_id, promises(world)[-1].made_by) == (None, "key_press")


def heard(world: World, dialer: int, lease: UUID, now: datetime, **body: Any) -> Any:
    """The dialer ends a call as promised another; what of it could not be used."""
    with world.work(now) as work:
        journal(work, dialer, [Told(f"{lease}-ended", lease, "ended", now, {"result": "follow_up", **body})])
    process_inbox(world.opener(now), dialer)
    with world.work() as work:
        return work.run(
            text("select problem from dialer_event where dialer_id = :id"), id=dialer
        ).scalar_one()


def test_what_is_told_knows_the_limit_and_the_segment_they_move_to(world: World) -> None:
    """A promise is reckoned before the outcome moves them, and before its ring counts.

    Planted: hours of the segment before; gates not asked; each seen to fail.
    """
    assignment = world.assignment(gap_seconds=0)
    world.segment(assignment, "new", rule={"f": "attempts", "op": "eq", "v": 0}, position=1)
    tried = world.segment(assignment, "tried", rule={"f": "attempts", "op": "ge", "v": 1}, position=2)
    afternoons = {day: [["14:00", "18:00"]] for day in DAYS}
    set_hours(world.opener(), segment_id=tried, assignment_id=assignment, week=afternoons, reason="x",
              author="Kari")  # fmt: skip
    world.customers(2, assignment)
    seller = world.seller(assignment)
    wish = Wish(NOON + DAY - 2 * HOUR)  # tomorrow at ten
    first = say(world, take(world, seller).lease_id, Outcome.FOLLOW_UP, promise=wish).promised
    opens = NOON + DAY + 2 * HOUR + MINUTE
    assert first is not None
    assert (first.due_at, "Tue 03 Mar 14:01 is the next opening" in first.told) == (opens, True)
    set_limit(world.opener(), NewLimit(1, "customer", "once", days=3), "Kari")
    second = say(world, take(world, seller).lease_id, Outcome.FOLLOW_UP, promise=wish).promised
    assert second is not None
    assert second.due_at == opens
    limited = "every number of theirs was rung as often as the law, or a limit of the owner's, allows"
    assert f"{limited}: Thu 05 Mar 14:01 is the first time" in second.told
    assert violations(world) == []
    with world.work() as work:
        listed = {one.id: one.will_be for one in follow_ups(work, 0, 9)}
        assert listed[second.id] == opens + 2 * DAY
    pause(world.opener(), "segment", tried, reason="x", author="Kari")
    with world.work() as work:
        assert {one.will_be for one in follow_ups(work, 0, 9)} == {None}
