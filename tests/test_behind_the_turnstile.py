"""Rules are read behind the turnstile: who publishes meanwhile is obeyed by every verb that re-segments."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from interleaving import instead_of_run
from rebuild_scene import waiting_backends
from sqlalchemy import TextClause
from world import NOON, World, wait_until

from calling.handout.due import wake_due
from calling.handout.hand_out import next_customer
from calling.outcomes.outcome import Report, record_all
from calling.segments.holding import hold, release
from calling.segments.publishing import publish
from calling.segments.resegmenting import rebuilds_to_do, run_rebuild
from calling.segments.sweeping import sweep, sweep_all
from models import turnstile
from models.outcomes import Outcome
from models.work import Work
from segmentation import in_force
from segmentation.resegment import differing

HOUR = timedelta(hours=1)
OF_TIME = {"any": [{"f": "last_call", "op": "older_than", "v": "90m"}, {"f": "due", "op": "not_empty"},
                   {"f": "attempts", "op": "ge", "v": 0}]}  # fmt: skip
"""A rule that everybody meets, and that asks whatever the verbs change."""


class Scene:
    """Five customers, all in `one`; whoever publishes puts them into `two`."""

    def __init__(self, world: World) -> None:
        self.world, self.assignment = world, world.assignment(gap_seconds=0)
        self.seller = world.seller(self.assignment)
        self.customers = world.customers(5, self.assignment)
        self.publish("one")
        self.rebuild()

    def publish(self, key: str) -> int:
        body = {"segments": [{"key": key, "name": key, "when": OF_TIME}]}
        return publish(self.world.opener(), self.assignment, body, author="Ann")

    def rebuild(self) -> None:
        for one in rebuilds_to_do(self.world.opener()):
            run_rebuild(self.world.opener(), one)

    def publish_and_rebuild(self) -> None:
        self.publish("two")
        self.rebuild()

    def untrue(self, now: Any = NOON) -> int:
        with self.world.work(now) as work:
            return differing(work, self.assignment)

    def called(self) -> Any:
        handed = next_customer(self.world.opener(), self.seller)
        assert handed is not None
        return handed


def outcome(scene: Scene) -> Callable[[], object]:
    lease = scene.called().lease_id
    return lambda: record_all(scene.world.opener(), [Report(lease, Outcome.NO_ANSWER, "seller")])


def letting_go(scene: Scene) -> Callable[[], object]:
    place = scene.world.unsegmented(scene.assignment)
    hold(scene.world.opener(), scene.assignment, scene.customers, place, author="a", reason="r")
    return lambda: release(scene.world.opener(), scene.assignment, scene.customers, author="a")


def expiry(scene: Scene) -> Callable[[], object]:
    place = scene.world.unsegmented(scene.assignment)
    hold(scene.world.opener(), scene.assignment, scene.customers, place, author="a", reason="r",
         expires_at=NOON + HOUR)  # fmt: skip
    return lambda: sweep_all(scene.world.opener(NOON + HOUR))


def waking(scene: Scene) -> Callable[[], object]:
    record_all(scene.world.opener(), [Report(scene.called().lease_id, Outcome.BUSY, "seller")])
    return lambda: wake_due(scene.world.opener(NOON + HOUR))


def time(scene: Scene) -> Callable[[], object]:
    record_all(scene.world.opener(), [Report(scene.called().lease_id, Outcome.NO_SALE, "seller")])
    return lambda: sweep(scene.world.opener(NOON + 2 * HOUR), scene.assignment)


VERBS = [outcome, letting_go, expiry, waking, time]


@pytest.fixture
def before(monkeypatch: pytest.MonkeyPatch) -> Callable[[TextClause, Callable[[], object]], None]:
    """`before(statement, act)`: `act` once, just before whoever comes first executes `statement`."""
    hooks: dict[int, Callable[[], object]] = {}
    real = Work.run

    def run(self: Work, statement: TextClause, **values: Any) -> Any:
        if (act := hooks.pop(id(statement), None)) is not None:
            act()
        return real(self, statement, **values)

    instead_of_run(monkeypatch, run)
    return lambda statement, act: hooks.update({id(statement): act})


@pytest.fixture
def scene(world: World) -> Scene:
    return Scene(world)


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as threads:
        yield threads


@pytest.mark.parametrize("verb", VERBS)
def test_what_was_published_before_it_passed_is_obeyed(
    scene: Scene, before: Any, verb: Callable[[Scene], Callable[[], object]]
) -> None:
    """Published, walled and rebuilt while the verb stands before the turnstile: nobody may go back.

    Planted: rules read before the turnstile is passed; each verb put its customers back into `one`.
    """
    act = verb(scene)
    before(turnstile._SHARED, scene.publish_and_rebuild)
    act()
    assert scene.untrue(NOON + 2 * HOUR) == 0


@pytest.mark.parametrize("verb", VERBS)
def test_what_is_published_while_it_is_within_is_obeyed_at_once_or_rebuilt(
    scene: Scene, before: Any, pool: ThreadPoolExecutor, verb: Callable[[Scene], Callable[[], object]]
) -> None:
    """Between the turnstile and the reading of the rules: who publishes waits, and no rebuild is too early.

    Planted: neither publishing nor its rebuild passes; it scanned before the verb had committed.
    """
    act = verb(scene)
    going: list[Future[None]] = []

    def meanwhile() -> None:
        going.append(pool.submit(scene.publish_and_rebuild))
        wait_until(lambda: going[0].done() or waiting_backends(scene.world, "advisory") == 1)
        assert not going[0].done()

    before(turnstile._SHARED, lambda: before(in_force._VERSION, meanwhile))
    act()
    assert len(going) == 1
    going[0].result()
    assert scene.untrue(NOON + 2 * HOUR) == 0
