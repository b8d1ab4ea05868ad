"""The commands that start servers of their own: db, demo, simulate, bench."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from running import short_list
from shell import Said, run

from benchmarks import NAMES
from ringeliste import embedded
from ringeliste.supervisor import FILE, identity

pytestmark = pytest.mark.once


@pytest.fixture
def home(open_directory: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A data directory in which nothing runs yet; the settings name no other servers."""
    for name in ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL"):
        monkeypatch.delenv(name, raising=False)
    folder = open_directory / "data"
    monkeypatch.setenv("RINGELISTE_DATA", str(folder))
    yield folder
    embedded.stop(folder)


def ok(*arguments: str) -> Any:
    said: Said = run(*arguments, "--json")
    assert said.code == 0, said.err
    return said.document


def test_servers_and_schema_from_nothing_and_back(home: Path) -> None:
    down = run("db", "status", "--json")
    assert (down.code, down.document["ready"], down.document["postgres"]) == (1, False, "stopped")
    assert ok("db", "start", "--dry-run")["postgres"] == "stopped"
    assert not home.exists()
    assert ok("db", "start")["redis"] == "running"
    assert "ringeliste db upgrade" in run("check").err
    assert ok("db", "upgrade", "--dry-run")["from"] is None
    assert run("db", "status").code == 1
    assert ok("db", "upgrade")["from"] is None
    assert "up to date" in run("db", "upgrade").out
    assert ok("db", "status")["ready"] is True
    assert str(home) in run("db", "status").out
    assert "ringeliste_owner" in run("db", "psql", "--print").out
    assert ok("db", "stop", "--dry-run")["postgres"] == "running"
    assert ok("db", "stop")["postgres"] == "stopped"


def test_servers_are_not_stopped_under_a_running_up(home: Path) -> None:
    home.mkdir()
    (home / FILE).write_text(json.dumps({"web": identity(os.getpid())}), encoding="utf-8")
    said = run("db", "stop")
    assert said.code == 1
    assert "Ctrl-C" in said.err
    (home / FILE).unlink()


def test_the_demo_is_built_once(home: Path, open_directory: Path) -> None:
    data = str(short_list(open_directory, 300))
    assert ok("demo", "--data", data, "--dry-run")["list"] == data
    assert not home.exists()
    built = ok("demo", "--data", data, "--sellers", "2")
    assert ok("demo", "--data", data) == built
    assert built["sellers"] == 2
    assert sum(one["size"] for one in ok("segments")) == 300
    assert set(ok("check").values()) == {0}
    assert "ringeliste up --demo" in run("demo").out


def test_a_simulation_prints_one_json_object(home: Path, open_directory: Path) -> None:
    data = str(short_list(open_directory, 300))
    told = ok("simulate", "--days", "0.1", "--seed", "3", "--sellers", "2", "--data", data)
    assert {"attempts", "contacts", "sales", "seconds", "segments", "check"} <= set(told)
    assert told["attempts"] > 0
    assert set(told["check"].values()) == {0}


def test_what_a_simulation_would_build_is_said_and_not_built(home: Path) -> None:
    told = ok("simulate", "--days", "5", "--sellers", "40", "--dry-run")
    assert (told["directory"], told["sellers"], told["replaces"]) == (str(home / "simulation"), 40, "nothing")
    assert told["seconds"] > ok("simulate", "--days", "1", "--dry-run")["seconds"] > 30
    assert told["megabytes"] > 200
    assert not home.exists()
    somebody_elses = home / "simulation" / "thesis.txt"
    somebody_elses.parent.mkdir(parents=True)
    somebody_elses.touch()
    said = run("simulate", "--dry-run")
    assert (said.code, "not ours" in said.err) == (2, True)


def test_a_seed_with_faults_is_played_up_to_a_step(home: Path) -> None:
    """And one step of one seed has nothing to do with days, nor with several seeds."""
    few = ("--faults", "--seed", "3", "--customers", "40", "--minutes", "5")
    planned = ok("simulate", *few, "--dry-run")
    assert (planned["directory"], planned["seeds"], planned["sellers"]) == (str(home / "faults"), "3 to 3", 4)
    assert not home.exists()
    for wrong in (("--until-step", "9"), ("--seeds", "2"), ("--faults", "--seeds", "2", "--until-step", "9")):
        assert run("simulate", *wrong).code == 2
    played = ok("simulate", *few, "--until-step", "60")
    (seed,) = played["seeds"]
    assert (played["broken"], seed["seed"], seed["steps"], len(seed["last"])) == ([], 3, 60, 40)
    assert embedded.status(home / "faults").postgres_pid is None


@pytest.mark.parametrize("name", NAMES)
def test_what_a_benchmark_would_do_is_said_and_not_done(home: Path, name: str) -> None:
    told = ok("bench", name, "--rows", "1000000", "--dry-run")
    assert (told["directory"], told["customers"]) == (str(home / "bench"), 1_000_000)
    assert told["seconds"] > ok("bench", name, "--dry-run")["seconds"]
    assert "Dry run" in run("bench", name, "--dry-run").out
    assert not home.exists()


def test_a_benchmark_that_there_is_not(home: Path) -> None:
    said = run("bench", "nxt")
    assert said.code == 2
    assert "did you mean next" in said.err
    assert not home.exists()
