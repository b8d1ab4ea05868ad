"""The simulation with faults: promises are kept, a seed comes to the same step, planted bugs are found."""

import json
import os
import subprocess
import sys
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from ground import Ground, create, drop
from planted import PLANTED

from ringeliste.faults import Verdict, play
from ringeliste.faults.databases import Databases
from wiring.settings import Settings

pytestmark = pytest.mark.once

ROOT = Path(__file__).parent.parent
SEEDS, BLOCK = 200, 10
SHORT = 10
"""Seeds of every run of the tests; all of them in the long one."""

FIRSTS = [
    pytest.param(first, marks=[] if first <= SHORT else pytest.mark.full)
    for first in range(1, SEEDS + 1, BLOCK)
]
ENOUGH = 10
"""Seeds within which each planted bug is found."""


@pytest.fixture(scope="session")
def databases(ground: Ground, _superuser: psycopg.Connection, worker: str) -> Iterator[Databases]:
    """The small world, built once a worker, and a copy of it for each seed."""
    yield from _built(ground, _superuser, f"faults_{worker}_{os.getpid()}")


def _built(ground: Ground, superuser: psycopg.Connection, name: str) -> Generator[Databases]:
    create(superuser, name, template="ringeliste")
    urls = ground.postgres.database(name)
    settings = Settings(
        database_url=urls.url,
        database_owner_url=urls.owner_url,
        redis_url=ground.redis_url(0),
        data=ground.directory,
    )
    try:
        yield Databases.build(superuser, settings)
    finally:
        drop(superuser, name)


def played(databases: Databases, seed: int, until_step: int | None = None) -> Verdict:
    """What comes of a seed in a copy of the small world."""
    name = f"{databases.template}_copy"
    with databases.copy(name) as (settings, engine):
        return play(settings, engine, databases.world, seed, until_step=until_step)


@pytest.mark.parametrize("first", FIRSTS)
def test_no_seed_breaks_a_promise(databases: Databases, first: int) -> None:
    """Half an hour of the small world with faults. It found a ring that counted as late: test_inbox.py."""
    verdicts = [played(databases, seed) for seed in range(first, first + BLOCK)]
    broken = [(one.seed, one.steps, one.broken, one.last) for one in verdicts if one.broken]
    assert broken == []
    # They did ring: who rings nobody breaks no promise
    assert sum(one.rings for one in verdicts) > 10 * BLOCK
    assert sum(one.words for one in verdicts) > 10 * BLOCK


def test_a_seed_comes_to_the_same_step_again(databases: Databases) -> None:
    """To the digit, in another process, where Python orders its sets in another way; up to any step.

    Planted: the next actor by the hash of a name; seen to fail.
    """
    first = played(databases, 7)
    other = subprocess.run(
        [sys.executable, __file__, str(databases.settings.data), "7"],
        env={**os.environ, "PYTHONHASHSEED": "4711", "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert other.returncode == 0, other.stderr
    assert json.loads(other.stdout) == [first.steps, first.digest]
    # Up to a step in the middle it is the beginning of the same play
    middle = played(databases, 7, until_step=first.steps // 2)
    again = played(databases, 7, until_step=first.steps // 2)
    assert (middle.steps, middle.digest) == (again.steps, again.digest) == (first.steps // 2, again.digest)
    assert played(databases, 8).digest != first.digest


@pytest.mark.full
@pytest.mark.parametrize("bug", PLANTED)
def test_a_planted_bug_is_found(
    databases: Databases, bug: str, monkeypatch: pytest.MonkeyPatch, record_property: Any
) -> None:
    """Each by one of the first seeds; docs/simulation.md says by which."""
    PLANTED[bug](monkeypatch)
    found = next((seed for seed in range(1, ENOUGH + 1) if played(databases, seed).broken), None)
    record_property("seed", found)
    assert found is not None


def elsewhere(ground: Ground, seed: int) -> None:
    """The world is built anew by this process, and the seed played in it."""
    with ground.postgres.superuser() as superuser:
        found = _built(ground, superuser, f"faults_elsewhere_{os.getpid()}")
        verdict = played(next(found), seed)
        found.close()
    json.dump([verdict.steps, verdict.digest], sys.stdout)


if __name__ == "__main__":
    elsewhere(Ground(Path(sys.argv[1])), int(sys.argv[2]))
