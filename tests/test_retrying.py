"""When somebody is tried again: growth, jitter, the other part of the day, the end.

Planted, each seen to fail by a test of this file: a longest below the delay, growth from the first time on, a
rest that shrinks, parts of the day by UTC, the night an evening, a jitter that only adds.
"""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from calling.outcomes.retrying import DEFAULTS, PARTS, RetryPlan, next_part, part_of, plan_of
from models.outcomes import EFFECTS, Outcome
from models.zones import zone

LISBON = "Europe/Lisbon"
LEASE = UUID(int=7)
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)

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
    """And no later than it has to be."""
    plan = RetryPlan(delay, other_part=True)
    due = plan.due(lease, 1, now, now, where)
    assert part_of(due, where) != part_of(now, where)
    soonest = now + timedelta(seconds=delay)
    if part_of(soonest, where) != part_of(now, where):
        assert due == soonest
    else:
        assert (
            part_of(due - timedelta(seconds=1), where) == part_of(now, where)
            or due.astimezone(zone(where)).hour == PARTS[0][1].hour
        )
        assert soonest < due <= soonest + 16 * HOUR


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
