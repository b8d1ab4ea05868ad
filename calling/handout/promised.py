"""Promised calls that are due: to whom they may be handed out, and whom somebody else holds meanwhile.

A personal one is its owner's; it is everybody's once a grace of business time is over, or at once while its
owner is away for the day: away for an hour or longer, which no break is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text

from calling.handout.closing import Closing, bound
from calling.handout.needs import Need
from calling.handout.recalling import recall
from calling.hours.opening import last_ring_by
from models.work import OpenWork, Work

AWAY_FOR_THE_DAY = timedelta(hours=1)
"""Business time after which a seller who is away is not expected back for what is due."""

KEPT_FREE = timedelta(hours=1)
"""For so long after it came due, other assignments keep off a customer who is promised a call."""

BATCH = 200

_OWNER = """
    join assignment a on a.crm_id = :crm_id and a.id = f.assignment_id
    left join seller s on s.crm_id = :crm_id and s.id = f.seller_id
"""
PASSED = f"""(f.seller_id is null
    or f.due_at + a.follow_up_grace_seconds * interval '1 second' <= :now
    or (s.presence = 'away' and s.presence_since <= cast(:now as timestamptz)
        - interval '{AWAY_FOR_THE_DAY.total_seconds():.0f} seconds'))"""
"""SQL over `f` follow_up, `a` its assignment and `s` its owner: whether anybody may ring."""

_STANDS = """f.ended_at is null and f.due_at <= :now
       and p.state = 'follow_up' and p.due_at <= :now and p.gated_by is null"""
_PLACEMENT = """join placement p on p.crm_id = :crm_id and p.assignment_id = f.assignment_id
                     and p.customer_id = f.customer_id"""
_FREE = """not exists (select from claim_customer c
                       where c.crm_id = :crm_id and c.customer_id = f.customer_id)
       and not exists (select from customer_number m
                         join claim_number n on n.crm_id = :crm_id and n.e164 = m.e164
                        where m.crm_id = :crm_id and m.customer_id = f.customer_id)"""
# A clock under the hours of its segment, both in one number: segments with the same hours share it.
_OPEN = """join unnest(cast(:segments as bigint[]), cast(:hours as bigint[])) as doors(segment_id, hours)
                   on doors.segment_id = p.segment_id
                  and doors.hours + p.clock_id = any(cast(:open as bigint[]))"""
_MAY = f"{_STANDS} and f.assignment_id = :assignment_id and {_FREE}"

# Owners and everybody are two probes, each by its own index: what waits for an owner who is busy would fill
# the list of one.
_DUE = text(f"""
    (select own.*, w.seller_id as owner_id
       from unnest(cast(:sellers as bigint[])) as w(seller_id)
      cross join lateral (
         select f.id, f.customer_id, p.segment_id, p.clock_id, f.due_at
           from follow_up f {_PLACEMENT} {_OPEN}
          where f.crm_id = :crm_id and f.seller_id = w.seller_id and {_MAY}
          order by f.due_at, f.id limit 1) own
      order by own.due_at, own.id)
    union all
    (select f.id, f.customer_id, p.segment_id, p.clock_id, f.due_at, null
       from follow_up f {_PLACEMENT} {_OPEN} {_OWNER}
      where f.crm_id = :crm_id and {_MAY} and {PASSED}
      order by f.due_at, f.id limit :most)
""")  # noqa: S608 - our own words
_OVER = text("""
    select id from follow_up where crm_id = :crm_id and id = any(:follow_ups) and ended_at is not null
""")
_ELSEWHERE = text(f"""
    select distinct l.id
      from follow_up f {_PLACEMENT}
     cross join lateral (
        select c.lease_id from claim_customer c where c.crm_id = :crm_id and c.customer_id = f.customer_id
        union
        select n.lease_id from customer_number m
          join claim_number n on n.crm_id = :crm_id and n.e164 = m.e164
         where m.crm_id = :crm_id and m.customer_id = f.customer_id) held
      join lease l on l.crm_id = :crm_id and l.id = held.lease_id
     where f.crm_id = :crm_id and f.due_at > :since and {_STANDS}
       and l.ended_at is null and l.state = 'offered' and l.follow_up_id is null
       and not exists (select from recall r where r.crm_id = :crm_id and r.lease_id = l.id)
     order by l.id limit :batch
""")  # noqa: S608 - our own words


@dataclass(frozen=True, slots=True)
class Due:
    """A promised call that is due. `owner_id`: only this seller may ring yet; None: anybody."""

    follow_up_id: int
    customer_id: int
    segment_id: int
    clock_id: int
    owner_id: int | None


def due_promises(
    work: Work, assignment_id: int, *, sellers: Sequence[int], closing: Closing, most: int
) -> list[Due]:
    """One personal to each of these sellers, then `most` that are anybody's; each oldest first, each once.

    Stamps are believed: whoever leases them asks the gates.
    """
    rows = work.run(
        _DUE, assignment_id=assignment_id, sellers=list(sellers), **bound(closing, list(closing)), most=most
    )
    found: dict[int, Due] = {}
    for row in sorted(rows, key=lambda row: row.owner_id is None):
        due = Due(row.id, row.customer_id, row.segment_id, row.clock_id, row.owner_id)
        found.setdefault(row.id, due)
    return list(found.values())


def deal_promises(
    work: Work, assignment_id: int, needs: Sequence[Need], closing: Closing
) -> list[tuple[Due, Need]]:
    """Due promises and who is to keep them: personal ones their owners, then what is anybody's.

    What a need is given counts towards what it wants. `closing`: of all segments that are not paused.
    """
    hungry = [need for need in needs if need.promised > 0]
    if not hungry:
        return []
    sellers = [need.seller_id for need in hungry if need.seller_id is not None]
    most = min(2 * sum(need.promised for need in hungry), BATCH)  # some may be nobody's here to keep
    found = due_promises(work, assignment_id, sellers=sellers, closing=closing, most=most)
    dealt: list[tuple[Due, Need]] = []
    for due in found[:BATCH]:
        closes_at = closing[due.segment_id][due.clock_id]
        need = next((one for one in hungry if _may_keep(one, due, closes_at, work.now)), None)
        if need is not None:
            need.promised, need.wanted = need.promised - 1, need.wanted - 1
            dealt.append((due, need))
    return dealt


def _may_keep(need: Need, due: Due, closes_at: datetime, now: datetime) -> bool:
    """Whether a promised call may be this holder's. An owner keeps theirs, whatever segment it is in."""
    if need.promised < 1 or last_ring_by(closes_at, need.rings_late) <= now or due.clock_id in need.forbidden:
        return False
    if due.owner_id is not None:
        return due.owner_id == need.seller_id
    return need.segment_id in (None, due.segment_id)


def ended_promises(work: Work, follow_ups: Sequence[int]) -> set[int]:
    """Those of these that were changed or taken back by now. The caller holds their placements."""
    return set(work.run(_OVER, follow_ups=list(follow_ups)).scalars()) if follow_ups else set()


def recall_for_promises(open_work: OpenWork) -> int:
    """Want back the customers of due promises who are offered to somebody else; how many leases.

    Once a recall is confirmed the promise is handed out. Whoever has taken or rung them goes on.
    """
    with open_work() as work:
        leases = list(work.run(_ELSEWHERE, since=work.now - KEPT_FREE, batch=BATCH).scalars())
    if leases:
        with open_work() as work:
            recall(work, leases, "a promised call is due", states=["offered"])
    return len(leases)
