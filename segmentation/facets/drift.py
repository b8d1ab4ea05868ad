"""The cache beside SQL, row by row: where they differ there is a bug, and this says in which dimension."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.work import Work
from segmentation.facets import changes
from segmentation.facets.cache import FacetCache


@dataclass(frozen=True, slots=True)
class Drift:
    """`rows` compared; `missing` and `surplus` rows. `differing`: dimension -> rows of another code or mark.

    All nothing but `rows`, or there is a bug of ours.
    """

    rows: int
    missing: int
    surplus: int
    differing: dict[str, int]

    @property
    def is_none(self) -> bool:
        """Whether the cache was true."""
        return not (self.missing or self.surplus or self.differing)


def told_apart(
    work: Work, kept: FacetCache, fresh: FacetCache, writing: AbstractContextManager[object]
) -> Drift:
    """How `kept` differs from `fresh`, loaded just now. Brings both up to date; raises OutOfDate.

    `writing` is held while rows of `kept` are written.
    """
    kept.refresh(work, writing)
    at = kept.seen
    fresh.refresh(work)
    # Whoever changed since: the two may have read them at different instants.
    since = changes.since(work, kept.assignment_id, at)
    return compare(kept, fresh, np.concatenate([since.whole, since.placed]))


def compare(kept: FacetCache, fresh: FacetCache, doubtful: NDArray[np.int64]) -> Drift:
    """How `kept` differs from `fresh`, customers in doubt left out; in marks, where both have them."""
    ours, slots = _there(kept, doubtful)
    true, true_slots = _there(fresh, doubtful)
    both, at, true_at = np.intersect1d(ours, true, assume_unique=True, return_indices=True)
    at, true_at = slots[at], true_slots[true_at]
    wrong = {
        one.key: _code(kept, number, at) != _code(fresh, number, true_at)
        for number, one in enumerate(fresh.frame.dimensions)
    }
    true_marks = fresh.kept.numbers()
    for mark, number in kept.kept.numbers().items():
        if mark in true_marks:
            has, truly = kept.columns.marks[number], fresh.columns.marks[true_marks[mark]]
            wrong[mark[0]] |= has[at] != truly[true_at]
    differing = {key: rows for key, those in wrong.items() if (rows := int(those.sum()))}
    return Drift(len(both), len(true) - len(both), len(ours) - len(both), differing)


def _there(cache: FacetCache, doubtful: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[Any]]:
    """Customers who are there, and their slots."""
    columns = cache.columns
    customers = np.concatenate([columns.ids, np.array(list(columns.late), np.int64)])
    slots = np.flatnonzero((columns.gone[: columns.size] == 0) & ~np.isin(customers, doubtful))
    return customers[slots], slots


def _code(cache: FacetCache, number: int, slots: NDArray[Any]) -> NDArray[np.int64]:
    code = np.zeros(len(slots), np.int64)
    for part in cache.packing.parts:
        if part.number == number:
            word = cache.columns.words[part.word][slots].astype(np.int64)
            code |= (word // part.unit % part.radix) << part.shift
    return code
