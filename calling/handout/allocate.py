"""Allocation: the best free customers, spread over sellers' lists and dialers' queues.

One allocator at a time per assignment: sixteen who all want the same best card come back empty nine
times of ten, one who deals for everybody never does (design 5.3).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from heapq import heapify, heappop, heappush
from uuid import UUID

from sqlalchemy import RowMapping

from calling.handout import gates, strands
from calling.handout.candidates import Card, candidates, scarce
from calling.handout.closing import Closing, closing_of
from calling.handout.hot import deal_hot
from calling.handout.leasing import Chosen, lease_all
from calling.handout.needs import Need, needs_of, shrink
from calling.handout.promised import deal_promises
from calling.handout.round_reading import Reading, read
from calling.hours.opening import last_ring_by
from calling.walls import pauses
from models import turnstile
from models.work import OpenWork, Work

BATCH = 200
"""Leases of one transaction: short enough that a pause never waits long behind it."""

SPARE = 8
"""Customers looked at beyond those that are wanted, before the rest of twice as many."""


@dataclass(frozen=True, slots=True)
class Allocation:
    """`leased` customers were dealt; `short`: some were lost to others, so another round may find more.

    `stranded`: where a seller who asks found nobody, what may be taken for them from another's list.
    """

    leased: int
    short: bool
    stranded: UUID | None = None


def allocate_all(open_work: OpenWork, assignment_id: int, *, rounds: int = 20) -> int:
    """Deal until everybody has what they want or nothing is left; how many were leased."""
    total = 0
    for _ in range(rounds):
        with open_work() as work:
            done = allocate(work, assignment_id)
        total += done.leased
        if not done.short:
            break
    return total


def allocate(work: Work, assignment_id: int, *, only_seller: int | None = None) -> Allocation:
    """One round for one assignment, in the transaction of `work`: at most 200 leases.

    Takes the allocator lock, passes the turnstile, then reads. Raises NotFound.
    """
    behind = turnstile.as_allocator(assignment_id)
    return _deal(work, read(work, assignment_id, only_seller, behind=behind), only_seller)


def deal(work: Work, assignment_id: int, *, only_seller: int | None = None) -> Allocation:
    """The round itself; the caller is the allocator and has passed the turnstile."""
    return _deal(work, read(work, assignment_id, only_seller), only_seller)


def _deal(work: Work, reading: Reading, only_seller: int | None) -> Allocation:
    assignment, needs, closing = reading.assignment, reading.needs, reading.closing
    assignment_id: int = assignment["id"]
    own = next((need for need in needs if need.seller_id == only_seller), None) if only_seller else None
    if own:
        own.in_hand = 0  # what lies in their list is shut just now, or they would not ask
    if not any(closing.values()):
        return Allocation(0, False)
    first = _front(work, assignment, needs, closing)
    wanted = _wanted(needs, BATCH - len(first))
    found = candidates(work, assignment, needs, closing, wanted)
    if few := scarce(found, needs, wanted):
        shrink(needs, few)
        wanted = _wanted(needs, wanted)
    first_ids = [c.customer_id for c in first]
    # Most of the best are free: the others are asked about only if these were not enough.
    facts = _facts(work, reading, [*first_ids, *(c.customer_id for c in found[: wanted + SPARE])])
    dealt = _spread(work, _free(found, facts), needs, closing)[:wanted]
    if len(dealt) < wanted and len(found) > wanted + SPARE:
        facts |= _facts(work, reading, [c.customer_id for c in found[wanted + SPARE :]])
        dealt = _spread(work, _free(found, facts), needs, closing)[:wanted]
    blocked = [customer for customer, fact in facts.items() if fact.shut]
    kept = [c for c in first if c.customer_id in facts and _is_free(facts[c.customer_id])]
    leased = lease_all(work, assignment, kept + dealt, facts, closing, blocked)
    _tell(work, (c.need for c in kept + dealt if c.lease_id in leased), only_seller)
    progress = bool(leased or blocked)
    unmet = len(leased) - len(kept) < wanted and len(found) >= wanted
    stranded = None
    if own and only_seller and not progress:
        stranded = strands.find(work, assignment_id, only_seller, own.segment_id, closing)
    return Allocation(len(leased), progress and (unmet or wanted == BATCH), stranded)


def _tell(work: Work, dealt_to: Iterable[Need], asker: int | None) -> None:
    """Whoever had nothing may be waiting for what they have now."""
    for need in dealt_to:
        if need.idle and need.seller_id is not None and need.seller_id != asker:
            work.hint("customer_ready", need.seller_id)


def scarce_now(work: Work, assignment_id: int) -> set[int | None]:
    """Of what segments (None: any) fewer are free than full lists take, so that a seller holds one."""
    now = read(work, assignment_id, None)
    wanted = _wanted(now.needs, BATCH)
    open_there = any(now.closing.values())
    found = candidates(work, now.assignment, now.needs, now.closing, wanted) if open_there else []
    return scarce(found, now.needs, wanted)


def front_waits(work: Work, assignment_id: int, seller_id: int) -> bool:
    """Whether a hot lead or a due promise would be dealt to this seller now.

    The caller has passed the turnstile.
    """
    standing = pauses.standing(work)
    needs = needs_of(work, standing, assignment_id, seller_id)
    if not any(need.promised > 0 for need in needs):
        return False
    closing = closing_of(work, standing, assignment_id, needs)
    dealt = [need for _, need in deal_hot(work, assignment_id, needs, closing)]
    dealt += [need for _, need in deal_promises(work, assignment_id, needs, closing)]
    return any(need.seller_id == seller_id for need in dealt)


def _wanted(needs: Iterable[Need], most: int) -> int:
    return min(sum(max(need.wanted, 0) for need in needs), most)


def _front(work: Work, assignment: RowMapping, needs: Sequence[Need], closing: Closing) -> list[Chosen]:
    """Who is dealt before anybody else: hot leads, then due promises."""
    hot = deal_hot(work, assignment["id"], needs, closing) if assignment["hot"] else []
    due = deal_promises(work, assignment["id"], needs, closing) if assignment["promise_due"] else []
    ids = iter(sorted(work.new_id(work.now) for _ in (*hot, *due)))
    chosen = [
        Chosen(one.customer_id, one.segment_id, one.clock_id, need, next(ids), hot_lead_id=one.hot_lead_id)
        for one, need in hot
    ]
    return chosen + [
        Chosen(one.customer_id, one.segment_id, one.clock_id, need, next(ids), one.follow_up_id)
        for one, need in due
    ]


def _facts(work: Work, reading: Reading, customers: Sequence[int]) -> dict[int, gates.Facts]:
    if not customers:
        return {}
    return gates.facts_of(work, reading.assignment["id"], customers, asked=reading.limits)


def _free(found: Iterable[Card], facts: Mapping[int, gates.Facts]) -> list[Card]:
    return [card for card in found if card.customer_id in facts and _is_free(facts[card.customer_id])]


def _is_free(fact: gates.Facts) -> bool:
    return not (fact.shut or fact.held)


def _spread(work: Work, free: Sequence[Card], needs: Sequence[Need], closing: Closing) -> list[Chosen]:
    """Deal in turns, the best customers first: nobody's second before everybody's first.

    What a seller has in hand counts; among equals it is their turn in the order of `needs`.
    """
    chosen: list[Chosen] = []
    left = list(free)
    # Ids of one instant are in random order; sorted, a list in order of ids is in order of dealing.
    ids = iter(sorted(work.new_id(work.now) for _ in left))
    turns = [(need.in_hand, place, need.wanted) for place, need in enumerate(needs) if need.wanted > 0]
    heapify(turns)
    while turns and left:
        has, place, wanted = heappop(turns)
        card = next((c for c in left if _suits(needs[place], c, closing, work.now)), None)
        if card is None:
            continue
        left.remove(card)
        chosen.append(Chosen(*card, need=needs[place], lease_id=next(ids)))
        if wanted > 1:
            heappush(turns, (has + 1, place, wanted - 1))
    return chosen


def _suits(need: Need, card: Card, closing: Closing, now: datetime) -> bool:
    """Whether a customer is of the need's segment, and could not be rung past closing by it (P3)."""
    closes_at = closing[card.segment_id][card.clock_id]
    asked = need.segment_id in (None, card.segment_id) and card.clock_id not in need.forbidden
    return asked and last_ring_by(closes_at, need.rings_late) > now
