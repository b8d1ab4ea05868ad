"""A late word while a later lease holds the customer: what is on a screen is flagged, and who has it told."""

from datetime import timedelta

import pytest
from calls import say, take
from sqlalchemy import text
from test_outcomes import tell, violations
from world import NOON, World

from calling.dialers.inbox import Told
from calling.dialers.orders import to_offer
from calling.handout.allocate import allocate_all
from calling.handout.hand_out import HandOut
from calling.handout.heartbeat import alive
from calling.handout.reaper import reap
from calling.handout.ring import ring
from calling.handout.screen import on_screen
from calling.outcomes.outcome import Report, record
from models.outcomes import Outcome

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
LATE = NOON + HOUR + MINUTE


def one_after_the_other(world: World) -> tuple[int, int, HandOut]:
    """Ana's card has expired, Bea is there: (assignment, Bea, Ana's card)."""
    assignment = world.assignment()
    world.customers(1, assignment)
    ana, bea = world.seller(assignment), world.seller(assignment, presence="away")
    first = take(world, ana, rung=False)
    reap(world.opener(NOON + HOUR))
    with world.work() as work:
        work.run(
            text("update seller set presence = case id when :bea then 'available' else 'away' end"), bea=bea
        )
    return assignment, bea, first


def flag_of(world: World, card: HandOut) -> str | None:
    with world.work() as work:
        found: str | None = work.run(
            text("select flagged from lease where id = :l"), l=card.lease_id
        ).scalar()
    return found


@pytest.mark.parametrize("rung", [False, True])
def test_a_started_later_lease_is_flagged_and_who_has_it_is_told(world: World, rung: bool) -> None:
    """Planted: `afterwards` as it was, which only recalls; seen to fail."""
    _, bea, first = one_after_the_other(world)
    second = take(world, bea, NOON + HOUR, rung=rung)
    told = say(world, first.lease_id, Outcome.BUSY, LATE, rung_at=NOON)
    assert (told.later_lease, told.later_is) == (second.lease_id, "flagged")
    assert flag_of(world, second) == "busy"
    assert {hint.subject for hint in world.hints if hint.kind == "lease_taken_away"} >= {bea}
    with world.work(LATE) as work:
        card = on_screen(work, bea)
        assert alive(work, bea, LATE).flagged == "busy"
    assert card is not None
    assert (card.lease_id, card.flagged) == (second.lease_id, "busy")
    assert flag_of(world, first) is None
    assert say(world, second.lease_id, Outcome.SALE, LATE + MINUTE).state == "closed"
    assert violations(world, LATE + MINUTE) == []


def test_an_offered_one_is_recalled_and_that_is_what_is_told(world: World) -> None:
    assignment, _, first = one_after_the_other(world)
    allocate_all(world.opener(NOON + HOUR), assignment)
    told = say(world, first.lease_id, Outcome.SALE, LATE)
    assert told.later_lease is not None
    assert told.later_is == "recalled"


def test_an_order_that_is_outside_is_wanted_back_and_flagged_once_it_was_taken(world: World) -> None:
    """Its dialer may have taken it before the recall came. Planted: the reaper flags nobody; seen to fail."""
    assignment, bea, first = one_after_the_other(world)
    with world.work() as work:
        work.run(text("update seller set presence = 'away'"))
    dialer = world.dialer(assignment, wanted=1, wanted_at=NOON + HOUR)
    allocate_all(world.opener(NOON + HOUR), assignment)
    with world.work(NOON + HOUR) as work:
        (order,) = to_offer(work, dialer)
    told = say(world, first.lease_id, Outcome.NO_SALE, NOON + HOUR + timedelta(seconds=5))
    assert (told.later_lease, told.later_is) == (order.lease_id, "wanted_back")
    tell(world, dialer, Told("1", order.lease_id, "taken", NOON + HOUR, {}), now=LATE)
    reap(world.opener(LATE))
    with world.work() as work:
        row = work.run(text("select state, flagged from lease where id = :l"), l=order.lease_id).one()
    assert (row.state, row.flagged) == ("taken", "no_sale")
    assert bea


def test_a_crash_before_the_flag_is_made_good_by_the_reaper(world: World) -> None:
    """Planted: the reaper flags nobody; seen to fail."""
    _, bea, first = one_after_the_other(world)
    second = take(world, bea, NOON + HOUR)
    with world.work(LATE) as work:
        (recorded,) = record(work, [Report(first.lease_id, Outcome.NO_ANSWER, "seller")])
    assert (recorded.later_lease, recorded.later_is, flag_of(world, second)) == (second.lease_id, None, None)
    reap(world.opener(LATE))
    assert flag_of(world, second) == "no_answer"


def test_what_was_told_before_a_lease_began_flags_nobody(world: World) -> None:
    """Or every second call of anybody would be flagged. Planted: any earlier attempt flags; seen to fail."""
    assignment = world.assignment(retry_seconds={"busy": 60}, gap_seconds=0)
    world.customers(1, assignment)
    ana = world.seller(assignment)
    say(world, take(world, ana).lease_id, Outcome.BUSY, NOON)
    with world.work() as work:
        work.run(text("update placement set state = 'ready', due_at = null"))
    second = take(world, ana, LATE)
    reap(world.opener(LATE))
    assert flag_of(world, second) is None


def test_a_flag_does_not_keep_from_ringing_what_gates_allow(world: World) -> None:
    """A person decides; the gates still do: who bought in the earlier call is not rung."""
    _, bea, first = one_after_the_other(world)
    second = take(world, bea, NOON + HOUR, rung=False)
    say(world, first.lease_id, Outcome.CONGESTION, LATE)
    assert flag_of(world, second) == "congestion"
    with world.work(LATE) as work:
        assert ring(work, second.lease_id, bea).lease_id == second.lease_id
