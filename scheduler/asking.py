"""How a tick's wish gets to a worker, and what happens to it while Redis is away."""

from threading import Lock
from time import monotonic

import structlog
from dramatiq import Actor

from workers.broker import QueueAway
from workers.sending import ask

REST_SECONDS = 1.0
"""After Redis was found away nothing is sent for so long: a silent server must not hold up every tick."""

log = structlog.get_logger(__name__)


class Asker:
    """Sends wishes; what may not wait runs in this process while Redis is away. Says so once."""

    def __init__(self) -> None:
        self._away = False
        self._rests_until = 0.0
        self._lock = Lock()

    def __call__(self, actor: Actor[..., None], ids: tuple[int, ...], *, alone: bool) -> None:
        """Ask `actor` for its duty on `ids`. `alone`: do it here if it cannot be asked."""
        if not self._sent(actor, ids) and alone:
            actor(*ids)

    def _sent(self, actor: Actor[..., None], ids: tuple[int, ...]) -> bool:
        if monotonic() < self._rests_until:
            return False
        try:
            ask(actor, *ids)
        except QueueAway as error:
            self._note(away=True, why=str(error))
            return False
        self._note(away=False)
        return True

    def _note(self, *, away: bool, why: str = "") -> None:
        with self._lock:
            changed, self._away = away != self._away, away
            self._rests_until = monotonic() + REST_SECONDS if away else 0.0
        if changed and away:
            log.warning("Redis is away: urgent ticks run here", why=why)
        elif changed:
            log.info("Redis is back: ticks are sent to workers again")
