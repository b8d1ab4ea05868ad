"""An event loop on the stage: its time is the stage's, and while it waits others go on.

What it gives to threads (asyncio.to_thread) are actors of their own, so that the jobs of a link come between
each other's transactions as they do in a real process.
"""

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from selectors import SelectorKey, SelectSelector
from typing import Any

from ringeliste.faults.baton import Baton, Crash, Gone

Thread = asyncio.Future[Any]


class _Patience(SelectSelector):
    """Waits on the stage; nothing is ever heard from outside."""

    def __init__(self, loop: "StageLoop") -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[SelectorKey, int]]:
        if timeout is None or timeout > 0:
            self._loop.be_patient(timeout)
        return []


class StageLoop(asyncio.SelectorEventLoop):
    """One run of one coroutine. `speed`: business seconds a second of the loop's."""

    def __init__(self, baton: Baton, speed: float) -> None:
        self._baton, self._speed, self._skipped = baton, speed, 0.0
        self._leaving = False
        self._threads: set[asyncio.Future[Any]] = set()
        super().__init__(_Patience(self))
        self.set_exception_handler(lambda *_: None)  # of those who die nobody asks for what they died of
        self._actor = baton.current

    def time(self) -> float:
        """Seconds of the loop's own."""
        return self._baton.elapsed / self._speed + self._skipped

    def be_patient(self, timeout: float | None) -> None:
        """Wait on the stage, None: until one of our threads is done. Who dies meanwhile lets all go."""
        if self._leaving:
            self._skipped += timeout or 0.0
            return
        try:
            if timeout is None:
                self._baton.park()
            else:
                self._baton.wait(timeout * self._speed)
        except (Crash, Gone) as end:
            self._leave(end)

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Run it to its end; raises what it raises, and Gone."""
        task = self.create_task(work)
        self._main = task
        try:
            self.run_until_complete(task)
        finally:
            self._leave(Crash())
            while left := asyncio.all_tasks(self):
                for one in left:
                    one.cancel()
                self.run_until_complete(asyncio.wait(left))
            self.close()

    def run_in_executor(self, _executor: Any, func: Callable[..., Any], *args: Any) -> Thread:  # type: ignore[override]
        """A thread is an actor of the same process."""
        future: asyncio.Future[Any] = self.create_future()
        self._threads.add(future)
        future.add_done_callback(self._threads.discard)
        act = partial(self._do, future, partial(func, *args))
        self._baton.begin(self._actor.name, act, process=self._actor.process)
        return future

    def _do(self, future: asyncio.Future[Any], act: Callable[[], Any]) -> None:
        try:
            done = act()
        except BaseException as failure:  # noqa: BLE001 - it is the future's
            self._settle(future, partial(future.set_exception, failure))
        else:
            self._settle(future, partial(future.set_result, done))

    def _settle(self, future: asyncio.Future[Any], how: Callable[[], None]) -> None:
        if not self.is_closed() and not future.done():
            how()
            self._baton.wake(self._actor)

    def _leave(self, why: BaseException) -> None:
        """No thread is waited for any more: each dies by itself."""
        if not self._leaving:
            self._leaving = True
            for future in list(self._threads):
                if not future.done():
                    future.set_exception(why)
            self._main.cancel()
