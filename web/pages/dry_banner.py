"""Says that a list is dry while somebody waits, with the reason; a click shows where its customers stop."""

from collections.abc import Callable
from typing import Any

from nicegui import ui

from web.pages.callable_drawer import STOPPED
from web.pages.parts import box, count, words
from web.pages.snapshot import Snapshot, local


class DryBanner:
    """Gone while anybody may be rung, and while all hours are shut."""

    def __init__(self, show_funnel: Callable[[], Any]) -> None:
        with box("banner dry-banner", role="status") as self._box:
            ui.icon("hourglass_empty")
            with box("names"):
                self._text, self._why = words("", "strong"), words("", "soft")
            with box("button", "button", type="button").on("click", show_funnel):
                words("Where they stop")
        self._box.set_visibility(False)

    def show(self, now: Snapshot) -> None:
        """Write what is new."""
        dry = now.dry
        self._box.set_visibility(dry is not None)
        if dry is None:
            return
        gate = STOPPED.get(dry.gate, dry.gate)
        goes_on = f"; the first goes on at {local(dry.next_at, now.zone)}" if dry.next_at else ""
        self._text.text = "Nobody may be rung, and somebody waits"
        self._why.text = f"{gate}: {count(dry.stopped)} of {count(dry.customers)}{goes_on}"
