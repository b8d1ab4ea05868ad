"""Everything that is wrong with a rule set, gathered before any of it is refused."""

from collections.abc import Collection, Iterable
from difflib import get_close_matches
from typing import Any

from models.errors import BadRule


class Refused(Exception):
    """One value is wrong; carries the message."""


MOST_TOLD = 100
"""So many problems are told at once: nobody reads more, and each costs a search for what was meant."""

_LONGEST_WORD = 100  # characters; no word that is known is longer, so none is near


class Problems:
    """Collects (path, message) pairs in the order they are met, as many as are told at once."""

    def __init__(self) -> None:
        self._found: list[tuple[str, str]] = []

    def add(self, path: str, message: str) -> None:
        """Note one problem at `path`, as in segments[3].when.all[1].v. Raises BadRule when it is enough."""
        if len(self._found) == MOST_TOLD:
            raise BadRule(self._found, and_more=True)
        self._found.append((path, message))

    def refuse(self) -> None:
        """Raise BadRule with all of them, if there are any."""
        if self._found:
            raise BadRule(self._found)


def shown(value: Any) -> str:
    """A value as a message shows it: in JSON's spelling, never longer than a few words."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            return f'"{value[:40]}…"' if len(value) > 40 else f'"{value}"'
        case list():
            return "a list"
        case dict():
            return f"{{{shown(str(next(iter(value))))}: …}}" if value else "{}"
        case int() if value.bit_length() > 64:
            return "a very large number"
    return str(value)


_KINDS = {
    "yes_no": "a yes or no",
    "instant": "an instant",
    "tags": "a tag",
    "segments": "a key",
    "labels": "a key",
}


def a_or_an(type_: str) -> str:
    """A type of fields as messages name it."""
    return _KINDS.get(type_, f"a {type_}")


def did_you_mean(word: object, known: Iterable[str]) -> str:
    """` - did you mean "status"?`, or nothing if no known word is near."""
    if not isinstance(word, str) or len(word) > _LONGEST_WORD:
        return ""
    near = get_close_matches(word.casefold(), list(known), n=1)
    return f' - did you mean "{near[0]}"?' if near else ""


def unknown_keys(problems: Problems, path: str, given: dict[str, Any], known: Collection[str]) -> None:
    """Note every key of an object that the language does not know."""
    for key in given:
        if key not in known:
            problems.add(path, f"{shown(key)} is not known here{did_you_mean(key, known)}")
