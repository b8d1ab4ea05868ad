"""The funnel: every customer at the first gate that stops them, and all of them together."""

from collections import Counter
from datetime import timedelta
from json import dumps
from random import Random

import pytest
from promises import promise, watch
from shell import Shell
from sqlalchemy import text
from web_client import api_of
from world import NOON, World

from calling.handout import gates
from calling.handout.hand_out import next_customer
from calling.hours.week import DAYS
from calling.views.dry import dry_lists
from calling.views.explain import explain
from calling.views.funnel import Funnel, funnel, why_dry
from calling.views.holders import Who
from calling.walls.pause import pause
from calling.walls.suppress import suppress
from models.errors import NotFound

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
EVENING = NOON + timedelta(hours=9)  # 21:00 in Lisbon, 20:00 on the Azores: all is shut


@pytest.fixture
def spring(world: World) -> int:
    return world.assignment("Spring")


def asked(world: World, assignment_id: int, segment_id: int | None = None) -> Funnel:
    with world.work() as work:
        return funnel(work, assignment_id, segment_id)


def as_counts(found: Funnel) -> dict[str, int]:
    return {step.gate: step.customers for step in found.steps} | {"callable_now": found.callable_now}


def one_by_one(world: World, assignment_id: int) -> Counter[str]:
    """The first shut gate of each customer, as `explain` says."""
    with world.work() as work:
        who = work.run(text("select customer_id, state from placement where state <> 'left'")).all()
        found = [(row.state, explain(work, assignment_id, row.customer_id)) for row in who]
        firsts = [
            (state, next((a.gate for a in one.answers if not a.open), "callable_now")) for state, one in found
        ]
    return Counter(state if gate == "state" else gate for state, gate in firsts)


def test_everybody_is_counted_once_where_explain_says_that_they_stop(world: World, spring: int) -> None:
    """Over states, deleted and paused segments, do-not-call, unknown zones and shut hours, mixed by a die.

    Planted: the window asked before the pause; the stamped gates before the state; both seen to fail.
    """
    die = Random(4)
    paused, deleted, shut = (world.segment(spring, key) for key in ("paused", "deleted", "shut"))
    kinds = [("Europe/Lisbon",), ("Pacific/Auckland", "Europe/Lisbon"), ()]
    people = [
        world.customers(
            1, spring, segment_id=die.choice([None, paused, deleted, shut]), zones=die.choice(kinds)
        )[0]
        for _ in range(60)
    ]
    states = ["ready"] * 4 + ["resting", "follow_up", "closed", "left"]
    with world.work() as work:
        for customer in people:
            state = die.choice(states)
            work.run(
                text("""
                    update placement set state = :state,
                           due_at = case when :state in ('resting', 'follow_up') then :at end,
                           gone_at = case when :state = 'left' then :now end
                     where customer_id = :customer
                """),
                state=state, at=NOON + HOUR, customer=customer,
            )  # fmt: skip
        work.run(text("update segment set retired_at = :now where id = :id"), id=deleted)
    for customer in die.sample(people, 12):
        suppress(world.opener(), customer_id=customer, reason="asked", author="Kari")
    with world.work() as work:
        gates.restamp(work, people)
    pause(world.opener(), "segment", paused, reason="x", author="Kari")
    found = asked(world, spring)
    assert as_counts(found) == one_by_one(world, spring)
    assert len(found.steps) == 8  # all kinds were there
    assert found.total == sum(step.customers for step in found.steps) + found.callable_now


def test_whom_a_hand_out_steps_over_stops_at_a_gate_of_their_own(world: World, spring: int) -> None:
    """Held elsewhere, by themselves or by a shared number; kept free for a call that is due elsewhere.

    Reality agrees: the rest is dealt, and nobody else. Planted: whoever is promised a call here as
    well; promises that are not due yet; each seen to fail.
    """
    other = world.assignment("Autumn")
    people = world.customers(7, spring)
    held, sharing, kept, own, later, over, free = people
    world.place([held, kept, own, later, over], other)  # `own` is promised a call by both
    with world.work() as work:
        share = (
            "insert into customer_number (crm_id, customer_id, e164, position, zones) "
            "select crm_id, :b, e164, 1, zones from customer_number where customer_id = :a"
        )
        work.run(text(share), a=held, b=sharing)
    promise(world, other, held, NOON + timedelta(seconds=1))
    with world.work(NOON + HOUR) as work:  # held, in the other assignment, to keep a promise
        gates.restamp(work, people)
    for customer, where, at in (
        (kept, other, NOON + 30 * MINUTE), (own, spring, NOON + 30 * MINUTE),
        (later, other, NOON + 90 * MINUTE), (over, other, NOON + MINUTE), (own, other, NOON + 40 * MINUTE),
    ):  # fmt: skip
        promise(world, where, customer, at)
    now = NOON + HOUR + MINUTE
    assert next_customer(world.opener(now), world.seller(other)) is not None  # `held` came due first
    watch(world, now)
    with world.work(now) as work:
        found = funnel(work, spring)
        told = [next((a for a in explain(work, spring, c).answers if not a.open), None) for c in people]
    assert as_counts(found) == {"held": 2, "kept_free": 2, "callable_now": 3}
    assert {step.gate: step.next_at for step in found.steps} == {
        "held": None,
        "kept_free": now + 2 * MINUTE,
    }
    assert [one and one.gate for one in told] == ["held", "held", "kept_free", None, None, "kept_free", None]
    for _ in range(6):
        next_customer(world.opener(now), world.seller(spring))
    with world.work() as work:
        dealt = work.run(text("select customer_id from lease where assignment_id = :a"), a=spring).scalars()
        assert set(dealt) == {own, later, free}


def test_where_only_robots_work_and_none_may_be_heard(world: World, spring: int) -> None:
    """Iran forbids their voices at any hour. Planted: any dialer taken for a robot; seen to fail."""
    hours = {day: [["00:00", "24:00"]] for day in DAYS}
    with world.app.shared() as session:
        session.execute(text("update crm set hours = cast(:hours as jsonb)"), {"hours": dumps(hours)})
    clock = world.clock(["Asia/Tehran"], ["IR"])
    (there,) = world.customers(1)
    world.place([there], spring, clock_id=clock)
    world.customers(2, spring)
    robot = world.dialer(spring, mode="voice_robot", wanted=5, wanted_at=NOON)

    def verdict() -> tuple[dict[str, int], bool]:
        with world.work() as work:
            return as_counts(funnel(work, spring)), explain(work, spring, there).callable_now

    assert verdict() == ({"robots": 1, "callable_now": 2}, False)
    with world.work() as work:
        work.run(text("update placement set state = 'closed' where customer_id <> :there"), there=there)
        assert [one.gate for one in dry_lists(work)] == ["robots"]
        assert explain(work, spring, there).callable_at is None
    world.dialer(spring, mode="connect", wanted=5, wanted_at=NOON)
    assert verdict() == ({"closed": 2, "callable_now": 1}, True)
    with world.work() as work:
        assert dry_lists(work) == []
        found = explain(work, spring, there, Who("dialer", robot)).holder
        assert found is not None
        assert [one.gate for one in found.answers if not one.open] == ["mode"]


def test_each_step_says_when_time_lets_the_first_on(world: World, spring: int) -> None:
    world.customers(2, spring, zones=["Pacific/Auckland"])
    resting = world.customers(3, spring)
    with world.work() as work:
        for hours, customer in enumerate(resting, 1):
            work.run(
                text("update placement set state = 'resting', due_at = :at where customer_id = :id"),
                at=NOON + hours * HOUR, id=customer,
            )  # fmt: skip
    steps = {step.gate: step for step in asked(world, spring).steps}
    assert (steps["resting"].customers, steps["resting"].next_at) == (3, NOON + HOUR)
    assert steps["window"].next_at == NOON.replace(hour=20, minute=1)  # 09:01 in Auckland
    pause(world.opener(), "assignment", spring, reason="x", author="Kari", ends_at=NOON + 2 * HOUR)
    assert {step.gate: step.next_at for step in asked(world, spring).steps}["pause"] == NOON + 2 * HOUR


def test_a_promised_call_whose_time_has_come_waits_no_more(world: World, spring: int) -> None:
    """Planted: the earliest promise told as the next, though it is due; fails."""
    due, later = world.customers(2, spring)
    with world.work() as work:
        for customer, at in ((due, NOON), (later, NOON + HOUR)):
            work.run(
                text("update placement set state = 'follow_up', due_at = :at where customer_id = :id"),
                at=at, id=customer,
            )  # fmt: skip
    found = asked(world, spring)
    assert as_counts(found) == {"follow_up": 1, "callable_now": 1}
    assert found.steps[0].next_at == NOON + HOUR


def test_a_segment_alone_and_what_keeps_a_list_dry(world: World, spring: int) -> None:
    loans = world.segment(spring, "loans")
    world.customers(3, spring, segment_id=loans)
    world.customers(2, spring)
    assert (asked(world, spring, loans).total, asked(world, spring).callable_now) == (3, 5)
    assert why_dry(asked(world, spring)) is None
    assert next_customer(world.opener(), world.seller(spring)) is not None
    pause(world.opener(), "segment", loans, reason="x", author="Kari")
    most = why_dry(asked(world, spring))
    assert most is not None
    assert most.gate == "pause"
    elsewhere = world.segment(world.assignment(), "loans")
    for nobodys in ((99, None), (spring, 99), (spring, elsewhere)):
        with world.work() as work, pytest.raises(NotFound):
            funnel(work, *nobodys)


@pytest.fixture
def shell(world: World, monkeypatch: pytest.MonkeyPatch) -> Shell:
    return Shell(world, monkeypatch)


def test_it_is_drawn_and_answered(world: World, spring: int, shell: Shell) -> None:
    loans = world.segment(spring, "loans")
    world.customers(3, spring, segment_id=loans)
    world.customers(1, spring, zones=[])
    with world.work() as work:
        gates.restamp(work, work.run(text("select id from customer")).scalars().all())
    assert "callable now" in shell.ok("funnel").out
    assert shell.ok("funnel", "--segment", "loans", "--json").document == {
        "total": 3, "steps": [], "callable_now": 3, "hours_open": True,
    }  # fmt: skip
    pause(world.opener(), "segment", loans, reason="x", author="Kari")
    assert "Nobody may be rung now; 3 customers stop at pause" in shell.ok("funnel").out
    with api_of(world) as api:
        kari = api.manager()
        told = kari.ok("GET", f"/assignments/{spring}/funnel")
        assert {step["gate"]: step["customers"] for step in told["steps"]} == {"zone_unknown": 1, "pause": 3}
        only = kari.ok("GET", f"/assignments/{spring}/funnel", params={"segment_id": loans})
        assert only["total"] == 3
