"""Which way an assignment is counted: small ones by SQL, large ones from a column cache of this process."""

from datetime import timedelta
from threading import Lock
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine

from models.work import Work
from segmentation.facets import changes
from segmentation.facets.asking import ask, asked_of
from segmentation.facets.cache import FacetCache, OutOfDate
from segmentation.facets.dimensions import Frame
from segmentation.facets.drift import Drift, renew
from segmentation.facets.learn import fields, ids, learn
from segmentation.facets.values import Facets, Filters

BORDER = 10_000  # placements; up to here SQL answers in an eighth of a second (docs/facets.md)
FRAME_LIFE = timedelta(hours=1)  # business time; then an assignment without a cache has its bars chosen anew

_Key = tuple[int, int]  # crm, assignment


class Board:
    """One assignment as this process counts it."""

    def __init__(self, assignment_id: int) -> None:
        self._assignment_id = assignment_id
        self._frame: Frame | None = None
        self._cache: FacetCache | None = None
        self._counting, self._loading = Lock(), Lock()

    def facets(self, work: Work, filters: Filters, border: int) -> Facets:
        """Count. Raises BadInput for a dimension that there is not."""
        frame = self.frame(work)
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
            self._frame = self._cache = None

    def _from_cache(self, work: Work, frame: Frame, filters: Filters) -> Facets | None:
        """None while another thread loads, or for a filter that is no bar: SQL is slower and right."""
        if self._cache is None or self._cache.frame.fields != frame.fields:
            if not self._loading.acquire(blocking=False):
                return None
            try:
                loaded = FacetCache.load(work, self._assignment_id, frame)
            finally:
                self._loading.release()
            with self._counting:
                self._cache = loaded
        return self._count(work, filters)

    def _count(self, work: Work, filters: Filters) -> Facets | None:
        with self._counting:
            cache = self._cache
            if cache is None:
                return None
            try:
                cache.refresh(work)
            except OutOfDate:
                self._cache = None
                return None
            found = cache.facets(filters, work.now)
            self._look_at_size(cache.rows)
            return found

    def renew(self, work: Work) -> Drift | None:
        """Compare the cache with SQL and go on with a fresh one; None where there is no cache."""
        with self._counting:
            if self._cache is None:
                return None
            try:
                drift, self._cache = renew(work, self._cache)
            except OutOfDate:
                self._cache = None
                return None
            return drift


_boards: WeakKeyDictionary[Engine, dict[_Key, Board]] = WeakKeyDictionary()
_lock = Lock()


def board_of(work: Work, assignment_id: int) -> Board:
    """The board of an assignment in this process."""
    bound = work.session.get_bind()
    engine = bound.engine if isinstance(bound, Connection) else bound
    with _lock:
        boards = _boards.setdefault(engine, {})
        return boards.setdefault((work.crm_id, assignment_id), Board(assignment_id))


def facets(work: Work, assignment_id: int, filters: Filters, *, border: int = BORDER) -> Facets:
    """The bars of every dimension of an assignment under `filters`, and how many pass them all.

    From `border` placements on out of the cache, which has read every change that was committed before.
    Raises BadInput, NotFound.
    """
    return board_of(work, assignment_id).facets(work, filters, border)


def check_drift(work: Work, assignment_id: int) -> Drift | None:
    """Compare this process's cache with SQL, and go on with a fresh one. None: there is no cache.

    For a nightly tick: the bars of its frame are kept.
    """
    return board_of(work, assignment_id).renew(work)
