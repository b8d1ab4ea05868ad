"""What a web process does by itself: it notices sellers whose pages have fallen silent.

Here, and not in a tick of the scheduler: only who could have heard may say that somebody was silent. Behind a
restart of ours, or of PostgreSQL, everybody's silence counts anew.
"""

from collections.abc import Callable
from datetime import timedelta
from threading import Event, Thread
from time import monotonic

import structlog

from calling.handout.heartbeat import begin_anew, send_silent_away
from models.errors import RingelisteError
from wiring.app import App
from wiring.clock import wall_now
from wiring.failures import reason
from wiring.logs import bound

EVERY_SECONDS = 5.0
"""Wall time between two looks."""

DEAF_SECONDS = 15.0
"""A look that comes so much later than the one before it says that we were not listening meanwhile."""

log = structlog.get_logger(__name__)


class Silence:
    """Looks again and again from `start` to `stop`, in a thread of its own."""

    def __init__(
        self, app: App, every: float = EVERY_SECONDS, *, ticking: Callable[[], float] = monotonic
    ) -> None:
        self._app, self._every, self._ticking, self._stopping = app, every, ticking, Event()
        self._listened: float | None = None

    def start(self) -> None:
        """Begin."""
        Thread(target=self._run, name="silence", daemon=True).start()

    def stop(self) -> None:
        """Look no more."""
        self._stopping.set()

    def _run(self) -> None:
        while not self._stopping.wait(self._every):
            self.look()

    def look(self) -> int:
        """One look; how many were sent away. Never raises: what fails is logged, and the next look comes."""
        now, before = self._ticking(), self._listened
        deaf = before is None or now - before > DEAF_SECONDS
        try:
            sent = sum(self._look_at(crm_id, deaf=deaf) for crm_id in self._app.crms())
        except RingelisteError as error:
            log.warning("silent sellers cannot be looked for", why=reason(error))
        except Exception:
            log.exception("silent sellers cannot be looked for")
        else:
            self._listened = now
            return sent
        return 0

    def _look_at(self, crm_id: int, *, deaf: bool) -> int:
        if deaf:
            with self._app.work(crm_id) as work:
                begin_anew(work, wall_now())
            return 0
        silent = timedelta(seconds=self._app.settings.silent_seconds)
        sent = send_silent_away(self._app.opener(crm_id), wall_now(), silent)
        with bound(crm=crm_id):
            for seller_id in sent:
                log.warning("a seller has fallen silent, and is away", seller=seller_id)
        return len(sent)
