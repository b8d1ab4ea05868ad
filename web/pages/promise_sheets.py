"""The sheets of the Promised page: another time, note or owner; taken back; a leaver's handed over."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial
from typing import Any

from nicegui import ui
from starlette.concurrency import run_in_threadpool

from calling.follow_ups import handing_over, promising
from calling.follow_ups.agenda import Agenda
from calling.follow_ups.asking import LONGEST_NOTE, Wish
from calling.follow_ups.listing import Listed
from calling.follow_ups.promising import Patch
from models.errors import BadInput, RingelisteError
from web.keys import Holder
from web.pages.controls import alone, button
from web.pages.parts import box, count, words
from web.pages.sheet import Sheet
from wiring.app import App

EVERYBODY = 0
"""In a choice of sellers: nobody of them alone."""


class PromiseSheets:
    """One for the page. `after`: what follows each deed."""

    def __init__(self, app: App, holder: Holder, after: Callable[[], Awaitable[None]]) -> None:
        self._app, self._holder, self._after, self._sheet = app, holder, after, Sheet()

    def change(self, promise: Listed, now: Agenda) -> None:
        """Another time on the customer's wall, another owner, another note."""
        with self._sheet.fresh():
            words(f"The call of {promise.name or promise.external_id}", "sheet-title")
            words(f"When, on the wall in {promise.zone}", "label")
            when = ui.input(value=promise.wall_time[:16]).props(
                'type=datetime-local borderless aria-label="When"'
            )
            when.classes("field").mark("when")
            words("Who rings", "label")
            whose = _sellers(now, promise.seller_id or EVERYBODY)
            words("Note", "label")
            note = ui.input(value=promise.note, placeholder="What was said")
            note.props(f'borderless maxlength={LONGEST_NOTE} aria-label="Note"').classes("field").mark("note")
            trouble = words("", "wrong")

            @alone
            async def go() -> None:
                act = partial(self._changed, promise, when.value, whose.value, note.value)
                await self._do(act, trouble)

            self._sheet.actions("Save", go)

    def take_back(self, promise: Listed) -> None:
        """The customer is as they would be without it."""
        with self._sheet.fresh():
            words(f"Take back the call of {promise.name or promise.external_id}?", "sheet-title")
            words(
                "Nobody rings them for it any more. They are what they would be without it: in the line, "
                "resting, or closed.",
                "soft",
            )  # fmt: skip
            trouble = words("", "wrong")

            @alone
            async def go() -> None:
                await self._do(partial(self._taken_back, promise), trouble)

            self._sheet.actions("Take back", go, "danger")

    async def hand_over(self, seller_id: int, now: Agenda) -> None:
        """All that a seller has promised, in every assignment, becomes another's or everybody's."""
        theirs = await run_in_threadpool(
            handing_over.theirs, self._app.opener(self._holder.crm_id), seller_id
        )  # fmt: skip
        name = now.sellers[seller_id]
        with self._sheet.fresh():
            words(
                f"Hand over {count(theirs)} promised call{'' if theirs == 1 else 's'} of {name}",
                "sheet-title",
            )
            words("In every assignment, all of them or none. Whoever is on the telephone goes on.", "soft")
            words("To whom", "label")
            heir = _sellers(now, EVERYBODY, without=seller_id)
            trouble = words("", "wrong")

            @alone
            async def go() -> None:
                await self._do(partial(self._handed, seller_id, heir.value, theirs), trouble)

            self._sheet.actions("Hand over", go)

    async def _do(self, act: Callable[[], str], trouble: ui.label) -> None:
        """Carry it out, say what came of it where that is not plain, and show what is so now."""
        try:
            told = await run_in_threadpool(act)
        except RingelisteError as error:
            trouble.text = error.message
            return
        if told:
            with self._sheet.fresh():
                words("It is done; mind this", "sheet-title").mark("told")
                words(told, "")
                with box("actions"):
                    button("Good", self._sheet.close, "primary")
        else:
            self._sheet.close()
        await self._after()

    def _changed(self, promise: Listed, when: str, whose: int, note: str) -> str:
        seller_id = whose or None
        reowned = seller_id != promise.seller_id
        patch = Patch(
            _wish(when, promise), None if note == promise.note else note, reowned,
            seller_id if reowned else None,
        )  # fmt: skip
        if patch == Patch():
            return ""
        made = promising.change(
            self._app.opener(self._holder.crm_id), promise.id, patch, author=self._holder.author,
            made_by="hand",
        )  # fmt: skip
        return "; ".join(filter(None, (made.told, made.warning)))

    def _taken_back(self, promise: Listed) -> str:
        promising.cancel(self._app.opener(self._holder.crm_id), promise.id, author=self._holder.author)
        return ""

    def _handed(self, seller_id: int, heir: int, expected: int) -> str:
        done = handing_over.hand_over(
            self._app.opener(self._holder.crm_id), seller_id, heir or None, expected=expected,
            author=self._holder.author,
        )  # fmt: skip
        return done.warning or ""


def _sellers(now: Agenda, chosen: int, *, without: int | None = None) -> Any:
    names = {EVERYBODY: "Everybody"} | {key: name for key, name in now.sellers.items() if key != without}
    made = ui.select(names, value=chosen, with_input=len(names) > 8)
    return (
        made.props('borderless aria-label="Who rings" popup-content-class=menu')
        .classes("field")
        .mark("whose")
    )


def _wish(when: str, promise: Listed) -> Wish | None:
    """The time that was typed; None where it is as it was. Raises BadInput for what is no time."""
    if (when or "")[:16] == promise.wall_time[:16]:
        return None
    try:
        zone = None if promise.asked_as == "own_zone" else promise.zone  # it goes on following their wall
        return Wish(wall_time=datetime.fromisoformat(when), zone=zone)
    except (TypeError, ValueError):
        raise BadInput("when: give the day and the time") from None
