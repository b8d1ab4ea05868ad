"""Matching in linear time: the places in a pattern where a text may be, all followed at once.

A place is a symbol of the pattern with its repeats written out (Glushkov's automaton), a set of places the
bits of a number. Nothing is ever tried a second time, so no text and no pattern takes longer than its length
times the number of places. What a character leads to from a set is remembered.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import reduce
from operator import or_

Accepts = Callable[[str], bool]
MOST_KEPT = 4_096  # remembered steps; then they are forgotten, and found again


@dataclass(frozen=True, slots=True)
class Symbol:
    """One character that is accepted."""

    accepts: Accepts


@dataclass(frozen=True, slots=True)
class Sequence:
    """One after the other; nothing at all when there are no parts."""

    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class OneOf:
    """Any one of the parts."""

    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """The part `least` to `most` times; None: without end."""

    part: "Node"
    least: int
    most: int | None


Node = Symbol | Sequence | OneOf | Repeat


@dataclass(frozen=True, slots=True)
class _Piece:
    """A part of the automaton: where it may begin and end, and whether it may be nothing. Bits of places."""

    first: int
    last: int
    nothing: bool


_NOTHING = _Piece(0, 0, nothing=True)


class Automaton:
    """One pattern, ready to match. May be shared by threads: what they remember is the same."""

    def __init__(self, node: Node) -> None:
        self._accepts: list[Accepts] = []
        self._follow: list[int] = []
        whole = self._build(node)
        self._first, self._last, self._empty = whole.first, whole.last, whole.nothing
        self._steps: dict[tuple[int, str], int] = {}
        self._accepting: dict[str, int] = {}

    def matches(self, text: str) -> bool:
        """Whether the whole text is one that the pattern means."""
        if not text:
            return self._empty
        places = self._first & self._places_of(text[0])
        for character in text[1:]:
            if not places:
                return False
            step = self._steps.get((places, character))
            places = self._step(places, character) if step is None else step
        return bool(places & self._last)

    def _step(self, places: int, character: str) -> int:
        """The places that a character leads to."""
        ahead, rest = 0, places
        while rest:
            lowest = rest & -rest
            ahead |= self._follow[lowest.bit_length() - 1]
            rest ^= lowest
        if len(self._steps) >= MOST_KEPT:
            self._steps.clear()
        found = self._steps[places, character] = ahead & self._places_of(character)
        return found

    def _places_of(self, character: str) -> int:
        """The places that accept a character."""
        known = self._accepting.get(character)
        if known is None:
            if len(self._accepting) >= MOST_KEPT:
                self._accepting.clear()
            known = sum(1 << place for place, accepts in enumerate(self._accepts) if accepts(character))
            self._accepting[character] = known
        return known

    def _build(self, node: Node) -> _Piece:
        match node:
            case Symbol(accepts):
                self._accepts.append(accepts)
                self._follow.append(0)
                place = 1 << len(self._accepts) - 1
                return _Piece(place, place, nothing=False)
            case Sequence(parts):
                piece = _NOTHING
                for part in parts:
                    piece = self._then(piece, self._build(part))
                return piece
            case OneOf(parts):
                pieces = [self._build(part) for part in parts]
                return _Piece(
                    _together(one.first for one in pieces),
                    _together(one.last for one in pieces),
                    nothing=any(one.nothing for one in pieces),
                )
            case Repeat(part, least, most):
                return self._repeated(part, least, most)

    def _repeated(self, part: Node, least: int, most: int | None) -> _Piece:
        piece = _NOTHING
        for _ in range(least):
            piece = self._then(piece, self._build(part))
        if most is None:
            return self._then(piece, self._looped(self._build(part)))
        rest = _NOTHING
        for _ in range(most - least):  # from the inside out: (x(x(x)?)?)?
            rest = self._perhaps(self._then(self._build(part), rest))
        return self._then(piece, rest)

    def _then(self, one: _Piece, other: _Piece) -> _Piece:
        self._link(one.last, other.first)
        return _Piece(
            one.first | (other.first if one.nothing else 0),
            other.last | (one.last if other.nothing else 0),
            nothing=one.nothing and other.nothing,
        )

    def _looped(self, piece: _Piece) -> _Piece:
        self._link(piece.last, piece.first)
        return self._perhaps(piece)

    def _perhaps(self, piece: _Piece) -> _Piece:
        return _Piece(piece.first, piece.last, nothing=True)

    def _link(self, last: int, first: int) -> None:
        while last:
            lowest = last & -last
            self._follow[lowest.bit_length() - 1] |= first
            last ^= lowest


def _together(bits: Iterable[int]) -> int:
    return reduce(or_, bits, 0)
