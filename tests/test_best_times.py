"""When customers answer: by their own clocks, in what is in force, and believed as far as there are calls."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shell import Shell
from sqlalchemy import text
from web_client import api_of
from world import NOON, World

from calling.views.best_times import PRIOR, BestTimes, best_times, shrunk
from models.errors import NotFound

_INSERT = text("""
    insert into attempt (crm_id, lease_id, revision, kind, assignment_id, customer_id, segment_id,
                         rule_version, e164, zone, outcome, status, counted, late, rung_at, reported_at)
    select :crm_id, (lpad(to_hex((extract(epoch from cast(:at as timestamptz)) * 1000)::bigint), 12, '0')
                     || '70008000' || lpad(to_hex(:number + i), 12, '0'))::uuid,
           :revision, :kind, :assignment, :customer, 1, 0, '+351900000000', :zone, :outcome, 'x', 1, false,
           :at, :at
      from generate_series(1, :times) i
""")


@pytest.fixture
def spring(world: World) -> int:
    return world.assignment("Spring")


class Log:
    """Attempts as they may have been: (when, where, how often, to what)."""

    def __init__(self, world: World, assignment: int) -> None:
        self.world, self.assignment, self.number = world, assignment, 0
        (self.customer,) = world.customers(1)

    def call(
        self, at: datetime, times: int, outcome: str, zone: str = "Europe/Lisbon", *, again: str | None = None
    ) -> None:
        """`again`: completed by another outcome afterwards."""
        for revision, kind, what in ((0, "first", outcome), (1, "completion", again)):
            if what is not None:
                with self.world.work() as work:
                    work.run(
                        _INSERT, at=at, number=self.number, revision=revision, kind=kind, times=times,
                        assignment=self.assignment, customer=self.customer, zone=zone, outcome=what,
                    )  # fmt: skip
        self.number += times


def asked(world: World, assignment: int) -> BestTimes:
    with world.work() as work:
        return best_times(work, assignment)


def test_hours_are_those_of_the_customers_clock_and_the_last_word_counts(world: World, spring: int) -> None:
    """Planted: hours in UTC; the first revision; each seen to fail."""
    log = Log(world, spring)
    monday = datetime(2026, 2, 23, 12, tzinfo=UTC)
    log.call(monday, 3, "no_answer")
    log.call(monday, 2, "answered", "Asia/Tokyo")  # 21:00 there
    log.call(monday, 4, "answered", again="machine")
    found = asked(world, spring)
    called = {(s.weekday, s.hour): (s.attempts, s.contacts) for s in found.slots if s.attempts}
    assert called == {(0, 12): (7, 0), (0, 21): (2, 2)}
    assert (found.attempts, found.rate, len(found.slots)) == (9, 2 / 9, 168)
    assert {place: len(slots) for place, slots in found.places.items()} == {"PT": 168}
    with world.work() as work, pytest.raises(NotFound):
        best_times(work, 99)


def test_few_calls_are_not_believed_and_many_are(world: World, spring: int) -> None:
    """One lucky call makes no best hour. Planted: the bare share; it did."""
    log = Log(world, spring)
    log.call(datetime(2026, 2, 23, 10, tzinfo=UTC), 900, "no_answer")
    log.call(datetime(2026, 2, 23, 10, tzinfo=UTC), 100, "answered")
    log.call(datetime(2026, 2, 24, 17, tzinfo=UTC), 600, "no_answer")
    log.call(datetime(2026, 2, 24, 17, tzinfo=UTC), 400, "answered")
    log.call(datetime(2026, 2, 25, 9, tzinfo=UTC), 1, "answered")
    best = asked(world, spring).best()
    assert [(slot.weekday, slot.hour) for slot in best] == [(1, 17), (2, 9), (0, 10)]
    assert best[0].rate == pytest.approx(0.4, abs=0.02)
    assert best[2].rate == pytest.approx(0.1, abs=0.02)


def test_calls_of_long_ago_say_nothing(world: World, spring: int) -> None:
    from calling.outcomes.attempts import ensure_months

    long_ago = NOON - timedelta(days=120)
    with world.app.shared() as session:
        ensure_months(session, long_ago)
    Log(world, spring).call(long_ago, 5, "answered")
    assert (asked(world, spring).attempts, asked(world, spring).rate) == (0, None)


@given(st.integers(0, 10_000), st.floats(0, 1), st.floats(0, 1))
def test_a_rate_lies_between_its_own_and_what_is_expected(
    attempts: int, share: float, expected: float
) -> None:
    contacts = round(attempts * share)
    rate, own = shrunk(contacts, attempts, expected), contacts / attempts if attempts else expected
    assert min(own, expected) - 1e-9 <= rate <= max(own, expected) + 1e-9
    if attempts == PRIOR:
        assert rate == pytest.approx((own + expected) / 2)


def test_it_is_drawn_and_answered(world: World, spring: int, monkeypatch: pytest.MonkeyPatch) -> None:
    shell = Shell(world, monkeypatch)
    assert "Nobody was called yet" in shell.ok("best-times").out
    log = Log(world, spring)
    log.call(datetime(2026, 2, 23, 17, tzinfo=UTC), 40, "answered")
    log.call(datetime(2026, 2, 23, 10, tzinfo=UTC), 40, "no_answer")
    shown = shell.ok("best-times", "--place", "PT").out
    assert "Mon 17-18" in shown
    assert "██" in shown
    assert "there are PT" in shell.run("best-times", "--place", "NO").err
    with api_of(world) as api:
        told = api.manager().ok("GET", f"/assignments/{spring}/best-times")
        assert (told["attempts"], told["rate"], len(told["slots"])) == (80, 0.5, 168)
