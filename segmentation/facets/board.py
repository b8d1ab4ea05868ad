"""One assignment as this process counts it: by SQL while it is small, else from a column cache."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from math import inf
from threading import Lock
from time import monotonic

from models.work import Work
from segmentation.facets import changes
from segmentation.facets.answering import barless
from segmentation.facets.asking import ask, asked_of
from segmentation.facets.cache import FacetCache, OutOfDate
from segmentation.facets.dimensions import Frame
from segmentation.facets.drift import Drift, told_apart
from segmentation.facets.learn import fields, ids, learn
from segmentation.facets.marks import MOST, who_has
from segmentation.facets.reading import Mark
from segmentation.facets.values import Facets, Filters

FRAME_LIFE = timedelta(hours=1)  # business time; then an assignment without a cache has its bars chosen anew
FRESH = 1.0  # wall seconds: a state that was true so lately is good enough while a flood is read
PATIENCE = 0.2  # wall seconds that a question works or waits to have in all that was committed before it
LONGER = 1.0  # and when the cache is older than FRESH
FOLLOWED = 60.0  # wall seconds after the last question; then nobody keeps the cache fresh any more
_FOLLOWER_LIVES = 5.0  # wall seconds after a follower was here, in which another round of it is counted on


class Board:
    """Questions read what changed themselves, as far as they may; a follower reads what they leave.

    In the order of locking: `_loading` is had by whoever makes a new cache, `_reading` by whoever looks for
    changes and reads them, `_counting` by whoever counts or writes the arrays (milliseconds).
    """

    def __init__(self, assignment_id: int, clock: Callable[[], float] = monotonic) -> None:
        self._assignment_id, self._clock = assignment_id, clock
        self._frame: Frame | None = None
        self._cache: FacetCache | None = None
        self._reading, self._counting, self._loading = Lock(), Lock(), Lock()
        self._overdue = False  # whether the cache has to be made anew; until then it answers as it is
        self._wanted = False  # whether somebody has asked since the last check
        self._asked_at = self._followed_at = -inf

    def facets(self, work: Work, filters: Filters, border: int) -> Facets:
        """Count. Raises BadInput for a dimension that there is not."""
        frame, self._wanted, self._asked_at = self.frame(work), True, self._clock()
        asked_of(frame, filters)
        found = None
        if frame.rows >= border and not changes.is_writing(work):
            found = self._from_cache(work, frame, filters)
        if found is None:
            found = ask(work, self._assignment_id, frame, filters)
            self._look_at_size(sum(bar.total for bar in found.dimensions["state"]))
        return found

    def frame(self, work: Work) -> Frame:
        """The dimensions and their bars, chosen anew when the fields changed or they are old."""
        kept = self._frame
        if kept is None or kept.fields != fields(work) or self._is_old(kept, work):
            kept = self._frame = learn(work, self._assignment_id)
        return kept.grown(ids(work, self._assignment_id))

    def _is_old(self, frame: Frame, work: Work) -> bool:
        return self._cache is None and work.now - frame.learnt_at > FRAME_LIFE

    def _look_at_size(self, rows: int) -> None:
        """Bars that were chosen when there were half or twice as many mean little."""
        if self._frame and not self._frame.rows / 2 <= rows <= self._frame.rows * 2:
            self._frame, self._overdue = None, True

    def _from_cache(self, work: Work, frame: Frame, filters: Filters) -> Facets | None:
        """None while there is none, and for more values without a bar than it keeps: then SQL counts."""
        cache = self._cache
        if cache is None or cache.frame.fields != frame.fields:
            cache = self._load(work, frame)
        elif self._overdue and not self._is_followed:
            cache = self._load(work, frame) or cache
        if cache is None:
            return None
        self._catch_up(work, cache)
        if self._overdue and not self._is_followed:
            cache = self._load(work, frame) or cache
        wanted = barless(cache.frame, filters)
        if len(wanted) > MOST or any(one.grows for one, _ in wanted):
            return None
        if unknown := cache.kept.unknown(wanted):
            self._keep(work, cache, unknown)
        with self._counting:
            found = cache.facets(filters)
            self._look_at_size(cache.rows)
        return found

    @property
    def _is_followed(self) -> bool:
        return self._clock() - self._followed_at < _FOLLOWER_LIVES

    def _load(self, work: Work, frame: Frame) -> FacetCache | None:
        """A new cache in the place of the old one; None while another thread makes it."""
        if not self._loading.acquire(blocking=False):
            return None
        try:
            marks = self._cache.kept.all if self._cache and self._cache.frame.fields == frame.fields else ()
            fresh = FacetCache.load(work, self._assignment_id, frame, marks, self._clock)
            with self._counting:
                self._cache, self._overdue = fresh, False
            return fresh
        finally:
            self._loading.release()

    def _catch_up(self, work: Work, cache: FacetCache) -> None:
        """Read what was committed before, unless that takes too long: then what there is time for."""
        begun = self._clock()
        age = begun - cache.true_at
        if age <= FRESH and cache.owes > PATIENCE:
            return  # hopeless, and young enough
        patience = PATIENCE if age <= FRESH else LONGER if age <= FOLLOWED else inf
        if not self._reading.acquire(timeout=-1 if patience == inf else patience):
            return
        try:
            self._read_until(work, cache, begun + patience)
        finally:
            self._reading.release()

    def _read_until(self, work: Work, cache: FacetCache, end: float) -> None:
        """What is left of the last look, then what a new look finds; at least a slice of each."""
        try:
            for look in (False, True):
                if look:
                    cache.look(work, self._counting)
                while cache.step(work, self._counting) and self._clock() < end:
                    pass
                if cache.backlog:
                    return
        except OutOfDate:
            self._overdue = self._overdue or self._cache is cache

    def _keep(self, work: Work, cache: FacetCache, unknown: Sequence[Mark]) -> None:
        """Have it know who has these values: one pass over the assignment, once."""
        marked = who_has(work, self._assignment_id, unknown)
        with self._reading:
            try:
                cache.keep(work, marked, self._counting)
                while cache.backlog and cache.owes <= PATIENCE:
                    cache.step(work, self._counting)
            except OutOfDate:
                self._overdue = self._overdue or self._cache is cache

    def follow(self, work: Work) -> None:
        """Have in what changed, so that questions find little to read; make the cache anew if it is time."""
        self._followed_at, cache = self._clock(), self._cache
        if cache is None:
            return
        if self._overdue:
            self._load(work, self.frame(work))
            return
        with self._reading:
            self._read_until(work, cache, self._clock() + FRESH)

    @property
    def wants_following(self) -> bool:
        """Whether there is a cache, and somebody asked it lately."""
        return self._cache is not None and self._clock() - self._asked_at < FOLLOWED

    def renew(self, work: Work) -> Drift | None:
        """Compare the cache with SQL and go on with a fresh one; None where there is none to compare.

        Questions are answered by the old one while the fresh one is loaded. One that nobody has asked since
        the last time is thrown away: it would be loaded anew at the next question in any case.
        """
        kept, wanted, self._wanted = self._cache, self._wanted, False
        if kept is None or not wanted:
            self._cache = None
            return None
        if not self._loading.acquire(blocking=False):
            return None
        try:
            marks = kept.kept.all
            fresh = FacetCache.load(work, self._assignment_id, kept.frame, marks, self._clock)
            with self._reading:
                return self._take(work, kept, fresh)
        finally:
            self._loading.release()

    def _take(self, work: Work, kept: FacetCache, fresh: FacetCache) -> Drift | None:
        if self._cache is not kept:
            return None
        try:
            drift = told_apart(work, kept, fresh, self._counting)
        except OutOfDate:
            self._overdue = True
            return None
        with self._counting:
            self._cache = fresh
        return drift

    @property
    def has_cache(self) -> bool:
        """Whether it counts on a cache just now."""
        return self._cache is not None
