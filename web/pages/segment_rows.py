"""The segments of the Segments page: a row each, and a menu of what can be done with it."""

from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from nicegui import ui

from calling.segments.alarms import Alarm
from calling.views.deeds import until
from calling.views.segment_list import SegmentNow, StandingPause
from web.pages.board_reading import Reading
from web.pages.controls import button
from web.pages.parts import NARROW, box, count, words
from web.pages.segments import said

PARTS = (
    ("free", "free"), ("gated", "gated"), ("leased", "in hand"), ("resting", "resting"),
    ("follow_up", "promised"), ("closed", "closed"),
)  # fmt: skip
TOLD = ("free", "leased", "resting", "follow_up", "closed")

Act = Callable[[str, SegmentNow], Any]
"""Called with one of the words of the menu, and the segment."""

MENU = (
    ("choose", "filter_alt", "Show only these"), ("history", "timeline", "History"),
    ("portrait", "person_search", "Portrait"), ("callable", "phone_enabled", "Who may be called"),
    ("pause", "pause", "Pause …"),
    ("resume", "play_arrow", "Resume"),
    ("rename", "edit", "Rename …"), ("up", "arrow_upward", "Higher priority"),
    ("down", "arrow_downward", "Lower priority"), ("free", "undo", "Move all back to free …"),
    ("wake", "alarm", "Make resting ones ready …"), ("release", "lock_open", "Let go of holds …"),
    ("delete", "delete_outline", "Delete …"),
)  # fmt: skip


class SegmentRows:
    """In order of priority, Unsegmented last."""

    def __init__(
        self, act: Act, zone: ZoneInfo, deleted: Callable[[], Any], templates: Callable[[], Any],
        callable_: Callable[[], Any],
    ) -> None:  # fmt: skip
        self._act, self._zone = act, zone
        self._rows: dict[int, _Row] = {}
        with box("panel segment-list", "section", aria_label="Segments"):
            with box("panel-head"):
                words("Segments", "title")
                self._deleted = button("Deleted …", deleted, "quiet")
                button("Callable …", callable_, "quiet")
                button("Templates …", templates, "quiet")
            self._rebuilding = words("", "rebuilding")
            self._body = box("segment-rows", role="list")
            with box("legend"):
                for part, name in PARTS:
                    with box("key"):
                        box(f"swatch {part}")
                        words(name)

    def show(self, now: Reading) -> None:
        """Write the rows of a reading; rows come and go with the rules."""
        if [one.id for one in now.segments] != list(self._rows):
            self._body.clear()
            with self._body:
                self._rows = {one.id: _Row(self._act, self._zone) for one in now.segments}
        self._rebuilding.text = moving(now)
        self._rebuilding.set_visibility(bool(self._rebuilding.text))
        self._deleted.set_visibility(bool(now.deleted))
        chosen = now.bars.filters.get("segment", ())
        largest = max((one.size for one in now.segments), default=0)
        for place, one in enumerate(now.segments, 1):
            self._rows[one.id].write(one, place, largest, chosen=one.id in chosen)
            self._rows[one.id].warn(now.alarm_of(one.id))


def moving(now: Reading) -> str:
    """How many are on their way to the segments of the rules in force, and how far that is."""
    gone = f"{count(now.on_their_way)} on their way" if now.on_their_way else ""
    if now.rebuild is None:
        return gone
    waits = now.rebuild.state == "pending"
    how_far = "about to move" if waits else f"{100 * now.rebuild.share:.0f}{NARROW}% moved"
    return f"{gone or 'Customers'}{' · ' if gone else ' '}{how_far}"


class _Row:
    def __init__(self, act: Act, zone: ZoneInfo) -> None:
        self._segment: SegmentNow | None = None
        self._act, self._zone = act, zone
        with box("segment-row", role="listitem") as self._row:
            with box("segment-top"):
                self._place = words("", "rank")
                with box("segment-open", "button", type="button", title="Show only these").on(
                    "click", lambda: self._do("choose")
                ):
                    self._name = words("", "segment-name")
                self._broken = words("Broken rule", "badge broken")
                self._badge = words("", "badge")
                self._size = words("", "segment-size")
                with box("icon-button", "button", type="button") as self._menu_button:
                    ui.icon("more_horiz")
                    self._items = self._menu()
            self._pause = words("", "segment-pause")
            with box("track"), box("stack", role="img") as self._stack:
                self._parts = {part: box(f"part {part}") for part, _ in PARTS}
            with box("segment-figures"):
                self._figures = {}
                for part in TOLD:
                    with box("segment-figure"):
                        self._figures[part] = words("", "strong")
                        words(dict(PARTS)[part], "soft")

    def _menu(self) -> dict[str, ui.menu_item]:
        items = {}
        with ui.menu().classes("menu"):
            for word, icon, name in MENU:
                with ui.menu_item(on_click=lambda word=word: self._do(word)).classes("menu-item") as item:
                    ui.icon(icon)
                    words(name)
                items[word] = item
        return items

    def _do(self, word: str) -> Any:
        return self._segment and self._act(word, self._segment)

    def write(self, segment: SegmentNow, place: int, largest: int, *, chosen: bool) -> None:
        self._segment = segment
        self._place.text = "" if segment.is_unsegmented else str(place)
        self._name.text, self._size.text = segment.name, count(segment.size)
        self._menu_button.props["aria-label"] = f"What to do with {segment.name}"
        for part, label in self._figures.items():
            label.text = count(getattr(segment, part))
        said = ", ".join(f"{name} {getattr(segment, part)}" for part, name in PARTS)
        if self._stack.props.get("aria-label") != said:
            self._stack.props["aria-label"] = self._stack.props["title"] = said
            self._stack.style(replace=f"width: {100 * segment.size / largest if largest else 0:.2f}%")
            for part, element in self._parts.items():
                element.style(replace=f"flex-grow: {getattr(segment, part)}")
        self._row.classes(add="chosen" if chosen else "", remove="" if chosen else "chosen")
        self._write_badge(segment)
        self._write_menu(segment)

    def _write_badge(self, segment: SegmentNow) -> None:
        pause, held = segment.pause, f"{count(segment.held)} held" if segment.held else ""
        self._badge.text = held or ("by hand" if segment.by_hand else "")
        self._badge.set_visibility(bool(self._badge.text))
        self._pause.text = paused_words(pause, self._zone) if pause else ""
        self._pause.set_visibility(pause is not None)

    def warn(self, alarm: Alarm | None) -> None:
        """Say that its rule cannot be read, and what is in force instead."""
        self._broken.set_visibility(alarm is not None)
        self._broken.props["title"] = said(alarm) if alarm else ""

    def _write_menu(self, segment: SegmentNow) -> None:
        own = segment.pause is not None and segment.pause.scope == "segment"
        named = not segment.is_unsegmented
        there = {
            "pause": segment.pause is None, "resume": own, "rename": named, "up": named, "down": named,
            "free": named, "release": segment.held > 0, "wake": segment.resting > 0, "delete": named,
        }  # fmt: skip
        for word, item in self._items.items():
            item.set_visibility(there.get(word, True))


def paused_words(pause: StandingPause, zone: ZoneInfo) -> str:
    """Paused until Mon 2 Mar 17:00 · lunch · Kari."""
    what = "Paused" if pause.scope == "segment" else "Paused with everything"
    end = f" {until(pause.ends_at, zone)}" if pause.ends_at else ""
    return f"{what}{end} · {pause.reason} · {pause.author}"
