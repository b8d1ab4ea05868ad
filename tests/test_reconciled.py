"""Calls of which nobody told: a late word counts, the rest follows it, their dialer is asked once more."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import pytest
from calls import say, take
from eventually import eventually
from fake_dialer import FakeDialer, SetClock
from sqlalchemy import text
from test_link_ends import at_work, outside
from test_outcomes import attempts, placement, violations
from world import NOON, World, flat_rest

from calling.dialers.untold import WITHIN, hear_late, untold
from calling.handout.due import open_gates, wake_due
from calling.handout.reaper import reap
from calling.views.who_has_whom import unconfirmed
from dialer_adapter.values import Status
from models.outcomes import EFFECTS, Outcome

pytestmark = pytest.mark.once

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
GIVEN_UP = NOON + HOUR


@pytest.mark.parametrize("outcome", Outcome)
def test_a_late_word_on_an_unconfirmed_call_counts_and_the_rest_follows_it(
    world: World, outcome: Outcome
) -> None:
    """Not the gap that was waited until then: its own plan, or closed. Planted: an unconfirmed rest is kept;
    seen to fail."""
    assignment = world.assignment(
        retry_plan={word: flat_rest(1800) for word in ("busy", "no_answer", "machine")}
    )
    (customer,) = world.customers(1, assignment)
    card = take(world, world.seller(assignment))
    reap(world.opener(GIVEN_UP))
    row = placement(world, customer)
    assert (row.state, row.due_at, row.attempts) == ("resting", GIVEN_UP + HOUR, 0)
    late = GIVEN_UP + MINUTE
    told = say(world, card.lease_id, outcome, late, rung_at=NOON)
    row, (attempt,) = placement(world, customer), attempts(world)
    assert (told.kind, told.late, attempt.late, attempt.rung_at) == ("first", True, True, NOON)
    effect = EFFECTS[outcome]
    assert (row.status, row.attempts) == (outcome.value, int(effect.counts))
    assert row.state == ("closed" if effect.after == "close" else "resting")
    if outcome in (Outcome.BUSY, Outcome.NO_ANSWER, Outcome.MACHINE):
        assert row.due_at == late + 30 * MINUTE
    with world.work(late) as work:
        assert list(unconfirmed(work)) == []
    assert violations(world, late) == []


def test_who_is_due_sooner_by_a_late_word_waits_for_the_gap_all_the_same(world: World) -> None:
    """It counts from when they were given up: nobody knew that they did not talk until then."""
    assignment = world.assignment(retry_plan={"busy": flat_rest(60)})
    world.customers(1, assignment)
    seller = world.seller(assignment)
    card = take(world, seller)
    reap(world.opener(GIVEN_UP))
    say(world, card.lease_id, Outcome.BUSY, GIVEN_UP + MINUTE, rung_at=NOON)
    for now, free in ((GIVEN_UP + HOUR - SECOND, False), (GIVEN_UP + HOUR, True)):
        wake_due(world.opener(now))
        open_gates(world.opener(now))
        with world.work(now) as work:
            ready = text("select count(*) from placement where state = 'ready' and gated_by is null")
            assert work.run(ready).scalar_one() == int(free)


class Asked(FakeDialer):
    """Notes after what it was asked; it knows one result, which it told while nobody listened."""

    def __init__(self, lease: UUID, result: str | None) -> None:
        super().__init__(SetClock(GIVEN_UP))
        self.asked: list[UUID] = []
        if result is not None:
            self.tell(lease, "ended", result=result)
        self._kept.clear()
        self._stream.clear()

    async def status(self, lease_ids: Sequence[UUID]) -> list[Status]:
        self.asked += lease_ids
        return await super().status(lease_ids)


def given_up(world: World) -> tuple[int, UUID]:
    """A dialer, and an order of its that was rung and of which it told no more."""
    dialer, lease = outside(world)
    with world.work() as work:
        work.run(text("update lease set state = 'rung', rung_at = :now, expires_at = :now + '1 hour'"))
    reap(world.opener(GIVEN_UP))
    return dialer, lease


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_link_that_has_touch_again_asks_once_more(world: World) -> None:
    """Planted: it does not ask; seen to fail."""
    dialer, lease = await asyncio.to_thread(given_up, world)
    port = Asked(lease, "no_sale")
    async with at_work(world, dialer, port):
        await eventually(lambda: attempts(world))
    assert port.asked == [lease]
    assert [(a.outcome, a.late, a.dialer_id) for a in attempts(world)] == [("no_sale", True, dialer)]


@pytest.mark.parametrize(("later", "asked"), [(WITHIN, True), (WITHIN + SECOND, False)])
def test_only_what_was_given_up_a_short_while_ago_is_asked_for(
    world: World, later: timedelta, asked: bool
) -> None:
    dialer, lease = given_up(world)
    with world.work(GIVEN_UP + later) as work:
        assert untold(work, dialer) == ([lease] if asked else [])
        assert untold(work, world.dialer()) == []
    say(world, lease, Outcome.BUSY, GIVEN_UP + MINUTE, by="dialer")
    with world.work(GIVEN_UP + MINUTE) as work:
        assert untold(work, dialer) == []


def test_what_is_no_outcome_alarms_nobody_and_asking_twice_counts_once(world: World) -> None:
    dialer, lease = given_up(world)
    hear_late(world.opener(GIVEN_UP), dialer, [(lease, "nil")])
    for _ in range(2):
        hear_late(world.opener(GIVEN_UP), dialer, [(lease, "busy")])
    with world.work() as work:
        assert work.run(text("select count(*) from set_aside")).scalar_one() == 0
    assert [a.outcome for a in attempts(world)] == ["busy"]
