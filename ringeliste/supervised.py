"""One process of ours under supervision: started, its output kept in a log, started again when it dies."""

import logging
import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from logging.handlers import RotatingFileHandler
from pathlib import Path
from threading import Thread
from time import monotonic
from typing import IO

import psutil

from ringeliste.embedded.processes import alive

LOG_BYTES, LOGS_KEPT = 10_000_000, 3
FIRST_DELAY, LONGEST_DELAY = 0.1, 5.0
"""Wall seconds before a process that died is started again: doubled each time, up to the longest."""

STEADY_SECONDS = 10.0
"""Who ran so long had begun well: the next delay is the first one again."""

Heard = Callable[[str, str], None]
"""Called with a process's name and each line that it writes."""


class Supervised:
    """A program, whether it runs just now or not. `look` is to be called a few times a second."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        env: Mapping[str, str],
        directory: Path,
        log: Path,
        heard: Heard | None = None,
    ) -> None:
        self.name, self.command = name, list(command)
        self.deaths, self.last_code = 0, 0
        self._env, self._directory, self._heard = dict(env), directory, heard
        self._log = _Log(log, maxBytes=LOG_BYTES, backupCount=LOGS_KEPT, encoding="utf-8", delay=True)
        self._child: subprocess.Popen[bytes] | None = None
        self._pump: Thread | None = None
        self._began = self._again_at = 0.0
        self._delay = FIRST_DELAY

    @property
    def pid(self) -> int | None:
        """The running process; its children are in its process group."""
        return self._child.pid if self._child else None

    @property
    def seconds(self) -> float:
        """How long it has run (wall time); 0 while it does not."""
        return monotonic() - self._began if self._child else 0.0

    def start(self) -> None:
        """Start it, in a session of its own: a Ctrl-C on the terminal reaches only its supervisor."""
        self._child = subprocess.Popen(
            self.command,
            env=self._env,
            cwd=self._directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._began = monotonic()
        assert self._child.stdout is not None  # noqa: S101 - it is a pipe
        self._pump = Thread(target=self._keep, args=(self._child.stdout,), daemon=True)
        self._pump.start()

    def look(self) -> bool:
        """Start it again if it has died and its time has come. Whether anything changed."""
        if self._child is None:
            if monotonic() < self._again_at:
                return False
            self.start()
            return True
        if self._child.poll() is None:
            return False
        self._died(self._child)
        return True

    def ask_to_end(self) -> None:
        """SIGTERM to the process itself; it tells its children."""
        if self._child and self._child.poll() is None:
            self._child.send_signal(signal.SIGTERM)

    def gone(self) -> bool:
        """Whether it has ended, its children too."""
        if self._child is None:
            return True
        return self._child.poll() is not None and not members(self._child.pid)

    def kill(self) -> None:
        """SIGKILL to it and to its children."""
        if self._child:
            kill_group(self._child.pid)

    def close(self) -> None:
        """It has ended for good: keep what it said last."""
        if self._pump:
            self._pump.join(timeout=1)
        self._log.close()
        self._child = None

    def _died(self, child: subprocess.Popen[bytes]) -> None:
        kill_group(child.pid)  # its children have lost who led them
        self._delay = FIRST_DELAY if self.seconds > STEADY_SECONDS else min(self._delay * 2, LONGEST_DELAY)
        self._again_at = monotonic() + self._delay
        self.deaths, self.last_code, self._child = self.deaths + 1, child.returncode, None
        if self._pump:
            self._pump.join(timeout=1)
        self._write(f"--- {self.name} ended ({how(child.returncode)}), starts again in {self._delay:g} s")

    def _keep(self, lines: IO[bytes]) -> None:
        with lines:
            for line in lines:
                self._write(line.decode("utf-8", errors="replace").rstrip("\n"))

    def _write(self, line: str) -> None:
        self._log.handle(logging.makeLogRecord({"msg": line}))
        if self._heard:
            self._heard(self.name, line)


class _Log(RotatingFileHandler):
    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's own name
        """A full disk stops logs, not calls."""


def how(code: int) -> str:
    """An exit code in words."""
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def members(group: int) -> list[psutil.Process]:
    """The living processes of a process group. Zombies do not count: in a container nobody collects them."""
    found = []
    for candidate in psutil.process_iter():
        with suppress(OSError, psutil.Error):
            if os.getpgid(candidate.pid) == group and alive(candidate):
                found.append(candidate)
    return found


def kill_group(group: int) -> None:
    """SIGKILL to every process of a group."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)
