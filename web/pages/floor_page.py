"""A manager's floor: figures, hours, segments and the line, live; and the buttons that stop things."""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from nicegui import ui
from starlette.concurrency import run_in_threadpool

from calling.follow_ups.late import NOBODY
from calling.handout.recalling import WallAnswer
from calling.hours.floor import zone_of
from calling.views.report import SegmentFigures
from calling.walls.pause import pause, resume
from models.tables.walls import SHARED_PAUSES
from web.api.walls import patience
from web.keys import Holder, KeyRing
from web.pages.callable_drawer import CallableDrawer
from web.pages.dry_banner import DryBanner
from web.pages.figures import Figures
from web.pages.guard import assignments_of, leave_when_revoked, nothing_yet
from web.pages.head import head
from web.pages.header import Header
from web.pages.hours_chart import HoursChart
from web.pages.line import Line
from web.pages.parts import box, count, words
from web.pages.pause_sheet import PauseSheet
from web.pages.readers import News, Reader, Readers
from web.pages.segments import Segments
from web.pages.snapshot import Snapshot, local
from wiring.app import App
from wiring.logs import bound
from wiring.metrics import timed


async def build(
    app: App, keys: KeyRing, readers: Readers, holder: Holder, key: str, assignment_id: int | None
) -> None:
    """Build the page of one assignment (the first one if none is named) for a signed-in manager."""
    ui.add_head_html(head())
    ui.page_title("Ringeliste")
    assignments = await run_in_threadpool(assignments_of, app, holder.crm_id)
    chosen = next((one for one in assignments if one.id == assignment_id), next(iter(assignments), None))
    if chosen is None:
        nothing_yet()
        return
    reader = readers.of(holder.crm_id, chosen.id, holder.region)
    first = await reader.first()
    page = FloorPage(app, holder, reader, assignments, chosen)
    page.show(first)
    reader.news.subscribe(page.show)
    reader.watch()
    leave_when_revoked(keys, key)


class FloorPage:
    """One browser's page. It rules nothing itself: it calls the same verbs as the API."""

    def __init__(
        self, app: App, holder: Holder, reader: Reader, assignments: Sequence[Any], chosen: Any
    ) -> None:
        self._app, self._holder, self._reader, self._assignment = app, holder, reader, chosen
        with box("floor"):
            self._header = Header(holder, assignments, chosen.id, page="")
            self._banner = _Banner(self._resume)
            self._late, self._aside = _LatePromises(chosen.id), _SetAside()
            self._dry = DryBanner(self._tell_callable)
            with box("board", "main"):
                self._figures = Figures()
                with box("middle"):
                    self._hours = HoursChart()
                    self._segments = Segments(self._steer, self._pause_all)
                self._line = Line(self._steer_one)
        self._sheet = PauseSheet(zone_of(holder.region))
        self._callable = CallableDrawer(app, holder, chosen.id, zone_of(holder.region))

    def show(self, news: News) -> None:
        """Write what is new; elements whose text is the same send nothing to the browser."""
        self._header.show(news, self._app.clock.base().speed)
        if news.snapshot is None:
            return
        for part in (
            self._banner, self._late, self._aside, self._dry, self._figures, self._hours, self._segments,
            self._line,
        ):  # fmt: skip
            part.show(news.snapshot)

    async def _tell_callable(self) -> None:
        await self._callable.tell(None)

    async def _steer(self, segment: SegmentFigures, paused: bool) -> None:
        if paused:
            await self._resume("segment", segment.id)
        else:
            self._sheet.ask(segment.name, partial(self._stop, "segment", segment.id))

    async def _steer_one(self, scope: str, target_id: int, name: str, paused: bool) -> None:
        if paused:
            await self._resume(scope, target_id)
        else:
            self._sheet.ask(name, partial(self._stop, scope, target_id))

    def _pause_all(self) -> None:
        crm = f"CRM {self._holder.crm}"
        self._sheet.ask(
            self._assignment.name, partial(self._stop, "assignment", self._assignment.id),
            wider=(crm, partial(self._stop, "crm", None)),
        )  # fmt: skip

    async def _stop(
        self, scope: str, target_id: int | None, reason: str, lasting: timedelta | None
    ) -> WallAnswer:
        ends_at = self._app.now() + lasting if lasting else None
        with timed("pause"), bound(crm=self._holder.crm_id, assignment=self._assignment.id):
            answer = await run_in_threadpool(
                pause, self._app.opener(self._holder.crm_id), scope, target_id, reason=reason,
                author=self._holder.author, ends_at=ends_at, patience=patience(self._app),
            )  # fmt: skip
        await self._reader.read_now()
        return answer

    async def _resume(self, scope: str, target_id: int | None) -> None:
        open_work = self._app.opener(self._holder.crm_id)
        await run_in_threadpool(resume, open_work, scope, target_id, author=self._holder.author)
        await self._reader.read_now()


class _Banner:
    """Says that the assignment, the CRM or more is paused, and by whom; gone otherwise.

    What reaches beyond the CRM is lifted on the machine.
    """

    def __init__(self, let_go: Any) -> None:
        self._scope: tuple[str, int | None] | None = None
        with box("banner", role="status") as self._box:
            ui.icon("pause")
            self._text = words("")
            with box("button go", "button", type="button") as self._button:
                words("Resume")
        self._button.on("click", lambda: self._scope and let_go(*self._scope))

    def show(self, now: Snapshot) -> None:
        here = [p for p in now.pauses if p.scope in _WHAT and (p.target_id in (None, now.assignment_id))]
        stands = min(here, key=lambda p: list(_WHAT).index(p.scope), default=None)
        self._box.set_visibility(stands is not None)
        if stands is None:
            return
        self._scope = (stands.scope, stands.target_id)
        what = _WHAT[stands.scope]
        self._button.set_visibility(stands.scope not in SHARED_PAUSES)
        until = f", until {local(stands.ends_at, now.zone)}" if stands.ends_at else ""
        self._text.text = f"{what}: {stands.reason} ({stands.author}{until})"


_WHAT = {
    "everything": "Everything is paused, on the machine",
    "owner": "All CRMs of the data owner are paused, on the machine",
    "crm": "The whole CRM is paused",
    "assignment": "The assignment is paused",
}


class _LatePromises:
    """Says that promised calls are late, and where to look at them; gone otherwise."""

    def __init__(self, assignment_id: int) -> None:
        with box("banner late-promises", role="status") as self._box:
            ui.icon("event_busy")
            self._text = words("")
            with box("button", "a", href=f"/promises?assignment={assignment_id}"):
                words("Look")

    def show(self, now: Snapshot) -> None:
        late = sum(one.promises for one in now.late)
        self._box.set_visibility(late > 0)
        if late:
            oldest = min(one.since for one in now.late)
            free = sum(one.promises for one in now.late if one.gate == NOBODY)
            kept = f"; {count(late - free)} of them cannot be rung now" if late > free else ""
            many = f"{count(late)} promised call{'' if late == 1 else 's'}"
            day = "" if oldest.astimezone(now.zone).date() == now.now.astimezone(now.zone).date() else "%a "
            since = f"{oldest.astimezone(now.zone):{day}%H:%M}"
            self._text.text = f"{many} {'is' if late == 1 else 'are'} late, the oldest since {since}{kept}"


class _SetAside:
    """Says that something was told that could not be used, and how to look at it; gone otherwise."""

    def __init__(self) -> None:
        with box("banner set-aside", role="status") as self._box:
            ui.icon("report")
            with box("names"):
                self._text, self._how = words("", "strong"), words("", "soft")

    def show(self, now: Snapshot) -> None:
        many, since = now.set_aside.many, now.set_aside.since
        self._box.set_visibility(many > 0)
        if since is not None:
            self._text.text = f"{count(many)} report{'' if many == 1 else 's'} could not be used"
            since_when = f"the oldest since {local(since, now.zone)}"
            self._how.text = f"{now.set_aside.told}; {since_when}; see ringeliste set-aside list"
