"""Sheets lie over the page and ask something; drawers come from the side and tell something."""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

from nicegui import ui
from starlette.concurrency import run_in_threadpool

from calling.segments.bulk import Progress
from calling.segments.selection import Expected
from models.errors import Conflict, RingelisteError
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
            self.actions(again(found), lambda: self.carry_out(act, Expected(found), again))

    def tell(self, title: str, said: str, kind: str) -> None:
        """Say something, with nothing to decide."""
        with self.fresh():
            words(title, "sheet-title").mark("told")
            words(said, kind)
            with box("actions"):
                button("Close", self.close, "primary")


def button(name: str, act: Callable[[], Any], kind: str) -> ui.element:
    """A button with a word."""
    with box(f"button {kind}", "button", type="button").on("click", act) as made:
        words(name)
    return made


def enable(one: ui.element, *, on: bool) -> None:
    """Whether a button can be pressed, by the mouse and by the keyboard."""
    if one.props.get("disabled", False) == on:
        one.props["disabled"] = not on


def choices(
    keys: Sequence[str], choose: Callable[[str], object], *, chosen: str | None = None, kind: str = "choices",
    called: Mapping[str, str] = MappingProxyType({}),
) -> Callable[[str], None]:  # fmt: skip
    """Buttons, of which the one pressed last is on. `called`: key -> its word, where that is another.

    The answer turns another on, without choosing it.
    """
    buttons: dict[str, ui.element] = {}

    def mark(key: str) -> None:
        for other, one in buttons.items():
            on = other == key
            one.classes(add="on" if on else "", remove="" if on else "on")

    def take(key: str) -> object:
        mark(key)
        return choose(key)

    with box(kind):
        for key in keys:
            with box("choice" + (" on" if key == chosen else ""), "button", type="button") as one:
                words(called.get(key, key))
            buttons[key] = one
            one.on("click", lambda key=key: take(key))
    return mark


def told_apart(names: Mapping[str, str]) -> dict[str, str]:
    """Key -> its name, and the key beside it where another has the same name."""
    often = Counter(names.values())
    return {key: f"{name} ({key})" if often[name] > 1 else name for key, name in names.items()}


def text_field(label: str, value: str = "", *, placeholder: str = "", focus: bool = False) -> ui.input:
    """A field for one line, as wide as the sheet."""
    field = ui.input(value=value, placeholder=placeholder or label)
    field.props(f'borderless maxlength=200 aria-label="{label}"').classes("field").mark(label.lower())
    return field.props("autofocus") if focus else field
