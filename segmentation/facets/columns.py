"""The placements of one assignment as arrays of words, kept as rows change."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from segmentation.facets.packing import Packing, Words

_GROWTH = 8  # a table that is full grows by one part in so many

Histogram = NDArray[np.int64]
Has = NDArray[np.bool_]


@dataclass(slots=True)
class Columns:
    """`size` slots, of which `gone` marks those nobody is in any more; `ids` of the first load are sorted.

    Customers who came later stand in `late`. `every` are the histograms of all words, kept as rows change.
    `marks`: who has each of the values that have no bar.
    """

    packing: Packing
    ids: NDArray[np.int64]
    words: Words
    gone: NDArray[np.uint8]
    size: int
    late: dict[int, int] = field(default_factory=dict)
    every: list[Histogram] = field(default_factory=list)
    marks: list[Has] = field(default_factory=list)

    @classmethod
    def of(
        cls, packing: Packing, ids: NDArray[np.int64], words: Words, marks: Sequence[Has] = ()
    ) -> "Columns":
        """Columns of these customers, who need not be sorted."""
        order = np.argsort(ids, kind="stable")
        kept = [word.take(order) for word in words]
        columns = cls(packing, ids.take(order), kept, np.zeros(len(ids), np.uint8), len(ids))
        columns.marks = [mark.take(order) for mark in marks]
        columns.every = [np.bincount(w, minlength=n) for w, n in zip(kept, packing.sizes, strict=True)]
        return columns

    def put(
        self, customers: NDArray[np.int64], found: NDArray[np.int64], words: Words,
        marks: Mapping[int, Has] = MappingProxyType({}),
    ) -> None:  # fmt: skip
        """Of `customers`, those `found` now have these words and marks; the others are gone."""
        left = np.setdiff1d(customers, found)
        old = self.slots(left)
        self._take_away(old[old >= 0])
        for mark in self.marks:
            mark[old[old >= 0]] = False
        slots = self.slots(found)
        self._take_away(slots[slots >= 0])
        slots[slots < 0] = self._append(found[slots < 0])
        for i, word in enumerate(words):
            self.words[i][slots] = word
            np.add.at(self.every[i], word, 1)
        for number, has in marks.items():
            self.marks[number][slots] = has
        self.gone[slots] = 0

    def mark(self, customers: NDArray[np.int64], has: Has) -> None:
        """Keep one more mark: of these customers, those who have it."""
        slots = self.slots(customers[has])
        column = np.zeros(len(self.gone), bool)
        column[slots[slots >= 0]] = True
        self.marks.append(column)

    def here(self, customers: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of these customers are there."""
        slots = self.slots(customers)
        return (slots >= 0) & (self.gone.take(slots, mode="clip") == 0) if len(self.gone) else slots >= 0

    def words_of(self, customers: NDArray[np.int64]) -> Words:
        """The words of customers who are there."""
        slots = self.slots(customers)
        return [word.take(slots) for word in self.words]

    def row(self, customer: int) -> tuple[int, ...] | None:
        """The words of one customer; None: not here."""
        (slot,) = self.slots(np.array([customer]))
        return None if slot < 0 or self.gone[slot] else tuple(int(word[slot]) for word in self.words)

    def slots(self, customers: NDArray[np.int64]) -> NDArray[np.intp]:
        """Where each customer stands; -1: nowhere."""
        at = np.searchsorted(self.ids, customers)
        known = self.ids.take(at, mode="clip") == customers if len(self.ids) else np.zeros(len(at), bool)
        slots = np.where(known, at, -1)
        if self.late:
            for i in np.flatnonzero(~known):
                slots[i] = self.late.get(int(customers[i]), -1)
        return slots

    def _take_away(self, slots: NDArray[np.intp]) -> None:
        here = slots[self.gone[slots] == 0]
        for word, every in zip(self.words, self.every, strict=True):
            np.subtract.at(every, word[here], 1)
        self.gone[here] = 1

    def _append(self, customers: NDArray[np.int64]) -> NDArray[np.intp]:
        first, self.size = self.size, self.size + len(customers)
        if self.size > len(self.gone):
            room = self.size + self.size // _GROWTH
            self.words = [
                np.resize(word, room) if len(word) else np.zeros(room, np.uint16) for word in self.words
            ]
            self.marks = [np.concatenate([m, np.zeros(room - len(m), bool)]) for m in self.marks]
            self.gone = np.concatenate([self.gone, np.ones(room - len(self.gone), np.uint8)])
        slots = np.arange(first, self.size)
        self.late.update(zip(customers.tolist(), slots.tolist(), strict=True))
        return slots

    def bytes(self) -> int:
        """What a pass reads: the words, the marks, and who is gone."""
        return sum(column.nbytes for column in (*self.words, *self.marks, self.gone))
