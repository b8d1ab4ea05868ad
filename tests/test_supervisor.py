"""Processes are kept running, however they die; stopping leaves none behind, not even their children."""

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from world import wait_until

from ringeliste import procfile, supervised
from ringeliste.embedded.processes import alive
from ringeliste.supervised import Supervised, kill_group, members
from ringeliste.supervisor import Supervisor, running, sweep

IDLE = "import signal; signal.pause()"
STUBBORN = (
    "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); signal.pause()"
)
PARENT = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {STUBBORN!r}]); {IDLE}"

Make = Callable[..., Supervised]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    made: list[Supervised] = []

    def make(name: str, code: str) -> Supervised:
        one = Supervised(
            name, [sys.executable, "-c", code],
            env=os.environ, directory=tmp_path, log=tmp_path / f"{name}.log",
        )  # fmt: skip
        made.append(one)
        return one

    yield make
    for one in made:
        one.kill()
        wait_until(one.gone)
        one.close()


def supervise(tmp_path: Path, *processes: Supervised) -> Supervisor:
    supervisor = Supervisor(processes, tmp_path / "processes.json")
    supervisor.start()
    return supervisor


def kill(pid: int | None) -> None:
    assert pid
    os.kill(pid, signal.SIGKILL)


def test_who_is_killed_is_started_again_and_nobody_else_is(tmp_path: Path, make: Make) -> None:
    """honcho's manager, in its place, stops the second when the first dies."""
    one, two = make("one", IDLE), make("two", IDLE)
    supervisor = supervise(tmp_path, one, two)
    first, other = one.pid, two.pid
    kill(first)

    def again() -> bool:
        supervisor.look()
        return one.pid not in (None, first)

    wait_until(again)
    assert two.pid == other
    assert one.deaths == 1
    assert running(tmp_path / "processes.json") == {"one": one.pid, "two": other}
    supervisor.stop()


def test_the_children_of_who_is_killed_do_not_stay_behind(tmp_path: Path, make: Make) -> None:
    """A worker's master killed: without the group's end its workers would go on beside the new ones."""
    one = make("one", PARENT)
    supervisor = supervise(tmp_path, one)
    group = one.pid
    assert group
    wait_until(lambda: len(members(group)) == 2)
    kill(group)

    def swept() -> bool:
        supervisor.look()
        return not members(group)

    wait_until(swept)
    supervisor.stop()


def test_who_dies_at_once_is_started_again_less_and_less_often(
    tmp_path: Path, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr(supervised, "monotonic", lambda: now)
    one = make("one", "raise SystemExit(7)")
    one.start()
    waits = []
    for _ in range(8):
        wait_until(one.look)
        waits.append(0.0)
        while not one.look():
            waits[-1] += 0.05
            now += 0.05
    assert waits == sorted(waits)
    assert waits[-1] == pytest.approx(supervised.LONGEST_DELAY, abs=0.2)
    assert one.last_code == 7


def test_stopping_kills_who_will_not_end(tmp_path: Path, make: Make) -> None:
    good, stubborn = make("good", IDLE), make("stubborn", STUBBORN)
    supervisor = supervise(tmp_path, good, stubborn)
    pids = [good.pid, stubborn.pid]
    log = tmp_path / "stubborn.log"
    wait_until(lambda: log.exists() and "up" in log.read_text())
    assert supervisor.stop(grace=0.5) == ["stubborn"]
    assert [pid for pid in pids if pid and psutil.pid_exists(pid) and alive(psutil.Process(pid))] == []
    assert not (tmp_path / "processes.json").exists()


def test_what_a_killed_supervisor_left_is_swept(tmp_path: Path, make: Make) -> None:
    """Also the children of one that has died with it; and never a stranger that got a number of ours."""
    left, parent = make("left", IDLE), make("parent", PARENT)
    supervise(tmp_path, left, parent)
    group = parent.pid
    assert group
    wait_until(lambda: len(members(group)) == 2)
    kill(group)
    wait_until(lambda: (parent.look() and parent.pid is None) or len(members(group)) <= 1)
    file = tmp_path / "processes.json"
    noted = json.loads(file.read_text())
    noted["stranger"] = {"pid": os.getpid(), "born": 1.0}
    file.write_text(json.dumps(noted))
    assert "left" in sweep(file)
    assert left.pid
    assert not members(left.pid)
    assert not members(group)


def test_logs_are_kept_and_turned_over(tmp_path: Path, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervised, "LOG_BYTES", 1000)
    one = make("one", "for n in range(2000): print('line', n)")
    one.start()
    wait_until(one.look)
    one.close()
    files = sorted(tmp_path.glob("one.log*"))
    assert [file.name for file in files] == ["one.log", "one.log.1", "one.log.2", "one.log.3"]
    assert all(file.stat().st_size <= 1000 for file in files)
    assert "line 1999" in "".join(file.read_text() for file in files)
    assert "exit code 0" in (tmp_path / "one.log").read_text()


def test_the_procfile_has_the_five_processes_and_each_can_be_started() -> None:
    commands = procfile.commands()
    assert list(commands) == ["release", "web", "worker", "scheduler", "dialer"]
    for command in commands.values():
        assert os.access(command[0], os.X_OK)


def test_commands_run_under_this_interpreter_without_any_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert procfile.command_of("python -m web") == [sys.executable, "-m", "web"]
    for command in procfile.commands().values():
        assert command[0].startswith(str(Path(sys.executable).parent))


def test_killing_a_group_that_is_gone_harms_nobody() -> None:
    with suppress(ChildProcessError):
        kill_group(2**22 - 1)
