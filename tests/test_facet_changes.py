"""What changed gets into a cache of facets: its cost grows with how much it is, and no flood stops it."""

import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from random import Random
from typing import Any

import numpy as np
import pytest
from facet_scene import FacetScene
from ground import Database
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine, text
from world import NOON, World

from models.errors import Unavailable
from models.work import Work
from segmentation.catalogue import BUILT_IN
from segmentation.facets import Board, Facets
from segmentation.facets.asking import ask
from segmentation.facets.backlog import Backlog, Pace
from segmentation.facets.board import FOLLOWED
from segmentation.facets.cache import FacetCache
from segmentation.facets.dimensions import ATTEMPTS, LABELS, SEGMENT, STATE, TAGS, Dimension
from segmentation.facets.learn import learn
from segmentation.facets.packing import Packing
from segmentation.facets.reading import Reader

_TAGS = text("""
    insert into customer_tag (crm_id, customer_id, tag, source, author, tagged_at)
    select :crm_id, id, tag, 'hand', 'test', :now from customer, unnest(array['vip', 'late', 'new']) tag
     where crm_id = :crm_id on conflict do nothing
""")


def steps_of(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from steps_of(below)


def plan_of_slice(work: Work, scene: FacetScene, customers: list[int]) -> list[dict[str, Any]]:
    """Every step that PostgreSQL takes to read these customers, with how often it took it."""
    frame = learn(work, scene.assignment)
    statement = Reader(frame.dimensions).these.statement
    asked = statement.sql.removeprefix("copy (").rsplit(") to stdout", 1)[0]
    bound = {**statement.constants, "crm_id": work.crm_id, "now": work.now,
             "assignment_id": scene.assignment, "customer_ids": customers}  # fmt: skip
    explain = f"explain (analyze, timing off, format json) {asked}"
    found = work.session.connection().exec_driver_sql(explain, bound).scalar_one()
    (told,) = found if isinstance(found, list) else json.loads(found)
    return list(steps_of(told["Plan"]))


@pytest.mark.parametrize("statistics", [False, True])
@pytest.mark.parametrize("tagged", [False, True])
def test_no_step_goes_through_the_whole_list_for_each_row(
    world: World, database: Database, *, tagged: bool, statistics: bool
) -> None:
    """Seen to fail: customers and tags were asked with the whole list for each row: 14 s for 8,000."""
    scene = FacetScene(world, customers=20)
    scene.customers += world.customers(1_500, scene.assignment)
    with world.work() as work:
        if tagged:
            work.run(_TAGS)
    if statistics:
        owner = create_engine(database.owner_url)
        with owner.begin() as connection:
            connection.execute(text("analyze customer, customer_tag, customer_number, placement, hold"))
        owner.dispose()
    with world.work() as work:
        steps = plan_of_slice(work, scene, scene.customers[100:1_300])
    assert max(step["Actual Loops"] for step in steps) == 1_200  # row by row down the list
    for step in steps:
        said = " ".join(
            str(step.get(key, "")) for key in ("Filter", "Index Cond", "Join Filter", "Hash Cond")
        )
        assert not (step["Actual Loops"] > 1 and "ANY ((InitPlan" in said), step
        per_loop = step["Actual Rows"] + step.get("Rows Removed by Filter", 0)
        assert step["Actual Loops"] == 1 or per_loop <= 20, step  # tags of one page are read whole


class Ticks:
    """A clock (wall seconds) that goes on by `step` at each look: the machine is slow when that is much."""

    def __init__(self) -> None:
        self.now = self.step = 0.0

    def __call__(self) -> float:
        self.now += self.step
        return self.now


@pytest.fixture
def clock() -> Ticks:
    return Ticks()


@pytest.fixture
def scene(world: World) -> FacetScene:
    scene = FacetScene(world, customers=20)
    scene.customers += world.customers(700, scene.assignment)
    return scene


@pytest.fixture
def board(world: World, scene: FacetScene, clock: Ticks) -> Board:
    """Counted once, at noon."""
    board = Board(scene.assignment, clock)
    ask_it(world, board)
    return board


def ask_it(world: World, board: Board, now: datetime = NOON) -> Facets:
    with world.app.work(world.crm_id, now=now) as work:
        return board.facets(work, {}, 1)


def true_of(world: World, scene: FacetScene, board: Board) -> Facets:
    with world.work() as work:
        return ask(work, scene.assignment, board.frame(work), {})


def flood(world: World, status: str = "flooded") -> None:
    with world.work() as work:
        work.run(text("update placement set status = :s where crm_id = :crm_id"), s=status)


def test_placements_that_change_alone_come_go_and_come_back(world: World) -> None:
    """Planted: who comes back is read without what changed about them meanwhile; seen to fail."""
    scene, dice = FacetScene(world, customers=40, seed=5), Random(5)
    board = Board(scene.assignment, float)
    for step in range(15):
        assert ask_it(world, board).dimensions == true_of(world, scene, board).dimensions
        for customer in dice.sample(scene.customers, 10):
            scene.change_placement(customer)
        if step % 3 == 0:
            scene.change(scene.customers[step])


def test_a_flood_is_answered_out_of_the_last_true_state_and_read_behind_it(
    world: World, scene: FacetScene, board: Board, clock: Ticks
) -> None:
    """Planted: the question reads all of it, however long that takes; seen to fail."""
    before = ask_it(world, board)
    flood(world)
    later = NOON + timedelta(minutes=1)
    assert board._cache is not None
    board._cache.pace.seconds = 0.0005  # slices of the least size,
    clock.step = 0.11  # and after one of them the time of a question is up
    found = ask_it(world, board, later)
    assert (found.source, found.as_of) == ("cache", NOON)
    assert sum(bar.total for bar in found.dimensions["state"]) == sum(
        b.total for b in before.dimensions["state"]
    )
    clock.step = 0.0
    with world.app.work(world.crm_id, now=later + timedelta(seconds=1)) as work:
        board.follow(work)
    found = ask_it(world, board, later + timedelta(seconds=2))
    assert found.as_of == later + timedelta(seconds=2)
    assert found.dimensions == true_of(world, scene, board).dimensions


def test_a_young_state_is_told_at_once_while_somebody_else_reads(
    world: World, board: Board, clock: Ticks
) -> None:
    """Planted: a question waits for as long as it takes; seen to hang."""
    flood(world)
    with board._reading:
        found = ask_it(world, board, NOON + timedelta(seconds=1))
    assert (found.source, found.as_of) == ("cache", NOON)


def test_what_was_read_stays_read_when_the_database_fails(
    world: World, scene: FacetScene, board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each slice that was read is off the list: nothing begins from the beginning for ever."""
    cache = board._cache
    assert cache is not None
    flood(world)
    step, steps = FacetCache.step, iter(range(100))

    def failing(self: FacetCache, work: Work, writing: Any) -> int:
        if next(steps) % 2:
            raise Unavailable("it takes too long")
        return step(self, work, writing)

    cache.pace.seconds = 1.0  # so that slices are of the least size
    cache.load_seconds = 1e6
    left = []
    with monkeypatch.context() as patched:
        patched.setattr(FacetCache, "step", failing)
        for _ in range(3):
            with world.work() as work, suppress(Unavailable):
                board.follow(work)
            left.append(len(cache.backlog or ()))
    assert left == sorted(left, reverse=True)
    assert left[0] > left[-1]
    cache.pace.seconds = 1e-6
    assert ask_it(world, board).dimensions == true_of(world, scene, board).dimensions


def test_more_than_is_faster_loaded_anew_is_loaded_anew(
    world: World, scene: FacetScene, board: Board
) -> None:
    """By what a customer and a load were measured to cost. Planted: never; seen to fail."""
    kept = board._cache
    assert kept is not None
    flood(world)
    kept.pace.seconds = 1.0
    found = ask_it(world, board)
    assert board._cache is not kept
    assert (found.source, found.dimensions) == ("cache", true_of(world, scene, board).dimensions)


def test_with_a_follower_nobody_waits_for_the_new_cache(
    world: World, scene: FacetScene, board: Board, clock: Ticks
) -> None:
    """Planted: the question that finds it out of date loads it; seen to fail."""
    kept = board._cache
    assert kept is not None
    with world.work() as work:
        board.follow(work)
    flood(world)
    kept.pace.seconds = 1.0
    found = ask_it(world, board, NOON + timedelta(seconds=1))
    assert (found.source, found.as_of) == ("cache", NOON)
    assert board._cache is kept
    with world.work() as work:
        board.follow(work)
    assert board._cache is not kept
    found = ask_it(world, board)
    assert found.dimensions == true_of(world, scene, board).dimensions


def test_only_what_was_asked_lately_is_followed(board: Board, clock: Ticks) -> None:
    assert board.wants_following
    clock.now += FOLLOWED
    assert not board.wants_following


def test_a_cache_that_nobody_followed_is_brought_up_to_date_however_long_it_takes(
    world: World, scene: FacetScene, board: Board, clock: Ticks
) -> None:
    """An answer an hour old would be honest, and no answer. Planted: patience as ever; seen to fail."""
    assert board._cache is not None
    flood(world)
    board._cache.pace.seconds = 0.0005  # slices of the least size
    clock.now += 3600
    clock.step = 0.5
    found = ask_it(world, board, NOON + timedelta(hours=1))
    assert found.as_of == NOON + timedelta(hours=1)
    assert found.dimensions == true_of(world, scene, board).dimensions


DIMENSIONS = (
    Dimension("state", "listed", STATE, ("ready", "closed", "left")),
    Dimension("segment", "listed", SEGMENT, tuple(range(1, 40)), grows=True),
    Dimension("labels", "many", LABELS, tuple(range(1, 14)), grows=True),
    Dimension("place", "listed", BUILT_IN["place"], tuple(f"place {i}" for i in range(50))),
    Dimension("tags", "many", TAGS, ("vip", "late")),
    Dimension("attempts", "ranges", ATTEMPTS, bounds=(1, 2, 3)),
)
_CODES = st.tuples(
    *(st.integers(0, (1 << len(one.values)) - 1 if one.kind == "many" else len(one.values) - 1)
      for one in DIMENSIONS)
)  # fmt: skip


@given(st.lists(st.tuples(_CODES, _CODES), min_size=1, max_size=8), st.sets(st.integers(0, 5)))
def test_words_are_patched_as_if_they_were_packed_anew(
    rows: list[tuple[tuple[int, ...], tuple[int, ...]]], changed: set[int]
) -> None:
    """Planted: the old code of a part is not taken away; seen to fail."""
    packing = Packing.of(DIMENSIONS)

    def column(number: int, which: int) -> Any:
        kind = np.int64 if DIMENSIONS[number].kind == "many" else np.int16
        return np.array([row[which][number] for row in rows], kind)

    before = {i: column(i, 0) for i in range(len(DIMENSIONS))}
    new = {i: column(i, 1) for i in changed}
    patched = packing.patch(packing.pack(before, len(rows)), new)
    for word, packed in zip(patched, packing.pack({**before, **new}, len(rows)), strict=True):
        assert word.tolist() == packed.tolist()


def test_what_is_to_be_read_whole_is_not_read_twice() -> None:
    backlog = Backlog(NOON, 0.0)
    backlog.also(np.array([3, 5]), np.array([1, 3, 9]))
    backlog.also(np.array([9]), np.array([5, 7]))
    assert (backlog.whole.tolist(), backlog.placed.tolist()) == ([3, 5, 9], [1, 7])
    backlog.drop(2)
    assert len(backlog) == 3
    backlog.drop(1)
    backlog.drop(2)
    assert not backlog


def test_slices_follow_the_pace() -> None:
    pace = Pace()
    pace.took(10.0, 1)  # of one customer nothing is learnt
    assert pace.seconds == Pace().seconds
    for _ in range(50):
        pace.took(1.0, 1_000)
    assert pace.slice == 200
    for _ in range(50):
        pace.took(0.01, 10_000)
    assert 49_000 < pace.slice <= 50_000
