"""Who ticks: the scheduler that holds the lock. Spares wait; one takes over as soon as the leader dies."""

from threading import Event

import structlog

from models.errors import Unavailable
from scheduler.ticking import Ticker
from wiring.app import App
from wiring.failures import reason
from wiring.locks import SCHEDULER, SessionLock

TRY_SECONDS = 0.5
HELD_SECONDS = 1.0

log = structlog.get_logger(__name__)


def lead_whenever_possible(app: App, ticker: Ticker, stopping: Event) -> None:
    """Wait for the lead, tick while it lasts, wait again; until `stopping` is set.

    A lead that is lost unnoticed for a second makes two leaders tick: that asks twice, and does no harm.
    """
    lock = SessionLock(app.engine, *SCHEDULER)
    state = ""
    while not stopping.is_set():
        before = state
        try:
            state = "leads" if lock.try_take() else "waits"
        except Unavailable as error:
            state = "cannot ask who leads"
            if state != before:
                log.warning(state, why=reason(error))
        if state == "leads":
            _lead(lock, ticker, stopping)
        elif state == "waits" != before:
            log.info(state)
        stopping.wait(TRY_SECONDS)
    lock.release()


def _lead(lock: SessionLock, ticker: Ticker, stopping: Event) -> None:
    log.info("leads")
    ticker.start()
    try:
        while lock.held():
            if stopping.wait(HELD_SECONDS):
                return
        log.warning("lost the lead")
    finally:
        ticker.stop()
