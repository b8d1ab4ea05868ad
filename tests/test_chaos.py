"""kill -9 of every process of ours, under load: all heals by itself, and no outcome that was told is missing.

What was planted to see it fail: a link that acknowledges before it has committed.

`test_a_day_of_faults` is the longest and hardest form: see docs/chaos.md.
"""

import os
import random
import signal
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from chaos import chaos
from running import PATIENCE, Running, lives, short_list, until
from sqlalchemy.exc import SQLAlchemyError

from models.errors import RingelisteError
from ringeliste.demo import MONDAY_0800

pytestmark = pytest.mark.once

SPEED, SEED = 90, 5
VICTIMS = (
    "web", "worker", "worker 1", "worker 2", "scheduler", "dialer", "robot", "sellers", "redis", "postgres",
)  # fmt: skip


@pytest.fixture
def demo(open_directory: Path) -> Iterator[Running]:
    """The demo at work since 10:00, when everybody in Portugal may be rung."""
    made = Running(open_directory)
    try:
        data = short_list(open_directory, 3000)
        made.build(data, sellers=8, starts=MONDAY_0800 + timedelta(hours=2))
        made.up("--speed", str(SPEED), "--lines", "4")
        until(lambda: working(made, {"sellers": 0, "dialers": 0}), "the first calls", made.said)
        yield made
    finally:
        made.close()


def working(demo: Running, since: dict[str, int]) -> bool:
    """Whether sellers and the dialer have both reported something since then."""
    try:
        now = demo.attempts()
    except (RingelisteError, SQLAlchemyError):
        return False
    return now["sellers"] > since["sellers"] and now["dialers"] > since["dialers"]


def strike(demo: Running, victim: str) -> None:
    """kill -9; then it is there again, and calls go on."""
    until(lambda: victim in demo.processes(), f"{victim} at all", demo.said)
    before, pid = demo.attempts(), demo.processes()[victim]
    os.kill(pid, signal.SIGKILL)
    until(lambda: not lives(pid), f"the end of {victim}", demo.said)
    until(lambda: demo.processes().get(victim) not in (None, pid), f"{victim} again", demo.said)
    until(lambda: working(demo, before), f"calls after the end of {victim}", demo.said)


def come_to_rest(demo: Running) -> None:
    """Nothing new is handed out; whatever was under way ends, and is acknowledged to whoever told it."""
    demo.command("pause", "crm", "--reason", "counting")

    def quiet() -> bool:
        (told, acked), (ended, heard) = demo.told_by_sellers(), demo.told_by_robot()
        return set(told) <= acked and set(ended) <= heard and not live_leases(demo)

    until(quiet, "everything acknowledged and at rest", demo.said, PATIENCE)


def live_leases(demo: Running) -> int:
    from sqlalchemy import text

    with demo.app().work(demo.world().crm_id) as work:
        found = work.run(text("select count(*) from lease where crm_id = :crm_id and ended_at is null"))
        return int(found.scalar_one())


def nothing_is_missing(demo: Running) -> None:
    """Every outcome in the journals is an attempt, and as it was told; every promise was kept."""
    kept = demo.outcomes()
    for told, _ in (demo.told_by_sellers(), demo.told_by_robot()):
        assert told
        assert {lease: kept.get(lease) for lease in told} == told
    assert demo.command("check") == {f"P{n}": 0 for n in range(1, 9)}


def test_every_process_killed_once(demo: Running) -> None:
    for victim in VICTIMS:
        strike(demo, victim)
    come_to_rest(demo)
    nothing_is_missing(demo)


@pytest.mark.full
@pytest.mark.parametrize("seed", range(3))
def test_processes_killed_again_and_again_two_at_a_time(demo: Running, seed: int) -> None:
    dice = random.Random(seed)
    for _ in range(12):
        before, pids = demo.attempts(), demo.processes()
        for victim in dice.sample(VICTIMS, 2):
            if victim in pids and lives(pids[victim]):
                os.kill(pids[victim], signal.SIGKILL)
        until(lambda before=before: working(demo, before), "calls after two deaths", demo.said)
    come_to_rest(demo)
    nothing_is_missing(demo)


@pytest.mark.alone
@pytest.mark.parametrize("minutes", [1, pytest.param(60, marks=pytest.mark.full)])
def test_a_day_of_faults(open_directory: Path, minutes: float) -> None:
    """A hundred sellers, four dialers, fifty calls a second, and whatever may break (tests/chaos.py).

    Planted: a link that acknowledges before it has committed; rings of which the gap hears nothing; a ring as
    late as its answer was. Seen to fail: outcomes that are no attempt, customers rung again too soon, P3.
    """
    account = chaos(open_directory, minutes=minutes, seed=SEED, say=print)
    assert account.wrong == [], "\n".join(account.lines())
    assert account.faults
