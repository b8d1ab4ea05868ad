"""A PostgreSQL that the machine has installed, started for the tests: an older release than the embedded."""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ground import FAST, Server

from ringeliste.embedded.account import server_account

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


@contextmanager
def started(programs: Path, directory: Path) -> Iterator[Server]:
    """A new server in `directory` with the role that migrates; stopped at the end."""
    account = server_account()
    cluster, sockets = account.directory(directory / "cluster"), account.directory(directory / "run")
    made = account.run(
        *(programs / "initdb", "-D", cluster, "-U", "postgres", "-A", "trust"),
        *("--encoding=UTF8", "--locale=C", "--no-sync"),
    )
    assert made.returncode == 0, made.stderr
    own = {**FAST, "listen_addresses": "''", "unix_socket_directories": f"'{sockets}'"}
    with (cluster / "postgresql.conf").open("a", encoding="utf-8") as file:
        file.writelines(f"{name} = {value}\n" for name, value in own.items())
    begun = account.run(programs / "pg_ctl", "start", "-w", "-D", cluster, "-l", cluster / "log")
    assert begun.returncode == 0, (cluster / "log").read_text(encoding="utf-8")
    try:
        server = Server(sockets)
        with server.superuser() as connection:
            connection.execute("create role ringeliste_owner login createrole")
        yield server
    finally:
        account.run(programs / "pg_ctl", "stop", "-w", "-m", "immediate", "-D", cluster)
