"""When a worked list runs dry; and lists that are dry while somebody waits, with the reason."""

from datetime import datetime, timedelta
from random import Random

import pytest
from calls import say, take
from promises import promise, watch
from shell import Shell
from sqlalchemy import text
from web_client import api_of
from world import LISBON, NOON, World

from calling.handout import gates
from calling.handout.allocate import allocate_all
from calling.handout.hand_out import next_customer
from calling.outcomes.outcome import Report, record_all
from calling.views.dry import dry_lists, has_somebody
from calling.views.forecast import Forecast, forecast
from calling.views.funnel import funnel
from calling.walls.pause import pause, resume
from calling.walls.suppress import suppress
from models.outcomes import Outcome
from wiring.clock import set_clock
from wiring.gauges import DatabaseGauges

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def spring(world: World) -> int:
    return world.assignment("Spring", gap_seconds=0)


def asked(world: World, assignment_id: int) -> Forecast:
    with world.work() as work:
        return forecast(work, assignment_id)


def ring(world: World, assignment_id: int, *minutes_ago: int) -> int:
    """A seller who has rung at these times, once each, and sold."""
    seller = world.seller(assignment_id)
    for ago in minutes_ago:
        opener = world.opener(NOON - ago * MINUTE)
        handed = next_customer(opener, seller)
        assert handed is not None
        record_all(opener, [Report(handed.lease_id, Outcome.SALE, "seller")])
    with world.work() as work:  # nobody waits in their list: all are free
        work.run(text("update seller set presence = 'away'"))
        assert work.run(text("select count(*) from lease where ended_at is null")).scalar() == 0
    return seller


def test_it_runs_dry_when_as_many_are_rung_as_in_the_last_hour(world: World, spring: int) -> None:
    """Four within forty minutes are six an hour; six are left. Planted: a whole hour taken for granted."""
    world.customers(4, spring)
    ring(world, spring, 40, 30, 20, 10)
    world.customers(6, spring)
    found = asked(world, spring)
    assert (found.rings_an_hour, found.callable_now) == (6.0, 6)
    assert (found.dry_at, found.waiting) == (NOON + HOUR, 0)
    assert [point.callable for point in found.course[:6]] == [6, 4, 3, 2, 0, 0]


def test_rings_are_counted_when_they_rang_and_each_once(world: World, spring: int) -> None:
    """What is told late of an old call is no ring of the last hour, what is still rung is one, and what never
    rang is none. Planted: first reports counted; every word counted; each seen to fail."""
    world.customers(6, spring)
    ana = world.seller(spring)
    late = take(world, ana, NOON - 2 * HOUR)
    say(world, late.lease_id, Outcome.NO_ANSWER, NOON - MINUTE)
    for outcome in (Outcome.CONGESTION, Outcome.INVALID_NUMBER):
        nothing = take(world, ana, NOON - 31 * MINUTE, rung=False)
        say(world, nothing.lease_id, outcome, NOON - 31 * MINUTE)
    assert asked(world, spring).rings_an_hour == 0
    world.dialer(spring, wanted=1, wanted_at=NOON - 30 * MINUTE)
    allocate_all(world.opener(NOON - 30 * MINUTE), spring)
    with world.work() as work:
        key = work.run(text("select id from lease where dialer_id is not null")).scalar_one()
    say(world, key, Outcome.ANSWERED, NOON - 30 * MINUTE, by="dialer")
    say(world, key, Outcome.SALE, NOON - 29 * MINUTE)  # the seller's word completes the dialer's
    assert asked(world, spring).rings_an_hour == 2
    take(world, ana, NOON - 2 * MINUTE)  # on the telephone
    assert asked(world, spring).rings_an_hour == 4


def test_who_comes_back_keeps_it_going_and_hours_end_it(world: World, spring: int) -> None:
    """Six rest until within the hour: they last another hour; twenty thousand last until hours shut."""
    world.customers(4, spring)
    ring(world, spring, 40, 30, 20, 10)
    world.customers(6, spring)
    world.customers(6, spring, state="resting", due_at=NOON + 50 * MINUTE)
    found = asked(world, spring)
    assert found.dry_at is not None
    assert abs(found.dry_at - (NOON + 2 * HOUR)) <= 15 * MINUTE
    world.customers(200, spring)
    late = asked(world, spring)
    assert (late.dry_at, late.waiting > 100) == (NOON + 8 * HOUR, True)  # Lisbon shuts at 20:00


def test_paused_ones_come_when_the_pause_ends(world: World, spring: int) -> None:
    loans = world.segment(spring, "loans")
    world.customers(3, spring, segment_id=loans)
    pause(world.opener(), "segment", loans, reason="x", author="Kari", ends_at=NOON + HOUR)
    course = asked(world, spring).course
    assert [point.callable for point in course[:7]] == [0, 0, 0, 0, 0, 3, 3]
    resume(world.opener(), "segment", loans, author="Kari")
    pause(world.opener(), "segment", loans, reason="x", author="Kari")
    assert {point.callable for point in asked(world, spring).course} == {0}


def test_a_list_that_somebody_works_and_that_is_dry_is_told_with_its_reason(
    world: World, spring: int
) -> None:
    """Planted: a deleted segment, and a pause, not looked at; each seen to fail."""
    loans, gone = world.segment(spring, "loans"), world.segment(spring, "gone", retired_at=NOON)
    world.customers(3, spring, segment_id=loans)
    world.customers(1, spring, segment_id=gone)
    world.customers(1, spring, zones=["Pacific/Auckland"])

    def dry() -> list[tuple[str, int, int]]:
        with world.work() as work:
            return [(one.gate, one.stopped, one.customers) for one in dry_lists(work)]

    pause(world.opener(), "segment", loans, reason="x", author="Kari")
    assert dry() == []  # nobody waits
    world.seller(spring)
    assert dry() == [("pause", 3, 5)]
    resume(world.opener(), "segment", loans, author="Kari")
    assert dry() == []
    with world.work() as work:
        assert has_somebody(work, spring)
        work.run(text("update placement set state = 'closed' where segment_id = :id"), id=loans)
        assert not has_somebody(work, spring)
    assert dry() == [("segment", 1, 5)]
    with world.work() as work:
        work.run(text("update placement set state = 'closed'"))
    assert dry() == []  # it is done


def test_nobody_is_alarmed_at_night(world: World, spring: int) -> None:
    """All hours are shut: the list waits, and the gauge is quiet. Somebody open and used up: it is dry.

    Planted: the flag left out of the gauge; seen to fail.
    """
    world.customers(2, spring)
    world.customers(
        1, spring, state="closed", zones=["America/New_York"]
    )  # finished, so their day counts not
    world.seller(spring)

    def gauge(now: datetime) -> list[tuple[str, float]]:
        set_time(world, now)
        (family,) = (f for f in DatabaseGauges(world.app).collect() if f.name == "ringeliste_dry_lists")
        return [(sample.labels["gate"], sample.value) for sample in family.samples]

    night = NOON + 11 * HOUR
    with world.work(night) as work:
        assert [(one.gate, one.after_hours) for one in dry_lists(work)] == [("window", True)]
    assert gauge(night) == []
    world.customers(1, spring, state="resting", due_at=night + HOUR, zones=["America/New_York"])
    with world.work(night) as work:
        assert [(one.gate, one.stopped, one.after_hours) for one in dry_lists(work)] == [("window", 2, False)]
    assert gauge(night) == [("window", 1.0)]


def set_time(world: World, now: datetime) -> None:
    with world.app.shared() as session:
        set_clock(session, now, 0)


def test_it_is_drawn_and_answered(world: World, spring: int, monkeypatch: pytest.MonkeyPatch) -> None:
    shell = Shell(world, monkeypatch)
    world.customers(2, spring, zones=["Pacific/Auckland"])
    world.seller(spring)
    assert "hours are shut; 2 customers wait" in shell.ok("forecast").out
    assert "2 of 2 stop at window" in shell.ok("report").out
    with api_of(world) as api:
        told = api.manager().ok("GET", f"/assignments/{spring}/forecast")
        assert (told["callable_now"], told["waiting"], len(told["course"])) == (0, 2, 97)


@pytest.mark.parametrize("seed", [1, 2])
def test_who_may_be_called_now_is_who_the_funnel_says(world: World, spring: int, seed: int) -> None:
    """Over states, promises that are due, gates, pauses, deleted segments, held ones, kept-free ones, robots.

    Planted: promises that are due left for later, and nobody stepped over, as it was; seen to fail.
    """
    die, now = Random(seed), NOON + HOUR + MINUTE
    other = world.assignment("Autumn")
    paused, soon, deleted = (world.segment(spring, key) for key in ("paused", "soon", "deleted"))
    kinds = [(LISBON,), (LISBON,), ("Pacific/Auckland", LISBON), ()]
    people = [
        world.customers(
            1, spring, segment_id=die.choice([None, None, paused, soon, deleted]), zones=die.choice(kinds)
        )[0]
        for _ in range(80)
    ]
    abroad = world.customers(6)
    world.place(abroad, spring, clock_id=world.clock([LISBON], ["IR"]))
    states = ["ready"] * 3 + ["follow_up"] * 3 + ["resting", "closed"]
    with world.work() as work:
        for customer in (*people, *abroad):
            state = die.choice(states)
            work.run(
                text("update placement set state = :state, due_at = :at where customer_id = :customer"),
                state=state, customer=customer,
                at=die.choice([NOON, now, now + HOUR]) if state in ("resting", "follow_up") else None,
            )  # fmt: skip
        work.run(text("update segment set retired_at = :now where id = :id"), id=deleted)
    for customer in die.sample(people, 10):
        suppress(
            world.opener(), customer_id=customer, reason="asked", author="Kari",
            expires_at=die.choice([None, NOON + 30 * MINUTE, now + HOUR]),
        )  # fmt: skip
    shared = die.sample(people, 20)
    world.place(shared, other)
    with world.work() as work:
        gates.restamp(work, people)
    for customer in shared[:14]:
        promise(world, other, customer, NOON + 30 * MINUTE)
    for _ in range(2):
        next_customer(world.opener(now), world.seller(other))
    watch(world, now)
    pause(world.opener(), "segment", paused, reason="x", author="Kari")
    pause(world.opener(), "segment", soon, reason="x", author="Kari", ends_at=now + 5 * MINUTE)
    world.dialer(spring, mode="voice_robot", wanted=5, wanted_at=now)
    with world.work(now) as work:
        stands, found = funnel(work, spring), forecast(work, spring)
    over = {step.gate for step in stands.steps}
    assert {"held", "kept_free", "robots", "pause", "segment", "zone_unknown", "suppressed"} <= over
    assert found.callable_now == stands.callable_now > 0


def test_a_promise_that_is_due_may_be_called_now(world: World, spring: int) -> None:
    """And one that is not comes in its time."""
    world.customers(2, spring, state="follow_up", due_at=NOON - MINUTE)
    world.customers(3, spring, state="follow_up", due_at=NOON + HOUR)
    assert [point.callable for point in asked(world, spring).course[:6]] == [2, 2, 2, 2, 2, 5]
