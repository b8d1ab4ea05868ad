"""What a web process does by itself: its caches of facets are held against SQL, hourly.

Not a tick of the scheduler: a cache lives in the process that answers from it, and no worker has it.
"""

from threading import Event, Thread

import structlog
from prometheus_client import Gauge

from models.errors import RingelisteError
from segmentation.facets import cached, check_drift
from wiring.app import App
from wiring.failures import reason
from wiring.logs import bound
from wiring.metrics import REGISTRY

EVERY_SECONDS = 3600.0
"""Wall time between two checks. A check reads every placement once, as loading the cache does."""

DRIFT = Gauge(
    "ringeliste_facet_drift_rows",
    "Customers whose row in the cache was not as in SQL, at the last check; more than 0 is a bug of ours. "
    "0 again at the next check: the cache was replaced.",
    ["crm", "assignment"],
    registry=REGISTRY,
)
CHECKED = Gauge(
    "ringeliste_facet_rows",
    "Customers in the cache, at the last check.",
    ["crm", "assignment"],
    registry=REGISTRY,
)

log = structlog.get_logger(__name__)

_told: dict[tuple[int, int], int] = {}
"""(crm, assignment) -> the rows that had drifted, of the last round; those without are left out."""


def drifted() -> str:
    """What the last check of this process's caches found, in words; nothing where all were right."""
    return "; ".join(
        f"the cache of assignment {assignment_id} in CRM {crm_id} differed from SQL in {rows} customers and "
        "was replaced: a bug of ours, the log has its dimensions"
        for (crm_id, assignment_id), rows in sorted(_told.items())
    )


class Upkeep:
    """Checks again and again from `start` to `stop`, in a thread of its own."""

    def __init__(self, app: App, every: float = EVERY_SECONDS) -> None:
        self._app, self._every, self._stopping = app, every, Event()

    def start(self) -> None:
        """Begin; the first check comes after the first interval, when there is something to check."""
        Thread(target=self._run, name="upkeep", daemon=True).start()

    def stop(self) -> None:
        """Check no more."""
        self._stopping.set()

    def _run(self) -> None:
        while not self._stopping.wait(self._every):
            check_caches(self._app)


def check_caches(app: App) -> int:
    """Hold every cache of this process against SQL, and go on with a fresh one; how many rows differed.

    Never raises: what cannot be checked is logged, and the next round comes.
    """
    found: dict[tuple[int, int], int] = {}
    try:
        for crm_id in app.crms():
            with app.work(crm_id) as work:
                assignments = cached(work)
            for assignment_id in assignments:
                if rows := _check(app, crm_id, assignment_id):
                    found[crm_id, assignment_id] = rows
    except RingelisteError as error:
        log.warning("caches of facets cannot be checked", why=reason(error))
    except Exception:
        log.exception("caches of facets cannot be checked")
    else:
        _tell(found)
    return sum(found.values())


def _tell(found: dict[tuple[int, int], int]) -> None:
    """Say what this round found. Whatever an earlier one found is replaced or thrown away by now."""
    for crm_id, assignment_id in set(_told) - set(found):
        DRIFT.labels(str(crm_id), str(assignment_id)).set(0)
    _told.clear()
    _told.update(found)


def _check(app: App, crm_id: int, assignment_id: int) -> int:
    with bound(crm=crm_id, assignment=assignment_id), app.work(crm_id) as work:
        drift = check_drift(work, assignment_id)
        if drift is None:
            return 0
        rows = drift.missing + drift.surplus + max(drift.differing.values(), default=0)
        DRIFT.labels(str(crm_id), str(assignment_id)).set(rows)
        CHECKED.labels(str(crm_id), str(assignment_id)).set(drift.rows)
        if not drift.is_none:
            log.error(
                "the cache of facets has drifted and is replaced", missing=drift.missing,
                surplus=drift.surplus, **{f"differing.{key}": n for key, n in drift.differing.items()},
            )  # fmt: skip
        return rows
