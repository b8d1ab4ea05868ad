"""The real system for a chaos: servers, `ringeliste up`, a hundred sellers, four dialers, wires between them.

`up` runs as on servers of its owner's own, so it leaves them to us: they can be killed, stopped and flushed.
All that it and the strangers know of servers are the wires.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread
from typing import Any

import psutil
from chaos_ledger import JUDGE, Ledger
from chaos_strangers import strangers
from chaos_world import ChaosWorld, build_world
from redis import Redis
from running import lives, workers
from sqlalchemy import make_url
from telephones import Exchange
from wires import Wires

import migrations
from ringeliste import clockwork, embedded, procfile
from ringeliste.embedded.processes import alive, wait_until
from ringeliste.ports import usable_port
from ringeliste.supervised import members
from ringeliste.supervisor import FILE, Supervisor, running
from wiring.app import App
from wiring.clock import ClockBase
from wiring.settings import Settings

HOST = "127.0.0.1"
SPEED = 10
"""Business seconds a second: a call takes seven, so that many lines talk at once, as they do on a floor."""

SETTINGS = {"max_wal_size": "1GB"}
"""Of PostgreSQL; all else as in production: what is acknowledged stays. An hour has to fit into memory."""

PATIENCE = 180.0
"""Wall seconds after which whatever we wait for will never be."""


class System:
    """One data directory, and everything that runs on it, until `close`."""

    def __init__(self, folder: Path, *, customers: int, seed: int) -> None:
        self.folder, self.data = folder, folder / "data"
        self.said = folder / "up.out"
        self._up: subprocess.Popen[bytes] | None = None
        self._watching = Event()
        servers = embedded.start(self.data, env={}, postgres_settings=SETTINGS)
        migrations.upgrade(servers.owner_url)
        self.app = App(Settings.from_env({"RINGELISTE_DATA": str(self.data), **JUDGE}))
        self.world: ChaosWorld = build_world(self.app, self.data, customers=customers, seed=seed)
        self.exchange, self.ledger = Exchange(folder), Ledger(self.app, self.world.crm_id, folder)
        self._ports = [usable_port(HOST, 0, may_move=True) for _ in range(2)]
        self.wires, self._env = self._lay_wires(servers)
        url = f"http://{HOST}:{self._ports[1]}"
        self.strangers = Supervisor(
            strangers(self.world, folder, self._env, url=url, seed=seed), folder / "strangers.json"
        )
        self._keeper = Thread(target=self._keep_strangers, name="strangers", daemon=True)

    def _lay_wires(self, servers: embedded.Servers) -> tuple[Wires, dict[str, str]]:
        """The proxy, and the environment of who is to know of the servers by its wires alone."""
        sockets, ends = Path(str(make_url(servers.database_url).query["host"])), self.folder / "wires"
        ends.mkdir(mode=0o700)
        web, seen = (f"{HOST}:{port}" for port in self._ports)
        wires = Wires(
            {
                "db": (f"{ends}/.s.PGSQL.5432", f"{sockets}/.s.PGSQL.5432"),
                "redis": (f"{ends}/redis.sock", f"{sockets}/redis.sock"),
                "web": (seen, web),
            }
        )
        strange = ("RINGELISTE_", "DATABASE_", "REDIS_")
        env = {name: value for name, value in os.environ.items() if not name.startswith(strange)}
        for name, url in (
            ("DATABASE_URL", servers.database_url),
            ("DATABASE_OWNER_URL", servers.owner_url),
        ):
            env[name] = make_url(url).update_query_dict({"host": str(ends)}).render_as_string()
        env |= {
            "REDIS_URL": f"unix://{ends}/redis.sock?db=0",
            "RINGELISTE_DATA": str(self.data),
            "RINGELISTE_WEB_PORT": str(self._ports[0]),
        }
        return wires, env

    def start(self) -> None:
        """`ringeliste up`, then everybody else."""
        self.up()
        self.strangers.start()
        self._keeper.start()

    def up(self) -> None:
        """Start `ringeliste up`, and wait until it has started its processes."""
        command = [sys.executable, "-m", "ringeliste", "up", "--plain", "--speed", str(SPEED)]
        old = self._noted()
        with self.said.open("ab") as out:
            self._up = subprocess.Popen(
                command, env=self._env, cwd=procfile.PACKAGES, stdout=out, stderr=out,
                stdin=subprocess.DEVNULL,
            )  # fmt: skip
        self.wait(lambda: self._noted().get("web") not in (None, old.get("web")), "up")

    def _noted(self) -> dict[str, int]:
        return running(self.data / FILE)

    def _keep_strangers(self) -> None:
        while not self._watching.wait(0.1):
            self.strangers.look()

    def processes(self) -> dict[str, int]:
        """Name -> process id of all of ours that live: up, its processes, workers, strangers, servers."""
        found = self._noted()
        for place, one in enumerate(workers(found.get("worker", 0)), start=1):
            found[f"worker {place}"] = one
        found |= running(self.folder / "strangers.json")
        if self._up and self._up.poll() is None:
            found["up"] = self._up.pid
        servers = embedded.status(self.data, env={})
        pids = {"postgres": servers.postgres_pid, "redis": servers.redis_pid}
        return found | {name: pid for name, pid in pids.items() if pid}

    def roots(self) -> list[int]:
        """Whoever has all others of ours below them, us among them."""
        servers = embedded.status(self.data, env={})
        return [os.getpid(), *(pid for pid in (servers.postgres_pid, servers.redis_pid) if pid)]

    def sessions(self) -> list[int]:
        """The processes that serve PostgreSQL's callers."""
        server = embedded.status(self.data, env={}).postgres_pid
        children = psutil.Process(server).children() if server else []
        return [one.pid for one in children if alive(one) and "ringeliste_app" in " ".join(one.cmdline())]

    def start_servers(self) -> None:
        """Start whichever of the two does not run; they answer when it returns."""
        embedded.start(self.data, env={}, postgres_settings=SETTINGS)

    def redis(self) -> Redis:
        """A client of the server itself."""
        return Redis.from_url(self.app.settings.redis_url)

    def gone(self, pid: int) -> None:
        """Wait until a process has ended."""
        if self._up and pid == self._up.pid:
            self._up.wait(PATIENCE)
        self.wait(lambda: not lives(pid), f"the end of {pid}")

    def wait(self, true: Callable[[], bool], what: str, seconds: float = PATIENCE) -> None:
        """Look again and again; a failure shows what `up` said last."""
        if not wait_until(true, seconds, pause=0.05):
            said = self.said.read_text()[-2000:] if self.said.exists() else ""
            raise AssertionError(f"{what}: not within {seconds:g} s\n{said}")

    def clock(self, speed: float | None = None) -> ClockBase:
        """The business clock; from now on it runs at `speed`."""
        base = clockwork.resume(self.app, self.data, speed)
        assert base
        return base

    def command(self, *arguments: str) -> Any:
        """Run `ringeliste` on the servers themselves; its JSON."""
        env = {
            name: value for name, value in self._env.items() if not name.startswith(("DATABASE_", "REDIS_"))
        }
        done = subprocess.run(
            [sys.executable, "-m", "ringeliste", *arguments, "--json"],
            env=env, cwd=procfile.PACKAGES, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.stdout, done.stderr
        return json.loads(done.stdout)

    def stop(self) -> list[str]:
        """Tell everybody to end, as their owner would; who had to be killed, or is there all the same."""
        before = {**self._noted(), **running(self.folder / "strangers.json")}
        self._watching.set()
        if self._keeper.is_alive():
            self._keeper.join()
        stubborn = self.strangers.stop()
        if self._up:
            self._up.send_signal(signal.SIGTERM)
            self._up.wait(PATIENCE)
        return stubborn + [name for name, pid in before.items() if lives(pid) and name not in stubborn]

    def close(self) -> None:
        """Whatever happened: no process stays but the servers."""
        self._watching.set()
        if self._keeper.is_alive():
            self._keeper.join()
        if self._up and self._up.poll() is None:
            self._up.kill()
            self._up.wait()
        left = {**self._noted(), **running(self.folder / "strangers.json")}
        for pid in left.values():
            for one in members(pid):
                one.kill()
        self.wires.close()
        self.app.close()
