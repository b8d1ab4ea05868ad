"""The boards of this process, and what is asked of them."""

from threading import Lock
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine

from models.work import Work
from segmentation.facets.board import Board
from segmentation.facets.drift import Drift
from segmentation.facets.values import Facets, Filters

BORDER = 10_000  # placements; up to here SQL answers in an eighth of a second (docs/facets.md)

_Key = tuple[int, int]  # crm, assignment

_boards: WeakKeyDictionary[Engine, dict[_Key, Board]] = WeakKeyDictionary()
_lock = Lock()


def board_of(work: Work, assignment_id: int) -> Board:
    """The board of an assignment in this process."""
    with _lock:
        boards = _boards.setdefault(_engine(work), {})
        return boards.setdefault((work.crm_id, assignment_id), Board(assignment_id))


def cached(work: Work) -> list[int]:
    """The assignments of the CRM that this process has a cache of."""
    return sorted(key[1] for key, board in _of(_engine(work)) if key[0] == work.crm_id and board.has_cache)


def to_follow(engine: Engine) -> list[tuple[int, int]]:
    """(crm, assignment) of every cache that somebody asked lately: `follow` each again and again."""
    return sorted(key for key, board in _of(engine) if board.wants_following)


def _of(engine: Engine) -> list[tuple[_Key, Board]]:
    with _lock:
        return list(_boards.get(engine, {}).items())


def _engine(work: Work) -> Engine:
    bound = work.session.get_bind()
    return bound.engine if isinstance(bound, Connection) else bound


def facets(work: Work, assignment_id: int, filters: Filters, *, border: int = BORDER) -> Facets:
    """The bars of every dimension of an assignment under `filters`, and how many placements pass them all.

    From `border` placements on out of the cache, which has read every change that was committed before; of
    a flood it has what `as_of` says (docs/facets.md). Raises BadInput, NotFound.
    """
    return board_of(work, assignment_id).facets(work, filters, border)


def follow(work: Work, assignment_id: int) -> None:
    """Bring this process's cache up to date, for about a second at most, or make it anew if it has to be."""
    board_of(work, assignment_id).follow(work)


def check_drift(work: Work, assignment_id: int) -> Drift | None:
    """Compare this process's cache with SQL, and go on with a fresh one of the same bars.

    None: there is no cache, or nobody has asked it since the last check and it was thrown away.
    """
    return board_of(work, assignment_id).renew(work)
