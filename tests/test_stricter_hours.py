"""An owner's hours: stricter ones are a wall (P2, P3), looser ones have a manager's name and an end."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from threading import Event
from typing import Any
from uuid import UUID

import orjson
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from world import NOON, World, wait_until

from calling.dialers.orders import recalls, to_offer
from calling.handout import top_of_list
from calling.handout.allocate import allocate, allocate_all
from calling.handout.hand_out import HandOut, next_customer
from calling.handout.ring import ring
from calling.hours import law, timetable
from calling.hours.book import forget_hours
from calling.hours.law import read_laws, shipped_text
from calling.hours.opening import openings
from calling.hours.week import DAYS
from calling.hours.zones import zone
from calling.limits import changing
from calling.limits.changing import say_of_debts
from calling.limits.following import changes_to_follow, follow_change
from calling.outcomes.outcome import Report, record_all
from calling.views.audit import audit
from calling.views.explain import explain
from calling.views.floor import floor
from calling.views.holders import Who
from calling.views.hours import stricter_hours
from calling.walls import hours as verbs
from calling.walls.hours import change_hours, end_exemption, end_hours, exempt, finish_hours, set_hours
from calling.walls.own_hours import set_own_hours
from models import turnstile
from models.errors import BadInput, Conflict, NotFound, NotNow
from models.outcomes import Outcome
from scheduler.openings import next_opening

MORNING = {"mon": [["09:00", "12:30"]]}
AFTERNOON = {"mon": [["15:00", "20:00"]]}
BOTH: dict[str, Any] = {"reason": "their wish", "author": "Kari"}
PARIS, PARIS_PLACE = "Europe/Paris", ("FR",)
HALF_PAST_ONE = datetime(2026, 3, 2, 13, 30, tzinfo=UTC)  # in Paris half past two
LUNCH = datetime(2026, 3, 2, 12, 30, tzinfo=UTC)  # in Paris half past one, between the two intervals


def take(world: World, seller: int, now: datetime = NOON) -> HandOut:
    card = next_customer(world.opener(now), seller)
    assert card is not None
    return card


def rows(world: World, sql: str) -> list[Any]:
    with world.work() as work:
        return list(work.run(text(sql)).all())


def frenchmen(world: World, n: int, assignment: int, **columns: Any) -> list[int]:
    """Customers whose law is France's."""
    clock = world.clock([PARIS], PARIS_PLACE)
    people = world.customers(n, zones=(PARIS,))
    world.place(people, assignment, clock_id=clock, **columns)
    return people


def test_only_the_segment_with_stricter_hours_is_shut(world: World) -> None:
    """Planted: the hours of the CRM asked for all segments; seen to fail."""
    assignment = world.assignment()
    shut, free = world.segment(assignment), world.segment(assignment)
    world.customers(5, assignment, segment_id=shut)
    open_ones = world.customers(8, assignment, segment_id=free)
    set_hours(world.opener(), segment_id=shut, week=AFTERNOON, **BOTH)
    world.seller(assignment), world.seller(assignment)
    assert allocate_all(world.opener(), assignment) == 4
    assert {row.customer_id for row in rows(world, "select customer_id from lease")} <= set(open_ones)
    # and at three, the margin over, from both, the first segment first
    world.seller(assignment)
    assert allocate_all(world.opener(NOON + timedelta(hours=3, minutes=1)), assignment) == 2
    assert rows(world, f"select 1 from lease where segment_id = {shut}")


def test_segments_under_the_same_hours_are_asked_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """40 segments took 50 ms more. Planted: the clocks asked for each segment; seen to fail."""
    assignment = world.assignment()
    segments = [world.segment(assignment) for _ in range(8)]
    world.customers(4, assignment, segment_id=segments[2])
    world.seller(assignment)
    set_hours(world.opener(), segment_id=segments[0], week=AFTERNOON, **BOTH)
    asked: list[object] = []
    real = timetable.Timetable.closings

    def counting(self: timetable.Timetable, *arguments: Any) -> Any:
        asked.append(self)
        return real(self, *arguments)

    monkeypatch.setattr(timetable.Timetable, "closings", counting)
    with world.work() as work:
        assert allocate(work, assignment).leased == 2
    assert len(asked) == 2


def test_hours_of_crm_assignment_and_segment_are_intersected(world: World) -> None:
    one, other = world.assignment(), world.assignment()
    segment = world.segment(one)
    everywhere: dict[str, Any] = {}
    for scope, week in (
        (everywhere, {"mon": [["09:00", "19:00"]]}),
        ({"assignment_id": one}, {"mon": [["10:00", "20:00"]]}),
        ({"segment_id": segment}, {"mon": [["09:00", "12:00"], ["13:00", "15:00"]]}),
    ):
        set_hours(world.opener(), **scope, week=week, **BOTH)
    with world.work() as work:
        book = timetable_of(work)
    for assignment_id, segment_id, hour, is_open in (
        (one, segment, 9, False), (one, segment, 11, True), (one, segment, 12, False),
        (one, segment, 14, True), (one, segment, 16, False), (one, None, 16, True), (one, None, 9, False),
        (other, None, 9, True), (other, None, 19, False), (None, None, 9, True),
    ):  # fmt: skip
        doors = book.of(assignment_id, segment_id)
        at = datetime(2026, 3, 2, hour, 30, tzinfo=UTC)
        assert doors.is_open(world.clock_id, at) == is_open, (assignment_id, segment_id, hour)


def timetable_of(work: Any) -> Any:
    return openings(work)


def test_own_days_and_the_time_in_which_they_hold(world: World) -> None:
    assignment = world.assignment()
    set_hours(
        world.opener(), assignment_id=assignment, days={"2026-03-03": [], "2026-03-04": [["10:00", "12:00"]]},
        valid_from=date(2026, 3, 3), valid_to=date(2026, 3, 4), **BOTH,
    )  # fmt: skip
    with world.work() as work:
        doors = timetable_of(work).of(assignment)
    for day, hour, is_open in ((2, 11, True), (3, 11, False), (4, 11, True), (4, 15, False), (5, 15, True)):
        assert doors.is_open(world.clock_id, datetime(2026, 3, day, hour, tzinfo=UTC)) == is_open, (day, hour)


def test_every_problem_of_stricter_hours_is_named_at_once(world: World) -> None:
    with pytest.raises(BadInput) as caught:
        set_hours(
            world.opener(), week={"monday": []}, days={"24 Dec": [], "2026-12-24": [["9", "10:00"]]},
            valid_from=date(2026, 5, 2), valid_to=date(2026, 5, 1), **BOTH,
        )  # fmt: skip
    assert [one["path"] for one in caught.value.data["problems"]] == [
        "monday", "days.24 Dec", "days.2026-12-24[0]", "valid_to", "days.2026-12-24",
    ]  # fmt: skip
    with pytest.raises(BadInput, match="nothing would become stricter"):
        set_hours(world.opener(), **BOTH)
    with pytest.raises(BadInput) as caught:
        set_hours(
            world.opener(), days={"0001-01-01": [], "2026-03-01": []}, valid_to=date(2020, 1, 1), **BOTH
        )
    told = [(one["path"], one["message"]) for one in caught.value.data["problems"]]
    over = "is over: nothing would become stricter"
    assert [path for path, _ in told] == ["valid_to", "days.0001-01-01", "days.2026-03-01", "days.2026-03-01"]
    assert told[:2] == [("valid_to", f"2020-01-01 {over}"), ("days.0001-01-01", over)]
    with pytest.raises(NotFound):
        set_hours(world.opener(), assignment_id=99, week=MORNING, **BOTH)
    with pytest.raises(NotFound):
        set_hours(world.opener(), segment_id=99, week=MORNING, **BOTH)


def test_own_days_that_are_over_stay_when_other_hours_are_set_in_their_stead(world: World) -> None:
    days: dict[str, Any] = {"2026-03-03": [], "2026-03-09": []}
    first, _ = set_hours(world.opener(), days=days, **BOTH)
    later = world.opener(datetime(2026, 3, 6, 12, tzinfo=UTC))
    with pytest.raises(BadInput, match=r"days\.2026-03-02: is over"):
        change_hours(later, first, days={**days, "2026-03-02": []}, **BOTH)
    change_hours(later, first, week=MORNING, **BOTH)
    with world.work() as work:
        (standing,) = stricter_hours(work)
    assert standing.days == days


NEVER: dict[str, Any] = {}


@pytest.mark.parametrize(
    ("given", "opens"),
    [
        ([{"week": NEVER, "valid_to": date(2027, 4, 1)}], date(2027, 4, 2)),
        ([{"week": NEVER, "valid_to": date(2030, 12, 31)}], date(2031, 1, 1)),
        ([{"week": NEVER, "days": {"2031-05-05": [["10:00", "12:00"]]}}], date(2031, 5, 5)),
        ([{"week": NEVER, "valid_to": date(2028, 1, 31)}, {"week": NEVER, "valid_from": date(2027, 6, 1),
                                                         "valid_to": date(2029, 8, 8)}], date(2029, 8, 9)),
        ([{"week": NEVER}], None),
        ([{"week": NEVER, "valid_to": date(9999, 12, 31)}], None),
    ],
)  # fmt: skip
def test_what_is_shut_for_longer_than_a_year_is_said_to_open_then(
    world: World, given: list[dict[str, Any]], opens: date | None
) -> None:
    """Seen to fail before: nothing behind 370 days was looked at, and explain said "until somebody acts"."""
    assignment = world.assignment()
    (customer,) = world.customers(1, assignment)
    for one in given:
        set_hours(world.opener(), assignment_id=assignment, **one, **BOTH)
    with world.work() as work:
        at = explain(work, assignment, customer).callable_at
        doors = openings(work).of(assignment)
    assert (at and at.date()) == opens
    if at is not None:
        assert doors.is_open(world.clock_id, at)
        assert not doors.is_open(world.clock_id, at - timedelta(minutes=1))


@pytest.mark.parametrize("name", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_at_the_ends_of_the_earth_it_opens_at_their_own_midnight(world: World, name: str) -> None:
    """Their day begins up to 14 hours before UTC's."""
    clock = world.clock([name])
    whole = {day: [["00:00", "24:00"]] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}
    with world.work() as work:
        work.run(text("update crm set hours = cast(:h as jsonb)"), h=orjson.dumps(whole).decode())
    set_hours(world.opener(), week=NEVER, valid_to=date(2028, 3, 31), **BOTH)
    with world.work() as work:
        opens = openings(work).of().next_opening(clock, NOON)
    assert opens is not None
    assert opens.astimezone(zone(name)) == datetime(2028, 4, 1, 0, 1, tzinfo=zone(name))


def test_no_ring_and_no_ring_by_is_past_the_stricter_closing(world: World) -> None:
    assignment = world.assignment(offer_seconds=7200)
    segment = world.segment(assignment)
    world.customers(6, assignment, segment_id=segment)
    set_hours(world.opener(), segment_id=segment, week=MORNING, **BOTH)
    seller, dialer = world.seller(assignment), world.dialer(assignment, wanted=2, wanted_at=NOON)
    closing = datetime(2026, 3, 2, 12, 29, tzinfo=UTC)
    card = take(world, seller)
    allocate_all(world.opener(), assignment)
    assert {row.ring_by for row in rows(world, "select ring_by from lease")} == {closing}
    assert rows(world, f"select 1 from lease where dialer_id = {dialer}")
    with pytest.raises(NotNow), world.work(closing) as work:
        ring(work, card.lease_id, seller)
    with world.work(closing - timedelta(seconds=1)) as work:
        assert ring(work, card.lease_id, seller).ring_by == closing


def test_next_steps_over_whom_the_hours_of_their_segment_shut(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dealt before, and no wall yet. Planted: the CRM's hours for the list; seen to fail.

    By the long way: the quick one believes `ring_by`, which the wall brings forward, and `ring` looks again.
    """
    monkeypatch.setattr(top_of_list, "take", lambda *_: None)
    assignment = world.assignment()
    shut, free = world.segment(assignment), world.segment(assignment)
    world.customers(1, assignment, segment_id=shut)
    (other,) = world.customers(1, assignment, segment_id=free)
    world.customers(2, assignment)  # enough for a list of two
    seller = world.seller(assignment)
    assert allocate_all(world.opener(), assignment) == 2
    monkeypatch.setattr(verbs, "finish_hours", lambda *_: None)
    set_hours(world.opener(), segment_id=shut, week=AFTERNOON, **BOTH)
    assert take(world, seller).customer_id == other


def test_ring_looks_at_the_hours_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before any wall stands. Planted: ring without the segment; seen to fail."""
    assignment = world.assignment()
    segment = world.segment(assignment)
    world.customers(2, assignment, segment_id=segment)
    seller = world.seller(assignment)
    card = take(world, seller)
    monkeypatch.setattr(verbs, "finish_hours", lambda *_: None)
    set_hours(world.opener(), segment_id=segment, week=AFTERNOON, **BOTH)
    with pytest.raises(NotNow, match="window") as refused, world.work() as work:
        ring(work, card.lease_id, seller)
    assert refused.value.until == datetime(2026, 3, 2, 15, 1, tzinfo=UTC)


def test_the_answer_waits_for_whoever_has_passed_the_turnstile(world: World) -> None:
    """A ring that looked at the old hours is named. Planted: no turnstile passed; seen to fail."""
    assignment = world.assignment()
    world.customers(2, assignment)
    seller = world.seller(assignment)
    card = take(world, seller)
    with ThreadPoolExecutor(1) as pool:
        with world.work() as work:
            ring(work, card.lease_id, seller)
            walling = pool.submit(set_hours, world.opener(), assignment_id=assignment, week=AFTERNOON, **BOTH)
            wait_until(lambda: walling.done() or "advisory" in world.waited_for())
        _, air = walling.result()
    assert air.rung == [card.lease_id]


@pytest.mark.parametrize("of", ["segment", "assignment", "exemption", "crm"])
def test_hours_wait_for_those_only_whom_they_bind(world: World, of: str) -> None:
    """Somebody is under way in another assignment. Seen to fail before: its turnstile was passed as well.

    Planted: none passed that is not named; seen to fail.
    """
    assignment, other = world.assignment(), world.assignment()
    segment = {"segment_id": world.unsegmented(assignment)}
    where: dict[str, dict[str, Any]] = {"segment": segment, "crm": {}}
    let = exempt(
        world.opener(), "own", assignment_id=assignment, valid_to=date(2026, 3, 9), reason="r", author="Kari"
    )
    with ThreadPoolExecutor(1) as pool:
        with world.work() as work:
            turnstile.pass_shared(work, [other])
            waiting: Future[Any]
            if of == "exemption":
                waiting = pool.submit(end_exemption, world.opener(), let, author="Kari")
            else:
                named = where.get(of, {"assignment_id": assignment})
                waiting = pool.submit(set_hours, world.opener(), week=AFTERNOON, **named, **BOTH)
            wait_until(lambda: waiting.done() or bool(world.waited_for()))
            assert waiting.done() == (of != "crm")
        waiting.result()


def test_what_was_offered_is_taken_back_when_it_may_ring_no_more(world: World) -> None:
    """Orders that were sent, one of them taken already; cards; who rings already is named.

    Planted: only what is shut now; only what is offered: the order with the late ring_by stays; each fails.
    """
    assignment = world.assignment(offer_seconds=7200)
    segment = world.segment(assignment)
    world.customers(9, assignment, segment_id=segment)
    talking, reading = world.seller(assignment), world.seller(assignment)
    dialer = world.dialer(assignment, wanted=2, wanted_at=NOON)
    card = take(world, talking)
    with world.work() as work:
        ring(work, card.lease_id, talking)
    take(world, reading)
    allocate_all(world.opener(), assignment)
    with world.work() as work:
        sent = {order.lease_id for order in to_offer(work, dialer)}
        take_one = "update lease set state = 'taken', taken_at = :now where id = :id"
        work.run(text(take_one), id=min(sent))
    assert len(sent) == 2
    # Open until half past twelve: the cards stay, with an earlier end; orders until two o'clock go back.
    _, air = set_hours(world.opener(), segment_id=segment, week=MORNING, **BOTH)
    assert {lease for lease, _ in air.unknown} == sent
    with world.work() as work:
        assert set(recalls(work, dialer)) == sent
    closing = datetime(2026, 3, 2, 12, 29, tzinfo=UTC)
    cards = rows(world, "select ring_by from lease where seller_id is not null and rung_at is null")
    assert {row.ring_by for row in cards} == {closing}
    assert len(cards) >= 2
    # Shut from now on: what nobody has rung is free again, the call goes on and is named.
    _, air = set_hours(world.opener(), assignment_id=assignment, week=AFTERNOON, **BOTH)
    assert air.rung == [card.lease_id]
    assert not rows(
        world, "select 1 from lease where seller_id is not null and state in ('offered', 'taken')"
    )
    with pytest.raises(Conflict), world.work() as work:
        ring(work, card_of(world, reading), reading)


def card_of(world: World, seller: int) -> UUID:
    card: UUID = rows(world, f"select id from lease where seller_id = {seller} order by id limit 1")[0].id
    return card


def test_an_order_that_was_dealt_and_not_sent_stops_at_the_last_look(world: World) -> None:
    """Planted: the last look asks the CRM's hours; seen to fail."""
    assignment = world.assignment()
    segment = world.segment(assignment)
    world.customers(2, assignment, segment_id=segment)
    dialer = world.dialer(assignment, wanted=1, wanted_at=NOON)
    with world.work() as work:
        assert allocate(work, assignment).leased == 1
    insert = """insert into stricter_hours
                    (crm_id, segment_id, assignment_id, week, days, reason, author, set_at)
                values (:crm_id, :segment, :assignment, '{"mon": []}', '{}', 'r', 'a', :now)"""
    with world.work() as work:
        work.run(text(insert), segment=segment, assignment=assignment)
    with world.work() as work:
        assert to_offer(work, dialer) == []


def test_nothing_begins_behind_stricter_hours_while_eight_sellers_work(world: World) -> None:
    """P2 and P3 by race: whoever rings after the answer rings in a segment that is open."""
    assignment = world.assignment(gap_seconds=0, max_attempts=255)
    segment = world.segment(assignment)
    world.customers(300, assignment, segment_id=segment)
    sellers = [world.seller(assignment) for _ in range(8)]
    turns, stopping = dict.fromkeys(sellers, 0), Event()

    def work_on(seller: int) -> None:
        while not stopping.is_set():
            try:
                card = next_customer(world.opener(), seller)
                if card is not None:
                    with world.work() as work:
                        ring(work, card.lease_id, seller)
                    record_all(world.opener(), [Report(card.lease_id, Outcome.NO_ANSWER, "seller")])
            except Conflict:
                pass
            turns[seller] += 1

    with ThreadPoolExecutor(8) as pool:
        loops = [pool.submit(work_on, seller) for seller in sellers]
        try:
            wait_until(lambda: min(turns.values()) > 3)
            _, air = set_hours(world.opener(), segment_id=segment, week=AFTERNOON, **BOTH)
            behind = {row.id for row in rows(world, "select id from lease where rung_at is not null")}
            seen = dict(turns)
            wait_until(lambda: all(turns[seller] > seen[seller] + 3 for seller in sellers))
        finally:
            stopping.set()
        for loop in loops:
            loop.result()
    assert {row.id for row in rows(world, "select id from lease where rung_at is not null")} == behind
    assert not air.unknown


def test_a_crash_behind_the_commit_is_finished_by_a_tick(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    assignment = world.assignment()
    world.customers(3, assignment)
    seller = world.seller(assignment)
    card = take(world, seller)
    monkeypatch.setattr(verbs, "finish_hours", lambda *_: None)
    set_hours(world.opener(), assignment_id=assignment, week=AFTERNOON, **BOTH)
    assert card.lease_id in {row.id for row in rows(world, "select id from lease where ended_at is null")}
    finish_hours(world.opener())
    assert not rows(world, "select 1 from lease where ended_at is null")
    assert rows(world, "select 1 from stricter_hours where walled_at is not null")
    assert finish_hours(world.opener()).recalled == []


def test_a_change_and_an_end_keep_what_was_there(world: World) -> None:
    assignment = world.assignment()
    world.customers(4, assignment)
    world.seller(assignment)
    first, _ = set_hours(world.opener(), assignment_id=assignment, week=AFTERNOON, **BOTH)
    assert allocate_all(world.opener(), assignment) == 0
    later = world.opener(NOON + timedelta(minutes=1))
    second, _ = change_hours(later, first, week=MORNING, reason="another wish", author="Ola")
    assert allocate_all(later, assignment) == 2
    end_hours(world.opener(NOON + timedelta(minutes=2)), second, author="Liv")
    kept = rows(world, "select id, author, ended_by, replaces, ended_at from stricter_hours order by id")
    assert [(row.author, row.ended_by, row.replaces) for row in kept] == [
        ("Kari", "Ola", None), ("Ola", "Liv", first),
    ]  # fmt: skip
    assert kept[0].ended_at == NOON + timedelta(minutes=1)
    for again in (first, second):
        with pytest.raises(Conflict, match="ended already"):
            end_hours(world.opener(), again, author="Liv")
    with pytest.raises(NotFound):
        change_hours(world.opener(), 99, week=MORNING, **BOTH)


def test_explain_names_what_shuts_and_who_set_it(world: World) -> None:
    assignment = world.assignment()
    segment = world.segment(assignment)
    (one,) = world.customers(1, assignment, segment_id=segment)
    with world.work() as work:
        window = explain(work, assignment, one).answers[-1]
    assert window.fact == "open in Europe/Lisbon; PT: own hours, no source"
    with world.work() as work:  # and where there is no place: planted: nothing said; seen to fail
        nowhere = openings(work, [world.clock(["Europe/Lisbon"], [])]).of()
        assert [nowhere.basis(key, NOON) for key in nowhere.clocks] == ["own hours, no source"]
    set_hours(world.opener(), segment_id=segment, week=AFTERNOON, **BOTH)
    with world.work() as work:
        told = explain(work, assignment, one)
    assert "the segment's hours (Kari: their wish) say 15:00-20:00" in told.answers[-1].fact
    assert told.callable_at == datetime(2026, 3, 2, 15, 1, tzinfo=UTC)


def test_the_floor_counts_who_can_be_called_under_the_hours_of_their_segment(world: World) -> None:
    assignment = world.assignment()
    shut, free = world.segment(assignment), world.segment(assignment)
    world.customers(2, assignment, segment_id=shut)
    world.customers(3, assignment, segment_id=free)
    set_hours(world.opener(), segment_id=shut, week=AFTERNOON, **BOTH)
    with world.work() as work:
        now = floor(work, assignment)
    assert (now.callable_now, now.any_open, now.opens_at) == ({free: 3}, True, None)
    set_hours(world.opener(), segment_id=free, week={"mon": [["17:00", "20:00"]]}, **BOTH)
    with world.work() as work:
        now = floor(work, assignment)
    opens = datetime(2026, 3, 2, 15, 1, tzinfo=UTC)
    assert (now.callable_now, now.any_open, now.opens_at) == ({}, False, opens)


def test_there_is_a_tick_when_a_segment_opens(world: World) -> None:
    """Planted: the tick asks the CRM's hours alone; seen to fail."""
    segment = world.segment(world.assignment())
    set_hours(world.opener(), segment_id=segment, week=AFTERNOON, **BOTH)
    with world.work() as work:
        assert next_opening(work) == datetime(2026, 3, 2, 15, 1, tzinfo=UTC)


@pytest.mark.parametrize("mode", ["voice_robot", "key_press"])
def test_no_robot_is_given_anybody_where_the_law_forbids_their_voices(world: World, mode: str) -> None:
    """Iran: sellers ring there, voice robots at no hour. Planted: deal or last look blind, to either mode.

    Enough of them to fill every candidate: who may be rung by the robot is dealt all the same.
    """
    assignment = world.assignment()
    clock = world.clock(["Asia/Tehran"], ["IR"])
    iranians = world.customers(12, zones=["Asia/Tehran"])
    world.place(iranians, assignment, clock_id=clock)
    others = world.customers(2, assignment, rank=9)
    robot = world.dialer(assignment, mode=mode, wanted=2, wanted_at=NOON)
    assert allocate_all(world.opener(), assignment) == 2
    assert {row.customer_id for row in rows(world, "select customer_id from lease")} == set(others)
    with world.work() as work:
        holder = explain(work, assignment, iranians[0], Who("dialer", robot)).holder
    assert holder is not None
    assert "the law forbids the voices of robots where they are" in [one.fact for one in holder.answers]
    connect = world.dialer(assignment, mode="connect", wanted=2, wanted_at=NOON)
    assert allocate_all(world.opener(), assignment) == 2
    held = rows(world, f"select customer_id from lease where dialer_id = {connect}")
    assert {row.customer_id for row in held} <= set(iranians)
    with world.work() as work:
        work.run(text("update lease set dialer_id = :robot"), robot=robot)
    with world.work() as work:
        assert {order.customer_ref for order in to_offer(work, robot)} == refs(world, others)


def refs(world: World, customers: list[int]) -> set[str]:
    found = rows(world, "select id, external_id from customer")
    return {row.external_id for row in found if row.id in customers}


# Looser, by name


def test_an_exemption_needs_a_manager_a_reason_and_an_end(world: World) -> None:
    good: dict[str, Any] = {"valid_to": date(2026, 3, 9), "reason": "asked to be called", "manager": "Kari",
                            "author": "Kari"}  # fmt: skip
    for wrong in ({"manager": "  "}, {"reason": ""}, {"valid_to": date(2026, 3, 1)},
                  {"valid_to": date(2028, 1, 1)}):  # fmt: skip
        with pytest.raises(BadInput):
            exempt(world.opener(), "FR", **{**good, **wrong})
    with pytest.raises(BadInput, match="did you mean"):
        exempt(world.opener(), "US-FLO", **good)
    with pytest.raises(NotFound):
        exempt(world.opener(), "FR", assignment_id=99, **good)
    raw = """insert into exemption (crm_id, law, valid_from, valid_to, reason, manager, author, given_at)
             values (:crm_id, 'FR', '2026-03-02', '2026-03-09', 'r', ' ', 'Kari', :now)"""
    with pytest.raises(IntegrityError), world.work() as work:
        work.session.execute(text(raw), {"crm_id": world.crm_id, "now": NOON})


def test_who_is_exempted_rings_until_the_day_that_was_said_and_says_by_whom(world: World) -> None:
    """Planted: an exemption without a last day; seen to fail."""
    one, other = world.assignment(), world.assignment()
    (customer,) = frenchmen(world, 1, one)
    world.place([customer], other, clock_id=world.clock([PARIS], PARIS_PLACE))
    exempt(
        world.opener(),
        "FR",
        assignment_id=one,
        valid_to=date(2026, 3, 3),
        reason="asked",
        manager="Kari",
        author="Kari",
    )
    clock = world.clock([PARIS], PARIS_PLACE)
    with world.work() as work:
        hours = timetable_of(work)
    for assignment, day, is_open in ((one, 2, True), (other, 2, False), (one, 3, True), (one, 4, False)):
        assert hours.of(assignment).is_open(clock, LUNCH.replace(day=day)) == is_open, (assignment, day)
    with world.work(LUNCH) as work:
        fact = explain(work, one, customer).answers[-1].fact
    assert fact.startswith("open in Europe/Paris; FR: Décret 2022-1313")
    assert fact.endswith("exempted until 2026-03-03 by Kari: asked")


def test_exempted_from_the_crms_own_hours_the_law_still_binds(world: World) -> None:
    assignment = world.assignment()
    frenchmen(world, 1, assignment)
    clock = world.clock([PARIS], PARIS_PLACE)
    exempt(
        world.opener(),
        "own",
        valid_to=date(2026, 3, 31),
        reason="a Saturday drive",
        manager="Kari",
        author="Kari",
    )
    with world.work() as work:
        doors = timetable_of(work).of(assignment)
    saturday = datetime(2026, 3, 7, 22, 30, tzinfo=UTC)
    assert doors.is_open(world.clock_id, saturday)
    assert not doors.is_open(clock, saturday)
    assert doors.is_open(clock, HALF_PAST_ONE)


def test_when_an_exemption_ends_what_was_offered_by_it_is_taken_back(world: World) -> None:
    assignment = world.assignment()
    frenchmen(world, 3, assignment)
    seller = world.seller(assignment)
    assert next_customer(world.opener(LUNCH), seller) is None
    key = exempt(
        world.opener(LUNCH), "FR", valid_to=date(2026, 3, 2), reason="asked", manager="Kari", author="Kari"
    )
    card = take(world, seller, LUNCH)
    air = end_exemption(world.opener(LUNCH), key, author="Ola")
    assert card.lease_id in air.recalled
    assert next_customer(world.opener(LUNCH), seller) is None
    with pytest.raises(Conflict):
        end_exemption(world.opener(LUNCH), key, author="Ola")
    assert rows(world, "select ended_by, walled_at from exemption")[0] == ("Ola", LUNCH)


# Nothing is rewritten


@pytest.fixture
def other_law(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The law file of tomorrow, in which Portugal has hours."""
    added = """
        [[law]]
        place = "PT"
        name = "Of tomorrow"
        source = "the test's own"
        evidence = "text"
        hours = { mon-sun = [["15:00", "20:00"]] }
    """
    tomorrow = read_laws(shipped_text() + added)
    monkeypatch.setattr(timetable, "shipped", lambda: tomorrow)
    forget_hours()
    yield
    forget_hours()


def test_other_hours_take_effect_at_the_next_allocation_and_no_placement_is_written(world: World) -> None:
    """Planted: an update of the placements in the verb; seen to fail."""
    assignment = world.assignment()
    world.customers(20, assignment)
    world.seller(assignment)
    versions = "select ctid::text as at, xmin::text as by from placement order by customer_id"
    before = rows(world, versions)
    key, _ = set_hours(world.opener(), week=AFTERNOON, **BOTH)
    assert allocate_all(world.opener(), assignment) == 0
    end_hours(world.opener(), key, author="Kari")
    with world.app.shared() as session:
        session.execute(text('update crm set hours = \'{"mon": [["15:00", "20:00"]]}\''))
    assert allocate_all(world.opener(), assignment) == 0
    assert rows(world, versions) == before
    assert allocate_all(world.opener(NOON + timedelta(hours=4)), assignment) == 2


@pytest.mark.usefixtures("other_law")
def test_another_law_file_takes_effect_at_the_next_allocation(world: World) -> None:
    assignment = world.assignment()
    world.customers(4, assignment)
    world.seller(assignment)
    assert allocate_all(world.opener(), assignment) == 0
    assert allocate_all(world.opener(NOON + timedelta(hours=4)), assignment) == 2


def test_another_calendar_takes_effect_at_the_next_allocation(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    assignment = world.assignment()
    frenchmen(world, 4, assignment)
    world.seller(assignment)
    real = law.holidays_of
    monkeypatch.setattr(law, "holidays_of", lambda name, year: real(name, year) | {NOON.date()})
    forget_hours()
    assert allocate_all(world.opener(HALF_PAST_ONE), assignment) == 0
    monkeypatch.undo()
    forget_hours()
    assert allocate_all(world.opener(HALF_PAST_ONE), assignment) == 2


# What was is judged by what held


def test_rings_are_held_against_the_hours_that_stood_when_they_rang(world: World) -> None:
    """Planted: today's hours for the past; seen to fail. And the other way round: no wall at all."""
    assignment = world.assignment()
    world.customers(3, assignment)
    seller = world.seller(assignment)
    card = take(world, seller)
    with world.work() as work:
        ring(work, card.lease_id, seller)
    set_hours(world.opener(NOON + timedelta(minutes=5)), week=AFTERNOON, **BOTH)
    assert outside_hours(world) == 0
    with world.work() as work:
        late = NOON + timedelta(minutes=6)
        work.run(text("update lease set rung_at = :at where id = :id"), at=late, id=card.lease_id)
    assert outside_hours(world) == 1


def test_a_ring_is_judged_by_where_the_customer_stood_not_by_where_it_took_them(world: World) -> None:
    """An outcome moves them on, to a segment that is worked at other hours.

    Planted: the hours of the segment in which they stand now; seen to fail.
    """
    assignment = world.assignment()
    here, there = world.segment(assignment), world.segment(assignment)
    set_hours(world.opener(NOON - timedelta(hours=1)), segment_id=there, week=AFTERNOON, **BOTH)
    world.customers(2, assignment, segment_id=here)
    seller = world.seller(assignment)
    card = take(world, seller)
    with world.work() as work:
        ring(work, card.lease_id, seller)
        work.run(text("update placement set segment_id = :there"), there=there)
    assert outside_hours(world) == 0
    with world.work() as work:
        work.run(text("update lease set segment_id = :there"), there=there)
    assert outside_hours(world) == 1


def outside_hours(world: World) -> int:
    with world.work(NOON + timedelta(minutes=10)) as work:
        return sum(one.count for one in audit(work) if one.what == "rung outside the hours")


# ------------------------------------------------------------------------------- rows for calls about debts

LATE = datetime(2026, 3, 3, 3, tzinfo=UTC)  # ten in the evening in New York
NEW_YORK, ALWAYS = "America/New_York", {day: [["00:00", "24:00"]] for day in DAYS}
LET_OFF: dict[str, Any] = {
    "valid_to": date(2026, 3, 31), "reason": "they asked for it", "manager": "Kari", "author": "Kari",
}  # fmt: skip


def new_yorkers(world: World, n: int, assignment: int) -> list[int]:
    """Customers whose law is the United States', in a CRM that is open all day."""
    set_own_hours(world.opener(), ALWAYS, reason="all day", author="Kari", manager="Kari")
    people = world.customers(n, zones=(NEW_YORK,))
    world.place(people, assignment, clock_id=world.clock([NEW_YORK], ["US"]))
    return people


def told(world: World, assignment: int, customer: int) -> tuple[bool, str]:
    with world.work(LATE) as work:
        (window,) = [a for a in explain(work, assignment, customer).answers if a.gate == "window"]
    return window.open, window.fact


def test_a_row_about_debts_binds_calls_about_debts_alone(world: World) -> None:
    """Seen to fail: exempted from the TCPA nobody could be rung, by a row that was none of theirs.

    Planted: about debts nowhere; about debts everywhere; each seen to fail.
    """
    assignment, debts = world.assignment(), world.assignment(about_debts=True)
    (customer,) = new_yorkers(world, 1, assignment)
    world.place([customer], debts, clock_id=world.clock([NEW_YORK], ["US"]))
    for one in (assignment, debts):
        exempt(world.opener(), "US", assignment_id=one, **LET_OFF)
    is_open, fact = told(world, assignment, customer)
    assert is_open
    assert "Regulation F" not in fact
    is_open, fact = told(world, debts, customer)
    assert not is_open
    assert "but Regulation F" in fact
    assert take(world, world.seller(assignment), LATE).customer_id == customer
    assert next_customer(world.opener(LATE), world.seller(debts)) is None
    exempt(world.opener(), "US/reg-f", assignment_id=debts, **LET_OFF)
    assert told(world, debts, customer)[0]


def test_becoming_about_debts_is_a_wall_for_the_hours_as_well(world: World) -> None:
    """A card goes back and is named; what is no more about debts is rung. Planted: no wall; seen to fail."""
    assignment = world.assignment(offer_seconds=7200)
    new_yorkers(world, 3, assignment)
    exempt(world.opener(), "US", assignment_id=assignment, **LET_OFF)
    seller = world.seller(assignment)
    card = take(world, seller, LATE)
    air = say_of_debts(world.opener(LATE), assignment, about_debts=True, author="Kari")
    assert air is not None
    assert card.lease_id in air.recalled
    assert next_customer(world.opener(LATE), seller) is None
    assert say_of_debts(world.opener(LATE), assignment, about_debts=False, author="Kari") is not None
    assert next_customer(world.opener(LATE), seller) is not None


def test_a_crash_before_that_wall_is_finished_by_whoever_follows_the_change(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planted: who follows it passes the turnstiles alone; seen to fail."""
    assignment = world.assignment(offer_seconds=7200)
    new_yorkers(world, 3, assignment)
    exempt(world.opener(), "US", assignment_id=assignment, **LET_OFF)
    seller = world.seller(assignment)
    card = take(world, seller, LATE)
    monkeypatch.setattr(changing, "wall", lambda *_: None)
    say_of_debts(world.opener(LATE), assignment, about_debts=True, author="Kari")
    with pytest.raises(NotNow, match="window"), world.work(LATE) as work:
        ring(work, card.lease_id, seller)
    (change,) = changes_to_follow(world.opener(LATE))
    follow_change(world.opener(LATE), change)
    assert rows(world, "select 1 from lease where ended_at is null") == []
    (row,) = rows(world, "select walled_at from limit_change")
    assert row.walled_at == LATE


@pytest.mark.parametrize(("before", "after", "found"), [(False, True, 0), (True, False, 1)])
def test_rings_are_judged_by_whether_it_was_about_debts_then(
    world: World, before: bool, after: bool, found: int
) -> None:
    """Planted: judged by what it is now; seen to fail."""
    assignment = world.assignment()
    new_yorkers(world, 1, assignment)
    exempt(world.opener(), "US", assignment_id=assignment, **LET_OFF)
    seller = world.seller(assignment)
    card = take(world, seller, LATE)
    with world.work(LATE) as work:
        ring(work, card.lease_id, seller)
    if before:  # said to have been so when it was made
        with world.work() as work:
            work.run(text("update assignment set about_debts = true"))
    say_of_debts(world.opener(LATE + timedelta(minutes=1)), assignment, about_debts=after, author="Kari")
    with world.work(LATE + timedelta(minutes=2)) as work:
        (outside,) = [f.count for f in audit(work) if f.what == "rung outside the hours"]
    assert outside == found


def test_the_next_opening_of_calls_about_debts_is_watched(world: World) -> None:
    """Their hours are others than the CRM's. Planted: a book forgets them; seen to fail."""
    assignment = world.assignment(about_debts=True)
    new_yorkers(world, 1, assignment)
    exempt(world.opener(), "US", **LET_OFF)
    with world.work(LATE) as work:
        assert next_opening(work) == datetime(2026, 3, 3, 13, 1, tzinfo=UTC)
