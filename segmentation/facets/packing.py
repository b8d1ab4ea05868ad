"""Several codes in one 16-bit word, by mixed radix: a pass over few words counts many dimensions at once.

Ten dimensions fit into three or four words, so a histogram of words costs a third of one per dimension.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmentation.facets.dimensions import MOST_BITS, Dimension

MOST = 1 << 14  # values of one word: its histogram stays in the processor's cache
ROOM = 16  # segments that may be added before the cache is loaded anew; labels: what is left of a byte
BYTE = 8  # bits of one part of a dimension of many values

Words = list[NDArray[np.uint16]]


@dataclass(frozen=True, slots=True)
class Part:
    """Where a code, or eight bits of one, stands: word = .. + `unit` * code, code < `radix`."""

    number: int  # of the dimension
    shift: int  # of many values: the lowest bit of the part
    word: int
    unit: int
    radix: int


@dataclass(frozen=True, slots=True)
class Packing:
    """The parts of all dimensions, and how many values each word has."""

    parts: tuple[Part, ...]
    sizes: tuple[int, ...]

    @classmethod
    def of(cls, dimensions: tuple[Dimension, ...]) -> "Packing":
        """Put the largest parts first, each into the first word with room."""
        parts: list[Part] = []
        sizes: list[int] = []
        wanted = [(radix, i, shift) for i, one in enumerate(dimensions) for radix, shift in _radices(one)]
        for radix, i, shift in sorted(wanted, reverse=True):
            word = next((w for w, size in enumerate(sizes) if size * radix <= MOST), len(sizes))
            if word == len(sizes):
                sizes.append(1)
            parts.append(Part(i, shift, word, sizes[word], radix))
            sizes[word] *= radix
        return cls(tuple(parts), tuple(sizes))

    def holds(self, dimensions: tuple[Dimension, ...]) -> bool:
        """Whether every code of these dimensions still has room."""
        room: dict[int, int] = {}
        for part in self.parts:
            room[part.number] = max(room.get(part.number, 0), _room(dimensions[part.number], part))
        return all(len(one.values) <= room[i] for i, one in enumerate(dimensions))

    def pack(self, codes: Mapping[int, NDArray[Any]], rows: int) -> Words:
        """The words of `rows` rows, from the codes of each dimension by number."""
        words = [np.zeros(rows, np.uint16) for _ in self.sizes]
        for part in self.parts:
            words[part.word] += _cut(codes[part.number], part) * np.uint16(part.unit)
        return words

    def patch(self, words: Words, codes: Mapping[int, NDArray[Any]]) -> Words:
        """The same words with other codes of some dimensions."""
        patched = [word.copy() for word in words]
        for part in (part for part in self.parts if part.number in codes):
            was = patched[part.word] // np.uint16(part.unit) % np.uint16(part.radix)
            patched[part.word] += (_cut(codes[part.number], part) - was) * np.uint16(part.unit)
        return patched

    def codes_of(self, part: Part) -> NDArray[np.int64]:
        """The part's code in every value that its word may have."""
        return np.arange(self.sizes[part.word], dtype=np.int64) // part.unit % part.radix


def _cut(code: NDArray[Any], part: Part) -> NDArray[np.uint16]:
    """What of a code stands in that part."""
    cut: NDArray[Any] = (code >> part.shift) & 0xFF if code.dtype == np.int64 else code
    return cut.astype(np.uint16)


def _radices(one: Dimension) -> list[tuple[int, int]]:
    """(values, lowest bit) of each part of a dimension."""
    if one.kind == "many":
        bits = len(one.values) + (1 if one.grows else 0)
        return [(1 << BYTE, shift) for shift in range(0, min(bits, MOST_BITS + 2), BYTE)]
    return [(len(one.values) + (ROOM if one.grows else 0), 0)]


def _room(one: Dimension, part: Part) -> int:
    return part.shift + BYTE if one.kind == "many" else part.radix
