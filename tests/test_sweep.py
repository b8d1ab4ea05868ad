"""Time alone moves customers at the tick: exactly, after an outage too, and by index."""

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from interleaving import acting_before
from sqlalchemy import text
from world import NOON, World

from calling.handout.due import wake_due
from calling.handout.hand_out import next_customer
from calling.handout.reaper import reap
from calling.handout.ring import ring
from calling.intake.placing import place
from calling.outcomes.outcome import Report, record_all
from calling.segments import sweeping
from calling.segments.publishing import publish
from calling.segments.resegmenting import rebuilds_to_do, run_rebuild
from calling.segments.sweeping import sweep, sweep_all
from calling.views.audit import audit
from models.errors import Unavailable
from models.outcomes import Outcome
from models.work import OpenWork
from segmentation import sweep as swept
from segmentation.resegment import differing

HOUR, DAY, SECOND = timedelta(hours=1), timedelta(days=1), timedelta(seconds=1)


def rebuild(world: World, now: datetime = NOON) -> None:
    for key in rebuilds_to_do(world.opener(now)):
        run_rebuild(world.opener(now), key)


def rules(**when: dict[str, Any]) -> dict[str, Any]:
    return {"segments": [{"key": key, "name": key, "when": rule} for key, rule in when.items()]}


def sizes(world: World) -> dict[str, int]:
    sql = "select s.key, count(*) from placement p join segment s on s.id = p.segment_id group by 1"
    with world.work() as work:
        return dict(tuple(row) for row in work.run(text(sql)))


def call(world: World, assignment: int, seller: int, now: datetime) -> None:
    handed = next_customer(world.opener(now), seller)
    assert handed is not None
    record_all(world.opener(now), [Report(handed.lease_id, Outcome.NO_ANSWER, "seller")])


def test_a_rule_of_time_comes_true_at_its_tick_and_not_before(world: World) -> None:
    """Planted: the offset forgotten; the watermark not written; the end of the range left out."""
    assignment = world.assignment()
    world.customers(3)
    place(world.opener(), assignment)
    seller = world.seller(assignment)
    old = {"f": "last_call", "op": "older_than", "v": "3d"}
    publish(world.opener(), assignment, rules(cold=old), author="a")
    rebuild(world)
    call(world, assignment, seller, NOON)
    assert sweep(world.opener(NOON + 3 * DAY - SECOND), assignment) == 0
    assert sweep(world.opener(NOON + 3 * DAY), assignment) == 1
    assert sizes(world) == {"cold": 1, "unsegmented": 2}
    assert swept_to(world) == NOON + 3 * DAY
    assert sweep_all(world.opener(NOON + 3 * DAY + SECOND)) == 0
    assert swept_to(world) == NOON + 3 * DAY + SECOND


@pytest.mark.parametrize(
    ("field", "op", "span", "after"),
    [
        ("last_call", "older_than", "3d", 3 * DAY), ("entered", "older_than", "3d", 3 * DAY),
        ("customer_since", "older_than", "3d", 3 * DAY), ("due", "due_within", "2h", 2 * HOUR),
    ],
)  # fmt: skip
def test_each_instant_comes_true_at_its_very_tick(
    world: World, field: str, op: str, span: str, after: timedelta
) -> None:
    """No slack, so that only the tick's own range can find it. Planted: the end of each range left out."""
    assignment = world.assignment(retry_seconds={"no_answer": 4 * 3600})
    world.customers(1)
    place(world.opener(), assignment)
    publish(world.opener(), assignment, rules(then={"f": field, "op": op, "v": span}), author="a")
    rebuild(world)
    call(world, assignment, world.seller(assignment), NOON)
    assert sizes(world) == {"unsegmented": 1}
    assert sweep(world.opener(NOON + after - SECOND), assignment, timedelta()) == 0
    assert sweep(world.opener(NOON + after), assignment, timedelta()) == 1


def swept_to(world: World) -> datetime:
    """The watermark: from here, less the slack, the next sweep looks."""
    with world.work() as work:
        mark: datetime = work.run(text("select swept_to from sweep")).scalar_one()
    return mark


def test_an_outage_is_caught_up(world: World) -> None:
    """A week without a tick: everything that came true meanwhile, in one sweep."""
    assignment = world.assignment()
    world.customers(4)
    place(world.opener(), assignment)
    fresh = {"f": "entered", "op": "within_last", "v": "2d"}
    publish(world.opener(), assignment, rules(fresh=fresh), author="a")
    rebuild(world)
    assert sizes(world) == {"fresh": 4}
    assert sweep(world.opener(NOON + 7 * DAY), assignment) == 4
    assert sizes(world) == {"unsegmented": 4}


@pytest.mark.parametrize(
    "when",
    [{"f": "born", "op": "anniversary_within", "v": "0d"}, {"f": "born", "op": "on", "v": "today"}],
    ids=["anniversary", "today"],
)  # fmt: skip
def test_who_was_placed_during_an_outage_is_caught_up_too(world: World, when: dict[str, Any]) -> None:
    """No tick for two days; an outcome on the day between lets the customer in for that day alone.

    Planted: only the first and the last day of the range compared; they stayed in for ever.
    """
    world.field("born", "date")
    assignment = world.assignment(gap_seconds=0)
    world.customers(1, assignment, fields=lambda _: {"born": "2026-03-03"})
    publish(world.opener(), assignment, rules(day=when), author="a")
    rebuild(world)
    sweep_all(world.opener())
    call(world, assignment, world.seller(assignment), NOON + DAY)
    assert sizes(world) == {"day": 1}
    sweep_all(world.opener(NOON + 2 * DAY))
    assert sizes(world) == {"unsegmented": 1}
    with world.work(NOON + 2 * DAY) as work:
        assert differing(work, assignment) == 0


def test_an_assignment_that_is_locked_out_keeps_no_other_waiting(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told, and tried again at the next tick. Seen to fail before: those after it were left out."""
    fresh = {"f": "entered", "op": "within_last", "v": "2d"}
    assignments = [world.assignment(), world.assignment()]
    world.customers(1)
    for assignment in assignments:
        place(world.opener(), assignment)
        publish(world.opener(), assignment, rules(fresh=fresh), author="a")
    rebuild(world)
    later = world.opener(NOON + 3 * DAY)
    follow = sweeping._follow
    refuse = {assignments[0]}

    def locked_out(open_work: OpenWork, look: Any) -> int:
        if look.assignment_id in refuse:
            raise Unavailable("a lock was not given in time")
        return follow(open_work, look)

    monkeypatch.setattr(sweeping, "_follow", locked_out)
    with pytest.raises(Unavailable):
        sweep_all(later)
    assert sizes(world) == {"fresh": 1, "unsegmented": 1}
    refuse.clear()
    assert sweep_all(later) == 1
    assert sizes(world) == {"unsegmented": 2}


def test_what_committed_late_is_not_lost(world: World) -> None:
    """Written with a time below the watermark, visible after it. Planted: no slack; it never moved."""
    assignment = world.assignment()
    world.customers(1)
    publish(
        world.opener(), assignment, rules(seen={"f": "entered", "op": "older_than", "v": "1m"}), author="a"
    )
    rebuild(world)
    with world.work(NOON) as slow:
        slow.run(text("select 1"))
        sweep(world.opener(NOON + 61 * SECOND), assignment)
    place(world.opener(NOON), assignment)
    assert sweep(world.opener(NOON + 62 * SECOND), assignment) == 1


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_tick_leaves_the_segments_true(world: World, seed: int) -> None:
    """P6 by random rules of time over random calls and dates, ticking through midnights of three zones."""
    dice = Random(seed)
    world.field("renewal", "date")
    clocks = [world.clock([zone]) for zone in ("Europe/Lisbon", "Atlantic/Azores", "Asia/Tokyo")]
    assignment = world.assignment(gap_seconds=0, max_attempts=255)
    for index, zone in enumerate(("Europe/Lisbon", "Atlantic/Azores", "Asia/Tokyo")):
        days = [str((NOON + dice.randint(-20, 20) * DAY).date()) for _ in range(12)]
        made = world.customers(
            12, fields=[{"renewal": day} for day in days].__getitem__, clock_id=clocks[index]
        )
        with world.work() as work:
            work.run(text("update customer set reckoning_zone = :z where id = any(:c)"), z=zone, c=made)
    place(world.opener(), assignment)
    choices = [
        {"f": "last_call", "op": "older_than", "v": f"{dice.randint(2, 30)}h"},
        {"f": "last_call", "op": "on", "v": dice.choice(["today", "yesterday", "this_week"])},
        {"f": "renewal", "op": "due_within", "v": f"{dice.randint(1, 5)}d"},
        {"f": "renewal", "op": "on", "v": dice.choice(["today", "tomorrow", "this_month", "next_week"])},
        {"f": "renewal", "op": "anniversary_within", "v": f"{dice.randint(1, 9)}d"},
        {"f": "entered", "op": "within_last", "v": f"{dice.randint(5, 60)}h"},
    ]
    dice.shuffle(choices)
    body = rules(a={"any": choices[:2]}, b={"all": [choices[2], {"not": choices[3]}]}, c=choices[4])
    publish(world.opener(), assignment, body, author="a")
    rebuild(world)
    sellers, now, moved = [world.seller(assignment) for _ in range(2)], NOON, 0
    for _ in range(60):
        now += timedelta(minutes=dice.choice([1, 20, 90, 400]))
        if 9 <= now.hour < 18 and dice.random() < 0.5:
            handed = next_customer(world.opener(now), dice.choice(sellers))
            if handed is not None:
                record_all(world.opener(now), [Report(handed.lease_id, Outcome.NO_ANSWER, "seller")])
        moved += sweep(world.opener(now), assignment)
        with world.work(now) as work:
            assert differing(work, assignment) == 0, now
    assert moved > 0


def test_days_are_kept_in_step_and_odd_ones_are_no_days(world: World) -> None:
    world.field("renewal", "date")
    values = ["2026-03-02", "2026-02-30", "soon", ""]
    ids = world.customers(4, fields=lambda i: {"renewal": values[i]})
    assert days(world) == {ids[0]: ("2026-03-02", 302)}
    with world.work() as work:
        sql = "update customer set fields = jsonb_build_object('renewal', '2026-12-24') where id = :c"
        work.run(text(sql), c=ids[1])
        work.run(text("update customer set fields = '{}' where id = :c"), c=ids[0])
    assert days(world) == {ids[1]: ("2026-12-24", 1224)}


def days(world: World) -> dict[int, tuple[str, int]]:
    with world.work() as work:
        rows = work.run(text("select customer_id, day::text as day, year_day from customer_day"))
        return {row.customer_id: (row.day, row.year_day) for row in rows}


def test_a_midnight_where_nobody_lives_is_passed_over(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somewhere a day always begins: when Lisbon has noon, in Auckland. Planted: every zone asked."""
    world.field("renewal", "date")
    assignment = world.assignment()
    world.customers(2, fields=lambda _: {"renewal": "2026-03-05"})
    place(world.opener(), assignment)
    soon = {"f": "renewal", "op": "due_within", "v": "2d"}
    publish(world.opener(), assignment, rules(soon=soon), author="a")
    rebuild(world)
    asked: list[datetime] = []
    before, now = acting_before(monkeypatch), NOON
    before(swept._DAYS, lambda: asked.append(now))
    while not asked:
        now += HOUR
        sweep(world.opener(now), assignment)
    assert asked == [datetime(2026, 3, 3, tzinfo=UTC)]
    assert sizes(world) == {"soon": 2}


def test_when_clocks_change_a_rule_of_offsets_is_rebuilt(world: World) -> None:
    assignment = world.assignment()
    world.customers(1)
    place(world.opener(), assignment)
    summer = {"f": "local_offset", "op": "eq", "v": 1}
    publish(world.opener(), assignment, rules(ahead=summer), author="a")
    rebuild(world)
    before, after = datetime(2026, 3, 29, 0, 59, tzinfo=UTC), datetime(2026, 3, 29, 1, tzinfo=UTC)
    sweep(world.opener(before), assignment)
    rebuild(world, before)
    assert sizes(world) == {"unsegmented": 1}
    sweep(world.opener(after), assignment)
    rebuild(world, after)
    assert sizes(world) == {"ahead": 1}


def test_a_rest_that_ends_is_followed(world: World) -> None:
    """`due` is empty once they are ready. Planted: `follow` left out of the waking; P6 was broken."""
    assignment = world.assignment(gap_seconds=0, retry_seconds={"no_answer": 3600})
    world.customers(2)
    place(world.opener(), assignment)
    seller = world.seller(assignment)
    publish(world.opener(), assignment, rules(waits={"f": "due", "op": "not_empty"}), author="a")
    rebuild(world)
    call(world, assignment, seller, NOON)
    assert sizes(world) == {"waits": 1, "unsegmented": 1}
    wake_due(world.opener(NOON + HOUR))
    assert sizes(world) == {"unsegmented": 2}


def test_a_rest_that_begins_without_an_outcome_is_followed(world: World) -> None:
    """They rang, and nobody said what came of it. Planted: `follow` left out of the giving back."""
    assignment = world.assignment()
    world.customers(1)
    place(world.opener(), assignment)
    publish(world.opener(), assignment, rules(waits={"f": "due", "op": "not_empty"}), author="a")
    rebuild(world)
    seller = world.seller(assignment)
    handed = next_customer(world.opener(), seller)
    assert handed is not None
    with world.work() as work:
        ring(work, handed.lease_id, seller)
    reap(world.opener(NOON + 2 * HOUR))
    assert sizes(world) == {"waits": 1}


def test_the_audit_judges_as_of_the_watermark(world: World) -> None:
    """Between two ticks time has moved on: no violation. What was wrong at the last tick is one."""
    assignment = world.assignment()
    world.customers(2)
    place(world.opener(), assignment)
    publish(
        world.opener(), assignment, rules(cold={"f": "entered", "op": "older_than", "v": "1d"}), author="a"
    )
    rebuild(world)
    assert untrue(world, NOON + 2 * DAY) == 0
    sweep(world.opener(NOON + 2 * DAY), assignment)
    with world.work() as work:
        first = "update placement set segment_id = :s where customer_id = (select min(id) from customer)"
        work.run(text(first), s=world.unsegmented(assignment))
    assert untrue(world, NOON + 2 * DAY) == 1


def untrue(world: World, now: datetime) -> int:
    with world.work(now) as work:
        return sum(found.count for found in audit(work) if found.promise == "P6")
