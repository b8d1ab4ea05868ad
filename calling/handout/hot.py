"""Hot leads are dealt before all else: to whoever is not in a call, beyond what lies in their list.

Gates, hours and pauses bind as ever; where nobody is free, they wait for the first who is, in nobody's list.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import text

from calling.handout.closing import Closing, bound
from calling.handout.needs import Need
from calling.hours.opening import last_ring_by
from models.outcomes import EFFECTS
from models.work import Work

BATCH = 200

HOLD = timedelta(minutes=1)
"""Business time for which a hot lead lies in a list; then it is somebody else's turn."""

MISSED = [outcome.value for outcome, effect in EFFECTS.items() if not effect.rang or effect.number_state]
"""By these a call has not reached the customer: nothing rang, or it was not theirs."""

SERVED_BY = """
    select l.id, l.ended_at from lease l
     where l.crm_id = :crm_id and l.customer_id = h.customer_id and l.assignment_id = h.assignment_id
       and l.rung_at is not null and (l.hot_lead_id = h.id or l.rung_at > h.made_at)
       and not exists (
            select from attempt a
             where a.crm_id = :crm_id and a.lease_id = l.id and a.outcome = any(:missed)
               and not exists (select from attempt later
                                where later.crm_id = :crm_id and later.lease_id = a.lease_id
                                  and later.revision > a.revision))"""
"""SQL over `h` hot_lead: the calls that have reached them since, or do at this moment. Bind :missed."""

# By keys whatever the planner has heard of the tables' sizes (offset 0): open ones are few.
_WAITING = text(f"""
    select h.id, h.customer_id, p.segment_id, p.clock_id
      from hot_lead h
     cross join lateral (
        select * from placement p
         where p.crm_id = :crm_id and p.assignment_id = h.assignment_id and p.customer_id = h.customer_id
        offset 0) p
      join unnest(cast(:segments as bigint[]), cast(:hours as bigint[])) as door(segment_id, hours)
        on door.segment_id = p.segment_id and door.hours + p.clock_id = any(cast(:open as bigint[]))
     where h.crm_id = :crm_id and h.assignment_id = :assignment_id and h.ended_at is null
       and p.state = 'ready' and p.gated_by is null
       and (:even_held
            or not exists (select from claim_customer c
                            where c.crm_id = :crm_id and c.customer_id = h.customer_id)
           and not exists (select from customer_number m
                             join claim_number n on n.crm_id = :crm_id and n.e164 = m.e164
                            where m.crm_id = :crm_id and m.customer_id = h.customer_id))
       and not exists ({SERVED_BY})
     order by h.made_at, h.id limit {BATCH}
""")  # noqa: S608 - our own words


class Hot(NamedTuple):
    """A hot lead who could be rung now, where they are, and the clock by which they may be rung."""

    hot_lead_id: int
    customer_id: int
    segment_id: int
    clock_id: int


def waiting(work: Work, assignment_id: int, closing: Closing, *, even_held: bool = False) -> list[Hot]:
    """Hot leads who could be rung now, the first come first, at most 200. Stamps are believed.

    `even_held`: also those whom, or whose number, somebody holds for something else.
    """
    rows = work.run(
        _WAITING, assignment_id=assignment_id, missed=MISSED, even_held=even_held,
        **bound(closing, list(closing)),
    )  # fmt: skip
    return [Hot(row.id, row.customer_id, row.segment_id, row.clock_id) for row in rows]


def deal_hot(
    work: Work, assignment_id: int, needs: Sequence[Need], closing: Closing, *, even_held: bool = False
) -> list[tuple[Hot, Need]]:
    """Hot leads and who is to ring them: the first, in the order of dealing, who is not in a call.

    What a need is given counts towards what it wants.
    """
    free = [need for need in needs if need.promised > 0]
    found = waiting(work, assignment_id, closing, even_held=even_held) if free else []
    dealt = []
    for hot in found:
        need = next((one for one in free if _may_ring(one, hot, closing, work.now)), None)
        if need is not None:
            need.keep()
            dealt.append((hot, need))
    return dealt


def _may_ring(need: Need, hot: Hot, closing: Closing, now: datetime) -> bool:
    closes_at = closing[hot.segment_id][hot.clock_id]
    return (
        need.promised > 0 and need.segment_id in (None, hot.segment_id)
        and hot.clock_id not in need.forbidden and last_ring_by(closes_at, need.rings_late) > now
    )  # fmt: skip
