"""Values that filter and have no bar: who has them is found in one pass, and kept true like the columns."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from models.work import Work
from segmentation.facets import changes
from segmentation.facets.answering import Key, key_of
from segmentation.facets.reading import Block, Mark, Query

MOST = 24  # marks of a cache: a byte a placement each


@dataclass(frozen=True, slots=True)
class Marked:
    """Who has at least one of some marks, as of the snapshot `seen` or later; `has`: of each mark who."""

    marks: tuple[Mark, ...]
    seen: str
    as_of: datetime
    customers: NDArray[np.int64]
    has: tuple[NDArray[np.bool_], ...]


def who_has(work: Work, assignment_id: int, marks: Sequence[Mark]) -> Marked:
    """One pass over the assignment for all of these. Takes no lock of the cache."""
    work.read_long()
    seen = changes.snapshot(work)
    query = Query({}, dict(enumerate(marks)), some=False)
    found = Block.of(list(query.read(work, assignment_id=assignment_id)))
    return Marked(tuple(marks), seen, work.now, found.customers, tuple(found.marks.values()))


class Kept:
    """The marks of a cache by number, and which of them were asked lately."""

    def __init__(self, marks: Sequence[Mark] = ()) -> None:
        self.all = list(marks)
        self._asked: dict[Key, int] = {}
        self._questions = 0

    def numbers(self) -> dict[Key, int]:
        """The number of each."""
        return {key_of(one.key, value): number for number, (one, value) in enumerate(self.all)}

    def unknown(self, wanted: Sequence[Mark]) -> list[Mark]:
        """Those that are not kept; notes that all of them are asked."""
        self._questions += 1
        self._asked |= {key_of(one.key, value): self._questions for one, value in wanted}
        known = self.numbers()
        return [mark for mark in wanted if key_of(mark[0].key, mark[1]) not in known]

    def surplus(self, coming: int) -> list[int]:
        """The numbers of those to forget, so that `coming` more have room: the highest number first."""
        often = sorted(
            range(len(self.all)), key=lambda n: self._asked.get(key_of(self.all[n][0].key, self.all[n][1]), 0)
        )
        return sorted(often[: max(0, len(self.all) + coming - MOST)], reverse=True)
