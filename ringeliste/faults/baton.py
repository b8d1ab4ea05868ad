"""Many at once, one at a time: each actor has a thread of its own, and only who holds the baton goes on.

The baton is handed over between transactions alone, so nobody ever waits for a lock of who sleeps; who has it
next is the seed's choice. Time stands still while anybody can go on.
"""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from math import inf
from random import Random
from threading import Lock, Thread

KEPT = 40
"""The last steps, kept to be told."""


class Gone(BaseException):
    """The curtain has fallen: whoever is still on the stage leaves it."""


class Crash(BaseException):
    """The process dies here. No `except Exception` may survive it."""


@dataclass(eq=False)
class Process:
    """A process of ours; who works in it dies with it."""

    name: str
    alive: bool = True


@dataclass(eq=False)
class Actor:
    """Somebody with a thread. `wakes`: elapsed seconds at which they can go on."""

    name: str
    wakes: float
    process: Process | None = None
    turn: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        self.turn.acquire()  # released by whoever hands them the baton


class Baton:
    """The actors, the time, and the numbered steps of one seed.

    `until_step`: the play ends there. `elapsed`: seconds of business time that passed; `jumped` on top of it.
    """

    def __init__(self, begins: datetime, dice: Random, until_step: int | None = None) -> None:
        self._begins, self._dice, self._until_step = begins, dice, until_step
        self.elapsed, self.jumped = 0.0, timedelta()
        self.steps = 0
        self.last: deque[str] = deque(maxlen=KEPT)
        self.failure: BaseException | None = None
        self._digest = sha256()
        self._over = False
        self._stage = Actor("the stage", inf)
        self._current = self._stage
        self._actors: list[Actor] = [self._stage]

    @property
    def now(self) -> datetime:
        """Business time (UTC)."""
        return self._begins + timedelta(seconds=self.elapsed) + self.jumped

    @property
    def digest(self) -> str:
        """Of all steps up to now: equal for equal plays."""
        return self._digest.hexdigest()

    @property
    def over(self) -> bool:
        """Whether the play ended before its time: a failure, or the step that was asked for."""
        return self._over

    @property
    def current(self) -> Actor:
        """Who holds the baton."""
        return self._current

    def step(self, what: str) -> None:
        """Note a step of whoever holds the baton. Raises Gone at the last one that was asked for."""
        if self._over:
            raise Gone
        self.steps += 1
        line = f"{self.steps:6} {self.now:%H:%M:%S.%f} {self._current.name}: {what}"
        self.last.append(line)
        self._digest.update(line.encode())
        if self.steps == self._until_step:
            self._end()
            raise Gone

    def begin(
        self, name: str, act: Callable[[], object], *, after: float = 0.0, process: Process | None = None
    ) -> Actor:
        """Somebody comes on in `after` seconds, and leaves when `act` returns, or their process dies."""
        actor = Actor(name, self.elapsed + after, process)
        self._actors.append(actor)
        Thread(target=self._play, args=(actor, act), name=name, daemon=True).start()
        return actor

    def wait(self, seconds: float = 0.0) -> None:
        """Hand the baton over; go on in `seconds` at the soonest. Raises Crash, Gone."""
        actor = self._current
        actor.wakes = self.elapsed + seconds
        self._hand_over(actor)
        self._check(actor)

    def park(self) -> None:
        """Hand the baton over until somebody wakes us. Raises Crash, Gone."""
        self.wait(inf)

    def wake(self, actor: Actor) -> None:
        """Whoever is parked, or waits, can go on now."""
        actor.wakes = min(actor.wakes, self.elapsed)

    def kill(self, process: Process) -> None:
        """A process dies: whoever works in it notices when they go on."""
        process.alive = False
        for actor in self._actors:
            if actor.process is process and actor is not self._current:
                self.wake(actor)

    @contextmanager
    def inside(self, process: Process) -> Iterator[None]:
        """Whoever holds the baton has something done in a process, and it dies under their hands, or not."""
        actor = self._current
        actor.process, before = process, actor.process
        try:
            yield
        finally:
            actor.process = before

    def run(self, seconds: float) -> None:
        """Let so many seconds pass. Raises what anybody could not help, and Gone behind the last step."""
        self._stage.wakes = self.elapsed + seconds
        if not self._over:
            self._hand_over(self._stage)
        if self._over:
            raise self.failure or Gone

    def close(self) -> None:
        """Everybody leaves."""
        self._over = True
        while others := [actor for actor in self._actors if actor is not self._stage]:
            self._stage.wakes = inf
            self._give(others[0])
            self._stage.turn.acquire()

    def _play(self, actor: Actor, act: Callable[[], object]) -> None:
        actor.turn.acquire()
        try:
            self._check(actor)
            act()
        except (Crash, Gone):
            pass
        except BaseException as failure:  # noqa: BLE001 - a bug of somebody's: the stage raises it
            if not self._over:
                self.failure = failure
                self._end()
        self._actors.remove(actor)
        self._give(self._next())

    def _check(self, actor: Actor) -> None:
        if self._over and actor is not self._stage:
            raise Gone
        if actor.process is not None and not actor.process.alive:
            raise Crash

    def _end(self) -> None:
        self._over = True

    def _hand_over(self, actor: Actor) -> None:
        chosen = self._next()
        if chosen is not actor:
            self._give(chosen)
            actor.turn.acquire()

    def _give(self, actor: Actor) -> None:
        self._current = actor
        actor.turn.release()

    def _next(self) -> Actor:
        """Whoever can go on, by the dice; when nobody can, time passes."""
        if self._over:
            return self._stage
        soonest = min(actor.wakes for actor in self._actors)
        if soonest > self.elapsed:
            self.elapsed = soonest
        able = [actor for actor in self._actors if actor.wakes <= self.elapsed and actor is not self._stage]
        if not able:
            return self._stage
        return able[0] if len(able) == 1 else able[self._dice.randrange(len(able))]
