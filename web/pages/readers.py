"""One reader for each watched assignment: however many browsers look at it, the database is asked once."""

import asyncio
from dataclasses import dataclass, replace
from time import monotonic
from zoneinfo import ZoneInfo

import structlog
from nicegui import Event, background_tasks
from starlette.concurrency import run_in_threadpool

from calling.hours.floor import zone_of
from calling.views.dry import DryList, dry_list, wanting
from models.errors import RingelisteError
from models.work import Work
from web.pages.snapshot import Snapshot, read
from wiring.app import App

PERIOD_SECONDS = 0.75
"""Wall time from one reading to the next; a slow one is followed by a rest as long as itself."""

DRY_SECONDS = 5.0
"""Wall time for which it stands whether a list is dry."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class News:
    """What watchers are told: the floor as it is, or why it cannot be read just now."""

    snapshot: Snapshot | None
    trouble: str | None = None


class Reader:
    """Reads one assignment again and again while somebody watches."""

    def __init__(self, app: App, crm_id: int, assignment_id: int, zone: ZoneInfo) -> None:
        self._app, self._crm_id, self._assignment_id, self._zone = app, crm_id, assignment_id, zone
        self._running = False
        self._was_dry: DryList | None = None
        self._dry_again = 0.0
        self.news: Event[News] = Event()
        self.latest: News | None = None

    async def first(self) -> News:
        """What it looks like now, for a page that is being built."""
        if self.latest is None:
            self.latest = await self._read()
        return self.latest

    def watch(self) -> None:
        """Somebody has subscribed to `news`: go on reading until nobody is left."""
        if not self._running:
            self._running = True
            background_tasks.create(self._run(), name=f"reader of assignment {self._assignment_id}")

    async def read_now(self) -> None:
        """Something was done: show it at once."""
        self._dry_again = 0.0
        self._tell(await self._read())

    async def _run(self) -> None:
        try:
            while self.news.callbacks:
                begun = monotonic()
                self._tell(await self._read())
                took = monotonic() - begun
                await asyncio.sleep(max(PERIOD_SECONDS - took, took))
        finally:
            self._running, self.latest = False, None

    def _tell(self, news: News) -> None:
        self.latest = news
        self.news.emit(news)

    async def _read(self) -> News:
        try:
            return News(await run_in_threadpool(self._ask))
        except RingelisteError as error:
            return News(None, error.message.removesuffix("; try again"))  # it does so by itself
        except Exception:
            log.exception("the floor cannot be read", crm=self._crm_id, assignment=self._assignment_id)
            return News(None, "something of ours is broken; the log has it")

    def _ask(self) -> Snapshot:
        with self._app.work(self._crm_id, snapshot=True) as work:
            return replace(read(work, self._assignment_id, self._zone), dry=self._dry(work))

    def _dry(self, work: Work) -> DryList | None:
        """Whether the list is dry within its hours, and why. It counts every customer: not at each look."""
        if monotonic() >= self._dry_again:
            name = wanting(work).get(self._assignment_id)
            self._was_dry = dry_list(work, self._assignment_id, name) if name is not None else None
            self._dry_again = monotonic() + DRY_SECONDS
        return None if self._was_dry is None or self._was_dry.after_hours else self._was_dry


class Readers:
    """The readers of this process."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._readers: dict[tuple[int, int], Reader] = {}

    def of(self, crm_id: int, assignment_id: int, region: str) -> Reader:
        """The reader of one assignment. The caller has seen that it exists in that CRM."""
        key = (crm_id, assignment_id)
        if key not in self._readers:
            self._readers[key] = Reader(self._app, crm_id, assignment_id, zone_of(region))
        return self._readers[key]
