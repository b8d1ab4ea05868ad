"""`ringeliste up --demo` from an empty directory: it works, stops without a trace, goes on where it was."""

import json
import re
import signal
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.request import urlopen
from uuid import UUID

import pytest
from running import Running, lives, short_list, until
from sqlalchemy.exc import SQLAlchemyError

from models.errors import RingelisteError
from ringeliste import embedded
from ringeliste.demo import MONDAY_0800
from ringeliste.up import only_one
from wiring.clock import ClockBase

pytestmark = pytest.mark.once

EVERYTHING = {
    "web",
    "worker",
    "worker 1",
    "worker 2",
    "scheduler",
    "dialer",
    "robot",
    "sellers",
    "postgres",
    "redis",
}


@pytest.fixture
def demo(open_directory: Path) -> Iterator[Running]:
    made = Running(open_directory)
    yield made
    made.close()


def sold(demo: Running, than: int) -> bool:
    try:
        return demo.ready() and demo.attempts()["sales"] > than
    except (RingelisteError, SQLAlchemyError):
        return False


def stop(demo: Running, wish: signal.Signals) -> list[int]:
    """Stop it; who ran and still does."""
    pids = demo.processes()
    assert set(pids) == EVERYTHING
    demo.tell(wish)
    demo.tell(wish)  # a second Ctrl-C does no harm
    assert demo.ended() == 0
    return [pid for pid in pids.values() if lives(pid)]


def everybody_counts(demo: Running) -> None:
    """Planted: no ports of their own; ticks and tasks were counted where nobody could look."""
    (line,) = re.findall(r"Metrics: (.*)", demo.said.read_text())
    shown: dict[str, str] = {}
    for name, address in (one.split() for one in line.split(", ")):
        with urlopen(address, timeout=10) as answer:  # noqa: S310 - our own address
            shown[name] = shown.get(name, "") + answer.read().decode()
    assert list(shown) == ["web", "worker", "scheduler", "dialer"]
    assert len(line.split(", ")) == 5  # two workers
    assert 'verb="allocate"' in shown["worker"]
    assert 'ringeliste_ticks_total{tick="top-up"}' in shown["scheduler"]
    assert 'verb="next"' in shown["web"]


def strangers_log_as_we_do(demo: Running) -> None:
    """Planted: `extra` left out of foreign lines; the dialer's had no lease."""
    logs = {name: (demo.folder / "logs" / f"{name}.log").read_text() for name in ("robot", "sellers")}
    lines = {name: [json.loads(line) for line in text.splitlines()] for name, text in logs.items()}
    assert all(line["process"] == name for name, told in lines.items() for line in told)
    ended = [line for line in lines["robot"] if line["event"].startswith("ended")]
    assert ended
    assert all(UUID(line["lease"]) for line in ended)


def clock_at_rest(demo: Running) -> ClockBase:
    """Look at the clock while everything is off."""
    embedded.start(demo.folder, env={})
    try:
        return demo.clock()
    finally:
        demo.let_go()
        embedded.stop(demo.folder)


def test_a_demo_works_stops_without_a_trace_and_goes_on(demo: Running, open_directory: Path) -> None:
    """From nothing; Ctrl-C; again; kill -9 of `up` itself; again; SIGTERM."""
    data = short_list(open_directory, 1500)
    options = ["--data", str(data), "--sellers", "6", "--speed", "600"]
    demo.up(*options)
    until(lambda: sold(demo, 1), "the first sales", demo.said)
    everybody_counts(demo)
    strangers_log_as_we_do(demo)
    assert stop(demo, signal.SIGINT) == []
    assert (demo.folder / "postgres").is_dir()

    at_rest = clock_at_rest(demo)
    assert at_rest.speed == 0
    assert at_rest.business_at > MONDAY_0800

    demo.up()
    until(lambda: sold(demo, 2), "sales after the pause", demo.said)
    now = demo.clock()
    assert (now.business_at, now.speed) == (at_rest.business_at, 600)
    assert now.business_at - MONDAY_0800 < timedelta(days=2)

    left = demo.processes()
    demo.tell(signal.SIGKILL)
    assert demo.ended() == -signal.SIGKILL
    assert any(lives(pid) for pid in left.values())
    demo.up()
    until(lambda: "was cut off" in demo.said.read_text(), "sweeping", demo.said)
    before = demo.attempts()["sales"]
    until(lambda: sold(demo, before), "sales after the crash", demo.said)
    ours = {name: pid for name, pid in left.items() if name not in ("postgres", "redis")}
    assert [name for name, pid in ours.items() if lives(pid)] == []
    assert stop(demo, signal.SIGTERM) == []


def test_a_second_one_in_the_same_directory_is_refused(demo: Running) -> None:
    demo.folder.mkdir()
    with only_one(demo.folder):
        demo.up()
        assert demo.ended() == 1
    assert "runs already" in demo.said.read_text()
    assert not (demo.folder / "postgres").exists()


def test_a_dry_run_starts_nothing(demo: Running) -> None:
    demo.up("--dry-run")
    assert demo.ended() == 0
    assert "python -m web" in demo.said.read_text().replace(sys.executable, "python")
    assert not demo.folder.exists()
