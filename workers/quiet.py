"""What a library says every three seconds is said once a while: an hour without Redis is one story."""

import logging
from threading import Lock
from time import monotonic

SAID_AGAIN_SECONDS = 300.0


class Seldom(logging.Filter):
    """Lets the same text of dramatiq's consumers through once in five minutes; all else always."""

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[str, float] = {}
        self._lock = Lock()

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether this line is written."""
        if not record.name.startswith("dramatiq.worker.ConsumerThread"):
            return True
        line, now = record.getMessage(), monotonic()
        with self._lock:
            seldom = now - self._said.get(line, -SAID_AGAIN_SECONDS) >= SAID_AGAIN_SECONDS
            if seldom:
                self._said = {text: at for text, at in self._said.items() if now - at < SAID_AGAIN_SECONDS}
                self._said[line] = now
        return seldom


def hush() -> None:
    """From now on; after the logs were configured."""
    for handler in logging.getLogger().handlers:
        handler.addFilter(Seldom())
