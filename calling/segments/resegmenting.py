"""Rebuilds, and what a move means for who holds the customer: an offered lease is recalled (design 3).

A taken or rung lease stays; `ring` refuses if the new segment is paused.
"""

from collections.abc import Sequence
from uuid import UUID

from calling.handout.recalling import BATCH, recall
from calling.segments.retiring import let_go
from models.work import OpenWork
from segmentation import rebuild, rebuilds
from segmentation.rebuild import RebuildReport
from segmentation.resegment import Moved


def run_rebuild(open_work: OpenWork, rebuild_id: int) -> RebuildReport:
    """Make an assignment's segments true, and recall the offered leases of whoever moved.

    What was deleted lets go first, should the process that deleted it have died.
    """
    report = rebuild.rebuild(open_work, rebuild_id, first=let_go)
    take_back(open_work, report.leases)
    return report


def rebuilds_to_do(open_work: OpenWork) -> list[int]:
    """Rebuilds that wait, or that a crash left half done."""
    with open_work() as work:
        return rebuilds.rebuilds_to_do(work)


def take_back_moved(open_work: OpenWork, moved: Sequence[Moved]) -> None:
    """Recall what was offered from the old segment. In transactions of its own: claims are locked first."""
    take_back(open_work, [m.lease_id for m in moved if m.lease_id is not None])


def take_back(open_work: OpenWork, leases: Sequence[UUID]) -> None:
    """Recall those of these leases that are only offered: their customers have moved.

    What a crash leaves undone the reaper finds.
    """
    ordered = sorted(set(leases))
    for start in range(0, len(ordered), BATCH):
        with open_work() as work:
            recall(work, ordered[start : start + BATCH], "moved to another segment", states=["offered"])
