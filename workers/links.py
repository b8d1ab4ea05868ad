"""Which dialers this process links: all of them, or those named; another process takes over what dies."""

import asyncio
from collections.abc import Collection

import structlog
from sqlalchemy import text

from calling.dialers.orders import LinkedDialer, linked_dialer
from models.errors import RingelisteError
from wiring.app import App
from wiring.failures import reason
from wiring.locks import LINKS, SessionLock
from workers.adapters import port_of
from workers.jobs import end
from workers.link import Link

LOOK_SECONDS = 1.0
"""Wall time between two looks for dialers that nobody links."""

log = structlog.get_logger(__name__)

_DIALERS = text("select id, name from dialer where crm_id = :crm_id order by id")


async def keep_linked(app: App, stopping: asyncio.Event, names: Collection[str] = ()) -> None:
    """Link every dialer that nobody else links, until `stopping`. `names`: only these."""
    links: dict[tuple[int, int], asyncio.Task[None]] = {}
    while not stopping.is_set():
        try:
            found = await asyncio.to_thread(_dialers, app, names)
        except RingelisteError as error:
            log.warning("cannot look for dialers", why=reason(error))
            found = []
        for key in found:
            if key not in links or links[key].done():
                links[key] = asyncio.create_task(_keep(app, *key, stopping))
        await _pause(stopping)
    await asyncio.gather(*links.values(), return_exceptions=True)


def _dialers(app: App, names: Collection[str]) -> list[tuple[int, int]]:
    found = []
    for crm_id in app.crms():
        with app.work(crm_id) as work:
            found += [(crm_id, row.id) for row in work.run(_DIALERS) if not names or row.name in names]
    return found


async def _keep(app: App, crm_id: int, dialer_id: int, stopping: asyncio.Event) -> None:
    """Link one dialer for as long as the lock is ours and touch is kept."""
    lock = SessionLock(app.engine, LINKS, dialer_id)
    try:
        if not await asyncio.to_thread(lock.try_take):
            return
        await _link(app, crm_id, dialer_id, lock, stopping)
    except* RingelisteError as errors:
        for error in errors.exceptions:
            log.warning("lost touch", crm=crm_id, dialer=dialer_id, why=str(error))
    finally:
        await asyncio.to_thread(lock.release)


async def _link(app: App, crm_id: int, dialer_id: int, lock: SessionLock, stopping: asyncio.Event) -> None:
    dialer = await asyncio.to_thread(_read, app, crm_id, dialer_id)
    port = port_of(app, crm_id, dialer)
    ending = asyncio.Event()
    link = asyncio.create_task(Link(app, crm_id, dialer, port).run(ending))
    try:
        while not link.done() and not stopping.is_set() and await asyncio.to_thread(lock.held):
            await _pause(stopping)
        ending.set()
        await link
    finally:
        await end([link])
        await port.aclose()


def _read(app: App, crm_id: int, dialer_id: int) -> LinkedDialer:
    with app.work(crm_id) as work:
        return linked_dialer(work, dialer_id)


async def _pause(stopping: asyncio.Event) -> None:
    try:
        await asyncio.wait_for(stopping.wait(), LOOK_SECONDS)
    except TimeoutError:
        return
