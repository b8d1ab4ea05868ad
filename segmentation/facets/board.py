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
from segmentation.facets.drift import Drift, told_apart
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
        self._wanted = False  # whether somebody has asked since the last check

    def facets(self, work: Work, filters: Filters, border: int) -> Facets:
        """Count. Raises BadInput for a dimension that there is not."""
        frame, self._wanted = self.frame(work), True
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
            fresh = FacetCache.load(work, self._assignment_id, kept.frame)
        finally:
            self._loading.release()
        with self._counting:
            return self._take(work, kept, fresh)

    def _take(self, work: Work, kept: FacetCache, fresh: FacetCache) -> Drift | None:
        if self._cache is not kept:
            return None
        try:
            drift = told_apart(work, kept, fresh)
        except OutOfDate:
            self._cache = None
            return None
        self._cache = fresh
        return drift

    @property
    def has_cache(self) -> bool:
        """Whether it counts on a cache just now."""
        return self._cache is not None


_boards: WeakKeyDictionary[Engine, dict[_Key, Board]] = WeakKeyDictionary()
_lock = Lock()


def board_of(work: Work, assignment_id: int) -> Board:
    """The board of an assignment in this process."""
    with _lock:
        boards = _boards.setdefault(_engine(work), {})
        return boards.setdefault((work.crm_id, assignment_id), Board(assignment_id))


def cached(work: Work) -> list[int]:
    """The assignments of the CRM that this process has a cache of."""
    with _lock:
        boards = dict(_boards.get(_engine(work), {}))
    return sorted(key[1] for key, board in boards.items() if key[0] == work.crm_id and board.has_cache)


def _engine(work: Work) -> Engine:
    bound = work.session.get_bind()
    return bound.engine if isinstance(bound, Connection) else bound


def facets(work: Work, assignment_id: int, filters: Filters, *, border: int = BORDER) -> Facets:
    """The bars of every dimension of an assignment under `filters`, and how many pass them all.

    From `border` placements on out of the cache, which has read every change that was committed before.
    Raises BadInput, NotFound.
    """
    return board_of(work, assignment_id).facets(work, filters, border)


def check_drift(work: Work, assignment_id: int) -> Drift | None:
    """Compare this process's cache with SQL, and go on with a fresh one of the same bars.

    None: there is no cache, or nobody has asked it since the last check and it was thrown away.
    """
    return board_of(work, assignment_id).renew(work)
