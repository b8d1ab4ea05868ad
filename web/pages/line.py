"""Who is on the line: each dialer's orders, each seller and whom they hold, since when; a stop for each."""

from collections.abc import Callable
from typing import Any

from nicegui import ui

from calling.handout.absence import told
from calling.views.floor import DialerNow, SellerNow
from web.pages.parts import box, count, words
from web.pages.snapshot import Pause, Snapshot

WORDS = {
    "rung": "on a call", "wrap_up": "wrap-up", "taken": "looking", "waiting": "waiting",
    "paused": "paused", "away": "away",
}  # fmt: skip
ORDER = {state: place for place, state in enumerate(WORDS)}
MODES = {
    "connect": "connects to a seller", "key_press": "asks for a key press",
    "voice_robot": "voice robot", "preview": "preview",
}  # fmt: skip


Steer = Callable[[str, int, str, bool], Any]
"""Called with seller or dialer, its id, its name, and whether it is paused, when its button is pressed."""


class Line:
    """Dialers above, sellers below, in the order of their names: a row never jumps."""

    def __init__(self, steer: Steer) -> None:
        self._steer = steer
        self._sellers: dict[int, _Seller] = {}
        self._dialers: dict[int, _Dialer] = {}
        with box("panel line", "section", aria_label="On the line"):
            with box("panel-head"):
                words("On the line", "title")
                self._sum = words("", "soft")
            self._dialer_rows = box("dialers")
            self._seller_rows = box("sellers", role="list")

    def show(self, now: Snapshot) -> None:
        """Write the people and machines of a snapshot."""
        sellers, dialers = now.floor.sellers, now.floor.dialers
        if [s.id for s in sellers] != list(self._sellers):
            self._seller_rows.clear()
            with self._seller_rows:
                self._sellers = {s.id: _Seller(s, self._steer) for s in sellers}
        if [d.id for d in dialers] != list(self._dialers):
            self._dialer_rows.clear()
            with self._dialer_rows:
                self._dialers = {d.id: _Dialer(d, self._steer) for d in dialers}
        for seller in sellers:
            self._sellers[seller.id].write(seller, now)
        for dialer in dialers:
            self._dialers[dialer.id].write(dialer, now.pause_of("dialer", dialer.id))
        self._sum.text = _summary(sellers)


class _Stop:
    """The button of one row: it pauses, or lets go on what it has paused."""

    def __init__(self, kind: str, row: SellerNow | DialerNow, steer: Steer) -> None:
        self._name, self._own = row.name, False
        with box("icon-button stop", "button", type="button") as self._button:
            self._icon = ui.icon("pause")
        self._button.on("click", lambda: steer(kind, row.id, row.name, self._own))

    def write(self, own: Pause | None) -> None:
        self._own = own is not None
        self._icon.props["name"] = "play_arrow" if own else "pause"
        self._button.props["aria-label"] = f"{'Resume' if own else 'Pause'} {self._name}"
        self._button.props["title"] = f"Paused: {own.reason} ({own.author})" if own else "Pause"
        self._button.classes(add="go" if own else "", remove="" if own else "go")


class _Seller:
    def __init__(self, row: SellerNow, steer: Steer) -> None:
        self._shown: tuple[SellerNow, str] | None = None
        with box("seller", role="listitem") as self._row:
            words(row.name[:1], "initial")
            with box("names"):
                words(row.name, "seller-name")
                self._whom = words("", "soft")
            with box("clock"):
                self._word = words("", "word")
                self._since = words("", "since")
            self._stop = _Stop("seller", row, steer)

    def write(self, seller: SellerNow, now: Snapshot) -> None:
        self._stop.write(now.pause_of("seller", seller.id))
        whom = seller.customer or seller.external_id or _away(seller, now)
        if (seller, whom) == self._shown:
            return
        self._shown = seller, whom
        self._row.classes(remove=" ".join(WORDS), add=seller.state)
        self._word.text = WORDS[seller.state]
        self._whom.text = whom
        self._whom.props["title"] = whom  # there is little room beside a long name
        self._since.props["data-since"] = str(round(seller.since.timestamp() * 1000))


class _Dialer:
    def __init__(self, dialer: DialerNow, steer: Steer) -> None:
        with box("dialer") as self._row:
            with box("names"):
                words(dialer.name, "seller-name")
                self._mode = words("", "soft")
            self._numbers = {}
            for kind, name in (("offered", "queued"), ("taken", "dialling"), ("rung", "on a call")):
                with box(f"order {kind}"):
                    self._numbers[kind] = words("0", "strong")
                    words(name, "soft")
            self._stop = _Stop("dialer", dialer, steer)

    def write(self, dialer: DialerNow, own: Pause | None) -> None:
        self._stop.write(own)
        state = "paused" if dialer.paused else "linked" if dialer.linked_at else "unlinked"
        self._row.classes(remove="paused linked unlinked", add=state)
        mode = MODES.get(dialer.mode, dialer.mode)
        self._mode.text = mode if state == "linked" else "paused" if dialer.paused else f"{mode} · not linked"
        for kind, label in self._numbers.items():
            label.text = count(getattr(dialer, kind))


def _away(seller: SellerNow, now: Snapshot) -> str:
    """Beside the word away: lunch until 12:30; empty for whoever is there, or left without saying."""
    if seller.state != "away":
        return ""
    why = told(seller.reason, seller.back_at, now.now, now.zone)
    return f"{why}, says {seller.said_by}" if seller.said_by and why else why


def _summary(sellers: list[SellerNow]) -> str:
    """12 on a call · 5 looking · 3 waiting."""
    states = [seller.state for seller in sellers]
    found = sorted(set(states), key=ORDER.__getitem__)
    return " · ".join(f"{states.count(state)} {WORDS[state]}" for state in found) or "nobody is here"
