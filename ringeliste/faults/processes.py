"""Our processes on the stage: their transactions are where others come in between, and where they die."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from random import Random

from sqlalchemy import Engine

from models.errors import Unavailable
from models.work import OpenWork, Work
from ringeliste.faults.baton import Baton, Crash, Process
from ringeliste.faults.trouble import Trouble
from wiring.app import App
from wiring.clock import WALL, Clock
from wiring.settings import Settings


class StageApp(App):
    """The application as one process has it."""

    def __init__(
        self, settings: Settings, engine: Engine, dice: Random, baton: Baton, trouble: Trouble,
        process: Process,
    ) -> None:  # fmt: skip
        clock = Clock(lambda: WALL, wall=lambda: baton.now, ticking=lambda: baton.elapsed)
        super().__init__(settings, engine=engine, clock=clock, dice=dice)
        self._baton, self._trouble, self._process = baton, trouble, process
        self._within = False
        self.muted = False

    @contextmanager
    def work(self, crm_id: int, *, now: datetime | None = None, snapshot: bool = False) -> Iterator[Work]:
        """One transaction. Others may come before it; the process may die before, within, or after it."""
        if self._within:  # nobody comes in between while somebody holds locks
            with super().work(crm_id, now=now, snapshot=snapshot) as work:
                yield work
            return
        how = self._come(crm_id)
        self._within = True
        try:
            self.muted = how in ("dies after", "answer of the server lost")
            with super().work(crm_id, now=now, snapshot=snapshot) as work:
                yield work
                if how == "dies within":
                    raise self._dies("before the commit")
        finally:
            self._within = self.muted = False
        if how == "dies after":
            raise self._dies("after the commit")
        if how == "answer of the server lost":
            raise Unavailable("the connection was lost while it committed")
        self._baton.wait()

    def _come(self, crm_id: int) -> str | None:
        """Let others go first; then what goes wrong with this transaction, None: nothing."""
        stall = self._trouble.seconds(1, 90) if self._trouble.comes("stalls") else 0.0
        self._baton.wait(stall)
        how = self._trouble.one_of(
            "dies before", "dies within", "dies after", "server away", "answer of the server lost"
        )
        self._baton.step(f"transaction in {crm_id}{f', {how}' if how else ''}")
        if how == "dies before":
            raise self._dies("before it began")
        if how == "server away":
            raise Unavailable("PostgreSQL cannot be reached; try again")
        return how

    def _dies(self, when: str) -> Crash:
        self._baton.step(f"{self._process.name} dies {when}")
        self._baton.kill(self._process)
        return Crash()


class Processes:
    """Which processes run; one that died is another one from then on."""

    def __init__(
        self, settings: Settings, engine: Engine, seed: int, crm_id: int, baton: Baton, trouble: Trouble
    ) -> None:
        self._settings, self._engine, self.crm_id = settings, engine, crm_id
        self._dice = Random(f"{seed}|leases")  # noqa: S311 - the same seed, the same ids
        self._baton, self._trouble = baton, trouble
        self._running: dict[str, tuple[Process, StageApp]] = {}

    def named(self, name: str) -> tuple[Process, StageApp]:
        """The process of that name, started anew if it has died."""
        process, app = self._running.get(name, (None, None))
        if process is None or app is None or not process.alive:
            process = Process(name)
            app = StageApp(
                self._settings, self._engine, self._dice, self._baton, self._trouble, process
            )  # fmt: skip
            self._running[name] = process, app
        return process, app

    @contextmanager
    def at(self, name: str) -> Iterator[OpenWork]:
        """Whoever holds the baton has something done by a process. Raises Crash when it dies."""
        process, app = self.named(name)
        with self._baton.inside(process):
            yield app.opener(self.crm_id)

    def muted(self) -> bool:
        """Whether whoever commits just now dies before they can tell anybody."""
        return any(app.muted for _, app in self._running.values())
