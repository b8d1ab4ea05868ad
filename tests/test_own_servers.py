"""The README's way onto servers of one's own: honcho, by the very line that the README gives."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from honcho.environ import parse_procfile
from world import wait_until

from ringeliste.procfile import PACKAGES, RELEASE
from wiring.settings import Settings

README = (PACKAGES / "README.md").read_text(encoding="utf-8")
PATIENCE = 60


def line() -> str:
    """What the README tells to type."""
    (found,) = re.findall(r"^honcho run .*$", README, re.MULTILINE)
    return str(found)


def started() -> list[str]:
    return line().partition("honcho start ")[2].split()


def test_the_release_runs_first_and_everything_else_is_started() -> None:
    """Plant the bug: a bare `honcho start`, or a name that the Procfile has not."""
    processes = parse_procfile((PACKAGES / "Procfile").read_text(encoding="utf-8")).processes
    release = line().partition(" && ")[0].removeprefix("honcho run ")
    assert release == processes[RELEASE]
    assert sorted(started()) == sorted(set(processes) - {RELEASE})


@pytest.fixture
def env(settings: Settings, tmp_path: Path) -> dict[str, str]:
    """The environment of somebody with servers of their own; `ringeliste` is this checkout's."""
    program = tmp_path / "bin" / "ringeliste"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m ringeliste "$@"\n', encoding="ascii")
    program.chmod(0o755)
    return os.environ | {
        "PATH": f"{program.parent}:{Path(sys.executable).parent}:{os.environ['PATH']}",
        "DATABASE_URL": settings.database_url,
        "DATABASE_OWNER_URL": settings.database_owner_url,
        "REDIS_URL": settings.redis_url,
        "RINGELISTE_DATA": str(tmp_path),
        "RINGELISTE_WEB_PORT": "0",
        "RINGELISTE_LOG": "json",
        "PYTHONUNBUFFERED": "1",
    }


@pytest.mark.once
def test_honcho_keeps_them_running_until_it_is_told(env: dict[str, str], tmp_path: Path) -> None:
    """Plant the bug: start `release` with the others; it ends, and honcho ends the rest."""
    said = tmp_path / "honcho.log"
    with said.open("wb") as out:
        runner = subprocess.Popen(
            ["bash", "-c", line()], cwd=PACKAGES, env=env, stdout=out, stderr=out, start_new_session=True
        )
    try:
        wait_until(lambda: runner.poll() is not None or all_up(said.read_text()), PATIENCE)
        assert runner.poll() is None, said.read_text()
        assert "stopped (rc=" not in said.read_text()
    finally:
        if runner.poll() is None:
            os.killpg(runner.pid, signal.SIGINT)
        runner.wait(PATIENCE)
    assert len(re.findall(r"stopped \(rc=", said.read_text())) == len(started())


def all_up(said: str) -> bool:
    """Each says that it works; a dialer's link has nothing to say while there is no dialer."""
    signs = {
        "web.1": "Uvicorn running", "worker.1": "ready for action", "scheduler.1": '"leads"',
        "system": "dialer.1 started",
    }  # fmt: skip
    lines = said.splitlines()
    return all(any(who in line and sign in line for line in lines) for who, sign in signs.items())
