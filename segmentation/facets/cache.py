"""The column cache of one assignment: loaded once, then kept true by what changed (changes.py)."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import text

from models.work import Work
from segmentation.facets import changes
from segmentation.facets.bars import Counts, facets_of
from segmentation.facets.columns import Columns, Counted, Failing, Histogram, count
from segmentation.facets.dimensions import Dimension, Frame
from segmentation.facets.learn import ids
from segmentation.facets.packing import Packing, Part, Words
from segmentation.facets.reading import Reader
from segmentation.facets.values import Facets, FacetValue, Filters

MOST_CHANGED = 5  # when more than one row in so many changed, all are read anew

_PATIENCE = (text("set local statement_timeout = 0"), text("set local plan_cache_mode = force_custom_plan"))


class OutOfDate(Exception):
    """The cache cannot be brought up to date: load it anew."""


class FacetCache:
    """Not for two threads at once."""

    def __init__(self, assignment_id: int, frame: Frame) -> None:
        self.assignment_id, self.frame = assignment_id, frame
        self.packing = Packing.of(frame.dimensions)
        self._codes = {part: self.packing.codes_of(part) for part in self.packing.parts}
        self._reader = Reader(frame.dimensions)

    @classmethod
    def load(cls, work: Work, assignment_id: int, frame: Frame) -> "FacetCache":
        """Read every row. The transaction must not have written anything."""
        for setting in _PATIENCE:
            work.run(setting)
        cache = cls(assignment_id, frame.grown(ids(work, assignment_id)))
        cache.seen = changes.snapshot(work)  # before the rows: what comes in between is read twice
        customers, words = cache._read(work, None)
        cache.columns = Columns.of(cache.packing, customers, words)
        cache.refresh(work)
        return cache

    columns: Columns
    seen: str

    @property
    def rows(self) -> int:
        """Placements that are there."""
        return int(self.columns.every[0].sum())

    def refresh(self, work: Work) -> int:
        """Read whoever changed; how many. Raises OutOfDate."""
        since = changes.since(work, self.assignment_id, self.seen)
        if since.lost or len(since.customers) > max(1_000, self.rows // MOST_CHANGED):
            raise OutOfDate
        self._apply(work, since.customers.tolist())
        self.seen = since.seen
        return len(since.customers)

    def _apply(self, work: Work, customers: list[int]) -> None:
        if not customers:
            self._grow(work)
            return
        found, words = self._read(work, customers)
        # The rows first, then the ids: a row names no segment or label that is not there yet.
        while self._grow(work):
            found, words = self._read(work, customers)
        self.columns.put(np.array(customers, np.int64), found, words)

    def _grow(self, work: Work) -> bool:
        """Take up new segments and labels; whether there were any."""
        grown = self.frame.grown(ids(work, self.assignment_id))
        if grown is self.frame:
            return False
        if not self.packing.holds(grown.dimensions):
            raise OutOfDate
        self.frame, self._reader = grown, Reader(grown.dimensions)
        return True

    def _read(self, work: Work, customers: list[int] | None) -> tuple[NDArray[np.int64], Words]:
        reader, assignment = self._reader, self.assignment_id
        blocks = (
            reader.everybody(work, assignment) if customers is None
            else reader.these(work, assignment, customers)
        )  # fmt: skip
        packed = [(ids, self.packing.pack(codes, len(ids))) for ids, codes in blocks]
        found = np.concatenate([ids for ids, _ in packed])
        return found, [
            np.concatenate([words[w] for _, words in packed]) for w in range(len(self.packing.sizes))
        ]

    def facets(self, filters: Filters, as_of: Any) -> Facets | None:
        """Count on the arrays; None when a filter asks for what is no bar here: then SQL knows."""
        failing = [self._failing(key, values) for key, values in filters.items()]
        if any(one is None for one in failing):
            return None
        known = [one for one in failing if one is not None]
        counted = count(self.columns, known, [self._words_of(one.number) for one in known])
        found = {
            one.key: (self._counts(i, self._selected(i, counted)), self._counts(i, self.columns.every))
            for i, one in enumerate(self.frame.dimensions)
        }
        return facets_of(self.frame, found, counted.total, as_of, "cache")

    def _words_of(self, number: int) -> list[int]:
        return sorted({part.word for part in self._parts(number)})

    def _parts(self, number: int) -> list[Part]:
        return [part for part in self.packing.parts if part.number == number]

    def _selected(self, number: int, counted: Counted) -> list[Histogram]:
        own = counted.own.get(number, {})
        return [h + own[w] if w in own else h for w, h in enumerate(counted.passing)]

    def _counts(self, number: int, histograms: list[Histogram]) -> Counts:
        counts: dict[int, int] = {}
        many = self.frame.dimensions[number].kind == "many"
        for part in self._parts(number):
            by_code = np.bincount(self._codes[part], histograms[part.word], part.radix).astype(np.int64)
            if many:
                by_code = np.array([by_code[_with_bit(bit)].sum() for bit in range(8)])
            counts |= {part.shift + code: int(n) for code, n in enumerate(by_code) if n}
        return counts

    def _failing(self, key: str, values: Any) -> Failing | None:
        number = next(i for i, one in enumerate(self.frame.dimensions) if one.key == key)
        wanted = _places(self.frame.dimensions[number], values)
        if wanted is None:
            return None
        many = self.frame.dimensions[number].kind == "many"
        tables: dict[int, NDArray[np.bool_]] = {}
        for part in self._parts(number):
            fails = self._fails_many(part, wanted) if many else self._fails(part, wanted)
            tables[part.word] = fails & tables.get(part.word, np.True_)
        return Failing(number, tuple(tables.items()))

    def _fails(self, part: Part, wanted: set[int]) -> NDArray[np.bool_]:
        passes = np.zeros(part.radix, bool)
        passes[sorted(wanted)] = True
        return ~passes[self._codes[part]]

    def _fails_many(self, part: Part, wanted: set[int]) -> NDArray[np.bool_]:
        bits = sum(1 << bit - part.shift for bit in wanted if 0 <= bit - part.shift < 8)
        return np.asarray((self._codes[part] & bits) == 0)


def _places(one: Dimension, values: tuple[FacetValue, ...]) -> set[int] | None:
    known = {(type(value), value): i for i, value in enumerate(one.values)}
    places = [known.get((type(value), value)) for value in values]
    return None if None in places else {place for place in places if place is not None}


def _with_bit(bit: int) -> NDArray[np.bool_]:
    return np.asarray((np.arange(256) >> bit & 1) == 1)
