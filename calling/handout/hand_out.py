"""A seller asks for their next customer.

Two tabs are one seller: whoever already holds a customer is shown that one again.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from calling.handout import allocate, gates, strands, top_of_list
from calling.handout.absence import told_utc
from calling.handout.connected import awaited, is_over
from calling.handout.give_back import give_back
from calling.handout.promised import OVERTAKEN
from calling.hours.opening import openings
from calling.walls import pauses
from models import turnstile
from models.errors import Conflict, NotFound
from models.work import OpenWork, Work

ROUNDS = 5
"""Of dealing for one seller, before they hear that nobody can be rung."""


@dataclass(frozen=True, slots=True)
class HandOut:
    """A customer on a seller's screen. `e164` is the number to ring; times are UTC.

    `promised_at`: a call was promised them for then, with `promise_note`; None: it was not. `hot_at`: since
    then they are a hot lead, with `hot_reason`; None: they are none. `flagged`: what an earlier call of
    theirs came to, told since this one began.
    """

    lease_id: UUID
    state: str
    assignment_id: int
    segment_id: int
    customer_id: int
    external_id: str
    name: str
    e164: str
    zone: str
    status: str
    attempts: int
    fields: dict[str, Any]
    ring_by: datetime
    expires_at: datetime
    promised_at: datetime | None = None
    promise_note: str | None = None
    flagged: str | None = None
    hot_at: datetime | None = None
    hot_reason: str | None = None


# Nearly always nothing promised is due, and nobody is a hot lead: the first row of an index says so, in a
# question that is asked anyway. (Asked whether one exists, the planner read all those of other assignments.)
_SELLER = text("""
    select s.presence, s.assignment_id, s.presence_since, s.away_reason, s.back_at, s.said_by,
           s.connected_lease_id,
           coalesce(s.asked_in_vain_at >= s.presence_since, false) as waits,
           coalesce((select min(f.due_at) from follow_up f
                      where f.crm_id = :crm_id and f.assignment_id = s.assignment_id
                        and f.ended_at is null) <= :now, false)
           or exists (select from hot_lead h
                       where h.crm_id = :crm_id and h.assignment_id = s.assignment_id
                         and h.ended_at is null) as front_due
      from seller s where s.crm_id = :crm_id and s.id = :seller_id
""")

_CARD = f"""
    select l.id as lease_id, l.state, l.assignment_id, p.segment_id, l.customer_id, c.external_id, c.name,
           l.e164, l.zone, p.status, p.attempts, c.fields, l.ring_by, l.expires_at, p.clock_id,
           f.asked_at as promised_at, f.note as promise_note, l.flagged, {OVERTAKEN} as overtaken,
           h.made_at as hot_at, h.reason as hot_reason
      from lease l
      left join follow_up f on f.crm_id = :crm_id and f.id = l.follow_up_id
      left join hot_lead h on h.crm_id = :crm_id and h.id = l.hot_lead_id
      join placement p on p.crm_id = :crm_id and p.assignment_id = l.assignment_id
                      and p.customer_id = l.customer_id
      join customer c on c.crm_id = :crm_id and c.id = l.customer_id
     where l.crm_id = :crm_id
"""  # noqa: S608 - our own words
# In the order of the index, or the planner takes another one of live leases: while there are few, all look
# alike to it, and only this one has no dead entries of everybody else's.
_LIST = text(f"{_CARD} and l.ended_at is null and l.seller_id = :seller_id order by l.id")
_ONE = text(f"{_CARD} and l.id = :lease_id")

# Two tabs at once begin at the same lease: who comes second finds it taken, and takes no other beside it.
_TAKE = text("""
    update lease l set state = 'taken', taken_at = :now,
           expires_at = least(l.ring_by, :now + a.hold_seconds * interval '1 second')
      from assignment a
     where l.crm_id = :crm_id and l.id = :lease_id and l.state = 'offered'
       and a.crm_id = :crm_id and a.id = l.assignment_id
       and not exists (select from lease held
                        where held.crm_id = :crm_id and held.seller_id = l.seller_id
                          and held.ended_at is null and held.state <> 'offered')
    returning l.expires_at
""")

# Since when they wait for a customer: the first time that they asked in vain.
_WAITS = text("""
    update seller set asked_in_vain_at = case when :waits then cast(:now as timestamptz) end
     where crm_id = :crm_id and id = :seller_id
""")


def next_customer(open_work: OpenWork, seller_id: int) -> HandOut | None:
    """The seller's next customer, taken; None when nobody can be rung now.

    A hot lead before all others, then a due promise, then the top of their own list by key; a seller with an
    empty list deals for themself, behind those who have waited longer. Whoever asked in vain waits from then
    on. Raises NotFound, and Conflict when the seller is away or works no assignment.
    """
    if (top := top_of_list.take(open_work, seller_id)) is not None:
        return _card(top)
    stopped: list[UUID] = []
    with open_work() as work:
        seller = _working(work, seller_id)
        if connected := _on_the_line(work, seller_id, seller.connected_lease_id):
            return connected
        assignment_id = seller.assignment_id
        turnstile.pass_shared(work, [assignment_id])
        jumps = seller.front_due and allocate.front_waits(work, assignment_id, seller_id)
        card = None if jumps else _held_or_taken(work, seller_id, assignment_id, stopped)
    if stopped:
        with open_work() as work:
            turnstile.pass_shared(work, [assignment_id])
            give_back(work, sorted(stopped), "released", states=["offered"])
    if seller.connected_lease_id is not None:
        with open_work() as work:
            is_over(work, seller_id, seller.connected_lease_id)
    stranded = None
    if card is None:
        card, stranded = _deal(open_work, seller_id, assignment_id, jumps=jumps)
    if stranded and strands.take_back(open_work, assignment_id, stranded):
        card, _ = _deal(open_work, seller_id, assignment_id)
    if seller.waits == (card is not None):
        with open_work() as work:
            work.run(_WAITS, seller_id=seller_id, waits=card is None)
    return card


def _deal(
    open_work: OpenWork, seller_id: int, assignment_id: int, *, jumps: bool = False
) -> tuple[HandOut | None, UUID | None]:
    """Deal for one seller until they have a customer; else which card could be taken back for them.

    `jumps`: a hot lead waits or a promise is due, so that whoever is in their list has to wait. A round that
    met only blocked customers has stamped them: the next one sees further. Each is a transaction of its own:
    what it locks, it locks in key order.
    """
    for _ in range(ROUNDS):
        with open_work() as work:
            turnstile.pass_as_allocator(work, assignment_id)
            # Somebody may have dealt for us while we waited to become the allocator.
            card = None if jumps else _held_or_taken(work, seller_id, assignment_id, [])
            if card is not None:
                return card, None
            jumps = False
            dealt = allocate.deal(work, assignment_id, only_seller=seller_id)
            card = _held_or_taken(work, seller_id, assignment_id, [])
        if card is not None or not dealt.short:
            return card, dealt.stranded
    return None, None


def one_card(work: Work, lease_id: UUID, **now: Any) -> HandOut:
    """The card of one lease, whatever became of it; `now`: what is shown otherwise."""
    return _card(work.run(_ONE, lease_id=lease_id).one(), **now)


def _on_the_line(work: Work, seller_id: int, lease_id: UUID | None) -> HandOut | None:
    """The call that a dialer put through to them, while it is theirs to finish."""
    found = awaited(work, seller_id, lease_id) if lease_id is not None else None
    return (
        None
        if found is None
        else one_card(work, found.lease_id, state=found.state, expires_at=found.expires_at)
    )


def _working(work: Work, seller_id: int) -> Row[Any]:
    """The assignment that they work; whether it has hot leads, or due promises. Raises NotFound, Conflict."""
    seller = work.run(_SELLER, seller_id=seller_id).first()
    if seller is None:
        raise NotFound("seller", seller_id)
    if seller.presence != "available":
        raise _away(seller)
    if seller.assignment_id is None:
        raise Conflict("you work no assignment: choose one first")
    return seller


def _away(seller: Row[Any]) -> Conflict:
    """Since when they are away, why, until when, and who said so."""
    why = told_utc(seller.away_reason, seller.back_at)
    by = f", says {seller.said_by}" if seller.said_by else ""
    return Conflict(
        f"you are away{': ' if why else ''}{why}{by}; become available first",
        presence=seller.presence, since=seller.presence_since, reason=seller.away_reason,
        back_at=seller.back_at, said_by=seller.said_by,
    )  # fmt: skip


def _held_or_taken(work: Work, seller_id: int, assignment_id: int, stopped: list[UUID]) -> HandOut | None:
    """What they hold already, else the first of their list that may be rung.

    Who is paused or whose clock is shut stays, for the recall or the reaper; who may not be rung any more, or
    was offered for what is no longer so, is noted in `stopped`: they would keep the list full and the seller
    idle.
    """
    cards = sorted(
        work.run(_LIST, seller_id=seller_id), key=lambda row: (row.hot_at is None, row.promised_at is None)
    )
    held = next((row for row in cards if row.state != "offered"), None)
    if held:
        return _card(held)
    rows = [row for row in cards if row.assignment_id == assignment_id and row.ring_by > work.now]
    if not rows:
        return None
    standing = pauses.standing(work)
    hours = openings(work, sorted({row.clock_id for row in rows}))
    facts = gates.facts_of(work, assignment_id, [row.customer_id for row in rows])
    for row in rows:
        paused = standing.shut(assignment_id=assignment_id, segment_id=row.segment_id, seller_id=seller_id)
        fact = facts.get(row.customer_id)
        if row.overtaken or (fact is not None and _stopped(fact, row.e164)):
            stopped.append(row.lease_id)
            continue
        doors = hours.of(assignment_id, row.segment_id)
        if paused or not doors.is_open(row.clock_id, work.now) or fact is None:
            continue
        expiry = work.run(_TAKE, lease_id=row.lease_id).scalar()
        if expiry is not None:
            return _card(row, state="taken", expires_at=expiry)
    return None


def _stopped(fact: gates.Facts, e164: str) -> bool:
    """A gate is shut, an earlier call has closed the customer, or another number is the one to ring now."""
    return bool(fact.shut) or fact.closed or fact.e164 != e164


def _card(row: Row[Any], **now: Any) -> HandOut:
    values = {name: getattr(row, name) for name in HandOut.__dataclass_fields__}
    return HandOut(**{**values, **now})
