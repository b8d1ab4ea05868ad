"""Customers get the clock that their facts ask for; orders and promised calls of theirs follow."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from calling.dialers.reclocked import Orders, want_back_reclocked
from calling.follow_ups.own_wall import Followed, follow_walls
from calling.handout.recalling import recall
from calling.hours.clocks import reclock
from models.work import OpenWork, Work

BATCH = 200


@dataclass(frozen=True, slots=True)
class Reclocked:
    """Whose clock or reckoning zone is another, and what became of the calls that were promised to them."""

    customers: list[int]
    promises: Followed


def reclock_and_follow(
    work: Work, customers: Collection[int], orders: Orders, by: str, *, look: Collection[int] = ()
) -> Reclocked:
    """Reclock customers, want their orders back, and let promises on their wall follow; `by`: who changed it.

    `look`: whose promises are looked at though their zone is the same: its rules may be others. The orders
    and the placements are locked. Restamp the gates behind it, then segments, then tell (own_wall.py).
    """
    changed = reclock(work, customers)
    want_back_reclocked(work, orders, changed)
    return Reclocked(changed, follow_walls(work, {*changed, *look}, by))


def take_back_moved_promises(open_work: OpenWork, offered: Sequence[UUID]) -> None:
    """Recall what is offered to keep a promise that has moved. What a crash leaves the reaper finds."""
    ordered = sorted(set(offered))
    for start in range(0, len(ordered), BATCH):
        with open_work() as work:
            recall(
                work,
                ordered[start : start + BATCH],
                "their promise moved with their wall",
                states=["offered"],
            )
