"""The ticks at work: who leads runs them, one CRM after another, and one's failure stops no other."""

from collections.abc import Iterable
from datetime import UTC, timedelta

import structlog
from apscheduler.schedulers.background import BackgroundScheduler

from models.errors import RingelisteError
from scheduler.asking import Asker
from scheduler.openings import Lookout
from scheduler.ticks import TICKS, Tick
from wiring.app import App
from wiring.clock import wall_now
from wiring.failures import reason
from wiring.logs import bound
from wiring.metrics import TICKS as TICKED
from wiring.metrics import TICKS_FAILED

OPENINGS_EVERY = 1.0
ONCE = {"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
"""A tick that comes late is still one tick, and never dropped."""

log = structlog.get_logger(__name__)


class Ticker:
    """Runs ticks from `start` to `stop`."""

    def __init__(self, app: App, ticks: Iterable[Tick] = TICKS) -> None:
        self._app, self._ticks, self._ask = app, tuple(ticks), Asker()
        self._openings = Lookout()
        self._failing: set[tuple[str, int | None]] = set()
        self._scheduler: BackgroundScheduler | None = None

    def start(self) -> None:
        """Begin to tick, each tick at once and then in its rhythm."""
        jobs = BackgroundScheduler(timezone=UTC, job_defaults=ONCE)
        for tick in self._ticks:
            jobs.add_job(self.run, "interval", [tick], seconds=tick.every, next_run_time=wall_now())
        jobs.add_job(self.watch_openings, "interval", seconds=OPENINGS_EVERY, next_run_time=wall_now())
        self._scheduler = jobs
        jobs.start()

    def stop(self) -> None:
        """Tick no more; what runs just now ends by itself."""
        if self._scheduler:
            self._scheduler.shutdown(wait=False)
        self._scheduler = None

    def run(self, tick: Tick) -> None:
        """One tick, now. Never raises: a failure is logged when it begins, and counted each time."""
        TICKED.labels(tick.name).inc()
        for crm_id in self._crms(tick.name) if tick.per_crm else [None]:
            with bound(crm=crm_id, tick=tick.name):
                self._guarded(tick, crm_id)

    def watch_openings(self) -> None:
        """Look out for the next opening of a clock; a job of its own is there to the millisecond."""
        for crm_id in self._crms("openings"):
            with bound(crm=crm_id, tick="openings"):
                try:
                    away = self._openings.seconds_until_next(self._app, crm_id)
                except Exception as error:  # noqa: BLE001 - the other CRMs' clocks open all the same
                    self._failed("openings", crm_id, error)
                    continue
                self._worked("openings", crm_id)
                if away is not None and self._scheduler:
                    at = wall_now() + timedelta(seconds=away)
                    self._scheduler.add_job(
                        self.opened,
                        "date",
                        [crm_id],
                        run_date=at,
                        id=f"opening {crm_id}",
                        replace_existing=True,
                    )

    def opened(self, crm_id: int) -> None:
        """A clock of this CRM has opened: everybody asks at once, so the lists are filled first."""
        self._openings.passed(crm_id)
        top_up = next(tick for tick in TICKS if tick.name == "top-up")
        with bound(crm=crm_id, tick="opening"):
            self._guarded(top_up, crm_id)

    def _guarded(self, tick: Tick, crm_id: int | None) -> None:
        try:
            for ids in self._ids(tick, crm_id):
                self._ask(tick.actor, ids, alone=tick.alone)
        except Exception as error:  # noqa: BLE001 - the next CRM and the next tick must come
            self._failed(tick.name, crm_id, error)
        else:
            self._worked(tick.name, crm_id)

    def _ids(self, tick: Tick, crm_id: int | None) -> list[tuple[int, ...]]:
        if crm_id is None:
            return [()]
        if tick.subjects is None:
            return [(crm_id,)]
        return [(crm_id, subject) for subject in tick.subjects(self._app.opener(crm_id))]

    def _crms(self, tick: str) -> list[int]:
        try:
            crms = self._app.crms()
        except Exception as error:  # noqa: BLE001 - PostgreSQL may be away: the next tick looks again
            self._failed(tick, None, error)
            return []
        self._worked(tick, None)
        return crms

    def _failed(self, tick: str, crm_id: int | None, error: Exception) -> None:
        TICKS_FAILED.labels(tick).inc()
        if (tick, crm_id) not in self._failing:
            self._failing.add((tick, crm_id))
            expected = isinstance(error, RingelisteError)  # a server is away: no traceback says more
            log.error("tick fails", tick=tick, crm=crm_id, why=reason(error), exc_info=not expected and error)

    def _worked(self, tick: str, crm_id: int | None) -> None:
        if (tick, crm_id) in self._failing:
            self._failing.discard((tick, crm_id))
            log.info("tick works again", tick=tick, crm=crm_id)
