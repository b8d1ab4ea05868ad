"""What happens next: a heap of business instants, and processes that wait in it."""

import heapq
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import count

Process = Iterator[timedelta]
"""A generator that does something, then yields how long (business time) until it goes on."""


class Agenda:
    """Runs whatever comes first. What falls on one instant runs in the order in which it was put down."""

    def __init__(self, begins: datetime) -> None:
        self.now = begins
        self._events: list[tuple[datetime, int, Callable[[], None]]] = []
        self._sequence = count()

    def at(self, instant: datetime, action: Callable[[], None]) -> None:
        """Do `action` at `instant` (UTC), or now if that is past."""
        heapq.heappush(self._events, (max(instant, self.now), next(self._sequence), action))

    def begin(self, process: Process, instant: datetime) -> None:
        """Let a process run from `instant` on, until its generator ends."""

        def go_on() -> None:
            wait = next(process, None)
            if wait is not None:
                self.at(self.now + wait, go_on)

        self.at(instant, go_on)

    def run(self, until: datetime) -> None:
        """Everything that happens before `until`; afterwards it is `until`."""
        while self._events and self._events[0][0] < until:
            self.now, _, action = heapq.heappop(self._events)
            action()
        self.now = until
