"""The history of a segment, from the side: its size over time, who came and went by cause, who did what."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from nicegui import ui
from starlette.concurrency import run_in_threadpool

from calling.segments.history import SegmentHistory, history
from calling.views.deeds import in_words
from calling.views.segment_list import DeletedSegment, SegmentNow
from web.keys import Holder
from web.pages.controls import choices
from web.pages.parts import box, count, words
from web.pages.sheet import Drawer
from wiring.app import App

SPANS = {
    "4 hours": (timedelta(hours=4), timedelta(minutes=5)), "Day": (timedelta(days=1), timedelta(minutes=30)),
    "Week": (timedelta(days=7), timedelta(hours=4)), "Month": (timedelta(days=31), timedelta(days=1)),
}  # fmt: skip
"""How far back, and in which steps (business time)."""

CAUSES = {
    "entered": ("Came in", "var(--soft)"), "rule": ("By rule", "var(--leased)"),
    "event": ("By events", "var(--free)"), "time": ("By time", "var(--resting)"),
    "hand": ("By hand", "var(--accent)"), "left": ("Left for good", "var(--closed)"),
    "anonymised": ("Anonymised", "var(--muted)"),
}  # fmt: skip
MOST_DEEDS = 50

_SIDES = {"left": 54, "right": 8}
_TEXT = {"color": "var(--muted)", "fontFamily": "inherit", "fontSize": 11}


class HistoryDrawer(Drawer):
    """One for the page."""

    def __init__(self, app: App, holder: Holder, zone: ZoneInfo) -> None:
        super().__init__()
        self._app, self._holder, self._zone = app, holder, zone

    def tell_deleted(self, gone: Sequence[DeletedSegment]) -> None:
        """List the segments that were deleted; each leads to its history."""
        with self.fresh():
            self.head("Deleted segments", "Their history stays. An earlier version of the rules has them.")
            with box("deeds"):
                for one in gone:
                    at = f"{one.deleted_at.astimezone(self._zone):%a %d %b %H:%M}"
                    with box("deed"):
                        words(at, "soft")
                        with box("gone", "button", type="button") as opens:
                            words(one.name, "strong")
                            if one.size:
                                words(f"{count(one.size)} on their way", "soft")
                        opens.on("click", lambda one=one: self.tell_soon(one, "Day"))

    async def tell(self, segment: SegmentNow | DeletedSegment, span: str = "Day") -> None:
        """Show the history of a segment."""
        back, step = SPANS[span]
        told = await run_in_threadpool(self._read, segment.id, back, step)
        with self.fresh():
            self.head(segment.name, f"{count(told.size)} now, {count(told.size_before)} at the beginning")
            choices(tuple(SPANS), lambda chosen: self.tell_soon(segment, chosen), chosen=span)
            ui.echart(_chart(told, self._zone), renderer="svg").classes("story-chart")
            self._flows(told)
            words("What was done", "label")
            with box("deeds"):
                for deed in reversed(told.deeds[-MOST_DEEDS:]):
                    with box("deed"):
                        words(f"{deed.done_at.astimezone(self._zone):%a %d %b %H:%M}", "soft")
                        words(in_words(deed, self._zone))
                if not told.deeds:
                    words("Nothing in this time.", "soft")

    def tell_soon(self, segment: SegmentNow | DeletedSegment, span: str) -> None:
        """The same over another span."""
        ui.timer(0, lambda: self.tell(segment, span), once=True)

    def _read(self, segment_id: int, back: timedelta, step: timedelta) -> SegmentHistory:
        with self._app.work(self._holder.crm_id, snapshot=True) as work:
            since = work.now - back
            whole = (since.timestamp() // step.total_seconds()) * step.total_seconds()
            return history(work, segment_id, datetime.fromtimestamp(whole, since.tzinfo), step)

    def _flows(self, told: SegmentHistory) -> None:
        with box("flows", role="table", aria_label="Who came and went"):
            for cause, (name, colour) in CAUSES.items():
                came, went = (
                    sum(getattr(step, way).get(cause, 0) for step in told.steps) for way in ("came", "went")
                )
                if came or went:
                    with box("flow", role="row"):
                        box("swatch").style(f"background: {colour}")
                        words(name)
                        words(f"+{count(came)}", "strong")
                        words(f"\u2212{count(went)}", "strong")


def _chart(told: SegmentHistory, zone: ZoneInfo) -> dict[str, Any]:
    """The size as a line above, flows by cause as bars below: in up, out down."""
    format_ = "%H:%M" if told.step_seconds < 3600 * 12 else "%d %b"
    times = [f"{step.begins.astimezone(zone):{format_}}" for step in told.steps]
    axis = {
        "type": "category", "data": times, "axisTick": {"show": False}, "axisLabel": _TEXT,
        "axisLine": {"lineStyle": {"color": "var(--line)"}},
    }  # fmt: skip
    value = {
        "type": "value", "splitNumber": 2, "minInterval": 1, "axisLabel": _TEXT,
        "splitLine": {"lineStyle": {"color": "var(--line)"}},
    }  # fmt: skip
    return {
        "animation": False,
        "grid": [{**_SIDES, "top": 10, "height": 120}, {**_SIDES, "top": 162, "height": 96}],
        "xAxis": [{**axis, "axisLabel": {"show": False}}, {**axis, "gridIndex": 1}],
        "yAxis": [{**value, "scale": True}, {**value, "gridIndex": 1}],
        "tooltip": {
            "trigger": "axis", "axisPointer": {"type": "line", "lineStyle": {"color": "var(--muted)"}},
            "backgroundColor": "var(--raised)", "borderWidth": 0, "padding": [8, 12],
            "textStyle": {"color": "var(--text)", "fontSize": 12},
            "extraCssText": "box-shadow: var(--shadow); border-radius: 8px;",
        },
        "axisPointer": {"link": [{"xAxisIndex": "all"}]},
        "series": [_size(told), *_ways(told)],
    }  # fmt: skip


def _size(told: SegmentHistory) -> dict[str, Any]:
    return {
        "name": "Size", "type": "line", "step": "end", "showSymbol": False,
        "data": [step.size for step in told.steps],
        "lineStyle": {"color": "var(--text)", "width": 2}, "itemStyle": {"color": "var(--text)"},
        "areaStyle": {"color": "var(--attempts)", "opacity": 0.5},
    }  # fmt: skip


def _ways(told: SegmentHistory) -> list[dict[str, Any]]:
    return [
        {
            "name": f"{name}, {word}", "type": "bar", "stack": way, "barGap": "-100%", "barMaxWidth": 14,
            "xAxisIndex": 1, "yAxisIndex": 1, "itemStyle": {"color": colour}, "emphasis": {"disabled": True},
            "data": [sign * getattr(step, way).get(cause, 0) or None for step in told.steps],
        }
        for cause, (name, colour) in CAUSES.items()
        for way, word, sign in (("came", "in", 1), ("went", "out", -1))
        if any(getattr(step, way).get(cause) for step in told.steps)
    ]  # fmt: skip
