"""Who could take more customers of an assignment now, and how many."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Row

from calling.walls.pauses import Pauses
from models.sql import load
from models.work import Work

DEPTH = 2
"""Customers that wait in an available seller's list, so that the next one is there at once."""

IN_TOUCH = timedelta(minutes=5)
"""Business time after which a dialer's last word about what it wants is void."""


@dataclass(slots=True)
class Need:
    """One holder and how many more customers they could take; `segment_id` None: of any segment.

    `promised`: how many promised calls, which jump the queue and count towards `wanted`. `person`: somebody
    is heard, not a machine alone. `forbidden`: clocks where the law forbids them at any hour.
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


def needs_of(work: Work, standing: Pauses, assignment_id: int, only_seller: int | None) -> list[Need]:
    """Who wants customers and is not paused. Read behind the turnstile."""
    rows = _rows(work, standing, assignment_id, only_seller)
    return [_need(row, row.promised) for row in rows if row.wanted > 0 or row.promised > 0]


def hungry_and_there(work: Work, standing: Pauses, assignment_id: int) -> tuple[list[Need], list[Need]]:
    """Who has room for a promised call now, and who is there to keep one, if busy as yet; none is paused."""
    rows = _rows(work, standing, assignment_id, None)
    hungry = [_need(row, row.promised) for row in rows if row.promised > 0]
    return hungry, [_need(row, row.room) for row in rows if row.room > 0]


def _rows(work: Work, standing: Pauses, assignment_id: int, only_seller: int | None) -> list[Row[Any]]:
    rows = work.run(
        load("needs"),
        assignment_id=assignment_id, depth=DEPTH, only_seller=only_seller, in_touch_since=work.now - IN_TOUCH,
    ).all()  # fmt: skip
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
        row.seller_id, row.dialer_id, row.segment_id, row.wanted, rings_late, promised, row.robot, row.person
    )
