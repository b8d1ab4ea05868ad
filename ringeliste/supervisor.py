"""All processes of ours, kept running until they are told to stop.

honcho reads the Procfile, but does not run it: its manager stops every process as soon as one dies. After a
kill -9 we want that one again, and the others undisturbed.
"""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import psutil

from ringeliste.embedded.processes import alive, wait_until
from ringeliste.supervised import Supervised, kill_group, members

FILE = "processes.json"
"""In the data directory: who runs, by name, with process ids."""

GRACE_SECONDS = 10.0
"""Wall time that a process has to end by itself; then it is killed."""

LOOK_SECONDS = 0.1


class Supervisor:
    """Starts, watches and stops processes; who runs stands in a file, for who comes after a crash of ours."""

    def __init__(self, processes: Sequence[Supervised], file: Path) -> None:
        self.processes, self._file = list(processes), file

    def start(self) -> None:
        """Start all, in their order."""
        for process in self.processes:
            process.start()
        self._note()

    def look(self) -> None:
        """Start again whoever has died and has waited."""
        changed = [process.look() for process in self.processes]
        if any(changed):
            self._note()

    def stop(self, grace: float = GRACE_SECONDS) -> list[str]:
        """Stop all, the last started first to be told; the names of those that had to be killed."""
        running = [process for process in reversed(self.processes) if process.pid]
        for process in running:
            process.ask_to_end()
        stubborn = _wait_for(running, grace)
        for process in stubborn:
            process.kill()
        _wait_for(stubborn, GRACE_SECONDS)
        for process in running:
            process.close()
        self._file.unlink(missing_ok=True)
        return [process.name for process in stubborn]

    def _note(self) -> None:
        running = {process.name: identity(process.pid) for process in self.processes if process.pid}
        fresh = self._file.with_suffix(".new")
        fresh.write_text(json.dumps(running, indent=2) + "\n", encoding="utf-8")
        fresh.replace(self._file)


def _wait_for(processes: Iterable[Supervised], seconds: float) -> list[Supervised]:
    """Wait until they are gone; those that are not after so long."""
    left, deadline = list(processes), monotonic() + seconds
    while left := [process for process in left if not process.gone()]:
        if monotonic() > deadline:
            return left
        sleep(LOOK_SECONDS)
    return []


def identity(pid: int) -> dict[str, Any]:
    """A process beyond doubt: numbers are given again, a number with its time of birth is not."""
    try:
        return {"pid": pid, "born": psutil.Process(pid).create_time()}
    except psutil.NoSuchProcess:
        return {"pid": pid, "born": None}


def running(file: Path) -> dict[str, int]:
    """The processes that a supervisor noted in `file` and that live: name -> process id."""
    return {name: one["pid"] for name, one in _noted(file).items() if _lives(one)}


def sweep(file: Path) -> list[str]:
    """Kill what a supervisor left that was itself killed; the names."""
    left = {name: one["pid"] for name, one in _noted(file).items() if _lives(one) or _led(one)}
    for pid in left.values():
        kill_group(pid)
    wait_until(lambda: not any(members(pid) for pid in left.values()), GRACE_SECONDS)
    file.unlink(missing_ok=True)
    return list(left)


def _noted(file: Path) -> dict[str, dict[str, Any]]:
    try:
        return dict(json.loads(file.read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError):
        return {}


def _lives(noted: dict[str, Any]) -> bool:
    try:
        found = psutil.Process(noted["pid"])
        return alive(found) and found.create_time() == noted["born"]
    except psutil.NoSuchProcess:
        return False


def _led(noted: dict[str, Any]) -> bool:
    """It is dead, and its children are not: nobody else gets its number before they have ended."""
    return not psutil.pid_exists(noted["pid"]) and bool(members(noted["pid"]))
