"""Rebuilds, and what a move means for who holds the customer: an offered lease is recalled (design 3).

A taken or rung lease stays; `ring` refuses if the new segment is paused.
"""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text

from calling.handout.recalling import recall
from calling.segments.history import note_moves
from models.work import OpenWork, Work
from segmentation import rebuild
from segmentation.rebuild import RebuildReport
from segmentation.resegment import Moved

BATCH = 200

ENTERED = "customers entered or changed"
"""The reason of a rebuild that no rule asked for."""

# Offered from one segment, and standing in another: whoever moved them died before the recall, or moved one
# customer in somebody else's transaction. Live leases are few.
_STRAYS = text("""
    select l.id from lease l
      join placement p on p.crm_id = :crm_id and p.assignment_id = l.assignment_id
                      and p.customer_id = l.customer_id
     where l.crm_id = :crm_id and l.ended_at is null and l.state = 'offered' and p.lease_id = l.id
       and p.segment_id <> l.segment_id
       and not exists (select from recall r where r.crm_id = :crm_id and r.lease_id = l.id)
     order by l.id limit :batch
""")

_WISH = text("select assignment_id, reason from rebuild where crm_id = :crm_id and id = :rebuild_id")


def run_rebuild(open_work: OpenWork, rebuild_id: int) -> RebuildReport:
    """Make an assignment's segments true, and recall the offered leases of whoever moved."""
    moved: list[Moved] = []
    with open_work() as work:
        wish = work.run(_WISH, rebuild_id=rebuild_id).first()
    cause = "event" if wish is not None and wish.reason == ENTERED else "rule"

    def note(work: Work, batch: Sequence[Moved]) -> None:
        if wish is not None:
            note_moves(work, wish.assignment_id, batch, cause)
        moved.extend(m for m in batch if m.lease_id is not None)

    report = rebuild.rebuild(open_work, rebuild_id, note)
    take_back_moved(open_work, moved)
    return report


def rebuilds_to_do(open_work: OpenWork) -> list[int]:
    """Rebuilds that wait, or that a crash left half done."""
    with open_work() as work:
        return rebuild.rebuilds_to_do(work)


def take_back_strays(open_work: OpenWork) -> int:
    """Recall whoever is still offered from a segment that they are no longer in; how many. For a tick."""
    with open_work() as work:
        strays = list(work.run(_STRAYS, batch=BATCH).scalars())
        if strays:
            recall(work, strays, "moved to another segment", states=["offered"])
    return len(strays)


def take_back_moved(open_work: OpenWork, moved: Sequence[Moved]) -> None:
    """Recall what was offered from the old segment. In a transaction of its own: claims are locked first."""
    leases: list[UUID] = sorted({m.lease_id for m in moved if m.lease_id is not None})
    if not leases:
        return
    with open_work() as work:
        recall(work, leases, "moved to another segment", states=["offered"])
