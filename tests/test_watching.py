"""Watching a rebuild: how far it is, how it ended, on the API and the command line; never two that wait."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from rebuild_scene import OLD, TIRED, Scene, interrupted, lingering
from shell import Shell
from sqlalchemy import text
from test_health import samples
from web_client import Caller, api_of
from world import NOON, World, wait_until

from calling.segments.publishing import publish
from calling.segments.resegmenting import rebuilds_to_do, run_rebuild
from calling.segments.sweeping import sweep_all
from calling.views.rebuilds import Rebuild, rebuild, rebuilds
from models.errors import NotFound
from ringeliste.cli.watching import watched
from segmentation import rebuild as rebuilding
from wiring.gauges import DatabaseGauges
from wiring.locks import SCHEDULER, SessionLock

MINUTE = timedelta(minutes=1)


@pytest.fixture
def scene(world: World) -> Scene:
    return Scene(world)


def edit(scene: Scene) -> None:
    scene.publish({"old": OLD})


def seen(scene: Scene, now: Any = NOON) -> list[Rebuild]:
    """Every rebuild of the scene's assignment, the newest first."""
    with scene.world.work(now) as work:
        return list(rebuilds(work, scene.assignment, 0, 10))


# States


def test_a_rebuild_waits_runs_and_is_done(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: progress told at the end only."""
    monkeypatch.setattr(rebuilding, "TELL_EVERY", 1)
    monkeypatch.setattr(rebuilding, "LANES", (True,))
    (waits,) = seen(scene)
    assert (waits.state, waits.share, waits.ends_at, waits.scanned) == ("pending", 0.0, None, None)
    looks: list[Rebuild] = []

    def look() -> None:
        looks.append(seen(scene)[0])

    # From the fourth work on, a batch and its telling take turns: seen from within each batch.
    scene.rebuild(lingering(scene.world, dict.fromkeys((4, 6, 8, 10), look)), batch=1)
    assert {one.state for one in looks} == {"running"}
    assert [one.settled for one in looks] == [0, 1, 2, 3]
    assert [(one.scanned, one.differing, one.rule_version) for one in looks] == [(10, 4, 1)] * 4
    (done,) = seen(scene)
    assert (done.state, done.share, done.moved, done.finished_at) == ("done", 1.0, 4, NOON)


def test_who_only_changes_labels_counts_as_settled(scene: Scene) -> None:
    """Planted: those who moved counted instead; it never came beyond 0 of 9."""
    scene.rebuild()
    ten = {"key": "ten", "when": {"f": "age", "op": "ge", "v": 10}}
    body = {"segments": [{"key": "tired", "when": TIRED}, {"key": "old", "when": OLD}], "labels": [ten]}
    publish(scene.world.opener(), scene.assignment, body, author="a")
    scene.rebuild()
    assert (seen(scene)[0].differing, seen(scene)[0].settled, seen(scene)[0].moved) == (9, 9, 0)


@pytest.mark.parametrize(("settled", "ends"), [(0, None), (100, 3 * MINUTE), (399, MINUTE / 399)])
def test_when_it_will_be_done(scene: Scene, settled: int, ends: timedelta | None) -> None:
    """As long for each who is left as for those before; 400 differ, and a minute has passed."""
    scene.change(
        "update rebuild set started_at = :t, scanned_at = :t, scanned = 1000, differing = 400,"
        " settled = :settled, moved = 0 where assignment_id = :a", t=NOON - MINUTE, settled=settled,
    )  # fmt: skip
    (runs,) = seen(scene)
    assert (runs.state, runs.share) == ("running", settled / 400)
    assert runs.ends_at == (None if ends is None else NOON + ends)


def test_an_edit_in_the_middle_supersedes_at_the_next_batch(scene: Scene) -> None:
    """Planted: what came of it not kept; a watcher was told that it was done."""
    found = scene.to_do()[0]
    open_work = interrupted(scene.world, {5: lambda: edit(scene)})
    rebuilding.rebuild(open_work, found, batch=1)
    waits, ended = seen(scene)
    assert (ended.id, ended.state, ended.rule_version) == (found, "superseded", 1)
    assert ended.share < 1
    assert (waits.state, waits.reason) == ("pending", "rules version 2")
    assert rebuilding.rebuild(scene.world.opener(), found).ending == "superseded"


def test_one_of_another_assignment_is_not_found(scene: Scene) -> None:
    (one,) = seen(scene)
    other = scene.world.assignment()
    with scene.world.work() as work, pytest.raises(NotFound):
        rebuild(work, other, one.id)
    with scene.world.work() as work:
        assert rebuilds(work, other, 0, 10) == []


def test_never_two_wait_whoever_publishes_edits_and_rebuilds_at_once(scene: Scene) -> None:
    """Two who publish and two who rebuild; in the end everybody is where the last rules put them."""
    together, most = Barrier(4), []
    waiting = "select count(*) as n from rebuild where assignment_id = :a and started_at is null"

    def publish_often(number: int) -> None:
        together.wait()
        for i in range(5):
            scene.publish({"old": {"f": "age", "op": "ge", "v": 10 * number + i}})
            most.append(scene.one(waiting).n)

    def work_off(_: int) -> None:
        together.wait()
        for _ in range(20):
            for one in rebuilds_to_do(scene.world.opener()):
                run_rebuild(scene.world.opener(), one)
            most.append(scene.one(waiting).n)

    with ThreadPoolExecutor(4) as pool:
        for done in [
            pool.submit(act, i) for i, act in enumerate((publish_often, publish_often, work_off, work_off))
        ]:
            done.result()
    assert max(most) == 1
    while rebuilds_to_do(scene.world.opener()):
        work_off_alone(scene)
    assert scene.differing() == 0
    assert {one.state for one in seen(scene)} <= {"done", "superseded"}


def work_off_alone(scene: Scene) -> None:
    for one in rebuilds_to_do(scene.world.opener()):
        run_rebuild(scene.world.opener(), one)


# Watching


def test_a_watcher_goes_on_to_what_supersedes(scene: Scene) -> None:
    """Each step happens while the watcher pauses. Planted: it left with the first that ended."""
    first = scene.to_do()[0]

    def supersede() -> None:
        open_work = interrupted(scene.world, {5: lambda: edit(scene)})
        rebuilding.rebuild(open_work, first, batch=1)

    steps: Iterator[Callable[[], object]] = iter([lambda: None, supersede, lambda: scene.rebuild()])
    ended = watched(
        scene.world.opener(), scene.assignment, 0, goes_on=lambda: True, pause=lambda _: next(steps)()
    )
    assert [one.state for one in ended] == ["superseded", "done"]
    assert next(steps, None) is None


def test_a_watcher_does_not_wait_for_nobody(scene: Scene) -> None:
    ended = watched(scene.world.opener(), scene.assignment, 0, goes_on=lambda: False, pause=never)
    assert [one.state for one in ended] == ["pending"]
    scene.rebuild()
    (done,) = watched(scene.world.opener(), scene.assignment, 0, goes_on=lambda: False, pause=never)
    assert done.state == "done"
    assert watched(scene.world.opener(), scene.assignment, done.id, goes_on=lambda: True, pause=never) == []


def never(_: float) -> None:
    raise AssertionError("it waits")


@pytest.fixture
def shell(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> Shell:
    return Shell(scene.world, monkeypatch)


def test_publish_and_watch_on_the_command_line(shell: Shell, scene: Scene, tmp_path: Any) -> None:
    """A worker does its work meanwhile; who leads is somebody else."""
    file = tmp_path / "rules.txt"
    file.write_text("segment old: age >= 30\n", encoding="utf-8")
    lead = SessionLock(scene.world.app.engine, *SCHEDULER)
    assert lead.try_take()

    def work() -> None:
        wait_until(lambda: seen(scene)[0].reason == "rules version 2")
        work_off_alone(scene)

    with ThreadPoolExecutor(1) as worker:
        working = worker.submit(work)
        said = shell.ok("rules", "publish", str(file), "--watch", "--json").document
        working.result()
    lead.release()
    assert (said["version"], said["somebody_works"]) == (2, True)
    assert {one["state"] for one in said["rebuilds"]} == {"done"}
    assert shell.ok("rules", "watch", "--json").document == {"done": True, "rebuilds": []}
    assert "Nothing moves" in shell.ok("rules", "watch").out


def test_nobody_works_is_said(shell: Shell) -> None:
    said = shell.ok("rules", "watch", "--json").document
    assert (said["done"], [one["state"] for one in said["rebuilds"]]) == (False, ["pending"])
    assert "Nobody works yet" in shell.ok("rules", "watch").out


def test_versions_and_back_to_one_of_them(shell: Shell, scene: Scene) -> None:
    scene.rebuild()
    scene.publish({"old": OLD})
    moves = shell.ok("rules", "roll-back", "1", "--dry-run", "--json").document["moves"]
    assert {move["segment"] for move in moves} == {"tired", "old", "unsegmented"}
    assert [one["version"] for one in shell.ok("rules", "versions", "--json").document] == [2, 1]
    assert shell.ok("rules", "roll-back", "1", "--author", "Kari", "--json").document["version"] == 3
    (newest, *_) = shell.ok("rules", "versions", "--json").document
    assert (newest["version"], newest["author"], newest["segments"]) == (3, "Kari", 2)
    assert "in force" in shell.ok("rules", "versions").out
    assert shell.run("rules", "roll-back", "9").code == 1


# The API


@pytest.fixture
def kari(scene: Scene) -> Iterator[Caller]:
    with api_of(scene.world) as api:
        yield api.manager()


def test_rebuilds_on_the_api_the_newest_first(kari: Caller, scene: Scene) -> None:
    scene.rebuild()
    scene.publish({"old": OLD})
    path = f"/assignments/{scene.assignment}/rebuilds"
    first = kari.ok("GET", path, params={"limit": 1})
    (waits,) = first["items"]
    (done,) = kari.ok("GET", path, params={"limit": 1, "cursor": first["next"]})["items"]
    assert (waits["state"], done["state"], done["share"]) == ("pending", "done", 1.0)
    assert kari.ok("GET", f"{path}/{done['id']}") == done
    kari.refused(404, "GET", f"{path}/{done['id'] + 100}")
    kari.refused(404, "GET", f"/assignments/{scene.assignment + 1}/rebuilds")


# The alarm, wherever it shows


def broken(scene: Scene) -> None:
    scene.rebuild()
    scene.change("update field set type = 'text'")
    sweep_all(scene.world.opener())


def test_a_broken_rule_shows_on_the_api(kari: Caller, scene: Scene) -> None:
    path = f"/assignments/{scene.assignment}/rules/broken"
    assert kari.ok("GET", path) == {"items": []}
    broken(scene)
    (one,) = kari.ok("GET", path)["items"]
    assert (one["kind"], one["id"], one["key"], one["stands_in"]) == ("segment", scene.old, "old", 1)
    assert one["found_at"] == "2026-03-02T12:00:00Z"
    assert "age, a text" in one["why"]
    kari.refused(404, "GET", f"/assignments/{scene.assignment + 1}/rules/broken")


def test_a_broken_rule_shows_among_the_metrics(scene: Scene) -> None:
    theirs = str(scene.world.neighbour().crm_id)
    registry = CollectorRegistry()
    registry.register(DatabaseGauges(scene.world.app))
    mine = ("ringeliste_broken_rules", str(scene.world.crm_id))
    assert samples(registry)[mine] == 0
    broken(scene)
    assert samples(registry)[mine] == 1
    assert samples(registry)["ringeliste_broken_rules", theirs] == 0


@pytest.mark.parametrize("swept", [True, False])
def test_a_broken_rule_shows_on_the_command_line(shell: Shell, scene: Scene, swept: bool) -> None:
    """Whether or not a sweep has found it: without one nobody runs yet."""
    assert shell.ok("rules", "show").err == ""
    scene.rebuild()
    scene.change("update field set type = 'text'")
    if swept:
        sweep_all(scene.world.opener())
    said = shell.ok("rules", "show", "--text")
    assert said.out == "segment tired: attempts >= 3\n\nsegment old: age >= 60\n"
    assert "segment old cannot be read since Mon 2026-03-02 12:00 UTC" in said.err
    assert "in version 1, it goes on" in said.err
    (told,) = shell.ok("report", "--json").document["broken_rules"]
    assert told["key"] == "old"
    assert "segment old cannot be read" in " ".join(shell.ok("report").out.split())
    assert ("old (broken rule)" in shell.ok("segments").out) == swept


def test_nothing_of_a_neighbours_alarm_shows(world: World) -> None:
    mine, theirs = Scene(world), Scene(world.neighbour())
    broken(mine)
    with theirs.world.work() as work:
        assert work.run(text("select count(*) from broken_rule")).scalar_one() == 0
