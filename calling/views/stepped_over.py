"""Whom a hand-out steps over although no gate of theirs is shut: held elsewhere, kept free, robots' alone.

None of it is stamped: it is over as soon as somebody hangs up or comes to work, and few are concerned.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from calling.handout.promised import KEPT_FREE
from calling.hours.opening import Openings
from models.work import Work

HELD = "held"
KEPT = "kept_free"
ROBOTS = "robots"

MEANINGS = {
    HELD: "somebody of another assignment holds them, or whoever shares a number with them",
    KEPT: "were promised a call by another assignment, which has an hour to keep it",
    ROBOTS: "no robot may be heard where they are, and only robots work the list",
}

# As models/sql/candidates.sql has them: by customer, whoever holds the number.
HELD_BY_ANYBODY = """
    select c.customer_id from claim_customer c where c.crm_id = :crm_id
    union
    select m.customer_id from claim_number n
      join customer_number m on m.crm_id = :crm_id and m.e164 = n.e164
     where n.crm_id = :crm_id"""
# Promised by another assignment and due within the hour before now: allocate.py keeps off them.
KEPT_FREE_FOR_OTHERS = """
    select f.customer_id, f.due_at from follow_up f
     where f.crm_id = :crm_id and f.assignment_id <> :assignment_id and f.ended_at is null
       and f.due_at <= :now and f.due_at > :promised_since"""

_COUNTS = text(f"""
    with held as materialized ({HELD_BY_ANYBODY}
    ), kept as materialized (
        select customer_id, max(due_at) as due_at from ({KEPT_FREE_FOR_OTHERS}) k group by customer_id
    )
    select p.segment_id, p.clock_id, p.state, o.gate, count(*) as customers, min(o.due_at) as due_at
      from (select customer_id, '{HELD}' as gate, cast(null as timestamptz) as due_at from held
            union all
            select customer_id, '{KEPT}', due_at from kept
             where customer_id not in (select customer_id from held)) o
      join placement p on p.crm_id = :crm_id and p.assignment_id = :assignment_id
                      and p.customer_id = o.customer_id
     where p.gated_by is null and p.gone_at is null
       and (p.state = 'ready' or (p.state = 'follow_up' and p.due_at <= :now and o.gate = '{HELD}'))
     group by p.segment_id, p.clock_id, p.state, o.gate
""")  # noqa: S608 - our own words
_PROMISED_ELSEWHERE = text("""
    select due_at from follow_up
     where crm_id = :crm_id and customer_id = :customer_id and assignment_id <> :assignment_id
       and ended_at is null
     order by due_at
""")
_ROBOTS_ALONE = text("""
    select coalesce(bool_and(robot), false)
      from (select false as robot from seller
             where crm_id = :crm_id and assignment_id = :assignment_id and presence = 'available'
            union all
            select mode = 'voice_robot' from dialer
             where crm_id = :crm_id and assignment_id = :assignment_id and wanted > 0) works
""")


@dataclass(frozen=True, slots=True)
class SteppedOver:
    """So many customers of a segment and clock stop at `gate`; `until` (UTC): when the first go on by time.

    `promised`: they wait for a call that is due, they are not ready ones.
    """

    segment_id: int
    clock_id: int
    promised: bool
    gate: str
    customers: int
    until: datetime | None


def stepped_over(work: Work, assignment_id: int) -> list[SteppedOver]:
    """Whom a hand-out of an assignment would step over now, by segment and clock."""
    rows = work.run(_COUNTS, assignment_id=assignment_id, promised_since=work.now - KEPT_FREE)
    return [
        SteppedOver(
            row.segment_id, row.clock_id, row.state == "follow_up", row.gate, row.customers,
            row.due_at + KEPT_FREE if row.due_at else None,
        )
        for row in rows
    ]  # fmt: skip


def promised_elsewhere(work: Work, assignment_id: int, customer_id: int) -> list[datetime]:
    """When calls are due that other assignments have promised to a customer, the earliest first."""
    return list(work.run(_PROMISED_ELSEWHERE, assignment_id=assignment_id, customer_id=customer_id).scalars())


def kept_free_until(dues: list[datetime], at: datetime) -> datetime | None:
    """Until when promises due at `dues` elsewhere keep a customer free, as seen at `at`; None: none does."""
    ends = [due + KEPT_FREE for due in dues if due <= at < due + KEPT_FREE]
    return max(ends, default=None)


def forbidden_to_all(work: Work, assignment_id: int, hours: Openings) -> frozenset[int]:
    """The clocks of `hours` at which nobody who works the assignment now may ring at any hour.

    Where the law forbids the voices of robots, and robots are all there is.
    """
    alone = hours.without_robots()
    if not alone or not work.run(_ROBOTS_ALONE, assignment_id=assignment_id).scalar_one():
        return frozenset()
    return alone
