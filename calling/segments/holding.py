"""Holds: a manual placing in a segment that wins over rules, and says who, why and until when."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import text

from calling.handout import placements
from calling.segments.history import note_deed
from calling.segments.resegmenting import take_back_moved
from models import turnstile
from models.errors import BadInput, NotFound
from models.work import OpenWork
from segmentation.resegment import Moved, resegment

BATCH = 200

_SEGMENT = text("""
    select 1 from segment where crm_id = :crm_id and assignment_id = :assignment_id and id = :segment_id
       and retired_at is null
""")
_HOLD = text("""
    insert into hold (crm_id, assignment_id, customer_id, segment_id, author, reason, created_at, expires_at)
    select :crm_id, :assignment_id, p.customer_id, :segment_id, :author, :reason, :now, :expires_at
      from placement p
     where p.crm_id = :crm_id and p.assignment_id = :assignment_id and p.customer_id = any(:customers)
       and p.state not in ('left', 'anonymised')
     order by p.customer_id
    on conflict (crm_id, assignment_id, customer_id) do update
       set segment_id = excluded.segment_id, author = excluded.author, reason = excluded.reason,
           created_at = excluded.created_at, expires_at = excluded.expires_at
""")
_RELEASE = text("""
    delete from hold
     where crm_id = :crm_id and assignment_id = :assignment_id and customer_id = any(:customers)
""")


def hold(
    open_work: OpenWork, assignment_id: int, customers: Sequence[int], segment_id: int, *,
    author: str, reason: str, expires_at: datetime | None = None,
) -> int:  # fmt: skip
    """Hold customers in a segment until released or `expires_at` (UTC); how many moved there.

    State, status and follow-ups stay as they are; offered leases are recalled. Raises BadInput, NotFound.
    """
    if not reason.strip():
        raise BadInput("reason: say why these customers are held")
    moved: list[Moved] = []
    for start in range(0, len(customers), BATCH):
        batch = sorted(set(customers))[start : start + BATCH]
        with open_work() as work:
            turnstile.pass_shared(work, [assignment_id])
            # Behind the turnstile: whoever retires the segment waits for us, or we see that it is gone.
            if not work.run(_SEGMENT, assignment_id=assignment_id, segment_id=segment_id).first():
                raise NotFound("segment", segment_id)
            # The placements first: an outcome that re-segments one of them sees the hold, or is seen by it.
            placements.lock(work, batch)
            work.run(
                _HOLD, assignment_id=assignment_id, customers=batch, segment_id=segment_id,
                author=author, reason=reason, expires_at=expires_at,
            )  # fmt: skip
            moved += resegment(work, assignment_id, batch, "hand")
    _note(open_work, assignment_id, segment_id, "held", author, customers, reason=reason, until=expires_at)
    take_back_moved(open_work, moved)
    return len(moved)


def release(open_work: OpenWork, assignment_id: int, customers: Sequence[int], *, author: str) -> int:
    """Let go of holds; the rules place their customers again. How many moved."""
    moved: list[Moved] = []
    for start in range(0, len(customers), BATCH):
        batch = sorted(set(customers))[start : start + BATCH]
        with open_work() as work:
            turnstile.pass_shared(work, [assignment_id])
            placements.lock(work, batch)
            work.run(_RELEASE, assignment_id=assignment_id, customers=batch)
            moved += resegment(work, assignment_id, batch, "hand")
    _note(open_work, assignment_id, None, "freed", author, customers)
    take_back_moved(open_work, moved)
    return len(moved)


def _note(
    open_work: OpenWork, assignment_id: int, segment_id: int | None, deed: str, author: str,
    customers: Sequence[int], **detail: object,
) -> None:  # fmt: skip
    with open_work() as work:
        note_deed(work, assignment_id, segment_id, deed, author, customers=len(set(customers)), **detail)
