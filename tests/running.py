"""A real `ringeliste up` in a directory of its own, watched from outside, as its owner would."""

import json
import os
import signal
import subprocess
import sys
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy import text
from world import wait_until

import migrations
from ringeliste import embedded, procfile
from ringeliste.demo import DemoWorld, build_demo, find_demo
from ringeliste.desk_journal import read_lines
from ringeliste.embedded.processes import alive
from ringeliste.supervised import members
from ringeliste.supervisor import FILE, running
from wiring.app import App
from wiring.clock import ClockBase, read_base
from wiring.settings import Settings

PATIENCE = 120.0
"""Wall seconds that anything here may take on a slow machine; most of it takes two or three."""

_ATTEMPTS = text("""
    select count(*) filter (where dialer_id is null) as sellers,
           count(*) filter (where dialer_id is not null) as dialers,
           count(*) filter (where outcome = 'sale') as sales
      from attempt where crm_id = :crm_id and revision = 0
""")


def short_list(folder: Path, rows: int) -> Path:
    """The first customers of the bank's list."""
    whole = procfile.PACKAGES / "ringeliste" / "data" / "bank-marketing.csv"
    made = folder / "short.csv"
    with whole.open(encoding="utf-8") as lines, made.open("w", encoding="utf-8") as out:
        out.writelines(islice(lines, rows + 1))
    return made


class Running:
    """One data directory and what runs in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "data"
        self.said = folder / "up.out"
        self._up: subprocess.Popen[bytes] | None = None
        self._app: App | None = None

    @property
    def env(self) -> dict[str, str]:
        """The environment: nothing of the test's own servers."""
        ours = ("RINGELISTE_", "DATABASE_", "REDIS_")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        return {**kept, "RINGELISTE_DATA": str(self.folder), "RINGELISTE_WEB_PORT": "0"}

    def build(self, data: Path, *, sellers: int, starts: datetime) -> None:
        """The demo's world, its clock standing still."""
        servers = embedded.start(self.folder, env={})
        migrations.upgrade(servers.owner_url)
        build_demo(self.app(), self.folder, data=data, sellers=sellers, starts=starts, speed=0)

    def up(self, *options: str) -> None:
        """Start `ringeliste up --demo`."""
        command = [sys.executable, "-m", "ringeliste", "up", "--demo", "--plain", *options]
        with self.said.open("ab") as out:
            self._up = subprocess.Popen(
                command, env=self.env, cwd=procfile.PACKAGES, stdout=out, stderr=out, stdin=subprocess.DEVNULL
            )

    def command(self, *arguments: str) -> Any:
        """Run `ringeliste` beside it; its JSON."""
        done = subprocess.run(
            [sys.executable, "-m", "ringeliste", *arguments, "--json"],
            env=self.env, cwd=procfile.PACKAGES, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.stdout, done.stderr
        return json.loads(done.stdout)

    def tell(self, wish: signal.Signals) -> None:
        """Send `up` a signal."""
        assert self._up
        self._up.send_signal(wish)

    def ended(self) -> int:
        """Wait until `up` has ended; its exit code."""
        assert self._up
        code = self._up.wait(timeout=PATIENCE)
        self.let_go()
        return code

    def let_go(self) -> None:
        """Close the connections to its servers."""
        if self._app:
            self._app.close()
        self._app = None

    def processes(self) -> dict[str, int]:
        """Name -> process id of everything of ours: servers, processes, and workers below their master."""
        found = running(self.folder / FILE)
        for place, one in enumerate(workers(found.get("worker", 0)), start=1):
            found[f"worker {place}"] = one
        servers = embedded.status(self.folder, env={})
        pids = {"postgres": servers.postgres_pid, "redis": servers.redis_pid}
        return found | {name: pid for name, pid in pids.items() if pid}

    def app(self) -> App:
        """The application on its servers, wherever they are by now."""
        if self._app is None:
            self._app = App(Settings.from_env({"RINGELISTE_DATA": str(self.folder)}))
        return self._app

    def world(self) -> DemoWorld:
        """The demo."""
        found = find_demo(self.app(), self.folder)
        assert found
        return found

    def ready(self) -> bool:
        """Whether the demo is built and the servers answer."""
        return (self.folder / "demo.json").exists() and (self.folder / FILE).exists()

    def attempts(self) -> dict[str, int]:
        """Attempts of sellers, of the dialer, and sales."""
        with self.app().work(self.world().crm_id) as work:
            return dict(work.run(_ATTEMPTS).mappings().one())

    def clock(self) -> ClockBase:
        """The business clock's row."""
        with self.app().shared() as session:
            return read_base(session)

    def outcomes(self) -> dict[str, str]:
        """Lease -> outcome of every attempt."""
        with self.app().work(self.world().crm_id) as work:
            rows = work.run(
                text("select lease_id, outcome from attempt where crm_id = :crm_id and revision = 0")
            )
            return {str(row.lease_id): row.outcome for row in rows}

    def told_by_sellers(self) -> tuple[dict[str, str], set[str]]:
        """Lease -> outcome that sellers reported; those acknowledged."""
        lines = list(read_lines(self.folder / "journals" / "sellers.journal"))
        told = {line["told"]["lease_id"]: line["told"]["outcome"] for line in lines}
        return told, {line["told"]["lease_id"] for line in lines if line["acknowledged"]}

    def told_by_robot(self) -> tuple[dict[str, str], set[str]]:
        """Lease -> result that the simulated dialer told; leases whose end was acknowledged."""
        lines = list(read_lines(self.folder / "journals" / "robot.journal"))
        events = [line["event"] for line in lines if "event" in line]
        acked = {event_id for line in lines for event_id in line.get("acked", ())}
        ends = [event for event in events if event["kind"] == "ended"]
        told = {event["lease_id"]: event["body"]["result"] for event in ends}
        return told, {event["lease_id"] for event in ends if event["event_id"] in acked}

    def close(self) -> None:
        """Whatever happened: nothing of ours stays."""
        if self._up and self._up.poll() is None:
            self._up.kill()
            self._up.wait()
        for pid in running(self.folder / FILE).values():
            for one in members(pid):
                one.kill()
        self.let_go()
        if self.folder.exists():
            embedded.stop(self.folder)


def workers(master: int) -> list[int]:
    """The worker processes of a dramatiq master, oldest first."""
    if not master:
        return []
    try:
        children = psutil.Process(master).children()
    except psutil.NoSuchProcess:
        return []
    ours = [child for child in children if "dramatiq" in _command(child)]
    return sorted(child.pid for child in ours)


def lives(pid: int) -> bool:
    """Whether a process runs."""
    return psutil.pid_exists(pid) and alive(psutil.Process(pid))


def until(predicate: Any, what: str, said: Path, seconds: float = PATIENCE) -> None:
    """Wait; a failure shows what `up` said last."""
    try:
        wait_until(predicate, seconds)
    except AssertionError:
        raise AssertionError(f"{what}: not within {seconds:g} s\n{said.read_text()[-2000:]}") from None


def _command(process: psutil.Process) -> str:
    """Of a process that lives; nothing of one that has just died."""
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""
