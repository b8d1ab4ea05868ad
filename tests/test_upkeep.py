"""The web process holds its caches of facets against SQL by itself: drift is told, and gone."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import structlog
from facet_scene import FacetScene, bars_of
from sqlalchemy import text
from starlette.testclient import TestClient
from world import World, wait_until

from models.errors import Unavailable
from segmentation.facets import facets
from segmentation.facets.cache import FacetCache
from web import following, upkeep
from web.app import create
from web.following import Following, follow_caches
from web.upkeep import CHECKED, DRIFT, Upkeep, check_caches

Plant = Callable[[World], int]


def fallen(world: World) -> int:
    with world.work() as work:
        found = work.run(text("update placement set status = 'fallen' where state = 'ready'")).rowcount
        work.run(text("delete from facet_change"))
        return int(found)


def gone(world: World) -> int:
    with world.work() as work:
        found = work.run(
            text("update placement set state = 'left', gone_at = :now where state = 'ready'")
        ).rowcount
        work.run(text("delete from facet_change"))
        return int(found)


def gauge(of: Any, world: World, assignment: int) -> float:
    return float(of.labels(str(world.crm_id), str(assignment))._value.get())


@pytest.mark.parametrize("plant", [fallen, gone])
def test_a_planted_drift_is_told_and_mended(world: World, plant: Plant) -> None:
    """Changes that no trigger noted: the bars are wrong until the check. Planted: the old cache kept."""
    scene = FacetScene(world, customers=30)
    ask = partial(facets, assignment_id=scene.assignment, filters={}, border=1)
    with world.work() as work:
        ask(work)
    assert check_caches(world.app) == 0
    assert gauge(CHECKED, world, scene.assignment) == len(scene.rows())
    rows = plant(world)
    assert rows > 0
    with world.work() as work:
        wrong = ask(work)
    with structlog.testing.capture_logs() as said:
        assert check_caches(world.app) == rows
    assert [(one["log_level"], one["event"]) for one in said] == [
        ("error", "the cache of facets has drifted and is replaced")
    ]
    assert gauge(DRIFT, world, scene.assignment) == rows
    with world.work() as work:
        right = ask(work)
        true = facets(work, scene.assignment, {}, border=1_000)
    assert right.source == "cache"
    assert (bars_of(right), right.total) == (bars_of(true), true.total)
    assert wrong.dimensions != right.dimensions
    with world.work() as work:
        ask(work)
    assert check_caches(world.app) == 0
    assert gauge(DRIFT, world, scene.assignment) == 0


def test_it_goes_on_when_the_database_is_away(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> list[int]:
        raise Unavailable("PostgreSQL is away")

    monkeypatch.setattr(world.app, "crms", away)
    with structlog.testing.capture_logs() as said:
        assert check_caches(world.app) == 0
    assert [one["log_level"] for one in said] == ["warning"]


def test_it_comes_again_and_again_until_it_is_stopped(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    rounds: list[object] = []
    monkeypatch.setattr(upkeep, "check_caches", rounds.append)
    keeping = Upkeep(world.app, every=0.01)
    keeping.start()
    wait_until(lambda: len(rounds) >= 3)
    keeping.stop()


def test_the_alarm_ends_when_nobody_asks_the_new_cache(world: World) -> None:
    """Seen to fail: without a question the next checks found no cache, and the gauge stayed."""
    scene = FacetScene(world, customers=30)
    with world.work() as work:
        facets(work, scene.assignment, {}, border=1)
    rows = fallen(world)
    assert check_caches(world.app) == rows
    assert gauge(DRIFT, world, scene.assignment) == rows
    with TestClient(create(world.app)) as client:
        told = client.get("/readyz").json()
        assert (told["ready"], told["parts"]["facets"]["verdict"]) == (True, "degraded")
        assert f"assignment {scene.assignment} in CRM {world.crm_id}" in told["parts"]["facets"]["detail"]
        assert check_caches(world.app) == 0
        assert gauge(DRIFT, world, scene.assignment) == 0
        assert "facets" not in client.get("/readyz").json()["parts"]


def test_what_changed_is_read_without_a_question(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: nobody follows; seen to fail."""
    scene = FacetScene(world, customers=20)
    with world.work() as work:
        facets(work, scene.assignment, {}, border=1)
    fallen_now = text("update placement set status = 'fallen' where crm_id = :crm_id")
    with world.work() as work:
        work.run(fallen_now)
    assert follow_caches(world.app)
    monkeypatch.setattr(FacetCache, "look", lambda *_: None)  # the question itself reads nothing
    with world.work() as work:
        found = facets(work, scene.assignment, {}, border=1)
        true = facets(work, scene.assignment, {}, border=1_000)
    assert found.source == "cache"
    assert (bars_of(found), found.total) == (bars_of(true), true.total)


def test_following_goes_on_when_the_database_is_away(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    scene, rounds = FacetScene(world, customers=20), []

    def away(*_: object) -> None:
        rounds.append(1)
        raise Unavailable("PostgreSQL is away")

    with world.work() as work:
        facets(work, scene.assignment, {}, border=1)
    monkeypatch.setattr(following, "follow", away)
    keeping = Following(world.app, every=0.01, rest=0.02)
    with structlog.testing.capture_logs() as said:
        keeping.start()
        wait_until(lambda: len(rounds) >= 3)
        keeping.stop()
    assert {one["log_level"] for one in said} == {"warning"}
