"""The sheets that act on one segment: another name, away with it, and what is done to everybody in it."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from starlette.concurrency import run_in_threadpool

from calling.segments.selection import Expected
from calling.views.segment_list import SegmentNow
from models.errors import RingelisteError
from web.pages.controls import alone, text_field
from web.pages.deeds_of_board import Deeds
from web.pages.parts import count, words
from web.pages.sheet import BulkSheet

_OF_ALL: dict[str, tuple[str, str, str, str, str]] = {
    "free": (
        "customers", "Move {} back to free?", "Move them back", "Move {} back",
        "They go to Unsegmented and are held there, whatever the rules say. State, status and follow-ups "
        "stay, and resting ones rest on. To call those at once, make them ready as well.",
    ),
    "wake": (
        "resting", "Make {} ready now?", "Make them ready", "Make {} ready",
        "So many rest here. Promised calls and closed customers stay as they are, and nobody is rung before "
        "the gap since their last call is over.",
    ),
    "release": (
        "held", "Let go of {}?", "Let them go", "Let go of {}",
        "So many are held here by hand. The rules place them again, and some may stay.",
    ),
}  # fmt: skip
"""Verb -> what it counts, its question, its button, the button when the count is another, and its meaning."""


def _deleted(segment: SegmentNow) -> str:
    """What deleting it does, and what comes back."""
    pause = segment.pause is not None and segment.pause.scope == "segment"
    held = f"{count(segment.held)} {'hold is' if segment.held == 1 else 'holds are'} let go"
    let_go = held + (", and its pause ends" if pause else "")
    theirs = f"{count(segment.size)} {'customer goes' if segment.size == 1 else 'customers go'}"
    return (
        f"Its {theirs} where the other rules say; {let_go}. Its history stays. An "
        "earlier version of the rules brings the segment back with those whom its rule finds; nobody is held "
        "in it again, and it is not paused."
    )


class SegmentSheets:
    """What can be done with a segment."""

    def __init__(self, deeds: Deeds, after: Callable[[], Awaitable[None]]) -> None:
        self._deeds, self._after, self._sheet = deeds, after, BulkSheet(after)

    def rename(self, segment: SegmentNow) -> None:
        """Give it another name."""
        with self._sheet.fresh():
            words(f"Rename {segment.name}", "sheet-title")
            name = text_field("Name", segment.name, focus=True)
            trouble = words("", "wrong")

            @alone
            async def go() -> None:
                if not name.value.strip():
                    trouble.text = "Give it a name."
                    return
                await self._edit(trouble, self._deeds.rename, segment.key, name.value.strip())

            name.on("keydown.enter", go)
            self._sheet.actions("Rename", go)

    def delete(self, segment: SegmentNow) -> None:
        """Take it away."""
        with self._sheet.fresh():
            words(f"Delete {segment.name}?", "sheet-title")
            words(_deleted(segment), "soft")
            trouble = words("", "wrong")
            go = alone(partial(self._edit, trouble, self._deeds.delete, segment.key))
            self._sheet.actions("Delete", go, "danger")

    async def of_all(self, verb: str, segment: SegmentNow) -> None:
        """Free, wake or release everybody in it, once somebody has seen how many they are."""
        which, question, go_word, again, meaning = _OF_ALL[verb]
        number = (await run_in_threadpool(self._deeds.affected, segment.id))[which]
        with self._sheet.fresh():
            many = f"{count(number)} customer{'' if number == 1 else 's'}"
            words(question.format(many), "sheet-title").mark("question")
            words(f"{segment.name}. {meaning}", "soft")
            reason = text_field("Reason", focus=True)
            trouble = words("", "wrong")

            @alone
            async def go() -> None:
                if not reason.value.strip():
                    trouble.text = "Say why: it stands in the history."
                    return
                act = partial(self._deeds.of_segment, verb, segment.id, reason.value.strip())
                await self._sheet.carry_out(act, Expected(number), lambda n: again.format(count(n)))

            reason.on("keydown.enter", go)
            self._sheet.actions(go_word, go)

    def trouble(self, error: RingelisteError) -> None:
        """It cannot be done any more."""
        self._sheet.tell("Nothing was done", error.message, "wrong")

    async def _edit(self, trouble: Any, verb: Callable[..., None], *what: Any) -> None:
        trouble.text = "Working …"
        try:
            await run_in_threadpool(verb, *what)
        except RingelisteError as error:
            trouble.text = error.message
            return
        self._sheet.close()
        await self._after()
