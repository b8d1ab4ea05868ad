"""How a long-running command hears that it shall end: Ctrl-C, a closed terminal, a service manager."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from types import FrameType
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(BaseException):
    """Somebody wants us to end, while we were in the middle of something that may be cut off."""


class Wish:
    """The wish to stop. Being told twice is being told once."""

    def __init__(self) -> None:
        self.told = Event()
        self._interrupting = False

    @contextmanager
    def interrupting(self) -> Iterator[None]:
        """Within the block the wish raises Stopped at once, elsewhere it is only noted."""
        if self.told.is_set():
            raise Stopped
        self._interrupting = True
        try:
            yield
        finally:
            self._interrupting = False

    def hear(self, _signal: int, _frame: FrameType | None) -> None:
        """A signal handler."""
        first = not self.told.is_set()
        self.told.set()
        if first and self._interrupting:
            raise Stopped


@contextmanager
def stop_wish() -> Iterator[Wish]:
    """From here to the end of the block signals do not end the process; they are a wish."""
    wish, before = Wish(), {one: signal.getsignal(one) for one in SIGNALS}
    for one in SIGNALS:
        signal.signal(one, wish.hear)
    try:
        yield wish
    finally:
        for one, handler in before.items():
            _restore(one, handler)


def _restore(one: signal.Signals, handler: Any) -> None:
    signal.signal(one, signal.SIG_DFL if handler is None else handler)
