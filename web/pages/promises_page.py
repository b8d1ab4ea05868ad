"""The Promised page: calls that are late, due today and coming, by whose they are; changed, handed over."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog
from nicegui import ui
from starlette.concurrency import run_in_threadpool

from calling.follow_ups.agenda import Agenda, agenda
from calling.follow_ups.listing import Listed
from calling.hours.floor import zone_of
from models.errors import RingelisteError
from web.keys import Holder, KeyRing
from web.pages.guard import assignments_of, leave_when_revoked, nothing_yet
from web.pages.head import head
from web.pages.header import Header
from web.pages.parts import box
from web.pages.promise_rows import PromiseRows, WhoseList
from web.pages.promise_sheets import PromiseSheets
from wiring.app import App

LOOK_SECONDS = 2.0
ALL = "all"

log = structlog.get_logger(__name__)


async def build(app: App, keys: KeyRing, holder: Holder, key: str, assignment_id: int | None) -> None:
    """Build the page of one assignment for a signed-in manager."""
    ui.add_head_html(head())
    ui.page_title("Promised · Ringeliste")
    assignments = await run_in_threadpool(assignments_of, app, holder.crm_id)
    chosen = next((one for one in assignments if one.id == assignment_id), next(iter(assignments), None))
    if chosen is None:
        nothing_yet()
        return
    page = PromisesPage(app, holder, assignments, chosen.id)
    await page.refresh()
    ui.timer(LOOK_SECONDS, page.refresh)
    leave_when_revoked(keys, key)


class PromisesPage:
    """One browser's page. It rules nothing itself: it calls the same verbs as the API."""

    def __init__(self, app: App, holder: Holder, assignments: Sequence[Any], assignment_id: int) -> None:
        self._app, self._holder, self._assignment_id = app, holder, assignment_id
        self._zone = zone_of(holder.region)
        self._whose: int | str | None = ALL
        self._now: Agenda | None = None
        with box("floor"):
            self._header = Header(holder, assignments, assignment_id, page="promises")
            with box("promises-page", "main"):
                self._sellers = WhoseList(self._choose, self._hand_over)
                self._rows = PromiseRows(self._zone, self._change, self._take_back)
        self._sheets = PromiseSheets(app, holder, self.refresh)

    async def refresh(self) -> None:
        """Read and show what is so now, or say why it cannot be read."""
        try:
            now = await run_in_threadpool(self._read)
        except RingelisteError as error:
            self._header.tick(None, None, 1.0, error.message.removesuffix("; try again"))
        except Exception:
            log.exception("promises cannot be read", crm=self._holder.crm_id, assignment=self._assignment_id)
            self._header.tick(None, None, 1.0, "something of ours is broken; the log has it")
        else:
            self._now = now
            self._header.tick(now.now, self._zone, self._app.clock.base().speed, None)
            self._sellers.show(now, self._whose)
            self._rows.show(now)

    def _read(self) -> Agenda:
        whose = self._whose
        seller_id = whose if isinstance(whose, int) else None
        with self._app.work(self._holder.crm_id, snapshot=True) as work:
            return agenda(
                work, self._assignment_id, _midnight(work.now.astimezone(self._zone)),
                seller_id=seller_id, of_all=whose == ALL,
            )  # fmt: skip

    async def _choose(self, whose: int | str | None) -> None:
        self._whose = whose
        await self.refresh()

    async def _hand_over(self) -> None:
        if self._now is not None and isinstance(self._whose, int):
            await self._sheets.hand_over(self._whose, self._now)

    def _change(self, promise: Listed) -> None:
        if self._now is not None:
            self._sheets.change(promise, self._now)

    def _take_back(self, promise: Listed) -> None:
        self._sheets.take_back(promise)


def _midnight(local: datetime) -> datetime:
    """Where the day of an instant ends, on the same clock."""
    return (local + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
