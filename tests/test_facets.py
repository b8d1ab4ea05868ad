"""Facets: every dimension counts what passes all filters but its own; SQL, the cache and Python agree."""

from concurrent.futures import ThreadPoolExecutor
from random import Random
from threading import Event
from typing import Any

import pytest
from facet_scene import FacetScene, bars_of, naive, random_filters
from sqlalchemy import text
from world import NOON, World

from models.errors import BadInput, NotFound
from segmentation.facets import Range, board_of, cached, check_drift, facets, prune
from segmentation.facets.asking import ask
from segmentation.facets.cache import FacetCache, OutOfDate
from segmentation.facets.learn import learn
from segmentation.facets.marks import MOST


@pytest.mark.parametrize("seed", range(3))
def test_sql_counts_as_plain_python_does(world: World, seed: int) -> None:
    scene, dice = FacetScene(world, seed=seed), Random(seed)
    with world.work() as work:
        frame = learn(work, scene.assignment)
    rows = scene.rows()
    for _ in range(15):
        filters = random_filters(frame, dice)
        with world.work() as work:
            found = ask(work, scene.assignment, frame, filters)
        bars, total = naive(frame, rows, filters)
        assert bars_of(found) == bars, filters
        assert found.total == total, filters


@pytest.mark.parametrize("seed", range(3))
def test_the_cache_counts_as_sql_does_whatever_changes(world: World, seed: int) -> None:
    scene, dice = FacetScene(world, seed=seed), Random(seed)
    with world.work() as work:
        frame = learn(work, scene.assignment)
        cache = FacetCache.load(work, scene.assignment, frame)
    for step in range(20):
        filters = random_filters(frame, dice)
        with world.work() as work:
            cache.refresh(work)
            found = cache.facets(filters)
            true = ask(work, scene.assignment, cache.frame, filters)
        assert found is not None
        assert (found.dimensions, found.total) == (true.dimensions, true.total), filters
        for customer in dice.sample(scene.customers, dice.randint(0, 5)):
            scene.change(customer)
        if step % 5 == 0:
            scene.customers += world.customers(3, scene.assignment)


def test_a_slow_transaction_that_commits_late_is_not_lost(world: World) -> None:
    scene = FacetScene(world, customers=30)
    with world.work() as work:
        cache = FacetCache.load(work, scene.assignment, learn(work, scene.assignment))
    first, second, third = scene.customers[:3]
    with world.work() as slow:
        scene.change_within(slow, first)
        with world.work() as slower:
            scene.change_within(slower, second)
            scene.change(third)  # younger, and committed first
            assert agrees(world, scene, cache) == 1
        assert agrees(world, scene, cache) == 1
    assert agrees(world, scene, cache) == 1
    assert agrees(world, scene, cache) == 0


def test_a_slow_transaction_from_before_the_load_is_not_lost(world: World) -> None:
    scene = FacetScene(world, customers=30)
    with world.work() as slow:
        scene.change_within(slow, scene.customers[0])
        with world.work() as work:
            cache = FacetCache.load(work, scene.assignment, learn(work, scene.assignment))
        assert agrees(world, scene, cache) == 0
    assert agrees(world, scene, cache) == 1


@pytest.mark.parametrize(
    "change",
    [
        "update customer_number set state = 'disconnected' where customer_id = :c",
        "delete from customer_number where customer_id = :c",
        """insert into customer_number (crm_id, customer_id, e164, position, zones)
           values (:crm_id, :c, '+351210000009', 1, '{Europe/Lisbon}')""",
    ],
)
def test_a_number_alone_that_changes_is_seen(world: World, change: str) -> None:
    """Planted: each of the three triggers left out; seen to fail."""
    scene = FacetScene(world, customers=30)
    with world.work() as work:
        cache = FacetCache.load(work, scene.assignment, learn(work, scene.assignment))
    with world.work() as work:
        work.run(text(change), c=scene.customers[0])
    assert agrees(world, scene, cache) == 1


def agrees(world: World, scene: FacetScene, cache: FacetCache) -> int:
    """The cache, brought up to date, has the counts of SQL; how many changes it read."""
    with world.work() as work:
        read = cache.refresh(work)
        found, true = cache.facets({}), ask(work, scene.assignment, cache.frame, {})
    assert found is not None
    assert found.dimensions == true.dimensions
    return read


def test_an_assignment_above_the_border_is_counted_by_the_cache_below_it_by_sql(world: World) -> None:
    scene = FacetScene(world, customers=40)
    with world.work() as work:
        by_sql = facets(work, scene.assignment, {"job": ["retired"]}, border=1_000)
    with world.work() as work:
        by_cache = facets(work, scene.assignment, {"job": ["retired"]}, border=1)
    assert (by_sql.source, by_cache.source) == ("sql", "cache")
    assert (by_sql.dimensions, by_sql.total) == (by_cache.dimensions, by_cache.total)
    assert by_cache.as_of == NOON


def test_what_was_committed_before_the_question_is_in_the_answer(world: World) -> None:
    scene = FacetScene(world, customers=20)
    for _ in range(3):
        scene.change(scene.customers[0])
        with world.work() as work:
            found = facets(work, scene.assignment, {}, border=1)
            assert found.source == "cache"
            frame = board_of(work, scene.assignment).frame(work)
        bars, total = naive(frame, scene.rows(), {})
        assert (bars_of(found), found.total) == (bars, total)


def test_a_new_segment_is_a_bar_at_once(world: World) -> None:
    scene = FacetScene(world, customers=20)
    with world.work() as work:
        facets(work, scene.assignment, {}, border=1)
    new = world.segment(scene.assignment)
    scene.segments = [new]
    for customer in scene.customers:
        scene.change(customer)
    with world.work() as work:
        found = facets(work, scene.assignment, {}, border=1)
    assert found.source == "cache"
    assert [bar.total for bar in found.dimensions["segment"] if bar.value == new] == [found.total]


def test_what_a_transaction_wrote_itself_never_gets_into_the_cache(world: World) -> None:
    scene = FacetScene(world, customers=20)
    with world.work() as work:
        scene.change_within(work, scene.customers[0])
        assert facets(work, scene.assignment, {}, border=1).source == "sql"
        work.session.rollback()
    with scene.world.app.work(world.crm_id, now=NOON) as work:
        found = facets(work, scene.assignment, {}, border=1)
        frame = board_of(work, scene.assignment).frame(work)
        assert found.source == "cache"
        assert found.dimensions == ask(work, scene.assignment, frame, {}).dimensions


def test_more_values_without_a_bar_than_the_cache_keeps_are_asked_of_sql(world: World) -> None:
    scene = FacetScene(world, customers=40)
    asked = [Range(age, age + 1) for age in range(18, 19 + MOST)]
    with world.work() as work:
        facets(work, scene.assignment, {}, border=1)
        found = facets(work, scene.assignment, {"age": asked}, border=1)
    ages = {row["fields"].get("age") for row in scene.rows() if row["fields"].get("age") is not None}
    assert (found.source, found.marked) == ("sql", {})
    assert 0 < found.total < 40
    assert ages


def test_an_unknown_dimension_or_assignment_is_told(world: World) -> None:
    scene = FacetScene(world, customers=1)
    with world.work() as work:
        with pytest.raises(BadInput, match="no dimension shoe size"):
            facets(work, scene.assignment, {"shoe size": [44]})
        with pytest.raises(NotFound):
            facets(work, 999, {})


def test_drift_is_found_and_gone_after_it(world: World) -> None:
    scene = FacetScene(world, customers=20)
    with world.work() as work:
        found = facets(work, scene.assignment, {}, border=1)
    with world.work() as work:
        true = check_drift(work, scene.assignment)
    assert true is not None
    assert true.is_none
    assert true.rows == sum(bar.total for bar in found.dimensions["state"])
    unnoticed = text("update placement set status = 'fallen' where crm_id = :crm_id and state = 'ready'")
    with world.work() as work:
        ready = work.run(unnoticed).rowcount
        work.run(text("delete from facet_change where crm_id = :crm_id"))
    for differing in ({"status": ready}, {}):
        with world.work() as work:
            facets(work, scene.assignment, {}, border=1)  # what nobody asks any more is thrown away
        with world.work() as work:
            drift = check_drift(work, scene.assignment)
        assert drift is not None
        assert drift.differing == differing


def test_a_cache_that_nobody_asks_any_more_is_thrown_away(world: World) -> None:
    """Planted: kept for ever; seen to fail."""
    scene = FacetScene(world, customers=20)
    with world.work() as work:
        facets(work, scene.assignment, {}, border=1)
    for there in ([scene.assignment], []):
        with world.work() as work:
            check_drift(work, scene.assignment)
            assert cached(work) == there


def test_questions_are_answered_while_the_cache_is_checked(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planted: loaded under the lock that counting takes; seen to fail."""
    scene, loading, go_on = FacetScene(world, customers=20), Event(), Event()
    with world.work() as work:
        facets(work, scene.assignment, {}, border=1)
    load = FacetCache.load

    def slowly(*given: Any) -> FacetCache:
        loading.set()
        assert go_on.wait(20)
        return load(*given)

    def check() -> Any:
        with world.work() as work:
            return check_drift(work, scene.assignment)

    monkeypatch.setattr(FacetCache, "load", slowly)
    with ThreadPoolExecutor(1) as pool:
        drift = pool.submit(check)
        assert loading.wait(20)
        scene.change(scene.customers[0])
        with world.work() as work:
            assert facets(work, scene.assignment, {}, border=1).source == "cache"
        go_on.set()
        assert drift.result().is_none


# The mark of a pruning is the oldest transaction of the whole server, whose other databases are not ours.
_ALL_HAVE_ENDED = text(
    "update facet_horizon set next_to = pg_snapshot_xmax(pg_current_snapshot())::text::bigint"
)


def test_a_cache_that_missed_what_was_pruned_is_loaded_anew(world: World) -> None:
    """Planted: thrown away at once, and not a pruning later; a cache that is not told what it missed."""
    scene = FacetScene(world, customers=20)
    with world.work() as work:
        cache = FacetCache.load(work, scene.assignment, learn(work, scene.assignment))
    for customer in scene.customers[:2]:  # between two prunings it reads in time
        scene.change(customer)
        with world.work() as work:
            prune(work)
        assert agrees(world, scene, cache) == 1
    scene.change(scene.customers[2])
    with world.work() as work:
        work.run(_ALL_HAVE_ENDED)
    with world.work() as work:
        assert prune(work) > 0
        assert work.run(text("select 1 from facet_change")).first() is None
    with world.work() as work, pytest.raises(OutOfDate):
        cache.refresh(work)
