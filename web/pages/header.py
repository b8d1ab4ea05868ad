"""The bar on top: where we are, what time it is there, and whether what is shown is fresh."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from nicegui import ui

from web.keys import Holder
from web.pages.parts import box, words
from web.pages.readers import News

FASTER = 1.01
PAGES = {"": "Floor", "segments": "Segments", "promises": "Promised"}


class Header:
    """One line: name, assignment, clock, freshness, theme, sign-out."""

    def __init__(self, holder: Holder, assignments: Sequence[Any], chosen: int, *, page: str) -> None:
        self._told = 0
        with box("bar", "header"):
            with box("home", "a", href="/", aria_label="Ringeliste"):
                box("mark")
                words("Ringeliste", "brand")
            with box("place"):
                words(f"{holder.owner} · {holder.crm}", "soft")
                _assignments(assignments, chosen, page)
            _pages(chosen, page)
            with box("business-clock", data_zone="UTC", data_speed="1") as self._clock:
                words("", "day")
                with box("hands"):
                    words("", "time")
                    words("", "seconds")
                self._speed = words("", "speed")
            with box("freshness", role="status") as self._fresh:
                box("dot")
                self._word = words("Live")
            with box("icon-button", "button", type="button", aria_label="Light or dark") as theme:
                ui.icon("contrast")
            theme.on("click", js_handler="() => window.ringelisteTheme()")
            with (
                box("", "form", action="/sign-out", method="post"),
                box("icon-button", "button", type="submit", aria_label="Sign out"),
            ):
                ui.icon("logout")

    def show(self, news: News, speed: float) -> None:
        """Set the clock, and say whether the page is fresh."""
        if news.snapshot is None:
            self.tick(None, None, speed, news.trouble)
        else:
            self.tick(news.snapshot.now, news.snapshot.zone, speed, None)

    def tick(self, now: datetime | None, zone: ZoneInfo | None, speed: float, trouble: str | None) -> None:
        """The same of any page: as of `now` (business time, UTC), or why there is nothing new."""
        fresh = now is not None
        self._told += 1
        self._clock.props["data-told"] = str(self._told)  # the browser notices when nothing comes any more
        self._fresh.classes(remove="stale fresh", add="fresh" if fresh else "stale")
        self._word.text = "Live" if fresh else f"Waiting: {trouble}"
        if now is None or zone is None:
            return
        self._clock.props["data-zone"] = zone.key
        self._clock.props["data-speed"] = str(speed)
        self._clock.props["data-now"] = str(round(now.timestamp() * 1000))
        self._speed.text = f"{speed:g}×" if speed > FASTER else "stopped" if speed == 0 else ""


def _pages(chosen: int, page: str) -> None:
    """The pages of the assignment that is shown."""
    with box("pages", "nav", aria_label="Pages"):
        for address, name in PAGES.items():
            kind = "page chosen" if address == page else "page"
            with box(kind, "a", href=f"/{address}?assignment={chosen}"):
                words(name)


def _assignments(assignments: Sequence[Any], chosen: int, page: str) -> None:
    """The name of the only one, or all of them to choose from."""
    with box("assignments", "nav", aria_label="Assignments"):
        for one in assignments:
            kind = "assignment chosen" if one.id == chosen else "assignment"
            with box(kind, "a", href=f"/{page}?assignment={one.id}"):
                words(one.name)
