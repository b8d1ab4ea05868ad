"""The column cache of one assignment: loaded once, then kept true by what changed (changes.py).

It is true as of an instant. What changed since is noted first (`look`), then read slice by slice (`step`).
When all is in, the cache is true as of the look. So a flood of changes costs time, and never the answer.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from time import monotonic

import numpy as np

from models.work import Work
from segmentation.facets import changes
from segmentation.facets.answering import Answering, barless, key_of
from segmentation.facets.backlog import Backlog, Ids, Pace
from segmentation.facets.columns import Columns, Has
from segmentation.facets.dimensions import Frame
from segmentation.facets.learn import ids
from segmentation.facets.marks import Kept, Marked
from segmentation.facets.packing import Packing, Words
from segmentation.facets.reading import Block, Mark, Query, Reader
from segmentation.facets.values import Facets, Filters

_ALONE: AbstractContextManager[object] = nullcontext()


class OutOfDate(Exception):
    """The cache cannot be brought up to date, or not as fast as it is loaded anew."""


class FacetCache:
    """One thread at a time may `look`, `step` and mark; `step` holds the lock it is given while it writes.

    `as_of`: business time as of which it is true, which was `true_at` on the clock (wall seconds).
    """

    columns: Columns
    seen: str
    as_of: datetime
    true_at: float

    def __init__(
        self, assignment_id: int, frame: Frame, marks: Sequence[Mark] = (),
        clock: Callable[[], float] = monotonic,
    ) -> None:  # fmt: skip
        marks = tuple(marks)  # somebody else's list may change before it is read again
        self.assignment_id, self.frame, self.kept, self._clock = assignment_id, frame, Kept(marks), clock
        self.packing = Packing.of(frame.dimensions)
        self._answering = Answering(self.packing)
        self._reader = Reader(frame.dimensions, marks)
        self.backlog: Backlog | None = None
        self.pace, self.load_seconds = Pace(), 0.0

    @classmethod
    def load(
        cls, work: Work, assignment_id: int, frame: Frame, marks: Sequence[Mark] = (),
        clock: Callable[[], float] = monotonic,
    ) -> "FacetCache":  # fmt: skip
        """Read every row. The transaction must not have written anything."""
        begun = clock()
        work.read_long()
        cache = cls(assignment_id, frame.grown(ids(work, assignment_id)), marks, clock)
        cache.as_of, cache.true_at = work.now, begun
        cache.seen = changes.snapshot(work)  # before the rows: what comes in between is read twice
        blocks = cache._reader.everybody.read(work, assignment_id=assignment_id)
        customers, words, has = cache._packed(blocks)
        cache.columns = Columns.of(cache.packing, customers, words, has)
        cache._reader.prepare()
        cache.load_seconds = clock() - begun
        return cache

    def _packed(self, blocks: Iterable[Block]) -> tuple[Ids, Words, list[Has]]:
        """Each block is packed as it comes: codes take five times the room of words."""
        packed = [
            (block.customers, self.packing.pack(block.codes, len(block.customers)), block.marks)
            for block in blocks
        ]
        words = [np.concatenate([w[i] for _, w, _ in packed]) for i in range(len(self.packing.sizes))]
        has = [np.concatenate([m[i] for _, _, m in packed]) for i in range(len(self.kept.all))]
        return np.concatenate([customers for customers, _, _ in packed]), words, has

    @property
    def rows(self) -> int:
        """Placements that are there."""
        return int(self.columns.every[0].sum())

    @property
    def owes(self) -> float:
        """Wall seconds until it is true as of the last look, roughly."""
        return len(self.backlog) * self.pace.seconds if self.backlog else 0.0

    def refresh(self, work: Work, writing: AbstractContextManager[object] = _ALONE) -> int:
        """Read all that changed, however long it takes; how many customers. Raises OutOfDate."""
        read = self._catch_up(work, writing)
        self.look(work, writing)
        return read + self._catch_up(work, writing)

    def _catch_up(self, work: Work, writing: AbstractContextManager[object]) -> int:
        read = 0
        while self.backlog:
            read += self.step(work, writing)
        return read

    def look(self, work: Work, writing: AbstractContextManager[object]) -> None:
        """Note what changed; nothing may be left of the last look.

        Raises OutOfDate when some of it is lost, or loading anew is faster than reading it.
        """
        at, since = self._clock(), changes.since(work, self.assignment_id, self.seen)
        if since.lost:
            raise OutOfDate
        self.seen = since.seen
        self.backlog = Backlog(work.now, at, since.whole, since.placed)
        if not self.backlog:
            self._settle(work, writing)
        elif self.owes > max(self.load_seconds, 1.0):
            raise OutOfDate

    def step(self, work: Work, writing: AbstractContextManager[object]) -> int:
        """Read a slice of what changed, if any; how many customers. Raises OutOfDate."""
        backlog = self.backlog
        if not backlog:
            return 0
        begun, entire = self._clock(), len(backlog.whole) > 0
        customers = (backlog.whole if entire else backlog.placed)[: self.pace.slice]
        # The rows first, then the ids: a row names no segment or label that is not there yet.
        found = self._read(work, customers, entire=entire)
        while self._grow(work, writing):
            found = self._read(work, customers, entire=entire)
        with writing:
            for asked, block in found:
                self.columns.put(asked, block.customers, self._words(block), block.marks)
        backlog.drop(len(customers))
        self.pace.took(self._clock() - begun, len(customers))
        if not backlog:
            self._settle(work, writing)
        return len(customers)

    def _read(self, work: Work, customers: Ids, *, entire: bool) -> list[tuple[Ids, Block]]:
        """(asked for, what is there of them). Who is not here yet is asked whole, whatever changed."""
        here = np.zeros(len(customers), bool) if entire else self.columns.here(customers)
        asked = ((self._reader.placed, customers[here]), (self._reader.these, customers[~here]))
        return [(some, self._at_once(work, query, some)) for query, some in asked if len(some)]

    def _at_once(self, work: Work, query: Query, customers: Ids) -> Block:
        written = f"{{{','.join(map(str, customers.tolist()))}}}"  # the driver takes a µs for each of a list
        of = {"assignment_id": self.assignment_id, "customer_ids": written}
        return Block.of(list(query.read(work, **of)))

    def _words(self, block: Block) -> Words:
        if len(block.codes) == len(self.frame.dimensions):
            return self.packing.pack(block.codes, len(block.customers))
        return self.packing.patch(self.columns.words_of(block.customers), block.codes)

    def _settle(self, work: Work, writing: AbstractContextManager[object]) -> None:
        """Everything of the last look is in; segments that nobody is in have a bar as well."""
        self._grow(work, writing)
        with writing:
            if self.backlog is not None:
                self.as_of, self.true_at, self.backlog = self.backlog.as_of, self.backlog.at, None

    def _grow(self, work: Work, writing: AbstractContextManager[object]) -> bool:
        """Take up new segments and labels; whether there were any."""
        grown = self.frame.grown(ids(work, self.assignment_id))
        if grown is self.frame:
            return False
        if not self.packing.holds(grown.dimensions):
            raise OutOfDate
        with writing:
            self.frame, self._reader = grown, Reader(grown.dimensions, self.kept.all)
        return True

    def keep(self, work: Work, marked: Marked, writing: AbstractContextManager[object]) -> None:
        """Keep marks, and read whoever changed since they were found. Raises OutOfDate."""
        since = changes.since(work, self.assignment_id, marked.seen)
        if since.lost:
            raise OutOfDate
        new = self.kept.unknown(marked.marks)
        with writing:
            for number in self.kept.surplus(len(new)):
                del self.kept.all[number], self.columns.marks[number]
            for mark, has in zip(marked.marks, marked.has, strict=True):
                if mark in new:
                    self.kept.all.append(mark)
                    self.columns.mark(marked.customers, has)
            self._reader = Reader(self.frame.dimensions, self.kept.all)
            self.backlog = self.backlog or Backlog(self.as_of, self.true_at)
            self.backlog.also(since.whole, since.placed)
            self.as_of = min(self.as_of, marked.as_of)
        if not self.backlog:
            self._settle(work, writing)

    def facets(self, filters: Filters) -> Facets | None:
        """Count on the arrays, as of `as_of`; None when a value is neither a bar here nor a mark."""
        marks = self.kept.numbers()
        if any(key_of(one.key, value) not in marks for one, value in barless(self.frame, filters)):
            return None
        return self._answering.facets(self.frame, self.columns, marks, filters, self.as_of)
