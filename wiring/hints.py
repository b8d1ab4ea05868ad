"""Hints after the commit: what may now be worth doing, told to whoever listens. A lost hint costs a tick."""

from collections.abc import Callable, Iterable
from threading import Lock
from time import monotonic

import structlog

from models.work import Hint
from wiring.metrics import HINTS_FAILED, HINTS_SENT

Publish = Callable[[Hint], None]

REST_SECONDS = 1.0
"""After a failed send nothing is tried for so long: a silent Redis must not slow every commit."""

log = structlog.get_logger(__name__)


class _Publisher:
    """Where hints go, and whether it works just now."""

    def __init__(self) -> None:
        self.send: Publish | None = None
        self.lost = 0
        self.rests_until = 0.0
        self.lock = Lock()

    def failed(self, hint: Hint, error: Exception) -> None:
        """Rest for a while; say it once, not for each hint."""
        with self.lock:
            self.rests_until = monotonic() + REST_SECONDS
            first, self.lost = self.lost == 0, self.lost + 1
        HINTS_FAILED.labels(hint.kind).inc()
        if first:
            log.warning("hints are lost; ticks take over", kind=hint.kind, error=str(error))

    def skipped(self, hint: Hint) -> None:
        with self.lock:
            self.lost += 1
        HINTS_FAILED.labels(hint.kind).inc()

    def sent(self, hint: Hint) -> None:
        HINTS_SENT.labels(hint.kind).inc()
        with self.lock:
            lost, self.lost = self.lost, 0
        if lost:
            log.info("hints are sent again", lost=lost)


_publisher = _Publisher()


def install_publisher(publish: Publish | None) -> None:
    """From now on hints of this process go to `publish`; None drops them. It may raise: that is counted."""
    _publisher.send, _publisher.lost, _publisher.rests_until = publish, 0, 0.0


def publish(hints: Iterable[Hint]) -> None:
    """Send committed hints. A failed send is counted and logged, never raised."""
    for hint in hints:
        if _publisher.send is None:
            return
        if monotonic() < _publisher.rests_until:
            _publisher.skipped(hint)
            continue
        try:
            _publisher.send(hint)
        except Exception as error:  # noqa: BLE001 - whatever the queue's library raises, the work is done
            _publisher.failed(hint, error)
        else:
            _publisher.sent(hint)
