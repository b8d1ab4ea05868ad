"""A PostgreSQL that the machine has installed, started for the tests: an older release than the embedded."""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from ground import FAST, Ground, Server, create, open_temporary_directory

import migrations
from ringeliste import embedded
from ringeliste.embedded.account import server_account
from ringeliste.embedded.tuning import postgres_settings

# Where Debian, the project's own packages, Homebrew and a build from source put the programs.
_PLACES = (
    "/usr/lib/postgresql/{major}/bin",
    "/usr/pgsql-{major}/bin",
    "/opt/homebrew/opt/postgresql@{major}/bin",
    "/usr/local/opt/postgresql@{major}/bin",
    "/usr/local/pgsql/bin",
)


def programs_of(major: int) -> Path | None:
    """The programs of the installed PostgreSQL `major`, or None."""
    on_path = shutil.which("postgres")
    places = [Path(place.format(major=major)) for place in _PLACES]
    for place in [*places, *([Path(on_path).parent] if on_path else [])]:
        if (place / "initdb").exists():
            said = server_account().run(place / "postgres", "--version").stdout
            if re.search(rf"\b{major}\.", said):
                return place
    return None


@dataclass(frozen=True)
class Installed:
    """A server of those `programs` in `directory`, with the role that migrates."""

    programs: Path
    directory: Path

    def start(self) -> Server:
        """Make it and start it; it listens on a socket in `directory`/run and nowhere else."""
        account = server_account()
        sockets = account.directory(self.directory / "run")
        cluster = account.directory(self.directory / "cluster")
        made = account.run(
            *(self.programs / "initdb", "-D", cluster, "-U", "postgres", "-A", "trust"),
            *("--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"),
        )
        assert made.returncode == 0, made.stderr
        own = {
            **postgres_settings(FAST),
            "logging_collector": "off",
            "unix_socket_directories": f"'{sockets}'",
        }
        with (cluster / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.writelines(f"{name} = {value}\n" for name, value in own.items())
        begun = account.run(self.programs / "pg_ctl", "start", "-w", "-D", cluster, "-l", cluster / "log")
        assert begun.returncode == 0, (cluster / "log").read_text(encoding="utf-8")
        server = Server(sockets)
        with server.superuser() as connection:
            connection.execute("create role ringeliste_owner login createrole")
            connection.execute("create role ringeliste_app login")
        return server

    def stop(self) -> None:
        """Stop it; nothing of it is wanted any more."""
        cluster = self.directory / "cluster"
        server_account().run(self.programs / "pg_ctl", "stop", "-w", "-m", "immediate", "-D", cluster)


@dataclass(frozen=True)
class InstalledGround(Ground):
    """A run's servers with an installed PostgreSQL in place of the embedded one."""

    installed: Installed

    @classmethod
    def of(cls, programs: Path) -> Self:
        """Start both servers and migrate the template."""
        directory = open_temporary_directory()
        laid = cls(directory, Installed(programs, directory))
        server = laid.installed.start()
        with server.superuser() as connection:
            create(connection, "ringeliste")
        owner_url = server.database("ringeliste").owner_url
        embedded.start(directory, env={"DATABASE_URL": owner_url})
        migrations.upgrade(owner_url)
        return laid

    def clear(self) -> None:
        """Stop both servers and remove their directory."""
        self.installed.stop()
        super().clear()


@contextmanager
def started(programs: Path, directory: Path) -> Iterator[Server]:
    """A new server in `directory`; stopped at the end."""
    installed = Installed(programs, directory)
    try:
        yield installed.start()
    finally:
        installed.stop()
