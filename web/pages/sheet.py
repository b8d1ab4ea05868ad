"""Sheets lie over the page and ask something; drawers come from the side and tell something."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from nicegui import ui
from starlette.concurrency import run_in_threadpool

from calling.segments.bulk import Progress
from calling.segments.selection import Expected
from models.errors import Conflict, RingelisteError
from web.pages.controls import alone, button
from web.pages.parts import box, count, words

Act = Callable[[Expected, Progress], str]
"""Does it, in a thread of its own, to as many as expected; what came of it, in words."""

LOOK_SECONDS = 0.2


class Sheet:
    """One for the page; what it asks is built anew each time."""

    _frame = "sheet"
    _props = ""

    def __init__(self) -> None:
        with (
            ui.dialog().props(self._props).classes(f"{self._frame}-holder") as self._dialog,
            box(self._frame),
        ):
            self._content = box("sheet-content")

    @contextmanager
    def fresh(self) -> Iterator[None]:
        """Build the content in this block; the sheet opens with it."""
        self._content.clear()
        with self._content:
            yield
        self._dialog.open()

    def close(self) -> None:
        """Put it away."""
        self._dialog.close()

    def actions(self, name: str, act: Callable[[], Any], kind: str = "primary") -> None:
        """Cancel, and the button that does it."""
        with box("actions"):
            button("Cancel", self.close, "quiet")
            button(name, act, kind)


class Drawer(Sheet):
    """The same from the side, as high as the window."""

    _frame = "drawer"
    _props = "position=right maximized transition-show=slide-left transition-hide=slide-right"

    def head(self, title: str, below: str) -> None:
        """The title, a line of meaning, and the cross that closes it."""
        with box("drawer-head"):
            with box("names"):
                words(title, "sheet-title")
                words(below, "soft")
            with box("icon-button", "button", type="button", aria_label="Close").on("click", self.close):
                ui.icon("close")


class BulkSheet(Sheet):
    """Asks, then does something to many: shows how far it is, and asks again when they are not as many."""

    def __init__(self, after: Callable[[], Awaitable[None]]) -> None:
        super().__init__()
        self._after = after
        self._done = (0, 0)  # of how many

    async def carry_out(self, act: Act, expected: Expected, again: Callable[[int], str]) -> None:
        """Do it. `again` is the button's word for the new count, when that is another by now."""
        self._done = (0, 0)
        with self.fresh():
            words("Working …", "sheet-title").mark("working")
            with box("progress", role="progressbar") as whole:
                part = box("progress-part")
            how_far = words("", "soft")
            timer = ui.timer(LOOK_SECONDS, lambda: self._look(whole, part, how_far))
        try:
            told = await run_in_threadpool(act, expected, self._note)
        except Conflict as error:
            self._refused(error, act, expected, again)
        except RingelisteError as error:
            self.tell("Nothing was done" if not self._done[0] else "It was given up", error.message, "wrong")
        else:
            self.tell("Done", told, "")
        finally:
            timer.cancel()
        await self._after()

    def _note(self, done: int, of: int) -> None:
        self._done = (done, of)  # from the thread that works; the timer shows it

    def _look(self, whole: ui.element, part: ui.element, how_far: ui.label) -> None:
        done, of = self._done
        if of:
            part.style(replace=f"width: {100 * done / of:.1f}%")
            whole.props["aria-valuenow"] = str(round(100 * done / of))
            how_far.text = f"{count(done)} of {count(of)}"

    def _refused(self, error: Conflict, act: Act, expected: Expected, again: Callable[[int], str]) -> None:
        found = error.data.get("count")
        if found is None:
            self.tell("Nothing was done", error.message, "wrong")
            return
        with self.fresh():
            words(f"There are {count(found)} now", "sheet-title").mark("refused")
            words(
                f"It was {count(expected.count)} when you looked, so nothing was done. "
                "The bars show who it is now.",
                "soft",
            )  # fmt: skip
            self.actions(again(found), alone(partial(self.carry_out, act, Expected(found), again)))

    def tell(self, title: str, said: str, kind: str) -> None:
        """Say something, with nothing to decide."""
        with self.fresh():
            words(title, "sheet-title").mark("told")
            words(said, kind)
            with box("actions"):
                button("Close", self.close, "primary")
