"""What a web process does by itself: its caches of facets are kept fresh while somebody looks at them.

A question reads what changed before it; after a flood that takes longer than a question may. So most of it is
read here, a few times a second, and questions find little to do.
"""

from threading import Event, Thread

import structlog

from models.errors import RingelisteError
from segmentation.facets import follow, to_follow
from wiring.app import App
from wiring.failures import reason
from wiring.logs import bound

EVERY_SECONDS, REST_SECONDS = 0.25, 5.0
"""Wall time between two rounds, and after one that failed. Where nobody asked lately it costs nothing."""

log = structlog.get_logger(__name__)


class Following:
    """Follows again and again from `start` to `stop`, in a thread of its own."""

    def __init__(self, app: App, every: float = EVERY_SECONDS, rest: float = REST_SECONDS) -> None:
        self._app, self._every, self._rest, self._stopping = app, every, rest, Event()

    def start(self) -> None:
        """Begin."""
        Thread(target=self._run, name="following", daemon=True).start()

    def stop(self) -> None:
        """Follow no more."""
        self._stopping.set()

    def _run(self) -> None:
        went_well = True
        while not self._stopping.wait(self._every if went_well else self._rest):
            went_well = follow_caches(self._app)


def follow_caches(app: App) -> bool:
    """One round over the caches that somebody asked lately; whether it went well. Never raises."""
    went_well = True
    for crm_id, assignment_id in to_follow(app.engine):
        with bound(crm=crm_id, assignment=assignment_id):
            try:
                with app.work(crm_id) as work:
                    follow(work, assignment_id)
            except RingelisteError as error:
                went_well = False
                log.warning("a cache of facets cannot be followed", why=reason(error))
            except Exception:
                went_well = False
                log.exception("a cache of facets cannot be followed")
    return went_well
