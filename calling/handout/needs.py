"""Who could take more customers of an assignment now, and how many."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Row

from calling.walls.pauses import Pauses
from models.sql import load
from models.work import Question, Work

DEPTH = 2
"""Customers that wait in an available seller's list, so that the next one is there at once."""

AHEAD = 20
"""Sellers who wait longer are dealt to before whoever asks for themself, at most."""

IN_TOUCH = timedelta(minutes=5)
"""Business time after which a dialer's last word about what it wants is void."""


@dataclass(slots=True)
class Need:
    """One holder and how many more customers they could take; `segment_id` None: of any segment.

    `promised`: how many promised calls, which jump the queue and count towards `wanted`. `person`: somebody
    is heard, not a machine alone. `forbidden`: clocks where the law forbids them at any hour. `in_hand`: what
    a seller holds, the call they are in among it. `idle`: they held nothing before this round.
    """

    seller_id: int | None
    dialer_id: int | None
    segment_id: int | None
    wanted: int
    rings_late: timedelta
    promised: int
    robot: bool = False
    person: bool = True
    forbidden: frozenset[int] = frozenset()
    in_hand: int = 0
    idle: bool = False

    def keep(self) -> None:
        """A promise is dealt to them: it counts towards what they want."""
        self.promised, self.wanted, self.in_hand = self.promised - 1, self.wanted - 1, self.in_hand + 1


def needs_of(work: Work, standing: Pauses, assignment_id: int, only_seller: int | None) -> list[Need]:
    """Who wants customers and is not paused, in the order in which they are dealt to.

    `only_seller`: that one, and who has nothing and waits longer. Read behind the turnstile.
    """
    question, values = asked(work, assignment_id, only_seller)
    return told(work.run(question, **values), standing, assignment_id)


def asked(work: Work, assignment_id: int, only_seller: int | None) -> Question:
    """The question to which `told` reads the answer."""
    return load("needs"), {
        "assignment_id": assignment_id, "depth": DEPTH, "only_seller": only_seller, "ahead": AHEAD,
        "in_touch_since": work.now - IN_TOUCH,
    }  # fmt: skip


def told(rows: Iterable[Row[Any]], standing: Pauses, assignment_id: int) -> list[Need]:
    """Who wants customers and is not paused, as the rows say."""
    there = _not_paused(rows, standing, assignment_id)
    return [_need(row, row.promised) for row in there if row.wanted > 0 or row.promised > 0]


def hungry_and_there(work: Work, standing: Pauses, assignment_id: int) -> tuple[list[Need], list[Need]]:
    """Who has room for a promised call now, and who is there to keep one, if busy as yet; none is paused."""
    question, values = asked(work, assignment_id, None)
    rows = _not_paused(work.run(question, **values), standing, assignment_id)
    hungry = [_need(row, row.promised) for row in rows if row.promised > 0]
    return hungry, [_need(row, row.room) for row in rows if row.room > 0]


def shrink(needs: Sequence[Need], scarce: Collection[int | None]) -> None:
    """One at a time, the call that they are in included, for each seller of these segments (None: of any).

    What is left of them stays free for whoever asks: nobody waits while it lies in the list of who talks.
    """
    for need in needs:
        if need.dialer_id is None and need.segment_id in scarce:
            need.wanted = min(need.wanted, 1 - need.in_hand)


def _not_paused(rows: Iterable[Row[Any]], standing: Pauses, assignment_id: int) -> list[Row[Any]]:
    return [
        row
        for row in rows
        if not standing.shut(
            assignment_id=assignment_id, segment_id=row.segment_id,
            seller_id=row.seller_id, dialer_id=row.dialer_id,
        )
    ]  # fmt: skip


def _need(row: Row[Any], promised: int) -> Need:
    rings_late = timedelta(seconds=row.rings_late_seconds)
    return Need(
        row.seller_id, row.dialer_id, row.segment_id, row.wanted, rings_late, promised, row.robot, row.person,
        in_hand=row.in_hand, idle=row.in_hand == 0,
    )  # fmt: skip
