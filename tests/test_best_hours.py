"""Orders that depend on the hour: everybody is called at the best hour of their own place, equals first."""

from datetime import UTC, datetime, timedelta

import pytest
from shell import Shell
from sqlalchemy import text
from test_best_times import Log
from web_client import api_of
from world import NOON, World

from calling.handout.allocate import allocate_all
from calling.handout.best_hours import EVERYWHERE, lags, learn_best_hours, lift_of, order_by_hour
from calling.handout.rank import rank
from calling.hours.clocks import Clock
from models.errors import NotFound

LAST_WEEK = datetime(2026, 2, 23, tzinfo=UTC)  # a Monday, as NOON is
MADEIRA, AZORES = "Atlantic/Madeira", "Atlantic/Azores"

_RANK = text("""
    update placement set rank = t.rank from unnest(cast(:c as bigint[]), cast(:r as bigint[])) as t(id, rank)
     where crm_id = :crm_id and customer_id = t.id
""")


def rung(world: World, assignment: int, at: datetime = NOON, most: int = 2) -> list[int]:
    """Whom a dialer that wants `most` is given at an instant, in order."""
    dialer = world.dialer(assignment, wanted=most, wanted_at=at)
    allocate_all(world.opener(at), assignment)
    with world.work() as work:
        rows = work.run(text("select customer_id from lease where dialer_id = :d order by id"), d=dialer)
        return list(rows.scalars())


def at_noon_lisbon_does_not_answer(world: World, assignment: int) -> None:
    """At 12 few answer, at 11 (the hour of the Azores then) many; at 13 all do, at 12 on the Azores few."""
    log = Log(world, assignment)
    for hour, answered in ((11, 180), (12, 20), (13, 190)):
        log.call(LAST_WEEK + timedelta(hours=hour), answered, "answered")
        log.call(LAST_WEEK + timedelta(hours=hour), 200 - answered, "no_answer")


@pytest.mark.parametrize(("hours_later", "first"), [(0, AZORES), (1, "Europe/Lisbon")])
def test_the_hour_decides_among_equally_often_tried(world: World, hours_later: int, first: str) -> None:
    """Planted: hours of UTC for all; the lag left out of the order; each seen to fail."""
    assignment = world.assignment()
    at_noon_lisbon_does_not_answer(world, assignment)
    people = {zone: world.customers(2, assignment, zones=[zone]) for zone in ("Europe/Lisbon", AZORES)}
    with world.work() as work:
        order_by_hour(work, assignment, ordering=True, author="Kari")
    assert rung(world, assignment, NOON + timedelta(hours=hours_later)) == people[first]


def test_fewer_attempts_come_before_the_hour_and_the_hour_before_the_field(world: World) -> None:
    assignment = world.assignment()
    at_noon_lisbon_does_not_answer(world, assignment)
    lisbon, azores = world.customers(2, assignment), world.customers(2, assignment, zones=[AZORES])
    ranks = [rank(0, 9.0, None), rank(1, 1.0, None), rank(0, 50.0, None), rank(1, 50.0, None)]
    with world.work() as work:
        work.run(_RANK, c=[*lisbon, *azores], r=ranks)
        order_by_hour(work, assignment, ordering=True, author="Kari")
    assert rung(world, assignment, most=4) == [azores[0], lisbon[0], azores[1], lisbon[1]]


def test_whoever_does_not_ask_for_it_is_served_by_rank(world: World) -> None:
    assignment = world.assignment()
    at_noon_lisbon_does_not_answer(world, assignment)
    lisbon, _ = world.customers(2, assignment), world.customers(2, assignment, zones=[AZORES])
    with world.work() as work:
        order_by_hour(work, assignment, ordering=True, author="Kari")
        order_by_hour(work, assignment, ordering=False, author="Kari")
    assert rung(world, assignment) == lisbon


def test_a_clock_is_as_good_as_its_places_and_zones_are_on_average_at_their_hour() -> None:
    lifts = {place: [1.0] * 168 for place in (EVERYWHERE, "US-FL", "US-NY")}
    lifts["US-FL"][12], lifts["US-NY"][12], lifts[EVERYWHERE][12] = 2.0, 1.0, 0.5
    florida = Clock(1, ("Europe/Lisbon",), ("US-FL",))
    assert lift_of(lifts, florida, NOON) == 2.0
    assert lift_of(lifts, Clock(1, ("Europe/Lisbon",), ("US-FL", "US-NY")), NOON) == 1.5
    assert lift_of(lifts, Clock(1, ("Europe/Lisbon",), ("NO",)), NOON) == 0.5
    assert lift_of(lifts, Clock(1, (AZORES, "Europe/Lisbon"), ("US-FL",)), NOON) == 1.5


def test_less_than_a_tenth_is_no_difference(world: World) -> None:
    """A tenth of the best, however high that is. Planted: a tenth of the mean; seen to fail."""
    clocks = [world.clock([zone]) for zone in ("Europe/Lisbon", MADEIRA, AZORES)]
    week = [1.0] * 168
    week[11], week[12] = 0.91, 1.0
    with world.work() as work:
        assert lags(work, {EVERYWHERE: week}, [clocks]) == {}
        week[11] = 0.69
        assert lags(work, {EVERYWHERE: week}, [clocks]) == {clocks[2]: 3}
        week[11], week[12] = 1.9, 2.0
        assert lags(work, {EVERYWHERE: week}, [clocks]) == {}
        week[11] = 1.0
        assert lags(work, {EVERYWHERE: week}, [clocks]) == {clocks[2]: 5}
        assert lags(work, {EVERYWHERE: [0.0] * 168}, [clocks]) == {}
        assert lags(work, None, [clocks]) == {}


def test_it_is_learned_anew_each_hour_where_it_is_asked_for(world: World) -> None:
    """What a call taught since counts from the next hour on. Planted: learned once; seen to fail."""
    asked, unasked = world.assignment(), world.assignment()
    with world.work() as work:
        order_by_hour(work, asked, ordering=True, author="Kari")
        order_by_hour(work, unasked, ordering=False, author="Kari")
        with pytest.raises(NotFound):
            order_by_hour(work, 99, ordering=True, author="Kari")
    at_noon_lisbon_does_not_answer(world, asked)
    assert learn_best_hours(world.opener(NOON + timedelta(minutes=59))) == 0
    assert learn_best_hours(world.opener(NOON + timedelta(minutes=60))) == 1
    world.customers(2, asked)
    people = world.customers(2, asked, zones=[AZORES])
    assert rung(world, asked, NOON + timedelta(minutes=59)) == people


def test_it_is_asked_for_by_command_and_by_api(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    assignment = world.assignment("Spring")
    shell = Shell(world, monkeypatch)
    assert "no say" in shell.ok("order-by-hour").out
    assert "Dry run" in shell.ok("order-by-hour", "on", "--dry-run").out
    assert "no say" in shell.ok("order-by-hour").out
    assert "by Kari" in shell.ok("order-by-hour", "on", "--author", "Kari").out
    with api_of(world) as api:
        manager, path = api.manager(), f"/assignments/{assignment}/order-by-hour"
        told = manager.ok("GET", path)
        assert (told["ordering"], told["changed_by"]) == (True, "Kari")
        assert told["learned_at"] is not None
        assert manager.ok("PUT", path, json={"ordering": False})["ordering"] is False
        manager.refused(404, "GET", "/assignments/99/order-by-hour")
        manager.refused(404, "PUT", "/assignments/99/order-by-hour", json={"ordering": True})
    assert "no say" in shell.ok("order-by-hour").out
