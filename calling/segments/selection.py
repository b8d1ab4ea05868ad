"""What a manager does with a selection of bars. The bars may be a moment old; deeds ask SQL who it is now."""

from datetime import datetime

from calling.segments.holding import BATCH, hold
from models.errors import Conflict
from models.work import OpenWork, Work
from segmentation.facets import Filters, as_rule, asking, board_of

__all__ = ["as_rule", "count", "move_selection"]


def count(work: Work, assignment_id: int, filters: Filters) -> int:
    """How many customers of an assignment pass the filters now. Raises BadInput, NotFound."""
    return asking.count(work, assignment_id, _asked(work, assignment_id, filters))


def move_selection(
    open_work: OpenWork, assignment_id: int, filters: Filters, segment_id: int, *,
    expected: int, tolerance: int, author: str, reason: str, expires_at: datetime | None = None,
) -> int:  # fmt: skip
    """Hold in a segment each customer whom the filters find now; how many moved there.

    Refused with Conflict, nothing done, when those are more than `tolerance` more or fewer than `expected`:
    its data carry the new `count`. In batches, each committed: who it is, is decided once.
    Raises BadInput, NotFound, Conflict.
    """
    with open_work() as work:
        found = asking.customers(work, assignment_id, _asked(work, assignment_id, filters))
    if abs(len(found) - expected) > tolerance:
        message = f"the selection has changed: {len(found)} customers instead of {expected}; look again"
        raise Conflict(message, count=len(found), expected=expected)
    return sum(
        hold(open_work, assignment_id, batch, segment_id, author=author, reason=reason, expires_at=expires_at)
        for batch in (found[start : start + BATCH] for start in range(0, len(found), BATCH))
    )


def _asked(work: Work, assignment_id: int, filters: Filters) -> asking.Asked:
    frame = board_of(work, assignment_id).frame(work)
    return asking.asked_of(frame, filters)
