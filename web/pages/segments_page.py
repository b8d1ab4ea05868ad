"""The Segments page: bars of everybody, a selection, and what is done with it; the segments beside."""

from asyncio import Lock
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from nicegui import ui
from starlette.concurrency import run_in_threadpool

from calling.handout.recalling import WallAnswer
from calling.hours.floor import zone_of
from calling.views.bars import NamedBar, search_bars
from calling.views.segment_list import SegmentNow
from models.errors import RingelisteError
from segmentation.facets import FacetValue, Filters
from web.keys import Holder, KeyRing
from web.pages.address import filters_of, spelled_address
from web.pages.board_reading import Reading
from web.pages.callable_drawer import CallableDrawer
from web.pages.deeds_of_board import Deeds
from web.pages.facet_board import FacetBoard, toggled
from web.pages.guard import assignments_of, leave_when_revoked, nothing_yet
from web.pages.head import head
from web.pages.header import Header
from web.pages.history_drawer import HistoryDrawer
from web.pages.parts import box
from web.pages.pause_sheet import PauseSheet
from web.pages.portrait_drawer import PortraitDrawer
from web.pages.segment_rows import SegmentRows
from web.pages.segment_sheets import SegmentSheets
from web.pages.selection_bar import SelectionBar
from web.pages.selection_sheets import SelectionSheets
from web.pages.template_deeds import TemplateDeeds
from web.pages.template_drawer import TemplateDrawer
from web.pages.watch import Watch
from wiring.app import App

LOOK_SECONDS = 0.5


async def build(
    app: App, keys: KeyRing, holder: Holder, key: str, assignment_id: int | None, written: str | None
) -> None:
    """Build the page of one assignment for a signed-in manager. `written`: the filters in its address."""
    ui.add_head_html(head())
    ui.page_title("Segments · Ringeliste")
    assignments = await run_in_threadpool(assignments_of, app, holder.crm_id)
    chosen = next((one for one in assignments if one.id == assignment_id), next(iter(assignments), None))
    if chosen is None:
        nothing_yet()
        return
    page = SegmentsPage(app, holder, assignments, chosen.id)
    # Counting a large assignment for the first time takes seconds, and a page is wanted at once.
    ui.timer(0, partial(page.begin, written), once=True)
    ui.timer(LOOK_SECONDS, page.look)
    leave_when_revoked(keys, key)


class SegmentsPage:
    """One browser's page. It rules nothing itself: it calls the same verbs as the API."""

    def __init__(self, app: App, holder: Holder, assignments: Sequence[Any], assignment_id: int) -> None:
        self._app, self._holder, self._assignment_id = app, holder, assignment_id
        self._deeds, self._shifting = Deeds(app, holder, assignment_id), Lock()
        self._looked_for: dict[str, str] = {}  # dimension -> what was typed last
        self._watch = Watch(app, holder.crm_id, assignment_id, self._show, self._trouble)
        self.look = self._watch.look
        zone = self._zone = zone_of(holder.region)
        with box("floor"):
            self._header = Header(holder, assignments, assignment_id, page="segments")
            with box("segments-page", "main"):
                self._bar = SelectionBar(self._toggle, self._clear, self._act_on_selection)
                self._board = FacetBoard(self._toggle, self._look_for)
                self._rows = SegmentRows(
                    self._act_on_segment, zone, self._tell_deleted, self._offer_templates,
                    self._tell_callable,
                )  # fmt: skip
        self._selection = SelectionSheets(self._deeds, self._refresh)
        self._segments = SegmentSheets(self._deeds, self._refresh)
        self._pauses = PauseSheet(zone)
        self._history = HistoryDrawer(app, holder, zone)
        self._templates = TemplateDrawer(
            TemplateDeeds(app, holder, assignment_id), self._first_key, self._refresh
        )
        self._portrait = PortraitDrawer(app, holder, assignment_id)
        self._callable = CallableDrawer(app, holder, assignment_id, zone)

    async def begin(self, written: str | None) -> None:
        """Read for the first time, under the filters of the address."""
        self._watch.filters = await run_in_threadpool(
            filters_of, self._app, self._holder.crm_id, self._assignment_id, written
        )
        await self._refresh()

    async def _refresh(self) -> None:
        await self._watch.refresh()
        self._board.show_busy(busy=False)

    def _trouble(self, why: str) -> None:
        self._header.tick(None, None, 1.0, why)

    def _show(self, now: Reading) -> None:
        self._header.tick(now.now, self._zone, self._app.clock.base().speed, None)
        self._bar.show(now)
        self._board.show(now.bars)
        self._rows.show(now)

    async def _toggle(self, key: str, value: FacetValue | None) -> None:
        await self._choose(toggled(self._watch.filters, key, value))

    async def _clear(self) -> None:
        await self._choose({})

    async def _choose(self, filters: Filters) -> None:
        self._watch.filters = filters
        self._board.show_busy(busy=True)
        ui.run_javascript(spelled_address(self._assignment_id, filters))
        await self._refresh()

    async def _look_for(self, key: str, piece: str) -> None:
        """Search one dimension; what somebody has typed on since is searched by the next."""
        self._looked_for[key] = piece
        if piece.strip():
            found = await run_in_threadpool(self._search, key, piece.strip())
            if self._looked_for[key] == piece:
                self._board.show_hits(key, found)

    def _search(self, key: str, piece: str) -> Sequence[NamedBar]:
        with self._app.work(self._holder.crm_id) as work:
            return search_bars(work, self._assignment_id, key, self._watch.filters, piece)

    async def _act_on_selection(self, word: str) -> None:
        now = await self._watch.caught_up()  # the bar that was clicked a moment ago is meant as well
        if now is None or not now.bars.total:
            return
        if word == "move":
            self._selection.move(now)
        elif word == "wake":
            await self._selection.wake(now)
        else:
            await self._selection.new(now, standing=word == "rule")

    def _tell_deleted(self) -> None:
        if self._watch.now is not None:
            self._history.tell_deleted(self._watch.now.deleted)

    async def _tell_callable(self) -> None:
        await self._callable.tell(None)

    async def _offer_templates(self) -> None:
        await self._templates.offer()

    def _first_key(self) -> str | None:
        segments = self._watch.now.segments if self._watch.now else []
        return next((one.key for one in segments if not one.is_unsegmented), None)

    async def _act_on_segment(self, word: str, segment: SegmentNow) -> None:
        try:
            await self._act(word, segment)
        except RingelisteError as error:  # somebody else was there first
            self._segments.trouble(error)

    async def _act(self, word: str, segment: SegmentNow) -> None:
        match word:
            case "choose":
                rest = {key: values for key, values in self._watch.filters.items() if key != "segment"}
                alone = list(self._watch.filters.get("segment", ())) == [segment.id]
                await self._choose(rest if alone else {**rest, "segment": [segment.id]})
            case "history":
                await self._history.tell(segment)
            case "callable":
                await self._callable.tell(segment)
            case "portrait":
                await self._portrait.tell(segment)
            case "rename":
                self._segments.rename(segment)
            case "delete":
                self._segments.delete(segment)
            case "pause":
                self._pauses.ask(segment.name, partial(self._stop, segment.id))
            case "resume":
                await run_in_threadpool(self._deeds.resume, segment.id)
                await self._refresh()
            case "up" | "down":
                await self._shift(segment, -1 if word == "up" else 1)
            case _:
                await self._segments.of_all(word, segment)

    async def _stop(self, segment_id: int, reason: str, lasting: timedelta | None) -> WallAnswer:
        answer = await run_in_threadpool(self._deeds.pause, segment_id, reason, lasting)
        await self._refresh()
        return answer

    async def _shift(self, segment: SegmentNow, by: int) -> None:
        async with self._shifting:  # the second of two clicks starts from what the first has made
            segments = self._watch.now.segments if self._watch.now else []
            keys = [one.key for one in segments if not one.is_unsegmented]
            place = keys.index(segment.key) if segment.key in keys else -1
            if place >= 0 and 0 <= place + by < len(keys):
                keys[place], keys[place + by] = keys[place + by], keys[place]
                await run_in_threadpool(self._deeds.reorder, keys)
                await self._refresh()
