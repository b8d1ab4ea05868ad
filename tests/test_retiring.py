"""A segment is deleted while others put customers into it, or begin to work it: nobody is left behind in it.

Whoever passed the turnstile before is waited for, and let go; whoever passes after is refused. A process that
dies in between leaves a rebuild to do, and that lets go as well.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext
from datetime import timedelta
from typing import Any

import pytest
from interleaving import Hook, acting_before
from rebuild_scene import interrupted, waiting_backends
from sqlalchemy import TextClause, text
from world import NOON, World, wait_until

from calling.handout import presence
from calling.segments import bulk, bulk_sql, bulk_steps, publishing, retiring
from calling.segments.editing import delete
from calling.segments.history import history
from calling.segments.holding import hold, holds
from calling.segments.publishing import publish, roll_back
from calling.segments.resegmenting import rebuilds_to_do, run_rebuild
from calling.segments.selection import NOBODY
from calling.views import browse
from calling.views.audit import audit
from calling.views.deeds import in_words
from calling.views.explain import explain
from calling.walls import pause as pausing
from calling.walls import pauses
from calling.walls.pause import pause, resume
from models import turnstile
from models.errors import NotFound
from segmentation import in_force, resegment
from segmentation.nodes import dump_node
from segmentation.rebuilds import request_rebuild
from segmentation.resegment import differing, segment_counts

HOUR = timedelta(hours=1)
KARI: dict[str, Any] = {"author": "Kari", "reason": "campaign"}
OURS = {"key": "ours", "name": "Ours", "when": dump_node(NOBODY)}
YOUNG = {"key": "young", "name": "Young", "when": {"f": "age", "op": "lt", "v": 5}}


class Cut(BaseException):
    """The process dies here."""


class Floor:
    """Twelve customers, five of them young, and a segment `ours` that only people put customers into."""

    def __init__(self, world: World) -> None:
        self.world = world
        world.field("age")
        self.assignment = world.assignment()
        self.customers = world.customers(12, self.assignment, fields=lambda i: {"age": i})
        publish(world.opener(), self.assignment, {"segments": [OURS, YOUNG]}, author="Ann")
        self.ours, self.young = self.id("ours"), self.id("young")
        self.rebuild()

    def id(self, key: str) -> int:
        with self.world.work() as work:
            return int(work.run(text("select id from segment where key = :key"), key=key).scalar_one())

    def rebuild(self) -> None:
        for one in rebuilds_to_do(self.world.opener()):
            run_rebuild(self.world.opener(), one)

    def count(self, sql: str) -> int:
        with self.world.work() as work:
            return int(work.run(text(f"select count(*) from {sql}")).scalar_one())

    def left_behind(self) -> dict[str, int]:
        """Whatever belongs to a segment that is no more, and whoever is elsewhere than they ought to be."""
        gone = "join segment s on s.crm_id = t.crm_id and s.id = t.segment_id and s.retired_at is not null"
        found = {
            table: self.count(f"{table} t {gone}") for table in ("hold", "placement", "seller", "dialer")
        }
        with self.world.work() as work:
            found |= {"differing": differing(work, self.assignment)}
            found |= {one.what: one.count for one in audit(work)}
            found |= {"lost": len(self.customers) - sum(segment_counts(work, self.assignment).values())}
        return {what: count for what, count in found.items() if count}

    def held(self) -> list[int]:
        with self.world.work() as work:
            return [one.id for one in holds(work, self.assignment, 0, 50)]


@pytest.fixture
def floor(world: World) -> Floor:
    return Floor(world)


@pytest.fixture
def before(monkeypatch: pytest.MonkeyPatch) -> Hook:
    return acting_before(monkeypatch)


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as threads:
        yield threads


def dying(world: World, at: int | None) -> Callable[[], Any]:
    """Opens works; dead before the `at`-th. A deletion: 1 look, 2 publish, 3 turnstile, 4.. the rest."""

    def die() -> None:
        raise Cut

    return interrupted(world, {} if at is None else {at: die})


def deleting(
    floor: Floor, pool: ThreadPoolExecutor, dies: int | None
) -> tuple[Callable[[], None], list[Any]]:
    """Begins to delete `ours` beside whoever calls; goes on as soon as that has committed, waits, or died."""
    going: list[Future[int]] = []

    def begin() -> None:
        opener = dying(floor.world, dies)
        going.append(pool.submit(delete, opener, floor.assignment, "ours", author="Di"))
        wait_until(lambda: going[0].done() or waiting_backends(floor.world, "advisory") == 1)

    return begin, going


WITHIN: dict[str, TextClause] = {
    "before the turnstile": turnstile._SHARED, "behind the turnstile": bulk_sql.TAKE,
    "before it looks whether the segment lives": bulk_steps._SEGMENT, "before it locks": resegment._LOCK,
    "before it holds": bulk_steps._HOLD, "before it reads the rules": in_force._VERSION,
    "before it crosses off": bulk_sql.CROSS_OFF,
}  # fmt: skip


TOO_LATE = [*WITHIN][:3]
"""There it sees that the segment is gone."""


@pytest.mark.parametrize("dies", [None, 3, 4, 5], ids=["lives", "dies at 3", "dies at 4", "dies at 5"])
@pytest.mark.parametrize("within", WITHIN)
def test_a_move_into_a_segment_that_is_deleted_meanwhile_loses_nobody(
    floor: Floor, before: Hook, pool: ThreadPoolExecutor, within: str, dies: int | None
) -> None:
    """Wherever the deletion gets in between, and whether or not its process lives on.

    Planted: holds let go in the transaction that publishes; all were left behind, and the audit said zero.
    Planted: nothing let go by the rebuild; where the deletion's process died, the holds stayed. Seen to fail.
    """
    begin, going = deleting(floor, pool, dies)
    wish = bulk.Wish(floor.assignment, "hold", **KARI, segment_id=floor.ours)
    with floor.world.work() as work:
        action = bulk.begin(work, wish, floor.customers)
    before(WITHIN[within], begin)
    too_late = within in TOO_LATE
    told = f"there is no segment {floor.ours}: it was deleted"
    with pytest.raises(NotFound, match=told) if too_late else nullcontext():
        bulk.carry_out(floor.world.opener(), action)
    assert len(going) == 1
    assert isinstance(going[0].exception(), Cut if dies else type(None))
    floor.rebuild()
    assert floor.left_behind() == {}
    assert floor.held() == []


@pytest.mark.parametrize("dies", [None, 3, 4, 5])
@pytest.mark.parametrize("who", ["seller", "dialer"])
def test_whoever_begins_to_work_a_segment_that_is_deleted_meanwhile_works_any(
    floor: Floor, before: Hook, pool: ThreadPoolExecutor, who: str, dies: int | None
) -> None:
    """Planted: nobody freed behind the turnstile; their lists stayed empty for ever. Seen to fail."""
    begin, going = deleting(floor, pool, dies)
    if who == "seller":
        seller = floor.world.seller(floor.assignment)
        before(presence._SET, begin)
        with floor.world.work() as work:
            presence.be(work, seller, "available", assignment_id=floor.assignment, segment_id=floor.ours)
    else:
        floor.world.dialer(floor.assignment)
        with floor.world.work() as work:
            turnstile.pass_shared(work, [floor.assignment])
            begin()
            work.run(text("update dialer set segment_id = :s"), s=floor.ours)
    assert len(going) == 1
    going[0].exception()
    floor.rebuild()
    assert floor.left_behind() == {}


def test_whoever_comes_to_work_a_segment_after_its_deletion_is_told(floor: Floor, before: Hook) -> None:
    """Planted: the turnstile not passed; the seller worked what was no more. Seen to fail."""
    seller = floor.world.seller(floor.assignment)
    before(turnstile._SHARED, lambda: delete(floor.world.opener(), floor.assignment, "ours", author="Di"))
    with floor.world.work() as work, pytest.raises(NotFound, match="it was deleted"):
        presence.be(work, seller, "available", assignment_id=floor.assignment, segment_id=floor.ours)
    assert floor.count("seller where segment_id is not null") == 0


def test_a_move_after_the_deletion_is_given_up_with_a_word(floor: Floor, before: Hook) -> None:
    """The history of the segment says who wanted it, and why nothing came of it."""
    open_work = floor.world.opener()
    before(turnstile._SHARED, lambda: delete(open_work, floor.assignment, "ours", author="Di"))
    with pytest.raises(NotFound, match=f"there is no segment {floor.ours}: it was deleted"):
        hold(open_work, floor.assignment, floor.customers, floor.ours, **KARI)
    with floor.world.work() as work:
        deleted, held = history(work, floor.ours, NOON - HOUR, HOUR).deeds[-2:]
    assert (deleted.deed, held.deed, held.author, held.detail["changed"]) == ("deleted", "held", "Kari", 0)
    assert held.detail["problem"] == f"there is no segment {floor.ours}: it was deleted"


@pytest.mark.parametrize("dies", [None, 3, 4, 5])
def test_what_comes_back_comes_without_those_who_were_held_in_it(
    world: World, floor: Floor, dies: int | None
) -> None:
    """Nor with those who worked it; whether the one who deleted it lived to let them go or not.

    Planted: no letting go before segments come back; after a death all were held again. Seen to fail.
    """
    hold(world.opener(), floor.assignment, floor.customers, floor.ours, **KARI)
    seller = world.seller(floor.assignment, segment_id=floor.ours)
    try:
        delete(dying(world, dies), floor.assignment, "ours", author="Di")
    except Cut:
        assert floor.count("hold") == 12
    assert floor.held() == []  # whatever is still to be let go, nobody is told that it holds
    roll_back(world.opener(), floor.assignment, 1, author="Bo")
    assert floor.id("ours") == floor.ours
    floor.rebuild()
    assert (floor.count("hold"), floor.left_behind()) == (0, {})
    with world.work() as work:
        assert segment_counts(work, floor.assignment)[floor.young] == 5
        assert work.run(text("select segment_id from seller where id = :s"), s=seller).scalar_one() is None


def test_until_the_rebuild_nobody_says_that_they_may_be_called(world: World, floor: Floor) -> None:
    """Planted: the answer left out; they "may be called now". Seen to fail."""
    held = floor.customers[0]
    hold(world.opener(), floor.assignment, [held], floor.ours, **KARI)
    with world.work() as work:
        assert explain(work, floor.assignment, held).callable_now
    delete(world.opener(), floor.assignment, "ours", author="Di")
    with world.work() as work:
        told = explain(work, floor.assignment, held)
        assert (told.callable_now, told.callable_at, told.held_by) == (False, None, None)
        (shut,) = [one for one in told.answers if not one.open]
        assert (shut.gate, shut.fact) == (
            "segment",
            "it was deleted; the rebuild puts them where they belong",
        )
    floor.rebuild()
    with world.work() as work:
        assert explain(work, floor.assignment, held).callable_now


def test_a_hold_in_a_deleted_segment_is_no_hold_whoever_looks(world: World, floor: Floor) -> None:
    """However it came there. Planted: every hold wins over the rules; none was found. Seen to fail."""
    delete(world.opener(), floor.assignment, "ours", author="Di")
    floor.rebuild()
    with world.work() as work:
        work.run(
            text("""
                insert into hold (crm_id, assignment_id, customer_id, segment_id, author, reason, created_at)
                select crm_id, assignment_id, customer_id, :s, 'x', 'x', :now from placement
            """),
            s=floor.ours,
        )
        work.run(text("update placement set segment_id = :s"), s=floor.ours)
    found = floor.left_behind()
    assert (found["differing"], found["in another segment than the rules say"]) == (12, 12)
    assert found["a customer in a segment that was deleted"] == 12
    assert found["a hold in a segment that was deleted"] == 12
    with world.work() as work:
        request_rebuild(work, floor.assignment, "repair")
    floor.rebuild()
    assert floor.left_behind() == {}


def test_a_thousand_holds_are_let_go_in_parts(world: World, floor: Floor) -> None:
    """Nobody waits behind all of them at once. Planted: a customer skipped after each part; two stayed."""
    hold(world.opener(), floor.assignment, floor.customers, floor.ours, **KARI)
    many = world.customers(2 * retiring.BATCH, floor.assignment)
    hold(world.opener(), floor.assignment, many, floor.ours, **KARI)
    delete(world.opener(), floor.assignment, "ours", author="Di")
    assert floor.count("hold") == 0


def said(floor: Floor) -> list[str]:
    with floor.world.work() as work:
        return [in_words(one) for one in history(work, floor.ours, NOON - HOUR, HOUR).deeds]


def standing_pauses(world: World) -> int:
    with world.work() as work:
        return len(pauses.standing(work).standing)


def test_deleting_a_paused_segment_ends_its_pause_and_it_comes_back_unpaused(
    world: World, floor: Floor
) -> None:
    """Seen to fail: the pause stood for ever, nobody could lift it, and it came back with the segment."""
    pause(world.opener(), "segment", floor.ours, reason="lunch", author="Cy")
    pause(world.opener(), "segment", floor.young, reason="another one's", author="Cy")
    delete(world.opener(), floor.assignment, "ours", author="Di")
    assert said(floor)[-2:] == ["Di deleted it", "Di ended its pause (lunch): deleted with it"]
    with world.work() as work:
        lifted = work.run(text("select lifted_at, lifted_by from pause where target_id = :s"), s=floor.ours)
        assert tuple(lifted.one()) == (NOON, "Di")
        assert [one.target_id for one in browse.pauses(work, 0, 9)] == [floor.young]
    roll_back(world.opener(), floor.assignment, 1, author="Bo")
    floor.rebuild()
    hold(world.opener(), floor.assignment, floor.customers[6:], floor.ours, **KARI)
    with world.work() as work:
        assert explain(work, floor.assignment, floor.customers[6]).callable_now
        assert not explain(work, floor.assignment, floor.customers[0]).callable_now
    assert {one for one in said(floor) if "ended" in one} == {"Di ended its pause (lunch): deleted with it"}


def test_a_pause_that_outlived_its_segment_is_lifted_by_hand_or_with_the_next_rules(
    world: World, floor: Floor
) -> None:
    """As releases before this one left them. Seen to fail: "there is no segment", and it stood on."""
    delete(world.opener(), floor.assignment, "ours", author="Di")
    stands = text("""
        insert into pause (crm_id, scope, target_id, reason, author, started_at, walled_at)
        values (:crm_id, 'segment', :s, 'lunch', 'Cy', :now, :now)
    """)
    with world.work() as work:
        work.run(stands, s=floor.ours)
    assert resume(world.opener(), "segment", floor.ours, author="Cy") == 1
    with world.work() as work:
        work.run(stands, s=floor.ours)
    roll_back(world.opener(), floor.assignment, 1, author="Bo")
    assert standing_pauses(world) == 0
    assert "Bo ended its pause (lunch): deleted with it" in said(floor)


def test_a_pause_that_is_over_is_no_news(world: World, floor: Floor) -> None:
    pause(world.opener(), "segment", floor.ours, reason="lunch", author="Cy", ends_at=NOON + HOUR)
    delete(world.opener(NOON + 2 * HOUR), floor.assignment, "ours", author="Di")
    assert not any("ended" in one for one in said(floor))


def test_whoever_pauses_a_segment_that_is_being_deleted_waits_and_is_told(
    floor: Floor, before: Hook, pool: ThreadPoolExecutor
) -> None:
    """Planted: the segment not locked when it is looked at; the pause outlived it."""
    going: list[Future[Any]] = []

    def begin() -> None:
        args = (floor.world.opener(), "segment", floor.ours)
        going.append(pool.submit(pause, *args, reason="lunch", author="Cy"))
        wait_until(lambda: going[0].done() or waiting_backends(floor.world) == 1)

    before(publishing._IN_FORCE, begin)
    delete(floor.world.opener(), floor.assignment, "ours", author="Di")
    assert isinstance(going[0].exception(), NotFound)
    assert str(going[0].exception()) == f"there is no segment {floor.ours}: it was deleted"
    assert standing_pauses(floor.world) == 0


def test_whoever_deletes_a_segment_that_is_being_paused_waits_and_ends_the_pause(
    floor: Floor, before: Hook, pool: ThreadPoolExecutor
) -> None:
    """Planted: the segment not locked when it is looked at; the pause outlived it."""
    going: list[Future[Any]] = []

    def begin() -> None:
        going.append(pool.submit(delete, floor.world.opener(), floor.assignment, "ours", author="Di"))
        wait_until(lambda: going[0].done() or waiting_backends(floor.world) == 1)

    before(pausing._PAUSE, begin)
    pause(floor.world.opener(), "segment", floor.ours, reason="lunch", author="Cy")
    going[0].result()
    assert standing_pauses(floor.world) == 0
