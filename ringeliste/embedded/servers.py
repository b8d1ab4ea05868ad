"""The pair of servers of one data directory: started by whoever comes first, found by everybody else."""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from models.errors import Unavailable
from ringeliste.embedded.account import SYSTEM_USER, Account, server_account
from ringeliste.embedded.places import make_data_directory, make_private, named, refusals, socket_directory
from ringeliste.embedded.postgres import APP, OWNER, Postgres
from ringeliste.embedded.processes import wait_until
from ringeliste.embedded.redis import Redis

FILE = "servers.json"
_PATIENCE = 600  # seconds: as long as the slowest start of another process

State = Literal["running", "stopped", "elsewhere"]


@dataclass(frozen=True, slots=True)
class Servers:
    """Where the servers are: the application's login, the owner's (it migrates), and Redis."""

    database_url: str
    owner_url: str
    redis_url: str


@dataclass(frozen=True, slots=True)
class Status:
    """What runs: process ids are None unless the server is ours and running."""

    postgres: State
    postgres_pid: int | None
    redis: State
    redis_pid: int | None


def start(
    data_dir: Path,
    env: Mapping[str, str] = os.environ,
    *,
    postgres_settings: Mapping[str, str] | None = None,
) -> Servers:
    """Start what does not run yet, and say where everything is.

    DATABASE_URL and REDIS_URL in `env` win: such a server is not started. Unavailable says what to do.
    """
    found: dict[str, str] = {}
    if not (env.get("DATABASE_URL") and env.get("REDIS_URL")):
        data_dir = named(data_dir)
        make_data_directory(data_dir)
        with _alone(data_dir):
            postgres, redis = _pair(data_dir, postgres_settings or {})
            if not env.get("DATABASE_URL"):
                postgres.start()
                found |= {"database_url": postgres.url(APP), "owner_url": postgres.url(OWNER)}
            if not env.get("REDIS_URL"):
                redis.start()
                found |= {"redis_url": redis.url()}
            _add(found, data_dir / FILE)
    database_url = found.get("database_url") or env["DATABASE_URL"]
    return Servers(
        database_url=database_url,
        owner_url=found.get("owner_url") or env.get("DATABASE_OWNER_URL") or database_url,
        redis_url=found.get("redis_url") or env["REDIS_URL"],
    )


def stop(data_dir: Path) -> bool:
    """Stop both cleanly and leave the data. False: none was running."""
    data_dir = named(data_dir)
    if not data_dir.is_dir():
        return False
    with _alone(data_dir):
        (data_dir / FILE).unlink(missing_ok=True)
        postgres, redis = _pair(data_dir, {})
        stopped = [postgres.stop(), redis.stop()]
        with suppress(OSError):  # not empty: left as it is
            postgres.sockets.rmdir()
    return any(stopped)


def status(data_dir: Path, env: Mapping[str, str] = os.environ) -> Status:
    """Look, and change nothing."""
    data_dir = named(data_dir)
    with refusals(data_dir):
        return _look(data_dir, env)


def _look(data_dir: Path, env: Mapping[str, str]) -> Status:
    states: list[tuple[State, int | None]] = []
    postgres, redis = _servers(data_dir, Account())
    for running, variable in ((postgres.process(), "DATABASE_URL"), (redis.process(), "REDIS_URL")):
        if env.get(variable):
            states.append(("elsewhere", None))
        else:
            states.append(("running", running.pid) if running else ("stopped", None))
    return Status(*states[0], *states[1])


def _pair(data_dir: Path, settings: Mapping[str, str]) -> tuple[Postgres, Redis]:
    """Both servers, their account's way to the data directory checked and their socket directory made."""
    account = server_account()
    if not account.reaches(data_dir):
        message = (
            f"the servers run as the user {SYSTEM_USER!r}, who cannot enter {data_dir}: "
            "set RINGELISTE_DATA to a directory outside other people's homes, such as /var/lib/ringeliste"
        )
        raise Unavailable(message)
    postgres, redis = _servers(data_dir, account, settings)
    make_private(account, postgres.sockets)
    return postgres, redis


def _servers(
    data_dir: Path, account: Account, settings: Mapping[str, str] | None = None
) -> tuple[Postgres, Redis]:
    sockets = socket_directory(data_dir)
    return Postgres(data_dir, sockets, account, settings or {}), Redis(data_dir, sockets, account)


@contextmanager
def _alone(data_dir: Path) -> Iterator[None]:
    """Starting and stopping is for one process at a time; the lock goes with its process."""
    with refusals(data_dir):
        file = (data_dir / "servers.lock").open("w", encoding="ascii")
    with file:

        def locked() -> bool:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            return True

        if not wait_until(locked, _PATIENCE):
            raise Unavailable(f"another process has been starting the servers of {data_dir} for too long")
        yield


def _add(found: Mapping[str, str], file: Path) -> None:
    """Add to the file for everybody else; whole or not at all, so that no reader sees half of it."""
    known: dict[str, str] = {}
    with suppress(FileNotFoundError, ValueError):
        known = dict(json.loads(file.read_text(encoding="utf-8")))
    unfinished = file.with_suffix(".new")
    unfinished.write_text(json.dumps({**known, **found}, indent=2) + "\n", encoding="utf-8")
    unfinished.replace(file)
