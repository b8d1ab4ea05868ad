"""Who may be called, from the side: where the others stop, how long they last, and why one of them waits."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from nicegui import ui
from starlette.concurrency import run_in_threadpool

from calling.views.best_times import BestTimes, best_times
from calling.views.browse import customers
from calling.views.deeds import until
from calling.views.explain import Explanation, explain
from calling.views.forecast import Forecast, forecast
from calling.views.funnel import Funnel, Step, funnel
from calling.views.segment_list import SegmentNow
from models.errors import NotFound, RingelisteError
from web.keys import Holder
from web.pages.controls import text_field
from web.pages.parts import box, count, words
from web.pages.sheet import Drawer
from web.pages.week_map import week_map
from web.pages.zone_panel import Nowhere, nowhere, zone_panel
from wiring.app import App

STOPPED = {
    "closed": "Finished", "leased": "In hand", "resting": "Resting", "follow_up": "Promised",
    "segment": "Segment deleted", "suppressed": "Do not call", "register": "On a register",
    "no_number": "No number", "zone_unknown": "Zone unknown", "gap": "Rung just now",
    "limit": "Rung often enough", "held": "Held elsewhere", "kept_free": "Promised elsewhere",
    "pause": "Paused", "register_stale": "Register too old", "window": "Hours shut",
    "robots": "No robots there",
}  # fmt: skip
"""What has become of whoever stops at a gate."""

GATES = {
    "state": "State", "segment": "Segment", "suppressed": "Do not call", "register": "Register",
    "no_number": "Number",
    "zone_unknown": "Zone", "gap": "Gap", "limit": "Limits", "held": "Elsewhere",
    "kept_free": "Promises", "pause": "Pause", "register_stale": "Register's age", "window": "Hours",
    "robots": "Robots",
}  # fmt: skip
"""The gates by themselves, open or shut."""


@dataclass(frozen=True, slots=True)
class _Told:
    """Read at one instant. The week and the forecast are of the whole assignment."""

    funnel: Funnel
    forecast: Forecast | None
    week: BestTimes | None
    nowhere: Nowhere = (0, [])


class CallableDrawer(Drawer):
    """One for the page."""

    def __init__(self, app: App, holder: Holder, assignment_id: int, zone: ZoneInfo) -> None:
        super().__init__()
        self._app, self._holder, self._assignment_id, self._zone = app, holder, assignment_id, zone

    async def tell(self, segment: SegmentNow | None) -> None:
        """Of one segment, or of the whole assignment with its forecast and its best hours."""
        told = await run_in_threadpool(self._read, segment.id if segment else None)
        with self.fresh():
            self.head(
                segment.name if segment else "Who may be called",
                f"{count(told.funnel.callable_now)} of {count(told.funnel.total)} may be called now",
            )
            self._steps(told.funnel)
            if told.forecast is not None:
                words(_lasts(told.forecast, self._zone), "soft").mark("forecast")
            zone_panel(self._app, self._holder, told.nowhere)
            self._customer()
            if told.week is not None and told.week.rate is not None:
                words("When they answer, on their own clocks", "label")
                week_map(told.week)

    def _read(self, segment_id: int | None) -> _Told:
        with self._app.work(self._holder.crm_id, snapshot=True) as work:
            found = funnel(work, self._assignment_id, segment_id)
            if segment_id is not None:
                return _Told(found, None, None)
            week = best_times(work, self._assignment_id)
            return _Told(found, forecast(work, self._assignment_id), week, nowhere(work))

    def _steps(self, found: Funnel) -> None:
        with box("funnel", role="table", aria_label="Where customers stop"):
            for step in found.steps:
                self._step(step, found.total)
            with box("funnel-row free", role="row"):
                words("May be called", "strong")
                _track("free", found.callable_now, found.total)
                words(count(found.callable_now), "strong number").mark("callable")
                words("")

    def _step(self, step: Step, total: int) -> None:
        with box("funnel-row", role="row", title=step.meaning):
            words(STOPPED.get(step.gate, step.gate))
            _track("stopped", step.customers, total)
            words(f"\u2212{count(step.customers)}", "number")
            words(until(step.next_at, self._zone).replace("until ", "next ") if step.next_at else "", "soft")

    def _customer(self) -> None:
        words("Why is one of them not called?", "label")
        field = text_field("Customer", placeholder="Their id, as in your lists")
        answer = box("gates")

        async def ask() -> None:
            answer.clear()
            wanted = (field.value or "").strip()
            if wanted:
                with answer:
                    await self._explain(wanted)

        field.on("keydown.enter", ask)

    async def _explain(self, external_id: str) -> None:
        try:
            found = await run_in_threadpool(self._ask, external_id)
        except RingelisteError as error:
            words(error.message, "warned")
            return
        words(_verdict(found, self._zone), "strong").mark("verdict")
        words(f"Number: {found.number_why}", "soft").mark("number")
        for one in found.answers:
            with box("gate" if one.open else "gate shut"):
                ui.icon("check" if one.open else "close")
                words(GATES.get(one.gate, one.gate))
                ends = f", {until(one.until, self._zone)}" if one.until and not one.open else ""
                words(f"{one.fact}{ends}", "soft")

    def _ask(self, external_id: str) -> Explanation:
        with self._app.work(self._holder.crm_id) as work:
            found = customers(work, 0, 1, external_id=external_id)
            if not found:
                raise NotFound("customer with the id", external_id)
            return explain(work, self._assignment_id, int(found[0].id))


def _track(kind: str, customers_: int, total: int) -> None:
    with box("track"):
        box(f"part {kind}").style(f"width: {100 * customers_ / total if total else 0:.2f}%")


def _lasts(found: Forecast, zone: ZoneInfo) -> str:
    """How long the list lasts, in words."""
    if not found.callable_now:
        waiting = f" {count(found.waiting)} wait for their hours." if found.waiting else ""
        refused = f" The register of {count(found.refused)} is too old to call by." if found.refused else ""
        return f"Nobody may be called now.{waiting}{refused}"
    rings = round(found.rings_an_hour)
    pace = (
        f"At {count(rings)} calls an hour, as in the last one, "
        if rings
        else "Nobody rang in the last hour: "
    )
    if found.dry_at is None:
        return f"{pace}it lasts for a day and more."
    when = until(found.dry_at, zone)
    if found.refused and found.refused >= found.waiting:
        return f"{pace}it lasts {when}; then the register of {count(found.refused)} is too old to call by."
    if found.waiting:
        return f"{pace}it lasts {when}, when hours shut; {count(found.waiting)} wait for theirs then."
    return f"{pace}it lasts {when}; then it is dry."


def _verdict(found: Explanation, zone: ZoneInfo) -> str:
    name = found.name or found.external_id
    if found.callable_now:
        return f"{name} may be called now."
    if found.callable_at is not None:
        return f"{name} waits {until(found.callable_at, zone)}."
    return f"{name} waits until somebody acts."
