"""The web process holds its caches of facets against SQL by itself: drift is told, and gone."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import structlog
from facet_scene import FacetScene, bars_of
from sqlalchemy import text
from world import World, wait_until

from models.errors import Unavailable
from segmentation.facets import facets
from web import upkeep
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
