"""The business clock: one for all, a second old at most, never backwards."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from world import NOON, World, wait_until

from models.errors import BadInput, Conflict
from wiring.clock import WALL, Clock, ClockBase, read_base, set_clock

WALL_NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


class Hands:
    """Wall and monotonic time, moved by hand; and how often the row was read."""

    def __init__(self, base: ClockBase) -> None:
        self.base, self.wall, self.ticked, self.reads = base, WALL_NOON, 100.0, 0

    def clock(self) -> Clock:
        return Clock(self.read, wall=lambda: self.wall, ticking=lambda: self.ticked)

    def read(self) -> ClockBase:
        self.reads += 1
        return self.base

    def pass_seconds(self, seconds: float) -> None:
        self.wall += timedelta(seconds=seconds)
        self.ticked += seconds


def test_without_a_row_business_time_is_wall_time() -> None:
    hands = Hands(WALL)
    assert hands.clock().now() == WALL_NOON


def test_sixty_times_as_fast() -> None:
    hands = Hands(ClockBase(NOON, WALL_NOON, 60))
    clock = hands.clock()
    hands.pass_seconds(2.5)
    assert clock.now() == NOON + timedelta(seconds=150)


def test_a_stopped_clock_stands_still() -> None:
    hands = Hands(ClockBase(NOON, WALL_NOON, 0))
    clock = hands.clock()
    hands.pass_seconds(3600)
    assert clock.now() == NOON
    assert clock.wall_seconds_until(NOON + SECOND) is None
    assert clock.wall_seconds_until(NOON) == 0


def test_wall_seconds_until_an_opening() -> None:
    hands = Hands(ClockBase(NOON, WALL_NOON, 60))
    clock = hands.clock()
    assert clock.wall_seconds_until(NOON + timedelta(minutes=3)) == pytest.approx(3)
    assert clock.wall_seconds_until(NOON - SECOND) == 0


def test_the_row_is_read_once_a_second_at_most() -> None:
    hands = Hands(ClockBase(NOON, WALL_NOON, 1))
    clock = hands.clock()
    for _ in range(25):
        clock.now()
        hands.pass_seconds(0.1)
    assert hands.reads == 3


def test_a_new_speed_is_seen_within_a_second() -> None:
    hands = Hands(ClockBase(NOON, WALL_NOON, 1))
    clock = hands.clock()
    clock.now()
    hands.base = ClockBase(NOON + 3600 * SECOND, WALL_NOON, 1)
    hands.pass_seconds(1.0)
    assert clock.now() == NOON + 3601 * SECOND


@given(st.lists(st.tuples(st.floats(-90, 90), st.floats(0, 120), st.integers(-3600, 3600)), max_size=30))
def test_it_never_runs_backwards(moves: list[tuple[float, float, int]]) -> None:
    """Whatever the wall clock is set to, and whatever the row becomes. Planted: no `max`; fails at once."""
    hands = Hands(ClockBase(NOON, WALL_NOON, 1))
    clock = hands.clock()
    shown = clock.now()
    for wall_jump, speed, business_jump in moves:
        hands.wall += timedelta(seconds=wall_jump)
        hands.ticked += abs(wall_jump)
        hands.base = ClockBase(NOON + business_jump * SECOND, WALL_NOON, speed)
        before, shown = shown, clock.now()
        assert shown >= before


def test_a_database_that_gets_its_clock_may_start_in_the_past() -> None:
    hands = Hands(WALL)
    clock = hands.clock()
    assert clock.now() == WALL_NOON
    hands.base = ClockBase(NOON, WALL_NOON, 60)
    hands.pass_seconds(1)
    assert clock.now() == NOON + 60 * SECOND


def test_the_served_value_is_plain() -> None:
    served = ClockBase(NOON, WALL_NOON, 60.0).served()
    assert served == {
        "business_at": "2026-03-02T12:00:00+00:00",
        "wall_at": "2026-11-01T12:00:00+00:00",
        "speed": 60.0,
    }


def at(wall: datetime) -> Callable[[], datetime]:
    return lambda: wall


def test_set_and_read_back(world: World) -> None:
    with world.app.shared() as session:
        assert read_base(session) is WALL
        written = set_clock(session, NOON, 60, wall=at(WALL_NOON))
    with world.app.shared() as session:
        assert read_base(session) == written == ClockBase(NOON, WALL_NOON, 60.0)


def test_setting_it_back_is_a_conflict(world: World) -> None:
    """A minute later it is 13:00 at 60 times the speed. Planted: the row itself compared."""
    with world.app.shared() as session:
        set_clock(session, NOON, 60, wall=at(WALL_NOON))
    later = WALL_NOON + timedelta(minutes=1)
    with pytest.raises(Conflict, match="never runs backwards"), world.app.shared() as session:
        set_clock(session, NOON + timedelta(minutes=59), 1, wall=at(later))
    with world.app.shared() as session:
        set_clock(session, NOON + timedelta(minutes=60), 1, wall=at(later))


def test_two_who_start_it_at_once_agree(world: World) -> None:
    """The second waits and then finds the first's row. Planted: no lock; the earlier start won."""
    late, early = NOON + timedelta(hours=1), NOON
    with ThreadPoolExecutor(1) as pool:
        with world.app.shared() as session:
            set_clock(session, late, 1, wall=at(WALL_NOON))
            second = pool.submit(start, world, early)
            wait_until(lambda: bool(world.waited_for()))
        with pytest.raises(Conflict):
            second.result(10)
    with world.app.shared() as session:
        assert read_base(session).business_at == late


def start(world: World, business_at: datetime) -> None:
    with world.app.shared() as session:
        set_clock(session, business_at, 1, wall=at(WALL_NOON))


def test_nonsense_is_refused(world: World) -> None:
    with world.app.shared() as session:
        with pytest.raises(BadInput):
            set_clock(session, NOON, -1)
        with pytest.raises(BadInput):
            set_clock(session, NOON.replace(tzinfo=None), 1)


def test_the_app_follows_the_row(world: World) -> None:
    with world.app.shared() as session:
        set_clock(session, NOON, 0)
    world.app.clock = Clock(world.app._read_clock)
    assert world.app.now() == NOON
    with world.app.work(world.crm_id) as work:
        assert work.now == NOON
