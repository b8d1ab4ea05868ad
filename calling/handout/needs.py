"""Who could take more customers of an assignment now, and how many."""

from dataclasses import dataclass
from datetime import timedelta

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

    `promised`: how many promised calls, which jump the queue and count towards `wanted`. `forbidden`: clocks
    where the law forbids them at any hour.
    """

    seller_id: int | None
    dialer_id: int | None
    segment_id: int | None
    wanted: int
    rings_late: timedelta
    promised: int
    robot: bool = False
    forbidden: frozenset[int] = frozenset()


def needs_of(work: Work, standing: Pauses, assignment_id: int, only_seller: int | None) -> list[Need]:
    """Who wants customers and is not paused. Read behind the turnstile."""
    rows = work.run(
        load("needs"),
        assignment_id=assignment_id, depth=DEPTH, only_seller=only_seller, in_touch_since=work.now - IN_TOUCH,
    ).all()  # fmt: skip
    needs = [
        Need(
            r.seller_id,
            r.dialer_id,
            r.segment_id,
            r.wanted,
            timedelta(seconds=r.rings_late_seconds),
            r.promised,
            r.robot,
        )
        for r in rows
        if r.wanted > 0 or r.promised > 0
    ]
    paused = {
        id(need)
        for need in needs
        if standing.shut(
            assignment_id=assignment_id, segment_id=need.segment_id,
            seller_id=need.seller_id, dialer_id=need.dialer_id,
        )
    }  # fmt: skip
    return [need for need in needs if id(need) not in paused]
