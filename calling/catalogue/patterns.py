r"""Patterns that a text has to match whole: regular expressions of a small syntax, matched in linear time.

    abc       letters, digits and signs stand for themselves; \. \( \\ and so on for signs with a meaning
    .         any character
    \d \w \s  a digit 0-9, a letter or digit or _, a space; \D \W \S: any but these
    [a-z_]    one of these; [^0-9]: any but these
    (ab|cd)   one or the other
    ? * + {3} {2,} {2,4}   how often what stands before comes

What looks back or ahead, or names what it found, is refused, and so are lazy and possessive repeats: of a
text that has to match whole they say nothing. Small and capital letters differ.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import NoReturn

from calling.catalogue.automaton import Accepts, Automaton, Node, OneOf, Repeat, Sequence, Symbol

LONGEST = 200  # characters of a pattern
MOST_SYMBOLS = 200  # characters that it names, when each repeat is written out
MOST_TIMES = 100  # in braces

_CLASSES: dict[str, Accepts] = {
    "d": lambda c: "0" <= c <= "9",
    "w": lambda c: c.isalnum() or c == "_",
    "s": str.isspace,
}
_MEANT = {
    "b": "an edge of a word", "B": "an edge of a word", "A": "the beginning", "Z": "the end", "z": "the end",
    "n": "a new line", "t": "a tab", "r": "a return", "p": "a kind of letter", "x": "a code", "u": "a code",
}  # fmt: skip


class BadPattern(ValueError):
    """The pattern cannot be used; says where (from 1) and why."""


@lru_cache(maxsize=256)
def compiled(pattern: str) -> Callable[[str], bool]:
    """Whether a whole text matches. Raises BadPattern."""
    if not pattern:
        raise BadPattern("is empty: leave it out to allow any text")
    if len(pattern) > LONGEST:
        raise BadPattern(f"is {len(pattern)} characters long; at most {LONGEST} are allowed")
    reader = _Reader(pattern)
    node = reader.whole()
    if _symbols(node) > MOST_SYMBOLS:
        raise BadPattern(
            f"names {_symbols(node)} characters when each repeat is written out; at most {MOST_SYMBOLS}"
        )
    return Automaton(node).matches


def _symbols(node: Node) -> int:
    match node:
        case Symbol():
            return 1
        case Sequence(parts) | OneOf(parts):
            return sum(map(_symbols, parts))
        case Repeat(part, least, most):
            return _symbols(part) * max(least + (most is None), most or 0)


@dataclass(slots=True)
class _Reader:
    """Reads one pattern from left to right."""

    text: str
    at: int = 0
    deep: int = 0

    def whole(self) -> Node:
        node = self._either()
        if self.at < len(self.text):
            self._refuse('")" closes nothing: write "\\)" for the sign')
        return node

    def _next(self) -> str:
        return self.text[self.at : self.at + 1]

    def _refuse(self, why: str, at: int | None = None) -> NoReturn:
        raise BadPattern(f"at {(self.at if at is None else at) + 1}: {why}")

    def _either(self) -> Node:
        parts = [self._sequence()]
        while self._next() == "|":
            self.at += 1
            parts.append(self._sequence())
        return parts[0] if len(parts) == 1 else OneOf(tuple(parts))

    def _sequence(self) -> Node:
        parts: list[Node] = []
        while self._next() not in ("", "|", ")"):
            parts.append(self._repeated(self._atom()))
        return parts[0] if len(parts) == 1 else Sequence(tuple(parts))

    def _atom(self) -> Node:
        match self._next():
            case "(":
                return self._group()
            case "[":
                return self._class()
            case "\\":
                return Symbol(self._escape())
            case ".":
                self.at += 1
                return Symbol(lambda _: True)
            case "^" | "$":
                self._refuse("the whole text has to match anyway: leave ^ and $ out, or write \\^ and \\$")
            case "?" | "*" | "+" | "{" as sign:
                self._refuse(f'nothing stands before "{sign}" that it could repeat; write "\\{sign}" for it')
            case "]" | "}" as sign:
                self._refuse(f'"{sign}" closes nothing: write "\\{sign}" for the sign')
        return Symbol(self._plain())

    def _plain(self) -> Accepts:
        sign = self._next()
        self.at += 1
        return lambda c: c == sign

    def _group(self) -> Node:
        opened = self.at
        self.at += 1
        if self._next() == "?":
            if self.text[self.at : self.at + 2] != "?:":
                self._refuse("a group here only groups: no looking ahead or back, no names, no flags")
            self.at += 2
        self.deep += 1
        if self.deep > 20:
            self._refuse("has too many brackets within brackets")
        node = self._either()
        self.deep -= 1
        if self._next() != ")":
            self._refuse('"(" is never closed: write "\\(" for the sign', opened)
        self.at += 1
        return node

    def _escape(self) -> Accepts:
        self.at += 1
        sign = self._next()
        if sign == "":
            self._refuse("ends in a single \\: write two of them for the sign", self.at - 1)
        if sign.lower() in _CLASSES:
            self.at += 1
            inside = _CLASSES[sign.lower()]
            return inside if sign.islower() else lambda c: not inside(c)
        if sign.isdigit():
            self._refuse(
                "nothing can be found a second time here: write the characters themselves", self.at - 1
            )
        if sign.isalnum():
            meant = f" ({_MEANT[sign]})" if sign in _MEANT else ""
            self._refuse(f"\\{sign}{meant} is not known here: only \\d, \\w, \\s and signs", self.at - 1)
        return self._plain()

    def _class(self) -> Node:
        opened = self.at
        self.at += 1
        negated = self._next() == "^"
        self.at += negated
        ranges: list[Accepts] = []
        while self._next() != "]":
            if self._next() == "":
                self._refuse('"[" is never closed: write "\\[" for the sign', opened)
            ranges.append(self._range())
        self.at += 1
        if not ranges:
            self._refuse("names no character", opened)
        return Symbol(_any_of(tuple(ranges), negated=negated))

    def _range(self) -> Accepts:
        first, start = self._member(), self.at
        dash_last = self.text[self.at + 1 : self.at + 2] in ("]", "")
        if self._next() != "-" or dash_last:
            return first[1]
        self.at += 1
        last = self._member()
        if first[0] is None or last[0] is None:
            self._refuse("a range goes from one character to another, as in a-z", start)
        low, high = first[0], last[0]
        if low > high:
            self._refuse(f"{low}-{high} goes backwards", start)
        return lambda c: low <= c <= high

    def _member(self) -> tuple[str | None, Accepts]:
        """A character of a class, and what accepts it; None for a whole kind of them."""
        if self._next() == "[":
            self._refuse('write "\\[" for the sign inside of [...]')
        if self._next() != "\\":
            sign = self._next()
            return sign, self._plain()
        sign = self.text[self.at + 1 : self.at + 2]
        return (None if sign.lower() in _CLASSES else sign), self._escape()

    def _repeated(self, node: Node) -> Node:
        sign = self._next()
        if sign == "" or sign not in "?*+{":
            return node
        if sign == "{":
            least, most = self._braces()
        else:
            least, most = {"?": (0, 1), "*": (0, None), "+": (1, None)}[sign]
            self.at += 1
        following = self._next()
        if following != "" and following in "?*+{":
            why = "a repeat of a repeat, or a lazy one: of a text that has to match whole it says nothing new"
            self._refuse(f"{why}; put the first into brackets, or leave one out")
        return Repeat(node, least, most)

    def _braces(self) -> tuple[int, int | None]:
        opened, end = self.at, self.text.find("}", self.at)
        low, comma, high = self.text[self.at + 1 : end].partition(",")
        numbers = [part for part in (low, high) if part]
        if end < 0 or not low or not all(part.isascii() and part.isdigit() for part in numbers):
            self._refuse("braces say how often, as in {3}, {2,} or {2,4}; write \\{ for the sign", opened)
        least = int(low[:9])
        most = None if comma and not high else int((high or low)[:9])
        if max(least, most or 0) > MOST_TIMES:
            self._refuse(f"more than {MOST_TIMES} times is too often", opened)
        if most is not None and least > most:
            self._refuse(f"{least} to {most} times goes backwards", opened)
        self.at = end + 1
        return least, most


def _any_of(ranges: tuple[Accepts, ...], *, negated: bool) -> Accepts:
    return lambda c: any(accepts(c) for accepts in ranges) is not negated
