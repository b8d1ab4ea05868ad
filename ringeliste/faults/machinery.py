"""The rest of the system on the stage: the link of the dialer, the scheduler's ticks, and the workers."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from calling.dialers.inbox import process_inbox
from calling.dialers.orders import linked_dialer
from calling.handout import due, reaper
from calling.handout.allocate import allocate_all
from calling.handout.promise_watch import watch_promises
from calling.segments.bulk import actions_to_do, carry_out
from calling.segments.resegmenting import rebuilds_to_do, run_rebuild
from calling.segments.sweeping import sweep_all
from calling.walls import hours, pause, suppress
from models.errors import Conflict, NotFound, RingelisteError, Unavailable
from models.work import Hint, OpenWork
from ringeliste.faults.baton import Crash
from ringeliste.faults.dialer import LOOP_SPEED, DialerOnStage
from ringeliste.faults.loop import StageLoop
from ringeliste.faults.scene import Scene
from ringeliste.faults.way import TroubledPort
from workers.link import Link

Duty = Callable[[OpenWork], object]

RESTS = (10.0, 60.0)
"""Seconds after which a link that lost touch, or died, is there again."""


def wake(open_work: OpenWork) -> None:
    """As workers/wake_due.py does."""
    due.wake_due(open_work)
    due.open_gates(open_work)
    watch_promises(open_work)


def walls(open_work: OpenWork) -> None:
    """As workers/walls.py does."""
    pause.finish_pauses(open_work)
    suppress.finish_suppressions(open_work)
    hours.finish_hours(open_work)


def rebuilds(open_work: OpenWork) -> None:
    """Rebuilds, and the bulk actions that a crash left."""
    for action_id in actions_to_do(open_work):
        carry_out(open_work, action_id)
    for rebuild_id in rebuilds_to_do(open_work):
        run_rebuild(open_work, rebuild_id)


@dataclass
class Machinery:
    """What works by itself. Hints come to `hint`."""

    scene: Scene
    dialer: DialerOnStage
    _waiting: set[Hint] = field(default_factory=set)

    def ticks(self) -> list[tuple[str, float, Duty]]:
        """Name, seconds between two, and what is to be done."""
        world = self.scene.world
        return [
            ("due", 130, wake),
            ("reap", 130, reaper.reap),
            ("top-up", 150, partial(self._for_each, allocate_all, world.assignments)),
            ("inbox", 150, partial(process_inbox, dialer_id=world.dialer_id)),
            ("sweep", 240, sweep_all),
            ("walls", 360, walls),
            ("rebuilds", 360, rebuilds),
        ]

    def duties(self) -> list[tuple[str, Duty]]:
        """What the ticks do, by name."""
        return [(name, duty) for name, _, duty in self.ticks()]

    def tick(self, name: str, every: float, duty: Duty) -> None:
        """One tick for ever, each time by a worker that may die of it."""
        dice = self.scene.dice("tick", name)
        while True:
            self.do(name, duty)
            self.scene.baton.wait(every * dice.uniform(0.5, 1.5))

    def do(self, name: str, duty: Duty) -> None:
        """A worker does it; a worker that dies is another one afterwards."""
        self.scene.baton.step(name)
        try:
            with self.scene.processes.at("worker") as open_work:
                duty(open_work)
        except (Conflict, Unavailable, NotFound) as bad:
            self.scene.baton.step(f"{name}: a bad moment, {bad.message}")
        except Crash:
            return

    def hint(self, hint: Hint) -> None:
        """A hint comes, or not, or twice, or late. The same wish waits only once."""
        scene = self.scene
        if scene.processes.muted():
            return
        lost = scene.trouble.one_of("hint lost", "hint twice", "hint late")
        scene.baton.step(f"hints {hint.kind} {hint.subject}{f': {lost}' if lost else ''}")
        duty = self._duty(hint)
        if duty is None or lost == "hint lost" or (hint in self._waiting and lost != "hint twice"):
            return
        self._waiting.add(hint)
        for _ in range(2 if lost == "hint twice" else 1):
            after = scene.trouble.seconds(10, 200) if lost == "hint late" else scene.trouble.seconds(0, 15)
            scene.baton.begin("worker", partial(self._follow, hint, duty), after=after)

    def link(self) -> None:
        """The link's process for ever: whatever ends it, another one begins."""
        scene, dice = self.scene, self.scene.dice("link")
        while True:
            try:
                self._link()
            except* (RingelisteError, Crash, asyncio.CancelledError) as why:
                scene.baton.step(
                    f"the link ends: {[str(error) or type(error).__name__ for error in why.exceptions]}"
                )
            scene.baton.wait(dice.uniform(*RESTS))

    def _link(self) -> None:
        scene = self.scene
        process, app = scene.processes.named("link")
        with scene.baton.inside(process):
            with app.work(scene.world.crm_id) as work:
                linked = linked_dialer(work, scene.world.dialer_id)
            loop = StageLoop(scene.baton, LOOP_SPEED)
            port = TroubledPort(scene, self.dialer.at, asyncio.sleep)
            loop.run(self._linked(Link(app, scene.world.crm_id, linked, port)))

    async def _linked(self, link: Link) -> None:
        await link.run(asyncio.Event())

    def _follow(self, hint: Hint, duty: Duty) -> None:
        self._waiting.discard(hint)
        self.do(hint.kind, duty)

    def _duty(self, hint: Hint) -> Duty | None:
        subject = int(hint.subject)
        match hint.kind:
            case "allocate" | "customer_ready":
                return partial(allocate_all, assignment_id=subject)
            case "inbox":
                return partial(process_inbox, dialer_id=subject)
            case "rebuild":
                return partial(run_rebuild, rebuild_id=subject)
        return None

    @staticmethod
    def _for_each(
        act: Callable[[OpenWork, int], object], subjects: tuple[int, ...], open_work: OpenWork
    ) -> None:
        for subject in subjects:
            act(open_work, subject)
