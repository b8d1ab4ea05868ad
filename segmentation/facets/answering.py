"""An answer out of the columns: filters become tables over words, histograms of words become bars."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from segmentation.facets.bars import Counts, facets_of
from segmentation.facets.columns import Columns, Histogram
from segmentation.facets.counting import Counted, Failing, count
from segmentation.facets.dimensions import Dimension, Frame
from segmentation.facets.packing import BYTE, Packing, Part
from segmentation.facets.values import Bar, Facets, FacetValue, Filters

Key = tuple[str, type, FacetValue]
"""A value of a dimension. True is not 1 here."""


def key_of(dimension: str, value: FacetValue) -> Key:
    """The same for the same value of the same dimension only."""
    return (dimension, type(value), value)


def barless(frame: Frame, filters: Filters) -> list[tuple[Dimension, FacetValue]]:
    """The values that filter and are no bar of the frame."""
    found = []
    for one in frame.dimensions:
        bars = {key_of(one.key, value) for value in one.values}
        found += [(one, v) for v in filters.get(one.key, ()) if key_of(one.key, v) not in bars]
    return found


class Answering:
    """How words are read; nothing of it changes for as long as the packing stays."""

    def __init__(self, packing: Packing) -> None:
        self._packing = packing
        self._codes = {part: packing.codes_of(part) for part in packing.parts}

    def facets(
        self, frame: Frame, columns: Columns, marks: Mapping[Key, int], filters: Filters, as_of: datetime
    ) -> Facets:
        """Count. Every value without a bar has to be among `marks`, with its number."""
        failing = [self._failing(frame, marks, key, values) for key, values in filters.items()]
        counted = count(columns, failing, [self._words_of(one.number) for one in failing])
        found = {
            one.key: (
                self._counts(one, i, self._selected(i, counted)), self._counts(one, i, columns.every)
            )
            for i, one in enumerate(frame.dimensions)
        }  # fmt: skip
        answer = facets_of(frame, found, counted.total, as_of, "cache")
        marked: dict[str, tuple[Bar, ...]] = {}
        for one, value in barless(frame, filters):
            number = marks[key_of(one.key, value)]
            total = int(np.count_nonzero(columns.marks[number]))
            marked[one.key] = (*marked.get(one.key, ()), Bar(value, counted.marked[number], total))
        return replace(answer, marked=marked)

    def _words_of(self, number: int) -> list[int]:
        return sorted({part.word for part in self._parts(number)})

    def _parts(self, number: int) -> list[Part]:
        return [part for part in self._packing.parts if part.number == number]

    def _selected(self, number: int, counted: Counted) -> list[Histogram]:
        own = counted.own.get(number, {})
        return [h + own[w] if w in own else h for w, h in enumerate(counted.passing)]

    def _counts(self, one: Dimension, number: int, histograms: list[Histogram]) -> Counts:
        counts: dict[int, int] = {}
        for part in self._parts(number):
            by_code = np.bincount(self._codes[part], histograms[part.word], part.radix).astype(np.int64)
            if one.kind == "many":
                by_code = np.array([by_code[_with_bit(bit)].sum() for bit in range(BYTE)])
            counts |= {part.shift + code: int(n) for code, n in enumerate(by_code) if n}
        return counts

    def _failing(
        self, frame: Frame, marks: Mapping[Key, int], key: str, values: Sequence[FacetValue]
    ) -> Failing:
        number, one = next((i, one) for i, one in enumerate(frame.dimensions) if one.key == key)
        places = {key_of(key, value): i for i, value in enumerate(one.values)}
        keys = [key_of(key, value) for value in values]
        wanted = {places[asked] for asked in keys if asked in places}
        tables: dict[int, NDArray[np.bool_]] = {}
        for part in self._parts(number):
            fails = self._fails_many(part, wanted) if one.kind == "many" else self._fails(part, wanted)
            tables[part.word] = fails & tables.get(part.word, np.True_)
        mine = tuple(dict.fromkeys(marks[asked] for asked in keys if asked not in places))
        return Failing(number, tuple(tables.items()), mine)

    def _fails(self, part: Part, wanted: set[int]) -> NDArray[np.bool_]:
        passes = np.zeros(part.radix, bool)
        passes[sorted(wanted)] = True
        return ~passes[self._codes[part]]

    def _fails_many(self, part: Part, wanted: set[int]) -> NDArray[np.bool_]:
        bits = sum(1 << bit - part.shift for bit in wanted if 0 <= bit - part.shift < BYTE)
        return np.asarray((self._codes[part] & bits) == 0)


def _with_bit(bit: int) -> NDArray[np.bool_]:
    return np.asarray((np.arange(1 << BYTE) >> bit & 1) == 1)
