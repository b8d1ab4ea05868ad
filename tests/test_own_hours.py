"""A CRM's own hours: shut at once, opened by a named manager; what was before stays written."""

from collections.abc import Callable
from datetime import datetime, timedelta
from json import dumps
from typing import Any

import pytest
from calls import say, take
from promises import violations
from sqlalchemy import text
from world import NOON, OFFICE_HOURS, World

from calling import register
from calling.handout.allocate import allocate_all
from calling.handout.hand_out import next_customer
from calling.handout.ring import ring
from calling.views.explain import explain
from calling.walls import own_hours as verbs
from calling.walls.hours import finish_hours
from calling.walls.own_hours import OwnHoursSet, own_hours_changes, set_own_hours
from models.errors import BadInput, NotNow
from models.outcomes import Outcome

SATURDAY = datetime(2026, 3, 7, 12, tzinfo=NOON.tzinfo)
MINUTE = timedelta(minutes=1)
LONGER = OFFICE_HOURS | {"sat": [["10:00", "14:00"]]}
SHORTER = OFFICE_HOURS | {"mon": [["15:00", "20:00"]]}
MOVED = SHORTER | {"sat": [["10:00", "14:00"]]}


def change(world: World, week: Any, now: datetime = NOON, **more: Any) -> OwnHoursSet:
    return set_own_hours(world.opener(now), week, **({"reason": "our wish", "author": "Bo"} | more))


def is_open(world: World, assignment: int, customer: int, at: datetime) -> bool:
    with world.work(at) as work:
        (window,) = [a for a in explain(work, assignment, customer).answers if a.gate == "window"]
    return window.open


@pytest.mark.parametrize("week", [LONGER, MOVED])
def test_hours_open_by_a_managers_name_alone(world: World, week: Any) -> None:
    """Also where others shut in the same breath. Planted: none asked where some hour shuts; seen to fail."""
    assignment = world.assignment()
    (customer,) = world.customers(1, assignment)
    for nobody in (None, " "):
        with pytest.raises(BadInput, match="manager"):
            change(world, week, manager=nobody)
    assert not is_open(world, assignment, customer, SATURDAY)
    with world.app.shared() as session:
        register.add_key(session, world.crm_id, "manager", "Kari", now=NOON)
    with pytest.raises(BadInput, match="did you mean 'Kari'"):
        change(world, week, manager="Kary")
    done = change(world, week, manager="Kari")
    assert (done.opens, done.shuts) == (True, week is MOVED)
    assert is_open(world, assignment, customer, SATURDAY)
    assert done.after.endswith("sat 10:00-14:00; sun never")
    with world.work(SATURDAY) as work:
        told = next(a.fact for a in explain(work, assignment, customer).answers if a.gate == "window")
    assert "own hours since 2026-03-02 12:00 UTC (Kari, entered by Bo: our wish)" in told


def test_the_law_binds_whatever_own_hours_say(world: World) -> None:
    assignment = world.assignment()
    (customer,) = world.customers(1)
    world.place([customer], assignment, clock_id=world.clock(["Europe/Oslo"], ["NO"]))
    change(world, LONGER, manager="Kari")
    assert not is_open(world, assignment, customer, SATURDAY)
    assert is_open(world, assignment, customer, NOON)


def test_hours_that_shut_are_a_wall_at_once(world: World) -> None:
    """A card goes back, and the answer names it. Planted: nothing is taken back; seen to fail."""
    assignment = world.assignment()
    world.customers(3, assignment)
    card = take(world, world.seller(assignment), rung=False)
    done = change(world, SHORTER)
    assert (done.opens, done.shuts) == (False, True)
    assert card.lease_id in done.in_the_air.recalled
    with world.work() as work:
        assert work.run(text("select id from lease where ended_at is null")).all() == []
        (row,) = own_hours_changes(work, 10)
    assert (row.before, row.after, row.manager, row.walled_at) == (OFFICE_HOURS, SHORTER, None, NOON)
    assert allocate_all(world.opener(), assignment) == 0


def test_a_ring_obeys_before_the_wall_stands_and_a_tick_finishes_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It died behind its commit. Planted: the tick leaves own hours alone; seen to fail."""
    assignment = world.assignment()
    world.customers(2, assignment)
    seller = world.seller(assignment)
    card = take(world, seller, rung=False)
    monkeypatch.setattr(verbs, "finish_hours", lambda *_: None)
    change(world, SHORTER)
    with pytest.raises(NotNow, match="window"), world.work() as work:
        ring(work, card.lease_id, seller)
    assert card.lease_id in finish_hours(world.opener()).recalled
    with world.work() as work:
        assert [row.walled_at for row in own_hours_changes(work, 10)] == [NOON]
    assert finish_hours(world.opener()).recalled == []


def test_what_is_said_again_is_no_change_and_nonsense_is_told(world: World) -> None:
    assert change(world, OFFICE_HOURS).change_id is None
    days = {day: hours for day, hours in OFFICE_HOURS.items() if hours}
    assert change(world, days).change_id is None
    nonsense: list[tuple[dict[str, list[str]], str]] = [
        ({"monday": []}, "did you mean mon"), ({}, "pause"), ({"mon": []}, "pause"),
    ]  # fmt: skip
    for week, what in nonsense:
        with pytest.raises(BadInput, match=what):
            change(world, week)
    with pytest.raises(BadInput, match="reason"):
        change(world, SHORTER, reason=" ")
    with world.work() as work:
        assert own_hours_changes(work, 10) == []


def test_the_last_of_two_changes_is_in_force_and_both_are_told(world: World) -> None:
    change(world, LONGER, manager="Kari")
    change(world, SHORTER, now=NOON + MINUTE)
    with world.work() as work:
        rows = own_hours_changes(work, 10)
        assert work.run(text("select hours from crm where id = :crm_id")).scalar_one() == SHORTER
        assert own_hours_changes(work, 10, before_id=rows[-1].id) == []
    assert [(row.before, row.after, row.manager) for row in rows] == [
        (LONGER, SHORTER, None), (OFFICE_HOURS, LONGER, "Kari"),
    ]  # fmt: skip


def _saturday(world: World, seller: int) -> None:
    card = take(world, seller, SATURDAY)
    say(world, card.lease_id, Outcome.NO_ANSWER, SATURDAY)


@pytest.mark.parametrize(
    ("then", "found"), [(lambda _: None, 0), (lambda world: _by_hand(world, OFFICE_HOURS), 1)]
)
def test_rings_are_judged_by_the_own_hours_that_stood(
    world: World, then: Callable[[World], None], found: int
) -> None:
    """Open on that Saturday, shut since. Planted: judged by those of today; seen to fail.

    An hour that nobody is known to have opened is a violation still.
    """
    assignment = world.assignment()
    world.customers(1, assignment)
    seller = world.seller(assignment)
    if found:
        _by_hand(world, LONGER)
    else:
        change(world, LONGER, manager="Kari")
    _saturday(world, seller)
    assert violations(world, SATURDAY) == []
    if not found:
        change(world, OFFICE_HOURS, now=SATURDAY + MINUTE)
    then(world)
    assert violations(world, SATURDAY + MINUTE) == ["P3 rung outside the hours"] * found


def _by_hand(world: World, week: Any) -> None:
    with world.app.shared() as session:
        session.execute(text("update crm set hours = cast(:week as jsonb)"), {"week": dumps(week)})


def test_hours_of_a_neighbour_stay(world: World) -> None:
    other = world.neighbour()
    assignment = other.assignment()
    (customer,) = other.customers(1, assignment)
    change(world, SHORTER)
    assert is_open(other, assignment, customer, NOON)
    with other.work() as work:
        assert own_hours_changes(work, 10) == []
    assert next_customer(other.opener(), other.seller(assignment)) is not None
