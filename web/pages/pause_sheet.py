"""The sheet that stops something: why and until when, then what was in the air, in three parts."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from nicegui import ui

from calling.handout.recalling import WallAnswer
from models.errors import RingelisteError
from web.pages.controls import alone, button, choices
from web.pages.parts import box, count, words
from web.pages.sheet import Sheet

REASONS = ("Wrong script", "Complaints", "Wrong data", "Meeting")
UNTIL: dict[str, timedelta | None] = {
    "Until resumed": None, "30 minutes": timedelta(minutes=30), "1 hour": timedelta(hours=1),
    "2 hours": timedelta(hours=2),
}  # fmt: skip
MOST_NAMED = 50

Stop = Callable[[str, timedelta | None], Awaitable[WallAnswer]]
"""Pauses for a reason, for so long (business time; None: until resumed)."""


class PauseSheet(Sheet):
    """One for the page; `ask` opens it for something."""

    def __init__(self, zone: ZoneInfo) -> None:
        super().__init__()
        self._zone = zone

    def ask(self, name: str, stop: Stop, *, wider: tuple[str, Stop] | None = None) -> None:
        """Ask for the reason to pause `name`; then pause it and show what was in the air.

        `wider`: what may be chosen in its place, and what pauses that.
        """
        what = dict([(name, stop), *([wider] if wider else [])])
        with self.fresh():
            title = words(f"Pause {name}", "sheet-title")
            words("As soon as this answers nobody here is called any more, except whom it names.", "soft")
            reason = ui.input(placeholder="Reason").props('borderless maxlength=200 aria-label="Reason"')
            reason.classes("field").mark("reason").props("autofocus")
            choices(REASONS, lambda chosen: reason.set_value(chosen))
            until = next(iter(UNTIL))

            def choose(chosen: str) -> None:
                nonlocal until
                until = chosen

            if wider:

                def widen(chosen: str) -> None:
                    nonlocal name
                    name = chosen
                    title.text = f"Pause {name}"

                words("What", "label")
                choices(tuple(what), widen, chosen=name)
            words("For how long", "label")
            choices(tuple(UNTIL), choose, chosen=until)
            trouble = words("", "wrong")

            @alone
            async def go() -> None:
                if not reason.value.strip():
                    trouble.text = "Say why: whoever finds it paused wants to know."
                    return
                await self._stop(name, what[name], reason.value.strip(), UNTIL[until], trouble)

            reason.on("keydown.enter", go)
            with box("actions"):
                button("Cancel", self.close, "quiet")
                button("Pause", go, "primary")

    async def _stop(
        self, name: str, stop: Stop, reason: str, lasting: timedelta | None, trouble: ui.label
    ) -> None:
        trouble.text = "Pausing …"
        try:
            answer = await stop(reason, lasting)
        except RingelisteError as error:
            trouble.text = error.message
            return
        with self.fresh():
            words(f"{name} is paused", "sheet-title")
            with box("answer"):
                self._part("recalled", "Called back", "came back unrung", [str(x) for x in answer.recalled])
                self._part("rung", "Already ringing", "ring, talk or wrap up", [str(x) for x in answer.rung])
                left = answer.unknown
                self._part("unknown", "May still ring", self._latest(left), self._named(left))
            with box("actions"):
                button("Done", self.close, "primary")

    def _part(self, kind: str, title: str, meaning: str, leases: list[str]) -> None:
        with box(f"third {kind}{'' if leases else ' none'}"):
            words(count(len(leases)), "number")
            words(title, "strong")
            words(meaning, "soft")
            if leases:
                with box("", "details"):
                    with box("", "summary"):
                        words("Leases")
                    for lease in leases[:MOST_NAMED]:
                        words(lease, "lease")
                    if len(leases) > MOST_NAMED:
                        words(f"and {count(len(leases) - MOST_NAMED)} more", "lease")

    def _latest(self, unknown: Sequence[tuple[UUID, datetime]]) -> str:
        if not unknown:
            return "every dialer has answered"
        latest = max(until for _, until in unknown).astimezone(self._zone)
        return f"not answered; none rings after {latest:%H:%M:%S}"

    def _named(self, unknown: Sequence[tuple[UUID, datetime]]) -> list[str]:
        return [f"{lease} · until {until.astimezone(self._zone):%H:%M:%S}" for lease, until in unknown]
