"""Bulk actions: in parts, each committed; cut off anywhere, a tick finishes, and nothing is done twice."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from world import NOON, World, wait_until

from calling.handout.hand_out import next_customer
from calling.handout.reaper import reap
from calling.segments import bulk, selection
from calling.segments.bulk import actions_to_do, carry_out
from calling.segments.bulk_steps import STEPS
from calling.segments.editing import delete, free_key
from calling.segments.freeing import affected, free_segment, release_segment, wake_segment
from calling.segments.history import history
from calling.segments.holding import hold, holds, release
from calling.segments.publishing import current
from calling.segments.resegmenting import rebuilds_to_do, run_rebuild
from calling.segments.selection import Expected, hold_in_new, move_selection, save_as_rule, wake_selection
from models.errors import BadInput, Conflict, NotFound
from segmentation.resegment import differing

HOUR = timedelta(hours=1)
KARI: dict[str, Any] = {"author": "Kari", "reason": "campaign"}


class Cut(Exception):
    """The process dies here."""


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "PART", 5)


@pytest.fixture
def spring(world: World) -> int:
    """An assignment of 23 customers with ages 0 to 22, and a segment of its own that nobody is in by rule."""
    world.field("age")
    return world.assignment("Spring")


@pytest.fixture
def old(world: World, spring: int) -> int:
    return world.segment(spring, "old", name="Old", rule={"not": {"all": []}})


@pytest.fixture
def people(world: World, spring: int, old: int) -> list[int]:
    return world.customers(23, spring, segment_id=old, fields=lambda i: {"age": i})


def placements(world: World, what: str = "segment_id") -> dict[int, Any]:
    with world.work() as work:
        rows = work.run(text(f"select customer_id, {what} as it from placement where crm_id = :crm_id"))
        return {row.customer_id: row.it for row in rows}


def set_state(world: World, customers: list[int], state: str, due: bool = False) -> None:
    with world.work() as work:
        work.run(
            text("""
                update placement set state = :s, due_at = :d, gone_at = case when :s = 'left' then :now end
                 where customer_id = any(:c)
            """),
            s=state, d=NOON + HOUR if due else None, c=customers,
        )  # fmt: skip


def deeds(world: World, segment: int) -> list[tuple[str, dict[str, Any]]]:
    with world.work() as work:
        return [(one.deed, one.detail) for one in history(work, segment, NOON - HOUR, HOUR).deeds]


def flows(world: World, segment: int) -> tuple[int, int]:
    """How many came and went by hand."""
    with world.work() as work:
        steps = history(work, segment, NOON - HOUR, HOUR).steps
    return sum(s.came.get("hand", 0) for s in steps), sum(s.went.get("hand", 0) for s in steps)


def test_all_back_to_free_changes_the_segment_and_nothing_else(
    world: World, spring: int, old: int, people: list[int]
) -> None:
    set_state(world, people[:4], "resting", due=True)
    set_state(world, people[4:7], "closed")
    set_state(world, people[7:8], "follow_up", due=True)
    set_state(world, people[8:9], "left")
    what = "concat_ws('|', state, status, attempts, due_at)"
    before, free = placements(world, what), world.unsegmented(spring)
    done = free_segment(world.opener(), spring, old, expected=Expected(22), **KARI)
    assert (done.customers, done.changed) == (22, 22)
    assert placements(world, what) == before
    assert {c for c, s in placements(world).items() if s == old} == {people[8]}  # who has left stays put
    with world.work() as work:
        held = holds(work, spring, 0, 50)
        assert {(one.segment_id, one.author, one.reason) for one in held} == {(free, "Kari", "campaign")}
        assert {(one.by_rule_id, one.by_rule) for one in held} == {(free, "Unsegmented")}
        assert len(held) == 22
        assert differing(work, spring) == 0
    set_state(world, people[9:10], "left")  # who has gone since is no longer told of
    with world.work() as work:
        assert len(holds(work, spring, 0, 50)) == 21
    assert [deed for deed, _ in deeds(world, old)] == ["freed"]
    ((deed, detail),) = deeds(world, free)
    assert (deed, detail["customers"], detail["reason"]) == ("held", 22, "campaign")
    assert (flows(world, old), flows(world, free)) == ((0, 22), (22, 0))


def test_resting_ones_are_made_ready_on_a_wish_of_its_own(
    world: World, spring: int, old: int, people: list[int]
) -> None:
    """Planted: closed ones woken as well; seen to fail."""
    set_state(world, people[:4], "resting", due=True)
    set_state(world, people[4:7], "closed")
    set_state(world, people[7:8], "follow_up", due=True)
    with world.work() as work:
        assert affected(work, spring, old) == {"customers": 23, "resting": 4, "held": 0}
    with pytest.raises(Conflict) as refused:
        wake_segment(world.opener(), spring, old, expected=Expected(3), **KARI)
    assert refused.value.data["count"] == 4
    done = wake_segment(world.opener(), spring, old, expected=Expected(4), **KARI)
    assert (done.customers, done.changed) == (4, 4)
    states = placements(world, "state")
    assert {states[c] for c in people[:4]} == {"ready"}
    assert [states[c] for c in people[4:8]] == ["closed"] * 3 + ["follow_up"]
    assert [deed for deed, _ in deeds(world, old)] == ["woken"]
    set_state(world, people[:4], "closed")  # between the look and the part, somebody bought
    with world.work() as work:
        action = bulk.begin(work, bulk.Wish(spring, "wake", "Bo", "r", of_segment=old), people[:8])
    assert carry_out(world.opener(), action).changed == 0
    assert set(placements(world, "state").values()) == {"ready", "closed", "follow_up"}


@pytest.mark.parametrize(("states", "woken"), [(None, 4), (["resting", "ready"], 4), (["ready"], 0)])
def test_of_a_selection_only_those_wake_who_are_in_it(
    world: World, spring: int, old: int, people: list[int], states: list[str] | None, woken: int
) -> None:
    set_state(world, people[:4], "resting", due=True)
    filters: dict[str, Any] = {"segment": [old]} | ({"state": states} if states else {})
    done = wake_selection(world.opener(), spring, filters, expected=Expected(woken), **KARI)
    assert done.changed == woken
    assert list(placements(world, "state").values()).count("resting") == 4 - woken


@pytest.mark.usefixtures("small_parts")
@pytest.mark.parametrize("after", range(1, 5))
@pytest.mark.parametrize("recalled", [True, False])
def test_cut_off_between_two_parts_the_tick_does_the_rest(
    world: World, spring: int, old: int, people: list[int], monkeypatch: pytest.MonkeyPatch, after: int,
    recalled: bool,
) -> None:  # fmt: skip
    """Before or after the recalls. Planted: a part is crossed off in the next transaction; seen to fail."""
    told: list[int] = []
    parts: list[object] = []

    def die(*given: object) -> None:
        parts.append(given)
        if len(parts) == after:
            raise Cut

    watch = die if recalled else bulk.untold
    with monkeypatch.context() as patch:
        if not recalled:
            patch.setattr(bulk, "take_back_moved", lambda *_: die())
        with pytest.raises(Cut):
            free_segment(world.opener(), spring, old, expected=Expected(23), **KARI, progress=watch)
    assert list(placements(world).values()).count(old) == 23 - 5 * after
    assert deeds(world, old) == []
    (action,) = actions_to_do(world.opener())
    done = carry_out(world.opener(), action, lambda done, _: told.append(done))
    assert told == [5, 10, 15, 20, 23][after:]
    assert (done.customers, done.changed) == (23, 23)
    assert list(placements(world).values()).count(old) == 0
    assert actions_to_do(world.opener()) == []
    assert carry_out(world.opener(), action) == done  # once more does no harm
    assert [detail["changed"] for _, detail in deeds(world, old)] == [23]
    assert flows(world, old) == (0, 23)


def test_who_was_moved_while_offered_comes_back_though_the_mover_died(
    world: World, spring: int, old: int, people: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reaper finds it. Planted: it looks at outcomes only; seen to fail."""
    seller = world.seller(spring)
    taken = next_customer(world.opener(), seller)
    assert taken is not None

    def die(*_: object) -> None:
        raise Cut

    with monkeypatch.context() as patch:
        patch.setattr(bulk, "take_back_moved", die)
        with pytest.raises(Cut):
            free_segment(world.opener(), spring, old, expected=Expected(23), **KARI)
    offered = "select count(*) from lease where crm_id = :crm_id and ended_at is null and state = 'offered'"
    with world.work() as work:
        before = work.run(text(offered)).scalar_one()
    assert before > 0
    reap(world.opener())
    with world.work() as work:
        assert work.run(text(offered)).scalar_one() == 0
        kept = "select state from lease where crm_id = :crm_id and id = :id"
        assert work.run(text(kept), id=taken.lease_id).scalar_one() == "taken"


@pytest.mark.usefixtures("small_parts")
def test_two_who_carry_out_the_same_share_its_parts(
    world: World, spring: int, old: int, people: list[int]
) -> None:
    cut: list[int] = []
    with pytest.raises(ZeroDivisionError):
        free_segment(
            world.opener(), spring, old, expected=Expected(23), **KARI, progress=lambda *_: cut.append(1 // 0)
        )
    (action,) = actions_to_do(world.opener())
    with ThreadPoolExecutor(4) as pool:
        done = set(pool.map(lambda _: carry_out(world.opener(), action), range(4)))
    assert {(one.customers, one.changed) for one in done} == {(23, 23)}
    assert len(deeds(world, old)) == 1
    assert flows(world, old) == (0, 23)


def test_what_another_left_at_the_last_moment_is_done(
    world: World, spring: int, old: int, people: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One is at the only part and fails; the other has waited for it. Planted: no waiting; seen to fail."""
    real, at_it, let_go = STEPS["free"], Event(), Event()

    def fail_once(*given: Any) -> Any:
        if at_it.is_set():
            return real(*given)
        at_it.set()
        assert let_go.wait(20)
        raise Cut

    monkeypatch.setattr(bulk, "STEPS", {"free": fail_once})
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(free_segment, world.opener(), spring, old, expected=Expected(23), **KARI)
        assert at_it.wait(20)
        (action,) = actions_to_do(world.opener())
        second = pool.submit(carry_out, world.opener(), action)
        wait_until(lambda: waiting(world) > 0)
        let_go.set()
        assert isinstance(first.exception(), Cut)
        assert second.result().changed == 23


def waiting(world: World) -> int:
    with world.work() as work:
        return int(work.run(text("select count(*) from pg_locks where not granted")).scalar_one())


@pytest.mark.usefixtures("small_parts")
def test_a_segment_that_goes_on_the_way_ends_it_with_a_word(
    world: World, spring: int, old: int, people: list[int]
) -> None:
    """Planted: the action left open, for the tick to try for ever; seen to fail."""
    new = hold_in_new(world.opener(), spring, {"segment": [old]}, "Ours", expected=Expected(23), **KARI)
    assert new.done is not None
    assert new.done.changed == 23
    target = world.segment(spring, "x", rule={"not": {"all": []}})

    def retire(done: int, _of: int) -> None:
        if done == 5:
            with world.work() as work:
                work.run(text("update segment set retired_at = :now where id = :id"), id=target)

    with pytest.raises(NotFound, match="segment"):
        hold(world.opener(), spring, people, target, **KARI, progress=retire)
    assert actions_to_do(world.opener()) == []
    ((deed, detail),) = deeds(world, target)
    assert (deed, detail["changed"], "no segment" in detail["problem"]) == ("held", 5, True)


@pytest.mark.usefixtures("small_parts")
def test_who_gives_up_counts_what_another_has_in_hand(
    world: World, spring: int, old: int, people: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One has done a part and not committed it when the other finds the segment gone.

    Seen to fail: nobody was changed, said the history, and five were held.
    """
    real, at_it, let_go = STEPS["hold"], Event(), Event()
    target = world.segment(spring, "x", rule={"not": {"all": []}})

    def slowly(*given: Any) -> Any:
        done = real(*given)
        at_it.set()
        assert let_go.wait(20)
        return done

    monkeypatch.setattr(bulk, "STEPS", {"hold": slowly})
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(hold, world.opener(), spring, people, target, **KARI)
        assert at_it.wait(20)
        monkeypatch.setattr(bulk, "STEPS", STEPS)
        with world.work() as work:
            work.run(text("update segment set retired_at = :now where id = :id"), id=target)
        (action,) = actions_to_do(world.opener())
        second = pool.submit(carry_out, world.opener(), action)
        wait_until(lambda: waiting(world) > 0)
        let_go.set()
        assert isinstance(second.exception(), NotFound)
        first.exception()
    assert list(placements(world).values()).count(target) == 5
    assert [detail["changed"] for _, detail in deeds(world, target)] == [5]


def test_a_new_segment_and_its_people_are_one_deed(
    world: World, spring: int, old: int, people: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dead between the new rules and the first part: the tick fills it.

    Planted: begun in a transaction after publishing; seen to fail.
    """

    def die(*_: object) -> None:
        raise Cut

    with monkeypatch.context() as patch:
        patch.setattr(selection, "begin", die)
        with pytest.raises(Cut):
            hold_in_new(world.opener(), spring, {}, "Nobody's", expected=Expected(23), **KARI)
    with world.work() as work:
        assert current(work, spring)["segments"] == []
    with monkeypatch.context() as patch:
        patch.setattr(selection, "carry_out", die)
        with pytest.raises(Cut):
            hold_in_new(
                world.opener(), spring, {"segment": [old]}, "Søndag & co", expected=Expected(23), **KARI
            )
    with world.work() as work:
        body = current(work, spring)
        (made,) = body["segments"]
        assert (made["key"], made["name"]) == ("sondag-co", "Søndag & co")
        assert made["when"] == {"not": {"all": []}}
        assert free_key(work, spring, "Søndag & co") == "sondag-co-2"
    for action in actions_to_do(world.opener()):
        carry_out(world.opener(), action)
    for rebuild in rebuilds_to_do(world.opener()):
        run_rebuild(world.opener(), rebuild)
    with world.work() as work:
        assert {one.segment for one in holds(work, spring, 0, 50)} == {"Søndag & co"}
        assert differing(work, spring) == 0


def test_a_standing_rule_takes_the_selection_and_whoever_comes_to_be_like_it(
    world: World, spring: int, people: list[int]
) -> None:
    filters = {"age": [3, 5]}
    with pytest.raises(Conflict):
        save_as_rule(world.opener(), spring, filters, "Threes", expected=Expected(9), author="Kari")
    made = save_as_rule(world.opener(), spring, filters, "Threes", expected=Expected(2), author="Kari")
    assert (made.version, made.key, made.done) == (1, "threes", None)
    with world.work() as work:
        work.run(text("update customer set fields = '{\"age\": 5}' where id = :c"), c=people[9])
    for rebuild in rebuilds_to_do(world.opener()):
        run_rebuild(world.opener(), rebuild)
    assert {c for c, s in placements(world).items() if s == made.segment_id} == {people[i] for i in (3, 5, 9)}
    with pytest.raises(BadInput, match="no rule can ask for state"):
        save_as_rule(world.opener(), spring, {"state": ["ready"]}, "R", expected=Expected(23), author="Kari")


def test_holds_of_one_segment_are_let_go_and_no_others(
    world: World, spring: int, old: int, people: list[int]
) -> None:
    """Planted: holds elsewhere let go as well; seen to fail."""
    other = world.segment(spring, "other", rule={"not": {"all": []}})
    hold(world.opener(), spring, people[:6], old, **KARI)
    hold(world.opener(), spring, people[6:10], other, **KARI)
    with world.work() as work:  # somebody is put elsewhere between the look and the part
        action = bulk.begin(work, bulk.Wish(spring, "release", "Bo", "r", of_segment=other), people[:6])
    assert carry_out(world.opener(), action).changed == 0
    done = release_segment(world.opener(), spring, old, expected=Expected(6), **KARI)
    assert (done.customers, done.changed) == (6, 6)
    with world.work() as work:
        assert {one.id for one in holds(work, spring, 0, 50)} == set(people[6:10])
        assert [one.id for one in holds(work, spring, people[7], 1, segment_id=other)] == [people[8]]
    assert [deed for deed, _ in deeds(world, old)] == ["held", "released"]
    assert release(world.opener(), spring, people[6:8], author="Kari") == 2


def test_what_makes_no_sense_is_told_and_leaves_nothing(
    world: World, spring: int, old: int, people: list[int]
) -> None:
    open_work, free = world.opener(), world.unsegmented(spring)
    with pytest.raises(BadInput, match="there already"):
        free_segment(open_work, spring, free, expected=Expected(0), **KARI)
    with pytest.raises(NotFound):
        free_segment(open_work, spring, 999_999, expected=Expected(0), **KARI)
    with pytest.raises(BadInput, match="say why"):
        hold(open_work, spring, people, old, author="Kari", reason="  ")
    with pytest.raises(NotFound):
        move_selection(open_work, spring, {}, 999_999, expected=Expected(23), **KARI)
    with pytest.raises(BadInput, match="name"):
        hold_in_new(open_work, spring, {}, " ", expected=Expected(23), **KARI)
    with pytest.raises(NotFound):
        carry_out(open_work, 999_999)
    assert actions_to_do(open_work) == []
    with pytest.raises(NotFound):
        delete(open_work, spring, "nobody", author="Kari")


@given(st.integers(0, 10_000), st.integers(-500, 500), st.integers(0, 300), st.floats(0, 100))
def test_the_tolerance_is_the_larger_of_customers_and_percent(
    count: int, off: int, tolerance: int, percent: float
) -> None:
    found = max(0, count + off)
    allowed = max(tolerance, int(count * percent / 100))

    def check() -> None:
        Expected(count, tolerance, percent).check(found)

    _refused(check, count=found) if abs(found - count) > allowed else check()


def _refused(check: Callable[[], None], count: int) -> None:
    with pytest.raises(Conflict) as refused:
        check()
    assert refused.value.data["count"] == count
