"""When somebody is tried again: growth, jitter, the other part of the day, the end.

Planted, each seen to fail by a test of this file: a longest below the delay, growth from the first time on, a
rest that shrinks, parts of the day by UTC, the night an evening, a jitter that only adds.
"""

from datetime import UTC, datetime, timedelta
from functools import cache, partial
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hours_oracle import DAYS, by_law, minutes, wall, zones_of_the_package
from hypothesis import example, given, settings
from hypothesis import strategies as st

from calling.hours.clocks import Clock
from calling.hours.timetable import Timetable
from calling.hours.week import read_week
from calling.outcomes.retrying import DEFAULTS, PARTS, RetryPlan, next_part, part_of, plan_of
from models.outcomes import EFFECTS, Outcome
from models.zones import zone, zone_names

LISBON = "Europe/Lisbon"
LEASE = UUID(int=7)
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

ZONES = st.sampled_from(
    [LISBON, "Atlantic/Azores", "America/New_York", "Africa/Cairo", "Asia/Kathmandu", "Pacific/Chatham",
     "America/Havana", "Australia/Lord_Howe", "Pacific/Kiritimati"]
)  # fmt: skip
# Summer time begins and ends in these months.
BEGIN = datetime(2026, 2, 20, tzinfo=UTC)
INSTANTS = st.integers(0, 260 * 86_400).map(lambda seconds: BEGIN + timedelta(seconds=seconds))
LEASES = st.uuids(version=4)
PLANS = st.builds(
    RetryPlan,
    delay=st.integers(0, 3 * 86_400), growth=st.floats(1, 5), jitter=st.floats(0, 1),
    longest=st.integers(60, 14 * 86_400), other_part=st.booleans(),
)  # fmt: skip


@given(PLANS, LEASES, st.integers(1, 300), INSTANTS, ZONES)
def test_it_is_never_before_now_and_the_same_for_the_same_lease(
    plan: RetryPlan, lease: UUID, times: int, now: datetime, where: str
) -> None:
    """Within delay and jitter, and at most a day more for the other part of the day."""
    due = plan.due(lease, times, now, now, where)
    assert due == plan.due(UUID(int=lease.int), times, now, now, where)
    most = max(plan.longest, plan.delay) * (1 + plan.jitter)
    assert (
        timedelta(0)
        <= due - now
        <= timedelta(seconds=most + 1) + (26 * HOUR if plan.other_part else 0 * HOUR)
    )
    assert due - now >= timedelta(seconds=plan.delay * (1 - plan.jitter) - 1)


@given(PLANS, LEASES, st.integers(1, 50), INSTANTS, ZONES)
def test_it_never_gets_shorter_with_each_time(
    plan: RetryPlan, lease: UUID, times: int, now: datetime, where: str
) -> None:
    assert plan.due(lease, times, now, now, where) <= plan.due(lease, times + 1, now, now, where)


@given(LEASES, st.integers(0, 3 * 86_400), INSTANTS, ZONES)
@example(LEASE, 0, datetime(2026, 3, 2, 22, tzinfo=UTC), LISBON)
@example(LEASE, 0, datetime(2026, 3, 2, 5, 59, tzinfo=UTC), LISBON)
def test_the_other_part_of_the_day_is_another(lease: UUID, delay: int, now: datetime, where: str) -> None:
    """And no later than it has to be; nobody is tried again in the night for that."""
    plan = RetryPlan(delay, other_part=True)
    due = plan.due(lease, 1, now, now, where)
    assert part_of(due, where) != part_of(now, where)
    assert 6 <= due.astimezone(zone(where)).hour < 21
    soonest = now + timedelta(seconds=delay)
    if part_of(soonest, where) != part_of(now, where) and 6 <= soonest.astimezone(zone(where)).hour < 21:
        assert due == soonest
    else:
        assert (
            part_of(due - timedelta(seconds=1), where) == part_of(now, where)
            or due.astimezone(zone(where)).hour == PARTS[0][1].hour
        )
        assert soonest < due <= soonest + 16 * HOUR


WEEKS: tuple[dict[str, Any], ...] = (
    {day: [["00:00", "24:00"]] for day in DAYS},
    {day: [["09:00", "20:00"]] for day in DAYS[:5]},
    {day: [["09:00", "11:30"]] for day in DAYS},  # never in another part of the day than the morning
    {"tue": [["13:00", "14:00"]], "sat": [["18:00", "19:30"]]},
    {},
)
NIGHTS = [
    datetime(2026, *day, tzinfo=UTC)
    for day in ((3, 7), (3, 28), (4, 4), (4, 23), (10, 3), (10, 24), (10, 31))
]
"""Eves of changes of clocks."""


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(sorted(zone_names())), st.sampled_from(["PT", "FR", "US-FL", "NO", "GB"]),
    st.sampled_from(WEEKS), st.sampled_from(NIGHTS), st.integers(0, 2 * 86_400), st.integers(0, 86_400),
)  # fmt: skip
@example("Europe/Paris", "FR", WEEKS[0], NIGHTS[1], 11 * 3600, 2 * 3600)  # its second interval begins at 14
@example("Europe/Lisbon", "PT", WEEKS[2], NIGHTS[1], 10 * 3600, 4 * 3600)
def test_the_other_part_is_one_in_which_hours_are_open(
    where: str, place: str, week: dict[str, Any], night: datetime, tried: int, rest: int
) -> None:
    """In every zone, over nights that change the clock, against a look at each minute of the walls.

    Planted: the part of the day of what was asked for instead of the opening's; seen to fail.
    """
    clock, table = Clock(1, (where,), (place,)), Timetable(read_week(week))
    tried_at = night + timedelta(seconds=tried)
    with zones_of_the_package():
        wanted = by_minutes(ZoneInfo(where), place, week, tried_at, tried_at + timedelta(seconds=rest))
    due = RetryPlan(rest, other_part=True).due(
        LEASE, 1, tried_at, tried_at, where, partial(table.next_opening, clock)
    )
    assert due == wanted


def by_minutes(
    there: ZoneInfo, place: str, week: dict[str, Any], tried_at: datetime, soonest: datetime
) -> datetime:
    """The first minute of two weeks that is open, and so are its neighbours, in another part of the day."""

    def part(at: datetime) -> int:
        minute = wall(there, at)[1]
        return 2 if 1020 <= minute < 1260 else 1 if 720 <= minute < 1020 else 0

    def day_there(at: datetime) -> bool:
        return 360 <= wall(there, at)[1] < 1260

    @cache
    def fits(at: datetime) -> bool:
        day, minute = wall(there, at)
        return minute in by_law(place, day) & minutes(week.get(DAYS[day.weekday()], []))

    first, at = None, soonest
    while at < soonest + 14 * DAY:
        begun = at.replace(second=0)
        if all(fits(begun + n * MINUTE) for n in (-1, 0, 1)):
            first = first or at
            if part(at) != part(tried_at) and day_there(at):
                return at
        at = begun + MINUTE
    return first or soonest


@pytest.mark.parametrize(
    ("local", "part", "then"),
    [((8, 0), "morning", (2, 12)), ((11, 59), "morning", (2, 12)), ((12, 0), "afternoon", (2, 17)),
     ((17, 0), "evening", (3, 6)), ((20, 59), "evening", (3, 6)), ((21, 0), "morning", (3, 12)),
     ((2, 0), "morning", (2, 12))],
)  # fmt: skip
def test_the_parts_of_a_day(local: tuple[int, int], part: str, then: tuple[int, int]) -> None:
    at = datetime(2026, 3, 2, *local, tzinfo=zone("America/New_York"))
    assert part_of(at, "America/New_York") == part
    day, hour = then
    assert next_part(at, "America/New_York") == datetime(2026, 3, day, hour, tzinfo=zone("America/New_York"))


def test_a_zone_that_there_is_not_stops_no_outcome() -> None:
    """Planted: it does; seen to fail."""
    plan = RetryPlan(4 * 3600, other_part=True)
    assert plan.due(LEASE, 1, NOON, NOON, "Europe/Nowhere") == plan.due(LEASE, 1, NOON, NOON, "Etc/UTC")


def test_growth_jitter_and_the_end() -> None:
    plan = RetryPlan(600, growth=2, longest=3600, final_after=3)
    rests = [(plan.due(LEASE, n, NOON, NOON, LISBON) - NOON).total_seconds() for n in range(1, 6)]
    assert rests == [600, 1200, 2400, 3600, 3600]
    assert [plan.final(n) for n in (1, 2, 3, 4)] == [False, False, True, True]
    jittery = RetryPlan(36_000, jitter=0.1)
    spread = {(jittery.due(UUID(int=n), 1, NOON, NOON, LISBON) - NOON) // HOUR for n in range(200)}
    assert spread == {9, 10}
    assert len({jittery.due(UUID(int=n), 1, NOON, NOON, LISBON) for n in range(200)}) > 150


def test_every_outcome_that_rests_has_a_plan_and_an_assignment_says_what_it_likes() -> None:
    assert set(DEFAULTS) == {outcome for outcome, effect in EFFECTS.items() if effect.after == "rest"}
    own = {"busy": {"delay": 60, "final_after": 2}}
    assert plan_of(Outcome.BUSY, own) == RetryPlan(60, growth=2, longest=86_400, final_after=2)
    assert plan_of(Outcome.NO_ANSWER, own) == DEFAULTS[Outcome.NO_ANSWER]
