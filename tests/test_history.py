"""The history of a segment: customers in and out by cause, sizes that add up, and who did what."""

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from ground import Database
from hypothesis import given
from hypothesis import strategies as st
from rebuild_scene import interrupted
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from world import NOON, World

import migrations
from calling.handout.due import wake_due
from calling.handout.hand_out import next_customer
from calling.intake.placing import place
from calling.outcomes.outcome import Report, record_all
from calling.segments.editing import create, delete, rename, reorder
from calling.segments.history import history
from calling.segments.holding import hold, release
from calling.segments.publishing import publish, roll_back, version_in_force, versions
from calling.segments.resegmenting import rebuilds_to_do, run_rebuild
from calling.segments.sweeping import sweep, sweep_all
from calling.views.deeds import in_words
from calling.walls.pause import pause, resume
from models.errors import BadInput, Conflict, NotFound
from models.outcomes import Outcome
from segmentation.reasons import CLOCKS, ENTERED, cause_of, gives_way
from segmentation.rebuilds import request_rebuild

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
TRIED = {"key": "tried", "name": "Tried", "when": {"f": "attempts", "op": "ge", "v": 1}}
WAITS = {"key": "waits", "name": "Waits", "when": {"f": "due", "op": "not_empty"}}
COLD = {"key": "cold", "name": "Cold", "when": {"f": "last_call", "op": "older_than", "v": "3d"}}
OLD = {"key": "old", "name": "Old", "when": {"f": "age", "op": "ge", "v": 60}}


def rebuild(world: World, now: Any = NOON) -> None:
    for key in rebuilds_to_do(world.opener(now)):
        run_rebuild(world.opener(now), key)


def ids(world: World) -> dict[str, int]:
    with world.work() as work:
        return {
            row.key: row.id for row in work.run(text("select key, id from segment where crm_id = :crm_id"))
        }


def of(world: World, key: str, now: Any = NOON, since: Any = NOON - HOUR) -> Any:
    with world.work(now) as work:
        return history(work, ids(world)[key], since, HOUR)


@pytest.fixture
def filled(world: World) -> int:
    """An assignment of ten, four of them old, with two segments by rule."""
    world.field("age")
    assignment = world.assignment(gap_seconds=0)
    world.customers(10, fields=lambda i: {"age": 70 if i < 4 else 30})
    place(world.opener(), assignment)
    publish(world.opener(), assignment, {"segments": [TRIED, OLD]}, author="Ann")
    rebuild(world)
    return assignment


def test_each_move_stands_under_its_cause(world: World, filled: int) -> None:
    """Planted: the history left out of the statement that moves; found, here and below."""
    seller = world.seller(filled)
    handed = next_customer(world.opener(), seller)
    assert handed is not None
    record_all(world.opener(), [Report(handed.lease_id, Outcome.NO_ANSWER, "seller")])
    assert of(world, "tried").steps[-1].came == {"event": 1}
    assert of(world, "old").steps[-1].came == {"rule": 4}
    start = of(world, "unsegmented").steps[-1]
    assert (start.came, start.went["rule"]) == ({"entered": 10}, 4)
    with world.work() as work:
        young = work.run(text("select customer_id from placement where segment_id = :s limit 2"),
                         s=ids(world)["unsegmented"]).scalars().all()  # fmt: skip
    hold(world.opener(), filled, young, ids(world)["old"], author="Bo", reason="why", expires_at=NOON + HOUR)
    assert of(world, "old").steps[-1].came == {"rule": 4, "hand": 2}
    release(world.opener(), filled, young[:1], author="Bo")
    assert of(world, "old").steps[-1].went == {"event": 1, "hand": 1}
    sweep_all(world.opener(NOON + HOUR))
    assert of(world, "old", NOON + HOUR).steps[-1].went == {"time": 1}


def test_what_the_ticks_move_stands_under_time(world: World) -> None:
    """A rest that is over, and a rule of time: each tick writes its own."""
    assignment = world.assignment(gap_seconds=0, retry_seconds={"no_answer": 3600})
    world.customers(2)
    place(world.opener(), assignment)
    publish(world.opener(), assignment, {"segments": [WAITS, COLD]}, author="Ann")
    rebuild(world)
    handed = next_customer(world.opener(), world.seller(assignment))
    assert handed is not None
    record_all(world.opener(), [Report(handed.lease_id, Outcome.NO_ANSWER, "seller")])
    wake_due(world.opener(NOON + HOUR))
    assert of(world, "waits", NOON + HOUR).steps[-1].went == {"time": 1}
    three_days = NOON + timedelta(days=3)
    assert sweep(world.opener(three_days), assignment) == 1
    assert of(world, "cold", three_days).steps[-1].came == {"time": 1}


def test_the_sizes_add_up_whatever_happened(world: World, filled: int) -> None:
    """Walked back from today's size by the flows, everybody was nowhere before they entered."""
    dice, everybody = Random(7), list(ids(world).values())
    with world.work() as work:
        customers = work.run(text("select customer_id from placement")).scalars().all()
    for hour in range(1, 6):
        some = dice.sample(list(customers), 4)
        then = world.opener(NOON + hour * HOUR)
        hold(then, filled, some, dice.choice(everybody), author="a", reason="r")
        release(then, filled, dice.sample(some, 2), author="a")
    now = NOON + 5 * HOUR
    with world.work(now) as work:
        sizes = "select segment_id, count(*) from placement group by 1"
        today = dict(tuple(row) for row in work.run(text(sizes)))
        for segment in everybody:
            found = history(work, segment, NOON - HOUR, 30 * MINUTE)
            assert (found.size_before, found.size) == (0, today.get(segment, 0))
            assert found.steps[-1].size == found.size
            assert all(step.size >= 0 for step in found.steps)


def test_who_did_what(world: World, filled: int) -> None:
    open_work, segment = world.opener(), ids(world)["old"]
    rename(open_work, filled, "old", "Sixty and up", author="Bo")
    reorder(open_work, filled, ["old", "tried"], author="Bo")
    pause(open_work, "segment", segment, reason="lunch", author="Cy", ends_at=NOON + HOUR)
    resume(open_work, "segment", segment, author="Cy")
    delete(open_work, filled, "old", author="Di")
    deeds = [(deed.deed, deed.author) for deed in of(world, "old").deeds]
    assert deeds == [
        ("created", "Ann"), ("renamed", "Bo"), ("reordered", "Bo"),
        ("paused", "Cy"), ("resumed", "Cy"), ("deleted", "Di"),
    ]  # fmt: skip
    assert of(world, "old").deeds[3].detail == {"reason": "lunch", "until": "2026-03-02T13:00:00+00:00"}


def test_roll_back_brings_back_what_was(world: World, filled: int) -> None:
    """The segment comes back with its id, and its customers with the rebuild."""
    before = ids(world)
    delete(world.opener(), filled, "old", author="a")
    rebuild(world)
    assert of(world, "old").size == 0
    assert roll_back(world.opener(), filled, 1, author="b") == 3
    rebuild(world)
    assert (ids(world), of(world, "old").size) == (before, 4)
    with world.work() as work:
        assert [(v.version, v.author, v.segments) for v in versions(work, filled)] == [
            (3, "b", 2), (2, "a", 1), (1, "Ann", 2),
        ]  # fmt: skip
    with pytest.raises(NotFound, match="rule version 9"):
        roll_back(world.opener(), filled, 9, author="b")


def test_nobody_overwrites_what_somebody_else_published(world: World, filled: int) -> None:
    """Planted: `base` not compared; theirs was gone."""
    with world.work() as work:
        base = version_in_force(work, filled)
    rename(world.opener(), filled, "old", "Elders", author="a")
    with pytest.raises(Conflict, match="version 2 since you read 1"):
        publish(world.opener(), filled, {"segments": [OLD]}, author="b", base=base)


def test_what_cannot_be_done_is_said(world: World, filled: int) -> None:
    open_work = world.opener()
    with pytest.raises(BadInput, match="Unsegmented cannot be deleted"):
        delete(open_work, filled, "unsegmented", author="a")
    with pytest.raises(BadInput, match="name each segment once: tried, old"):
        reorder(open_work, filled, ["old"], author="a")
    with pytest.raises(BadInput, match="'old' already"):
        create(open_work, filled, OLD, author="a")
    assert create(open_work, filled, {**OLD, "key": "older"}, before="old", author="a") == 2
    with world.work() as work, pytest.raises(BadInput, match="more than 1000 steps"):
        history(work, ids(world)["old"], NOON - timedelta(days=900), HOUR)


def causes(world: World, key: str, now: Any = NOON) -> dict[str, int]:
    """Who came into a segment since an hour before noon, by cause."""
    came: dict[str, int] = {}
    for step in of(world, key, now).steps:
        came |= {cause: came.get(cause, 0) + many for cause, many in step.came.items()}
    return came


def reasons(world: World) -> list[str]:
    with world.work() as work:
        return list(work.run(text("select reason from rebuild where finished_at is null")).scalars())


@pytest.mark.parametrize("rules_first", [True, False])
def test_a_rule_is_the_cause_though_others_ask_for_the_same_rebuild(
    world: World, filled: int, rules_first: bool
) -> None:
    """Published, and customers placed before its rebuild: it was the rule that moved those who were there.

    Seen to fail: whoever asked last gave the cause; all of them stood under `event`.
    """

    def placed() -> None:
        world.customers(1, fields=lambda _: {"age": 20})
        place(world.opener(), filled)

    acts = [lambda: delete(world.opener(), filled, "old", author="Ann"), placed]
    for act in acts if rules_first else reversed(acts):
        act()
    assert reasons(world) == ["rules version 2"]
    rebuild(world)
    assert causes(world, "unsegmented") == {"entered": 11, "rule": 4}


def test_a_rebuild_that_was_cut_off_leaves_its_cause_to_whoever_does_its_work(
    world: World, filled: int
) -> None:
    """Started, then dead; meanwhile somebody asks for another. Planted: each goes by its own reason alone."""
    delete(world.opener(), filled, "old", author="Ann")
    with world.work() as work:
        work.run(text("update rebuild set started_at = :now where finished_at is null"))
        request_rebuild(work, filled, ENTERED)
    assert sorted(reasons(world)) == [ENTERED, "rules version 2"]
    for key in reversed(rebuilds_to_do(world.opener())):
        run_rebuild(world.opener(), key)
    assert causes(world, "unsegmented") == {"entered": 10, "rule": 4}


def test_rules_that_come_between_start_and_scan_are_the_cause(world: World, filled: int) -> None:
    """Planted: the cause told at the start; moves by the newer rules stood under `event`."""
    with world.work() as work:
        request_rebuild(work, filled, ENTERED)
    (found,) = rebuilds_to_do(world.opener())

    def publishes() -> None:
        delete(world.opener(), filled, "old", author="Ann")

    run_rebuild(interrupted(world, {5: publishes}), found)  # works: 1 start, 2 turnstile, 3, 4 let go, 5 scan
    assert causes(world, "unsegmented") == {"entered": 10, "rule": 4}


def test_a_change_of_clocks_is_time(world: World) -> None:
    """Lisbon's clocks go forward on 29 March. Seen to fail: whom it moved stood under `rule`."""
    before, after = datetime(2026, 3, 29, 0, 30, tzinfo=UTC), datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    assignment = world.assignment()
    world.customers(3)
    place(world.opener(before), assignment)
    ahead = {"key": "ahead", "name": "Ahead", "when": {"f": "local_offset", "op": "eq", "v": 1}}
    publish(world.opener(before), assignment, {"segments": [ahead]}, author="Ann")
    rebuild(world, before)
    sweep(world.opener(before), assignment)
    sweep(world.opener(after), assignment)
    assert reasons(world) == [CLOCKS]
    rebuild(world, after)
    with world.work(after) as work:
        told = history(work, ids(world)["ahead"], before - HOUR, HOUR)
    assert [step.came for step in told.steps if step.came] == [{"time": 3}]


@given(st.lists(st.sampled_from([ENTERED, CLOCKS, "rules version 1", "rules version 2", "else"]), min_size=1))
def test_the_strongest_reason_stands_and_of_equal_ones_the_last(asked: list[str]) -> None:
    """A rule before clocks, clocks before those who entered; in whatever order they come."""
    stands = asked[0]
    for reason in asked[1:]:
        stands = reason if gives_way(stands, reason) else stands
    by_rule = [one for one in asked if one not in (ENTERED, CLOCKS)]
    assert stands == (by_rule[-1] if by_rule else CLOCKS if CLOCKS in asked else ENTERED)
    assert cause_of(asked) == cause_of([stands])


def test_what_is_told_has_its_end_and_its_version(world: World, filled: int) -> None:
    """A pause and a hold say until when, and a roll back to which version: it did not make the segment.

    Planted: "until" left out of the sentence; seen to fail.
    """
    open_work, end = world.opener(), NOON + 2 * HOUR
    old = ids(world)["old"]
    pause(open_work, "segment", old, reason="lunch", author="Bo", ends_at=end)
    with world.work() as work:
        young = list(work.run(text("select min(customer_id) from placement where segment_id = :s"),
                              s=ids(world)["unsegmented"]).scalars())  # fmt: skip
    hold(open_work, filled, young, old, author="Bo", reason="trial", expires_at=end)
    delete(open_work, filled, "old", author="Bo")
    roll_back(open_work, filled, 1, author="Cy")
    with_loan = {**OLD, "name": "Older", "when": {"f": "age", "op": "ge", "v": 65}}
    publish(open_work, filled, {"segments": [with_loan, TRIED]}, author="Di")
    roll_back(open_work, filled, 1, author="Cy")
    told = [in_words(deed) for deed in of(world, "old").deeds]
    assert told == [
        "Ann made it, as Old",
        "Bo paused it until Mon 2 Mar 14:00: lunch",
        "Bo moved 1 customer here until Mon 2 Mar 14:00: trial",
        "Bo deleted it",
        "Bo ended its pause (lunch): deleted with it",
        "Cy rolled back to version 1: brought it back, as Old",
        "Di renamed it from Old to Older",
        "Di changed its rule, in version 4",
        "Di moved it to place 1",
        "Cy rolled back to version 1: renamed it from Older to Old",
        "Cy rolled back to version 1: changed its rule, in version 5",
        "Cy rolled back to version 1: moved it to place 2",
    ]
    oslo = [in_words(deed, ZoneInfo("Europe/Oslo")) for deed in of(world, "old").deeds[1:3]]
    assert all("until Mon 2 Mar 15:00" in one for one in oslo)


def test_holds_of_named_customers_stand_with_their_segments_alone(world: World, filled: int) -> None:
    """Letting go of named holds is told where they were held, and of nobody else's segment.

    Planted: noted without a segment, so it stood in every history; seen to fail.
    """
    open_work, of_key = world.opener(), ids(world)
    with world.work() as work:
        everybody = list(work.run(text("select customer_id from placement order by 1")).scalars())
    hold(open_work, filled, everybody[:3], of_key["old"], author="Bo", reason="why")
    hold(open_work, filled, everybody[3:5], of_key["tried"], author="Bo", reason="why")
    release(open_work, filled, everybody[2:8], author="Cy")

    def released(key: str) -> list[int]:
        return [one.detail["customers"] for one in of(world, key).deeds if one.deed == "released"]

    assert {key: released(key) for key in of_key} == {"old": [1], "tried": [2], "unsegmented": []}


def leave(world: World, customers: list[int], state: str, at: Any) -> None:
    """As whoever moves them to another assignment, or forgets them, will do it."""
    with world.work(at) as work:
        gone = text("""
            update placement set state = :state, gone_at = case when :state <> 'ready' then :now end
             where customer_id = any(:customers)
        """)
        work.run(gone, state=state, customers=customers)


def test_those_who_left_are_a_flow_of_their_own_and_no_size_is_below_nothing(
    world: World, filled: int
) -> None:
    """Seen to fail: the sizes left them out and no flow told of them; it began below nothing."""
    with world.work() as work:
        customers = list(work.run(text("select customer_id from placement order by 1")).scalars())
    leave(world, customers[:3], "left", NOON + HOUR)
    leave(world, customers[3:7], "anonymised", NOON + 2 * HOUR)
    now = NOON + 3 * HOUR
    told = {key: of(world, key, now) for key in ("old", "unsegmented")}
    assert [step.went for step in told["old"].steps][2:] == [{"left": 3}, {"anonymised": 1}, {}]
    assert [step.size for step in told["old"].steps] == [0, 4, 1, 0, 0]
    assert [step.size for step in told["unsegmented"].steps] == [0, 6, 6, 3, 3]
    assert [(one.size_before, one.size) for one in told.values()] == [(0, 0), (0, 3)]
    later = of(world, "old", now, since=NOON + 90 * MINUTE)
    assert (later.size_before, [step.went for step in later.steps]) == (1, [{"anonymised": 1}, {}])


def test_the_sizes_add_up_though_people_leave_and_come_back_at_random(world: World, filled: int) -> None:
    dice, here = Random(11), {}
    with world.work() as work:
        everybody = list(work.run(text("select customer_id from placement order by 1")).scalars())
    for hour in range(1, 9):
        then = NOON + hour * HOUR
        hold(world.opener(then), filled, dice.sample(everybody, 4), dice.choice(list(ids(world).values())),
             author="a", reason="r")  # fmt: skip
        leave(world, dice.sample(everybody, 2), dice.choice(["left", "anonymised", "ready"]), then)
        with world.work(then) as work:
            counted = work.run(
                text("""
                select s.key, count(p.customer_id) filter (where p.state = 'ready') as size from segment s
                  left join placement p on p.segment_id = s.id group by s.key
            """)
            )
            here[hour] = {row.key: row.size for row in counted}
    now = NOON + 8 * HOUR
    for key in ids(world):
        told = of(world, key, now)
        sizes = [told.size_before, *(step.size for step in told.steps)]
        assert (min(sizes), told.size_before, sizes[-1]) == (0, 0, here[8][key])


def test_nobody_goes_without_a_date(world: World, filled: int) -> None:
    """Whoever writes it, in whatever statement. Planted: the CHECK left out; both went through."""
    for wrong in ("state = 'left'", "gone_at = :now"):
        with pytest.raises(IntegrityError, match="ck_placement_gone"), world.work() as work:
            work.run(text(f"update placement set {wrong}"))


def test_who_had_gone_before_dates_were_kept_gets_the_last_that_is_known(
    world: World, filled: int, database: Database
) -> None:
    """Planted: no date given to them; the migration was refused."""
    leave(world, of_the_old(world), "left", NOON + HOUR)
    world.app.engine.dispose()
    config = migrations.config(database.owner_url)
    before = ScriptDirectory.from_config(config).get_revision("0012").down_revision
    command.downgrade(config, str(before))
    command.upgrade(config, "head")
    told = of(world, "old", NOON + HOUR)
    assert (told.size_before, told.size, told.steps[1].went) == (0, 0, {"left": 4})


def of_the_old(world: World) -> list[int]:
    with world.work() as work:
        found = work.run(text("select customer_id from placement where segment_id = :s"), s=ids(world)["old"])
        return list(found.scalars())
