"""What sheets, drawers and bars ask with: buttons, choices and fields."""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from nicegui import ui

from web.pages.parts import box, words


def button(name: str, act: Callable[[], Any], kind: str) -> ui.element:
    """A button with a word."""
    with box(f"button {kind}", "button", type="button").on("click", act) as made:
        words(name)
    return made


def alone(act: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
    """The same, but clicked again while it is under way it is not begun once more."""
    is_under_way = False

    async def once() -> None:
        nonlocal is_under_way
        if is_under_way:
            return
        is_under_way = True
        try:
            await act()
        finally:
            is_under_way = False

    return once


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
