"""Whom a hand-out steps over although no gate of theirs is shut: held elsewhere, kept free, robots' alone.

None of it is stamped: it is over as soon as somebody hangs up or comes to work, and few are concerned.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from calling.hours.opening import Openings
from models.work import Work

HELD = "held"
KEPT = "kept_free"
ROBOTS = "robots"

MEANINGS = {
    HELD: "somebody of another assignment holds them, or whoever shares a number with them",
    KEPT: "are wanted for a promised call, or whoever shares a number with them: somebody is there to ring",
    ROBOTS: "no robot may be heard where they are, and only robots work the list",
}

# As models/sql/candidates.sql has them: by customer, whoever holds the number.
HELD_BY_ANYBODY = """
    select c.customer_id from claim_customer c where c.crm_id = :crm_id
    union
    select m.customer_id from claim_number n
      join customer_number m on m.crm_id = :crm_id and m.e164 = n.e164
     where n.crm_id = :crm_id"""
# As allocate.py has them; promise_watch.py keeps them free from tick to tick.
KEPT_FREE = """
    select f.customer_id, f.kept_free_until as until from follow_up f
     where f.crm_id = :crm_id and f.ended_at is null and f.kept_free_until > :now
    union
    select sharer.customer_id, f.kept_free_until from follow_up f
      join customer_number m on m.crm_id = :crm_id and m.customer_id = f.customer_id
      join customer_number sharer on sharer.crm_id = :crm_id and sharer.e164 = m.e164
     where f.crm_id = :crm_id and f.ended_at is null and f.kept_free_until > :now"""

_COUNTS = text(f"""
    with held as materialized ({HELD_BY_ANYBODY}
    ), kept as materialized (
        select customer_id, max(until) as until from ({KEPT_FREE}) k group by customer_id
    )
    select p.segment_id, p.clock_id, p.state, o.gate, count(*) as customers, min(o.until) as until
      from (select customer_id, '{HELD}' as gate, cast(null as timestamptz) as until from held
            union all
            select customer_id, '{KEPT}', until from kept
             where customer_id not in (select customer_id from held)) o
      join placement p on p.crm_id = :crm_id and p.assignment_id = :assignment_id
                      and p.customer_id = o.customer_id
     where p.gated_by is null and p.gone_at is null
       and (p.state = 'ready' or (p.state = 'follow_up' and p.due_at <= :now and o.gate = '{HELD}'))
     group by p.segment_id, p.clock_id, p.state, o.gate
""")  # noqa: S608 - our own words
_KEPT_FREE_UNTIL = text(f"select max(until) from ({KEPT_FREE}) k where customer_id = :customer_id")  # noqa: S608
_ROBOTS_ALONE = text("""
    select coalesce(bool_and(robot), false)
      from (select false as robot from seller
             where crm_id = :crm_id and assignment_id = :assignment_id and presence = 'available'
            union all
            select mode in ('key_press', 'voice_robot') from dialer
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
    rows = work.run(_COUNTS, assignment_id=assignment_id)
    return [
        SteppedOver(
            row.segment_id, row.clock_id, row.state == "follow_up", row.gate, row.customers,
            row.until,
        )
        for row in rows
    ]  # fmt: skip


def kept_free_until(work: Work, customer_id: int) -> datetime | None:
    """Until when a promised call, theirs or of who shares a number, keeps a customer free; None: none does.

    While somebody is there to ring, each tick puts it off again.
    """
    until: datetime | None = work.run(_KEPT_FREE_UNTIL, customer_id=customer_id).scalar()
    return until


def forbidden_to_all(work: Work, assignment_id: int, hours: Openings) -> frozenset[int]:
    """The clocks of `hours` at which nobody who works the assignment now may ring at any hour.

    Where the law forbids the voices of robots, and robots are all there is.
    """
    alone = hours.without_robots()
    if not alone or not work.run(_ROBOTS_ALONE, assignment_id=assignment_id).scalar_one():
        return frozenset()
    return alone
