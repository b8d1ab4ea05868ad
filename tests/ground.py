"""The ground that tests stand on: one PostgreSQL and one Redis per run, a database of its own per test."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from os import W_OK, access, geteuid, getpid
from pathlib import Path
from typing import Self

import psutil
import psycopg
from sqlalchemy import URL

import migrations
from ringeliste import embedded
from ringeliste.embedded import processes

PREFIX = "ringeliste-tests-"

# A database a test is four hundred files made and removed: in memory that takes 18 ms, on a busy disk 200.
MEMORY = Path("/dev/shm")  # noqa: S108 - every account may write there
ROOM = 4 << 30
"""Bytes that must be free there; a run leaves it nearly as it was, but one can be killed."""

# What a test writes need not survive a power cut. Copying a template's files then takes 7 ms, writing
# them to the log 115 ms; vacuum comes only when a test asks, so that plans do not change under it.
FAST = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum": "off",
    "shared_buffers": "128MB",
}


@dataclass(frozen=True)
class Database:
    """A test's own database: as the application logs in, and as its owner does."""

    url: str
    owner_url: str


@dataclass(frozen=True)
class Server:
    """A PostgreSQL that is reached by the socket in `sockets`, roles and all."""

    sockets: Path

    @contextmanager
    def superuser(self) -> Iterator[psycopg.Connection]:
        """A connection that may make databases."""
        with psycopg.connect(
            host=str(self.sockets), user="postgres", dbname="postgres", autocommit=True
        ) as connection:
            yield connection

    def database(self, name: str) -> Database:
        """The URLs of the database `name`."""
        urls = (self._url(role, name) for role in ("ringeliste_app", "ringeliste_owner"))
        return Database(*urls)

    def _url(self, role: str, name: str) -> str:
        query = {"host": str(self.sockets)}
        return URL.create("postgresql+psycopg", role, database=name, query=query).render_as_string()


@dataclass(frozen=True)
class Ground:
    """The run's servers, in `directory`."""

    directory: Path

    @classmethod
    def lay(cls) -> Self:
        """Start both servers in a directory of this process and migrate the template."""
        _sweep()
        directory = open_temporary_directory()
        servers = embedded.start(directory, env={}, postgres_settings=FAST)
        migrations.upgrade(servers.owner_url)
        return cls(directory)

    def clear(self) -> None:
        """Stop both servers and remove their directory."""
        _remove(self.directory)

    @property
    def postgres(self) -> Server:
        return Server(self.directory / "run")

    def redis_url(self, number: int) -> str:
        """The URL of the logical database `number`."""
        return f"unix://{self.directory}/run/redis.sock?db={number}"


@dataclass(frozen=True)
class OwnRedis:
    """A Redis server of a test's own, in `directory`."""

    directory: Path

    @property
    def url(self) -> str:
        """The same whether it runs or not."""
        return f"unix://{self.directory}/run/redis.sock?db=0"

    def start(self) -> None:
        """Start it, again with what it had written."""
        embedded.start(self.directory, env={"DATABASE_URL": "none of ours"})

    def stop(self) -> None:
        """Stop it cleanly."""
        embedded.stop(self.directory)

    def kill(self) -> None:
        """kill -9, and wait until it is gone."""
        pid = embedded.status(self.directory, env={}).redis_pid
        psutil.Process(pid).kill()
        assert processes.wait_until(lambda: processes.process(pid) is None, 10)


def open_temporary_directory() -> Path:
    """A new directory of this process. As root the servers run under another account: it may enter."""
    made = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{getpid()}-", dir=_place()))
    made.chmod(0o755)
    return made


def _place() -> Path:
    """Where servers of tests live: in memory where there is room, else where temporary files do."""
    fits = MEMORY.is_dir() and access(MEMORY, W_OK) and shutil.disk_usage(MEMORY).free > ROOM
    return MEMORY if fits else Path(tempfile.gettempdir())


def create(connection: psycopg.Connection, name: str, template: str = "template0") -> None:
    """Make the database `name` by copying the template's files: the migrated one is `ringeliste`."""
    copied = f'template "{template}" owner ringeliste_owner strategy file_copy'
    connection.execute(f'create database "{name}" {copied}'.encode())


def drop(connection: psycopg.Connection, name: str) -> None:
    """Remove a database, and whoever is still connected to it."""
    connection.execute(f'drop database if exists "{name}" with (force)'.encode())


def _sweep() -> None:
    """Remove what runs left behind that were killed."""
    places = {MEMORY, Path(tempfile.gettempdir())}
    for left in (found for place in places for found in place.glob(f"{PREFIX}*")):
        pid = left.name.removeprefix(PREFIX).partition("-")[0]
        if left.stat().st_uid == geteuid() and pid.isdigit() and not psutil.pid_exists(int(pid)):
            _remove(left)


def _remove(directory: Path) -> None:
    embedded.stop(directory)
    shutil.rmtree(directory, ignore_errors=True)
