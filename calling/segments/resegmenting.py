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

ENTERED = "customers entered or changed"
"""The reason of a rebuild that no rule asked for."""

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


def take_back_moved(open_work: OpenWork, moved: Sequence[Moved]) -> None:
    """Recall what was offered from the old segment. In a transaction of its own: claims are locked first."""
    leases: list[UUID] = sorted({m.lease_id for m in moved if m.lease_id is not None})
    if not leases:
        return
    with open_work() as work:
        recall(work, leases, "moved to another segment", states=["offered"])
