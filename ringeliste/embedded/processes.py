"""Is a server alive? Pid files lie: their process may be gone, or its number given to another program."""

import time
from collections.abc import Callable
from pathlib import Path

import psutil


def pid_in(file: Path) -> int | None:
    """The process id on the first line of a pid file, or None: there is none, or it is just being written."""
    try:
        return int(file.read_text(encoding="ascii").split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return None


def process(pid: int | None, *words: str) -> psutil.Process | None:
    """The living process `pid` if all `words` stand in its command line, else None."""
    try:
        found = psutil.Process(pid) if pid else None
        line = " ".join(found.cmdline()) if found and alive(found) else ""
    except (psutil.NoSuchProcess, psutil.AccessDenied):  # gone, or somebody else's: none that we started
        return None
    return found if line and all(word in line for word in words) else None


def alive(found: psutil.Process) -> bool:
    """Whether it runs. A zombie does not: in a container nobody may ever collect it."""
    try:
        return found.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:  # it ended while we looked
        return False


def working_in(directory: Path) -> list[psutil.Process]:
    """The living processes whose working directory is `directory`."""
    found = []
    for candidate in psutil.process_iter():
        try:
            if alive(candidate) and candidate.cwd() == str(directory):
                found.append(candidate)
        except (psutil.NoSuchProcess, psutil.AccessDenied):  # as above: none of ours
            continue
    return found


def wait_until(predicate: Callable[[], bool], seconds: float, pause: float = 0.02) -> bool:
    """Look again and again until `predicate` is true, at most `seconds`; says whether it became true."""
    deadline = time.monotonic() + seconds
    while not predicate():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
    return True


def tail(file: Path, lines: int = 12) -> str:
    """The last lines of a log, for an error message."""
    try:
        return "\n".join(file.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])
    except FileNotFoundError:  # a server that never came so far as to write one
        return ""
