"""The segments: how big, where their customers stand, what they brought, and a button that stops each."""

from collections.abc import Callable, Sequence
from typing import Any

from nicegui import ui

from calling.hours.opening import REGISTER_STALE
from calling.segments.alarms import Alarm
from calling.views.report import SegmentFigures
from web.pages.parts import box, count, share, words
from web.pages.snapshot import Pause, Snapshot, local

PARTS = (
    ("free", "Free"), ("leased", "In hand"), ("resting", "Resting"), ("follow_up", "Promised"),
    ("gated", "Gated"), ("closed", "Closed"),
)  # fmt: skip
MEANINGS = {
    "free": "ready to be called",
    "leased": "with a seller or a dialer now",
    "resting": "waits until its due time",
    "follow_up": "promised a call at a time",
    "gated": "stopped by do-not-call, no number, unknown zone or the gap",
    "closed": "done: sale, no, or the limit of attempts",
}
_COLUMNS = (
    "Segment", "Customers", "Where they stand", "Free", "Callable", "In hand", "This hour", "Attempts",
    "Contact", "Sales", "",
)  # fmt: skip
_SHUT: dict[str | None, tuple[str, str]] = {
    "window": ("working", "Hours shut"),
    REGISTER_STALE: ("dry", "Register too old"),
}

Steer = Callable[[SegmentFigures, bool], Any]
"""Called with a segment and whether it is paused now, when its button is pressed."""


class Segments:
    """A row each, in order of priority."""

    def __init__(self, steer: Steer, pause_all: Callable[[], Any]) -> None:
        self._steer = steer
        self._rows: dict[int, _Row] = {}
        with box("panel segments", "section", aria_label="Segments"):
            with box("panel-head"):
                words("Segments", "title")
                self._rebuilding = words("Customers are moving to the new rules …", "rebuilding")
                self._labels = words("", "badge")
                with box("legend"):
                    for part, name in PARTS:
                        with box("key", title=MEANINGS[part]):
                            box(f"swatch {part}")
                            words(name)
                with box("button quiet", "button", type="button").on("click", pause_all):
                    ui.icon("pause")
                    words("Pause all")
            with box("table", role="table"):
                with box("row names", role="row"):
                    for name in _COLUMNS:
                        with box("cell", role="columnheader"):
                            words(name)
                self._body = box("body", role="rowgroup")

    def show(self, now: Snapshot) -> None:
        """Write the rows of a snapshot; rows come and go with the rules."""
        shown = now.shown()
        if [segment.id for segment in shown] != list(self._rows):
            self._body.clear()
            with self._body:
                self._rows = {s.id: _Row(number, self._steer) for number, s in enumerate(shown, 1)}
        self._rebuilding.set_visibility(now.floor.rebuilding)
        self._show_labels([one for one in now.alarms if one.kind == "label"])
        whole = now.total("size")
        for segment in shown:
            self._rows[segment.id].write(segment, now, whole)

    def _show_labels(self, broken: Sequence[Alarm]) -> None:
        """Labels have no row of their own."""
        self._labels.set_visibility(bool(broken))
        one = broken[0].name if len(broken) == 1 else ""
        self._labels.text = f"Broken label: {one}" if one else f"{len(broken)} broken labels"
        self._labels.props["title"] = "\n".join(f"{one.name}: {said(one)}" for one in broken)


class _Row:
    def __init__(self, number: int, steer: Steer) -> None:
        self._segment: SegmentFigures | None = None
        with box("row", role="row") as self._row:
            with _cell("who"):
                words(str(number), "rank")
                with box("names"):
                    with box("name-line"):
                        self._name = words("", "segment-name")
                        self._broken = words("Broken rule", "badge")
                    self._state = words("", "state")
            with _cell("size", "Customers"):
                self._size, self._share = words("", "strong"), words("", "soft")
            with _cell("where"), box("stack", role="img") as self._stack:
                self._parts = {part: box(f"part {part}") for part, _ in PARTS}
            with _cell("number", "Free"):
                self._free = words("", "strong").mark("free")
            with _cell("number", "Callable"):
                self._callable = words("", "strong")
            with _cell("number", "In hand"):
                self._leased = words("", "strong").mark("leased")
            with _cell("number", "This hour"):
                self._this_hour = words("", "strong").mark("this-hour")
            with _cell("number", "Attempts"):
                self._attempts = words("", "strong")
            with _cell("contact", "Contact"):
                self._contact, self._contacts = words("", "strong"), words("", "soft")
            with _cell("sold", "Sales") as self._sold:
                self._sales, self._rate = words("", "strong accent"), words("", "soft")
            with _cell("steer"), box("button", "button", type="button") as self._button:
                self._icon, self._word = ui.icon("pause"), words("Pause")
        self._button.on("click", lambda: self._segment and steer(self._segment, self._segment.paused))

    def write(self, segment: SegmentFigures, now: Snapshot, whole: int) -> None:
        self._segment = segment
        self._name.text = segment.name
        alarm = now.alarm_of(segment.id)
        self._broken.set_visibility(alarm is not None)
        self._broken.props["title"] = said(alarm) if alarm else ""
        self._size.text, self._share.text = count(segment.size), share(segment.size, whole)
        self._free.text, self._leased.text = count(segment.free), count(segment.leased)
        self._this_hour.text = count(segment.this_hour)
        self._callable.text = count(now.floor.callable_now.get(segment.id, 0))
        self._attempts.text = count(segment.attempts)
        self._contact.text = share(segment.contacts, segment.attempts)
        self._contacts.text = count(segment.contacts)
        self._sales.text, self._rate.text = count(segment.sales), share(segment.sales, segment.contacts)
        self._sold.classes(add="" if segment.sales else "none", remove="none" if segment.sales else "")
        self._write_bar(segment)
        self._write_state(segment, now)

    def _write_bar(self, segment: SegmentFigures) -> None:
        said = ", ".join(f"{name.lower()} {getattr(segment, part)}" for part, name in PARTS)
        if self._stack.props.get("aria-label") == said:
            return
        self._stack.props["aria-label"] = self._stack.props["title"] = said
        for part, element in self._parts.items():
            element.style(replace=f"flex-grow: {getattr(segment, part)}")

    def _write_state(self, segment: SegmentFigures, now: Snapshot) -> None:
        own = now.pause_of("segment", segment.id)
        state, text = _state(segment, own, now)
        self._state.text = self._state.props["title"] = text
        self._row.classes(remove="paused working dry", add=state)
        self._word.text = "Resume" if own else "Pause"
        self._icon.props["name"] = "play_arrow" if own else "pause"
        self._button.props["aria-label"] = f"{self._word.text} {segment.name}"
        self._button.classes(add="go" if own else "", remove="" if own else "go")
        self._button.set_visibility(bool(own) or not segment.paused)


def said(alarm: Alarm) -> str:
    """Why a rule cannot be read, and what is in force in its place."""
    return f"Its rule cannot be read: {alarm.why}. {alarm.instead[0].upper()}{alarm.instead[1:]}."


def _cell(kind: str, name: str = "") -> Any:
    """A cell; `name` stands beside it where there is no room for a row of names."""
    return box(f"cell {kind}", role="cell", data_name=name)


def _state(segment: SegmentFigures, own: Pause | None, now: Snapshot) -> tuple[str, str]:
    """The segment's state as a class and in words."""
    if own:
        until = f" until {local(own.ends_at, now.zone)}" if own.ends_at else ""
        return "paused", f"Paused{until} · {own.reason}"
    if segment.paused:
        return "paused", "Paused with everything"
    if not segment.size:
        return "dry", "Empty"
    if segment.free or segment.leased:
        return _SHUT.get(now.floor.shut_by, ("working", "Working"))
    return "dry", "Resting" if segment.waiting else "Dry"
