"""When clocks change, a rule of offsets asks for one rebuild: not two, and never none."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from interleaving import acting_before
from sqlalchemy import text
from test_sweep import rebuild, rules, sizes, untrue
from world import World

from calling.segments import sweeping
from calling.segments.publishing import publish
from calling.segments.sweeping import SLACK, sweep, sweep_all
from segmentation.offsets import last_change
from segmentation.resegment import differing, resegment

SECOND = timedelta(seconds=1)
CHANGE = datetime(2026, 3, 29, 1, tzinfo=UTC)
BEFORE = CHANGE - 5 * SECOND
SUMMER = {"f": "local_offset", "op": "eq", "v": 1}


class Cut(Exception):
    """The process dies here."""


@pytest.fixture
def assignment(world: World) -> int:
    """Three customers of Lisbon, swept and true five seconds before summer begins."""
    made = world.assignment()
    world.customers(3, made)
    publish(world.opener(BEFORE), made, rules(ahead=SUMMER), author="a")
    sweep_all(world.opener(BEFORE))
    rebuild(world, BEFORE)
    assert sizes(world) == {"unsegmented": 3}
    return made


def rebuilds(world: World) -> int:
    """How many were asked for since the scene was laid."""
    with world.work() as work:
        sql = "select count(*) from rebuild where requested_at >= :change"
        return int(work.run(text(sql), change=CHANGE).scalar_one())


@pytest.mark.parametrize(("slack", "every"), [(SLACK, 10), (timedelta(hours=2), 600)])
def test_one_change_asks_once_however_often_it_ticks(
    world: World, assignment: int, slack: timedelta, every: int
) -> None:
    """At speed 60 a tick is a business minute, and the slack two hours. Found: thirteen in two minutes."""
    for tick in range(15):
        now = CHANGE + tick * every * SECOND
        sweep_all(world.opener(now), slack)
        if tick % 4 == 0:
            rebuild(world, now)
    assert rebuilds(world) == 1
    assert sizes(world) == {"ahead": 3}


def test_it_asks_once_while_nobody_rebuilds(world: World, assignment: int) -> None:
    for tick in range(15):
        sweep_all(world.opener(CHANGE + tick * 10 * SECOND))
    assert rebuilds(world) == 1
    rebuild(world, CHANGE + 150 * SECOND)
    assert sizes(world) == {"ahead": 3}


def test_who_dies_before_the_mark_is_written_has_asked_for_nothing(
    world: World, assignment: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planted: asked in a transaction of its own; there were two."""

    def die() -> None:
        raise Cut

    acting_before(monkeypatch)(sweeping._SWEPT, die)
    with pytest.raises(Cut):
        sweep(world.opener(CHANGE), assignment)
    assert rebuilds(world) == 0
    rebuild(world, CHANGE)
    sweep(world.opener(CHANGE + SECOND), assignment)
    rebuild(world, CHANGE + SECOND)
    sweep(world.opener(CHANGE + 2 * SECOND), assignment)
    assert (rebuilds(world), sizes(world)) == (1, {"ahead": 3})


def test_two_at_once_ask_once(world: World, assignment: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second looked before the first had written. Planted: the mark taken without its lock."""

    def meanwhile() -> None:
        sweep(world.opener(CHANGE), assignment)
        rebuild(world, CHANGE)

    acting_before(monkeypatch)(sweeping._TAKE, meanwhile)
    sweep(world.opener(CHANGE), assignment)
    assert (rebuilds(world), sizes(world)) == (1, {"ahead": 3})


def test_the_audit_judges_it_properly_all_the_while(world: World, assignment: int) -> None:
    """Before the tick as of the mark, until it is rebuilt not at all, and then again."""
    later = CHANGE + 10 * SECOND
    assert untrue(world, later) == 0
    sweep_all(world.opener(later))
    assert untrue(world, later) == 0
    rebuild(world, later)
    assert untrue(world, later) == 0
    with world.work() as work:
        work.run(text("update placement set segment_id = :s"), s=world.unsegmented(assignment))
    sweep_all(world.opener(later + 10 * SECOND))
    assert untrue(world, later + 10 * SECOND) == 3


def test_whoever_was_moved_by_the_old_clocks_comes_back(world: World, assignment: int) -> None:
    """Begun before the change, committed after the rebuild. Planted: nobody looks again."""
    with world.work() as work:
        customers = list(work.run(text("select customer_id from placement order by 1")).scalars())
    sweep_all(world.opener(CHANGE))
    rebuild(world, CHANGE)
    with world.work(CHANGE - SECOND) as slow:
        moved = resegment(slow, assignment, customers[:1], "event")
    assert len(moved) == 1
    now = CHANGE + 20 * SECOND
    assert sweep_all(world.opener(now)) == 1
    with world.work(now) as work:
        assert differing(work, assignment) == 0
    assert rebuilds(world) == 1


def test_a_worker_whose_clock_is_behind_rebuilds_by_the_new_ones(world: World, assignment: int) -> None:
    """Planted: its own clock; all stayed where they were, and nobody asked again."""
    sweep_all(world.opener(CHANGE))
    rebuild(world, CHANGE - SECOND)
    assert sizes(world) == {"ahead": 3}


def test_a_wish_that_waits_is_as_of_the_last_who_wished(world: World, assignment: int) -> None:
    """Asked for before the change, for another reason. Planted: the instant of the first."""
    publish(world.opener(BEFORE), assignment, rules(ahead=SUMMER), author="b")
    sweep_all(world.opener(CHANGE))
    rebuild(world, BEFORE)
    assert sizes(world) == {"ahead": 3}


def test_whoever_publishes_just_after_a_change_has_asked(world: World) -> None:
    made = world.assignment()
    publish(world.opener(CHANGE), made, rules(ahead=SUMMER), author="a")
    rebuild(world, CHANGE)
    for tick in range(5):
        sweep_all(world.opener(CHANGE + tick * SECOND))
        rebuild(world, CHANGE + tick * SECOND)
    assert rebuilds(world) == 1  # of publishing: the watermark begins there


@pytest.mark.parametrize(
    ("start", "end", "found"),
    [
        (CHANGE - SECOND, CHANGE, CHANGE), (CHANGE, CHANGE + SECOND, None),
        (CHANGE - 2 * SECOND, CHANGE - SECOND, None),
        (CHANGE - SECOND, CHANGE + 3 * SECOND, CHANGE),
        (datetime(1999, 1, 1, tzinfo=UTC), datetime(1999, 2, 1, tzinfo=UTC), None),
    ],
)  # fmt: skip
def test_the_last_change_of_any_zone(start: datetime, end: datetime, found: Any) -> None:
    assert last_change(start, end) == found
