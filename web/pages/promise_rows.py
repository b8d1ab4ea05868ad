"""The rows of the Promised page: on the left whose they are, on the right the calls, late ones first."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from nicegui import ui

from calling.follow_ups.agenda import MOST, Agenda, Whose
from calling.follow_ups.listing import Listed
from calling.handout.absence import sentence
from web.pages.controls import button
from web.pages.parts import box, count, words

ALL, EVERYBODYS = "all", None
GATES = {
    "suppressed": "do-not-call", "register": "on a register",
    "register_stale": "register too old by then",
    "no_number": "no number to ring", "zone_unknown": "nobody knows where",
    "limit": "rung as often as allowed", "gap": "rung a moment ago", "pause": "paused",
}  # fmt: skip
PARTS = (("late", "Late"), ("today", "Today"), ("coming", "Coming"))
HOUR = 60  # minutes
NOTHING = {"late": "Nothing is late.", "today": "Nothing more today.", "coming": "Nothing is promised later."}


class WhoseList:
    """Sellers who have promised something, nobody's own and all; the chosen one's can be handed over."""

    def __init__(
        self, choose: Callable[[int | str | None], Awaitable[None]], hand_over: Callable[[], Awaitable[None]]
    ) -> None:
        self._choose, self._shown = choose, None
        with box("panel whose", "section", aria_label="Whose"):
            with box("panel-head"):
                words("Whose", "title")
                self._over = button("Hand over …", hand_over, "small")
            self._rows = box("whose-rows", role="list")

    def show(self, now: Agenda, chosen: int | str | None) -> None:
        """Write them; nothing is built anew while nothing has changed."""
        shown: Any = (now.whose, chosen)
        self._over.set_visibility(isinstance(chosen, int) and any(w.seller_id == chosen for w in now.whose))
        if shown == self._shown:
            return
        self._shown = shown
        self._rows.clear()
        everybodys = next((one for one in now.whose if one.seller_id is None), Whose(None, None, 0, 0))
        own = [one for one in now.whose if one.seller_id is not None]
        total = [sum(getattr(one, part) for one in now.whose) for part in ("promises", "late")]
        with self._rows:
            self._row(ALL, "All of them", *total, chosen=chosen)
            self._row(EVERYBODYS, "Everybody's", everybodys.promises, everybodys.late, chosen=chosen)
            for one in own:
                self._row(one.seller_id, one.name or "", one.promises, one.late, chosen=chosen)

    def _row(self, key: int | str | None, name: str, promises: int, late: int, *, chosen: Any) -> None:
        on = " chosen" if key == chosen else ""
        with box(f"whose-row{on}", "button", type="button", role="listitem") as row:
            words(name, "whose-name")
            if late:
                words(f"{count(late)} late", "late-count")
            words(count(promises), "strong")
        row.on("click", lambda: self._choose(key))


class PromiseRows:
    """Three lists under each other; a row opens its menu."""

    def __init__(
        self, zone: ZoneInfo, change: Callable[[Listed], Any], take_back: Callable[[Listed], Any]
    ) -> None:
        self._zone, self._change, self._take_back = zone, change, take_back
        self._shown: dict[str, Any] = {}
        self._lists: dict[str, tuple[ui.label, ui.element]] = {}
        with box("promise-lists"):
            for key, name in PARTS:
                with box(f"panel promises {key}", "section", aria_label=name):
                    with box("panel-head"):
                        words(name, "title")
                        number = words("", "soft")
                    self._lists[key] = number, box("promise-rows", role="list")

    def show(self, now: Agenda) -> None:
        """Write the calls of an agenda."""
        for key, _ in PARTS:
            found: Sequence[Listed] = getattr(now, key)
            said = [
                (one, _when(one.due_at, now.now, self._zone), _standing(one, now.now, self._zone))
                for one in found
            ]
            if self._shown.get(key) == said:
                continue
            self._shown[key] = said
            number, rows = self._lists[key]
            more = f"the first {count(MOST)}" if len(found) == MOST else count(len(found))
            number.text = more if found else ""
            rows.clear()
            with rows:
                for one, when, (kind, standing) in said:
                    self._row(one, when, kind, standing, now.now)
                if not found:
                    words(NOTHING[key], "soft nothing")

    def _row(self, one: Listed, when: str, kind: str, standing: str, now: datetime) -> None:
        with box(f"promise {kind}", role="listitem", data_id=str(one.id)):
            with box("promise-when"):
                words(_clock(one.due_at, self._zone), "strong")
                words(when, "soft")
            with box("promise-who"):
                words(one.name or one.external_id, "promise-name")
                words(_told(one, now, self._zone), "soft promise-note")
            with box("promise-whose"):
                words(_whose(one, now, self._zone), "promise-seller")
                words(standing, f"promise-standing {kind}")
            with box("promise-acts"):
                with box(
                    "icon-button", "button", type="button",
                    aria_label=f"Change the call of {one.name or one.external_id}",
                ).on("click", lambda: self._change(one)):  # fmt: skip
                    ui.icon("edit")
                with box(
                    "icon-button", "button", type="button",
                    aria_label=f"Take back the call of {one.name or one.external_id}",
                ).on("click", lambda: self._take_back(one)):  # fmt: skip
                    ui.icon("event_busy")


def _standing(one: Listed, now: datetime, zone: ZoneInfo) -> tuple[str, str]:
    """A kind for the eye, and in words where it stands."""
    if one.standing == "handed_out":
        return "calling", "in hand now"
    if one.gate is not None:
        return "held", GATES.get(one.gate, one.gate)
    if one.will_be is None:
        return "held", "hours never open"
    if one.standing == "waits":
        waits = "everybody's then" if one.owner_off else "waits"
        return (
            "waits",
            waits if one.will_be <= one.due_at else f"hours open {_day_clock(one.will_be, now, zone)}",
        )
    if one.will_be > now:
        return "held", f"hours open {_day_clock(one.will_be, now, zone)}"
    if one.seller_id is None or one.anybodys:
        return "due", "whoever is free"
    if one.owner_off:
        return "due", "everybody's in a moment"
    until = one.anybodys_at
    return "due", f"theirs until {_clock(until, zone)}" if until is not None else "theirs alone as yet"


def _whose(one: Listed, now: datetime, zone: ZoneInfo) -> str:
    """Whose it is; of one who is off for the day, why."""
    off = one.owner_off
    if off is None:
        return one.seller or "Everybody's"
    return f"{one.seller} {sentence(off.reason, off.back_at, now, zone)}"


def _told(one: Listed, now: datetime, zone: ZoneInfo) -> str:
    """The note, and what was asked where it will be at another time."""
    asked = f"asked for {_day_clock(one.asked_at, now, zone)}" if one.asked_at != one.due_at else ""
    return " · ".join(filter(None, (one.note, asked))) or one.external_id


def _when(at: datetime, now: datetime, zone: ZoneInfo) -> str:
    """How far off, on the same day; else the day."""
    day = _day(at, now, zone)
    if day != "today":
        return day
    minutes = round((at - now) / timedelta(minutes=1))
    span = (
        f"{abs(minutes)} min" if abs(minutes) < HOUR else f"{abs(minutes) // HOUR} h {abs(minutes) % HOUR:02}"
    )
    return "now" if not minutes else f"in {span}" if minutes > 0 else f"{span} ago"


def _clock(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%H:%M}"


def _day(at: datetime, now: datetime, zone: ZoneInfo) -> str:
    """Today, tomorrow, yesterday, else the day."""
    days = (at.astimezone(zone).date() - now.astimezone(zone).date()) // timedelta(days=1)
    near = {0: "today", 1: "tomorrow", -1: "yesterday"}
    return near.get(days) or f"{at.astimezone(zone):%a} {at.astimezone(zone).day} {at.astimezone(zone):%b}"


def _day_clock(at: datetime, now: datetime, zone: ZoneInfo) -> str:
    day = _day(at, now, zone)
    return _clock(at, zone) if day == "today" else f"{day} {_clock(at, zone)}"
