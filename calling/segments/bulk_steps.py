"""What a bulk action does to one part of its customers, in a transaction that has passed the turnstile."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Row, text

from calling.segments.following import follow
from models.errors import NotFound
from models.work import Work
from segmentation.resegment import Moved, lock, resegment

Step = Callable[[Work, Row[Any], Sequence[int]], tuple[int, list[Moved]]]
"""Does it; how many it changed, and who moved."""

_SEGMENT = text("""
    select retired_at from segment
     where crm_id = :crm_id and assignment_id = :assignment_id and id = :segment_id
""")
_HOLD = text("""
    insert into hold (crm_id, assignment_id, customer_id, segment_id, author, reason, created_at, expires_at)
    select :crm_id, :assignment_id, p.customer_id, :segment_id, :author, :reason, :now, :expires_at
      from placement p
     where p.crm_id = :crm_id and p.assignment_id = :assignment_id
       and p.customer_id = any((select cast(:customers as bigint[]))::bigint[])
       and p.state not in ('left', 'anonymised')
     order by p.customer_id
    on conflict (crm_id, assignment_id, customer_id) do update
       set segment_id = excluded.segment_id, author = excluded.author, reason = excluded.reason,
           created_at = excluded.created_at, expires_at = excluded.expires_at
""")
_RELEASE = text("""
    delete from hold
     where crm_id = :crm_id and assignment_id = :assignment_id
       and customer_id = any((select cast(:customers as bigint[]))::bigint[])
       and segment_id = coalesce(:of_segment, segment_id)
""")
_WAKE = text("""
    update placement set state = 'ready', due_at = null
     where crm_id = :crm_id and assignment_id = :assignment_id
       and customer_id = any((select cast(:customers as bigint[]))::bigint[]) and state = 'resting'
    returning customer_id
""")
_THERE = text("""
    select 1 from segment where crm_id = :crm_id and assignment_id = :assignment_id and id = :segment_id
""")


def check_segment(work: Work, assignment_id: int, segment_id: int) -> None:
    """Raises NotFound unless it is a live segment of the assignment; it says so of one that was deleted."""
    segment = work.run(_SEGMENT, assignment_id=assignment_id, segment_id=segment_id).first()
    if segment is None:
        raise NotFound("segment", segment_id)
    if segment.retired_at is not None:
        raise NotFound("segment", segment_id, "it was deleted")


def check_there(work: Work, assignment_id: int, segment_id: int) -> None:
    """Raises NotFound unless it is, or was, a segment of the assignment."""
    if not work.run(_THERE, assignment_id=assignment_id, segment_id=segment_id).first():
        raise NotFound("segment", segment_id)


def _hold(work: Work, action: Row[Any], customers: Sequence[int]) -> tuple[int, list[Moved]]:
    # Behind the turnstile: whoever retires the segment waits for us before they let go of its holds, or we
    # see that it is gone.
    check_segment(work, action.assignment_id, action.segment_id)
    # The placements first: an outcome that re-segments one of them sees the hold, or is seen by it.
    these = lock(work, action.assignment_id, customers)
    work.run(
        _HOLD, customers=these, assignment_id=action.assignment_id, segment_id=action.segment_id,
        author=action.author, reason=action.reason, expires_at=action.expires_at,
    )  # fmt: skip
    return _follow(work, action, customers)


def _release(work: Work, action: Row[Any], customers: Sequence[int]) -> tuple[int, list[Moved]]:
    these = lock(work, action.assignment_id, customers)
    work.run(_RELEASE, customers=these, assignment_id=action.assignment_id, of_segment=action.of_segment)
    return _follow(work, action, customers)


def _wake(work: Work, action: Row[Any], customers: Sequence[int]) -> tuple[int, list[Moved]]:
    """Whoever rests; closed ones stay closed, and a promised call stays promised."""
    these = lock(work, action.assignment_id, customers)
    woken = list(work.run(_WAKE, customers=these, assignment_id=action.assignment_id).scalars())
    follow(work, action.assignment_id, woken, "due", "hand")
    return len(woken), []


def _follow(work: Work, action: Row[Any], customers: Sequence[int]) -> tuple[int, list[Moved]]:
    moved = resegment(work, action.assignment_id, customers, "hand")
    return len(moved), moved


STEPS: Mapping[str, Step] = {"hold": _hold, "free": _hold, "release": _release, "wake": _wake}
