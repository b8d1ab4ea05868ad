"""Allocation: the best free customers, spread over sellers' lists and dialers' queues.

One allocator at a time per assignment: sixteen who all want the same best card come back empty nine
times of ten, one who deals for everybody never does (design 5.3).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import RowMapping, text

from calling.handout import claims, gates, placements
from calling.handout.promised import KEPT_FREE, Closing, deal_promises, ended_promises
from calling.hours.opening import last_ring_by, openings
from calling.hours.versions import version_id
from calling.walls import pauses
from models import turnstile
from models.errors import NotFound
from models.sql import load
from models.work import OpenWork, Work

DEPTH = 2
"""Customers that wait in an available seller's list, so that the next one is there at once."""

BATCH = 200
"""Leases of one transaction: short enough that a pause never waits long behind it."""

IN_TOUCH = timedelta(minutes=5)
"""Business time after which a dialer's last word about what it wants is void."""

EXPIRY_GRACE = timedelta(seconds=120)
"""Business time that a link has, after `ring_by`, to say what became of an order."""

_BEYOND_CLOCKS = 2**40  # ids of clocks are far smaller

# Whether anything promised is due, here or elsewhere: two looks at an index, in a question asked anyway.
_ASSIGNMENT = text("""
    select a.*,
           exists (select from follow_up f
                    where f.crm_id = :crm_id and f.assignment_id = a.id
                      and f.ended_at is null and f.due_at <= :now) as promise_due,
           array(select f.customer_id from follow_up f
                  where f.crm_id = :crm_id and f.assignment_id <> a.id
                    and f.ended_at is null and f.due_at <= :now and f.due_at > :promised_since) as kept_free
      from assignment a where a.crm_id = :crm_id and a.id = :assignment_id
""")
_SEGMENTS = text("""
    select id from segment
     where crm_id = :crm_id and assignment_id = :assignment_id and retired_at is null
     order by position, id
""")


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


@dataclass(frozen=True, slots=True)
class Chosen:
    """A customer dealt to a holder, not leased yet. `follow_up_id`: the promise that is kept by it."""

    customer_id: int
    segment_id: int
    clock_id: int
    need: Need
    lease_id: UUID
    follow_up_id: int | None = None


@dataclass(frozen=True, slots=True)
class Allocation:
    """`leased` customers were dealt; `short`: some were lost to others, so another round may find more."""

    leased: int
    short: bool


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
    turnstile.become_allocator(work, assignment_id)
    turnstile.pass_shared(work, [assignment_id])
    return deal(work, assignment_id, only_seller=only_seller)


def deal(work: Work, assignment_id: int, *, only_seller: int | None = None) -> Allocation:
    """The round itself; the caller is the allocator and has passed the turnstile."""
    asked = {"assignment_id": assignment_id, "promised_since": work.now - KEPT_FREE}
    assignment = work.run(_ASSIGNMENT, **asked).mappings().first()
    if assignment is None:
        raise NotFound("assignment", assignment_id)
    standing = pauses.standing(work)
    needs = _needs(work, standing, assignment_id, only_seller)
    closing = _closing(work, standing, assignment_id, needs) if needs else {}
    if not any(closing.values()):
        return Allocation(0, False)
    promised = _keep_promises(work, assignment_id, needs, closing) if assignment["promise_due"] else []
    wanted = min(sum(max(need.wanted, 0) for need in needs), BATCH - len(promised))
    found = _candidates(work, assignment, needs, closing, wanted)
    looked_at = [*(c.customer_id for c in promised), *(customer for customer, _, _ in found)]
    facts = gates.facts_of(work, assignment_id, looked_at) if looked_at else {}
    blocked = [customer for customer, fact in facts.items() if fact.shut]
    free = [card for card in found if card[0] in facts and not (facts[card[0]].shut or facts[card[0]].held)]
    kept = [c for c in promised if (f := facts.get(c.customer_id)) and not (f.shut or f.held)]
    chosen = kept + _spread(work, free, needs, closing)[:wanted]
    leased = _lease(work, assignment, chosen, facts, closing, blocked)
    progress = bool(leased or blocked)
    unmet = len(leased) - len(kept) < wanted and len(found) >= wanted
    return Allocation(len(leased), progress and (unmet or wanted == BATCH))


def promise_waits(work: Work, assignment_id: int, seller_id: int) -> bool:
    """Whether a due promise would be dealt to this seller now. The caller has passed the turnstile."""
    standing = pauses.standing(work)
    needs = _needs(work, standing, assignment_id, seller_id)
    if not any(need.promised > 0 for need in needs):
        return False
    closing = _closing(work, standing, assignment_id, needs)
    return bool(deal_promises(work, assignment_id, needs, closing))


def _needs(work: Work, standing: pauses.Pauses, assignment_id: int, only_seller: int | None) -> list[Need]:
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


def _closing(work: Work, standing: pauses.Pauses, assignment_id: int, needs: Sequence[Need]) -> Closing:
    """The segments that are not paused, in order of priority, each with its open clocks."""
    segments = [
        segment
        for segment in work.run(_SEGMENTS, assignment_id=assignment_id).scalars()
        if not standing.shut(assignment_id=assignment_id, segment_id=segment)
    ]
    known = openings(work)
    for need in needs:
        need.forbidden = known.without_robots() if need.robot else frozenset()
    nobodys = frozenset.intersection(*(need.forbidden for need in needs))
    if nobodys:
        known = replace(
            known, clocks={key: clock for key, clock in known.clocks.items() if key not in nobodys}
        )
    there: dict[int, Mapping[int, datetime]] = {}
    for doors, same in known.by_hours(assignment_id, segments):
        there |= dict.fromkeys(same, doors.open(work.now))  # asked once for all of them
    return {segment: there[segment] for segment in segments}


def _keep_promises(work: Work, assignment_id: int, needs: Sequence[Need], closing: Closing) -> list[Chosen]:
    """Due promises, dealt before anybody else."""
    pairs = deal_promises(work, assignment_id, needs, closing)
    ids = sorted(work.new_id(work.now) for _ in pairs)
    return [
        Chosen(due.customer_id, due.segment_id, due.clock_id, need, lease_id, due.follow_up_id)
        for (due, need), lease_id in zip(pairs, ids, strict=True)
    ]


def _candidates(
    work: Work, assignment: RowMapping, needs: Sequence[Need], closing: Closing, wanted: int
) -> list[tuple[int, int, int]]:
    """Twice as many (customer, segment, clock) as wanted, best first; some will be lost to others."""
    if wanted < 1:
        return []
    asked = {need.segment_id for need in needs if need.wanted > 0}
    segments = [segment for segment in closing if None in asked or segment in asked]
    most = 2 * wanted
    # Segments under the same hours share one set of open clocks, and name it by a number beyond all clocks.
    sets = {id(closing[segment]): closing[segment] for segment in segments}
    numbers = {one: n * _BEYOND_CLOCKS for n, one in enumerate(sets)}
    rows = work.run(
        load("candidates"),
        assignment_id=assignment["id"], segments=segments,
        hours=[numbers[id(closing[segment])] for segment in segments],
        open=[numbers[one] + clock for one, clocks in sets.items() for clock in clocks], most=most,
        kept_free=assignment["kept_free"],
        most_in_all=most if asked == {None} else most * max(len(segments), 1),
    )  # fmt: skip
    return [(row.customer_id, row.segment_id, row.clock_id) for row in rows]


def _spread(
    work: Work, free: Sequence[tuple[int, int, int]], needs: Sequence[Need], closing: Closing
) -> list[Chosen]:
    """Deal in turns: everybody's first customer before anybody's second, best customers first."""
    chosen: list[Chosen] = []
    left = list(free)
    # Ids of one instant are in random order; sorted, a list in order of ids is in order of dealing.
    ids = iter(sorted(work.new_id(work.now) for _ in left))
    hungry = [need for need in needs if need.wanted > 0]
    given = dict.fromkeys(map(id, hungry), 0)
    while hungry and left:
        for need in list(hungry):
            card = next((c for c in left if _suits(need, c, closing, work.now)), None)
            if card is None:
                hungry.remove(need)
                continue
            left.remove(card)
            chosen.append(Chosen(*card, need=need, lease_id=next(ids)))
            given[id(need)] += 1
            if given[id(need)] == need.wanted:
                hungry.remove(need)
    return chosen


def _suits(need: Need, card: tuple[int, int, int], closing: Closing, now: datetime) -> bool:
    """Whether a customer is of the need's segment, and could not be rung past closing by it (P3)."""
    _, segment_id, clock_id = card
    closes_at = closing[segment_id][clock_id]
    asked = need.segment_id in (None, segment_id) and clock_id not in need.forbidden
    return asked and last_ring_by(closes_at, need.rings_late) > now


def _lease(
    work: Work, assignment: RowMapping, chosen: Sequence[Chosen],
    facts: Mapping[int, gates.Facts], closing: Closing, blocked: Sequence[int],
) -> set[UUID]:  # fmt: skip
    """Claims first, then leases only where the placement is still as it was chosen.

    The `blocked` are stamped on the way: all placements that are written here are locked at once, by key.
    """
    data_version = version_id(work)  # before anything is claimed: the first one writes a row
    whole = claims.claim(work, [(c.customer_id, c.lease_id) for c in chosen])
    rows = [c for c in chosen if c.lease_id in whole]
    placements.lock(work, [*(c.customer_id for c in rows), *blocked])
    gates.restamp(work, blocked, locked=True)
    over = ended_promises(work, [c.follow_up_id for c in rows if c.follow_up_id is not None])
    claims.drop(work, [c.lease_id for c in rows if c.follow_up_id in over])
    rows = [c for c in rows if c.follow_up_id not in over]
    if not rows:
        return set()
    ring_bys = [_ring_by(work, assignment, c, closing[c.segment_id][c.clock_id]) for c in rows]
    leased = set(
        work.run(
            load("lease"),
            assignment_id=assignment["id"],
            data_version=data_version,
            customers=[c.customer_id for c in rows],
            leases=[c.lease_id for c in rows],
            segments=[c.segment_id for c in rows],
            sellers=[c.need.seller_id for c in rows],
            dialers=[c.need.dialer_id for c in rows],
            numbers=[facts[c.customer_id].e164 for c in rows],
            zones=[facts[c.customer_id].zone for c in rows],
            ring_bys=ring_bys,
            expiries=[
                _expiry(work, assignment, c, ring_by) for c, ring_by in zip(rows, ring_bys, strict=True)
            ],
            follow_ups=[c.follow_up_id for c in rows],
        ).scalars()
    )
    claims.drop(work, [c.lease_id for c in rows if c.lease_id not in leased])
    return leased


def _ring_by(work: Work, assignment: RowMapping, chosen: Chosen, closes_at: datetime) -> datetime:
    """An order's life for a dialer; a seller may take longer to look. Never past closing."""
    if chosen.need.dialer_id is None:
        return closes_at
    latest = last_ring_by(closes_at, chosen.need.rings_late)
    return min(latest, work.now + timedelta(seconds=assignment["offer_seconds"]))


def _expiry(work: Work, assignment: RowMapping, chosen: Chosen, ring_by: datetime) -> datetime:
    """When the reaper looks: a seller's list after its hold, a dialer's order when it can ring no more."""
    if chosen.need.dialer_id is None:
        return min(ring_by, work.now + timedelta(seconds=assignment["hold_seconds"]))
    return ring_by + chosen.need.rings_late + EXPIRY_GRACE
