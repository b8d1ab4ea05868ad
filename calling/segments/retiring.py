"""A segment that is no more lets go of whoever is held in it or works it, and its pause ends.

It is done behind the turnstile: whoever passed before the segment was deleted, and put somebody into it, is
waited for; whoever passes after is refused (calling/segments/bulk_steps.py, calling/handout/presence.py). The
rebuild that every deletion asks for does it as well, so a process that dies in between leaves nobody behind.
Until then rules take such a hold for none (segmentation/compiler.py).
"""

from collections.abc import Sequence

from sqlalchemy import text

from calling.segments.history import note_deed
from models.work import OpenWork, Work

BATCH = 200

# Segment by segment: of a million holds none is read while nobody is held in a segment that is no more.
_HELD = text("""
    select h.customer_id
      from segment s
     cross join lateral (
           select customer_id from hold
            where crm_id = :crm_id and assignment_id = :assignment_id and segment_id = s.id
              and customer_id > :after
            order by customer_id limit :most) h
     where s.crm_id = :crm_id and s.assignment_id = :assignment_id and s.retired_at is not null
     order by h.customer_id limit :most
""")
# The placements first, as whoever writes holds does.
_LOCK = text("""
    select customer_id from placement
     where crm_id = :crm_id and assignment_id = :assignment_id and customer_id = any(:customers)
     order by customer_id for no key update
""")
_RELEASE = text("""
    delete from hold h using segment s
     where h.crm_id = :crm_id and h.assignment_id = :assignment_id and h.customer_id = any(:customers)
       and s.crm_id = :crm_id and s.id = h.segment_id and s.retired_at is not null
""")
# Whoever works one segment only, and it is no more, works any: no empty list that nobody explains.
_FREE_SELLERS = text("""
    update seller set segment_id = null
     where crm_id = :crm_id and id = any(array(
           select h.id from seller h
             join segment s on s.crm_id = :crm_id and s.id = h.segment_id and s.retired_at is not null
            where h.crm_id = :crm_id and h.assignment_id = :assignment_id
            order by h.id for no key update of h))
    returning id
""")
_FREE_DIALERS = text(
    _FREE_SELLERS.text.replace("update seller", "update dialer").replace("from seller", "from dialer")
)
# Whoever pauses it has locked the segment before we retired it, or waits for us and sees that it is gone.
_END_PAUSES = text("""
    update pause w set lifted_at = :now, lifted_by = :author from segment s
     where w.crm_id = :crm_id and w.scope = 'segment' and w.lifted_at is null
       and (w.ends_at is null or w.ends_at > :now)
       and s.crm_id = :crm_id and s.assignment_id = :assignment_id and s.id = w.target_id
       and s.retired_at is not null
    returning w.target_id, w.reason
""")


def let_go(open_work: OpenWork, assignment_id: int) -> None:
    """Release the holds in retired segments, in batches, and free who works one. Again does no harm.

    To be called once the turnstile has been passed exclusively after the deletion.
    """
    after, more = 0, True
    while more:
        with open_work() as work:
            found = _held(work, assignment_id, after, BATCH)
            _release(work, assignment_id, found)
        after, more = found[-1] if found else after, len(found) == BATCH
    with open_work() as work:
        _free(work, assignment_id)


def let_go_within(work: Work, assignment_id: int) -> None:
    """The same in one transaction, before a segment may come back: what was let go does not come with it.

    Only what a dead process left is still there.
    """
    _release(work, assignment_id, _held(work, assignment_id, 0, None))
    _free(work, assignment_id)


def end_pauses(work: Work, assignment_id: int, author: str) -> None:
    """Lift what pauses retired segments, and say so in their history. Comes after they were retired."""
    for ended in work.run(_END_PAUSES, assignment_id=assignment_id, author=author).all():
        note_deed(
            work, assignment_id, ended.target_id, "resumed", author, reason=ended.reason, deleted=True
        )  # fmt: skip


def _held(work: Work, assignment_id: int, after: int, most: int | None) -> list[int]:
    return list(work.run(_HELD, assignment_id=assignment_id, after=after, most=most).scalars())


def _release(work: Work, assignment_id: int, customers: Sequence[int]) -> None:
    if customers:
        work.run(_LOCK, assignment_id=assignment_id, customers=list(customers))
        work.run(_RELEASE, assignment_id=assignment_id, customers=list(customers))


def _free(work: Work, assignment_id: int) -> None:
    freed = [work.run(free, assignment_id=assignment_id).all() for free in (_FREE_SELLERS, _FREE_DIALERS)]
    if any(freed):
        work.hint("allocate", assignment_id)
