"""Promised calls that are due, and to whom they may be handed out.

A personal one is its owner's; it is everybody's once its grace is over, of which promise_watch.py keeps the
time. What was ever somebody's own is rung by people, never by a machine alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text

from calling.handout.closing import BEYOND_CLOCKS, Closing
from calling.handout.needs import Need
from calling.hours.opening import last_ring_by
from models.sql import load
from models.work import Work

BATCH = 200

FEW = 1_000
"""Due promises of an assignment that are looked at one by one; behind more, their segments and clocks are."""

PASSED = "(f.seller_id is null or coalesce(f.anybodys_at <= :now, false))"
"""SQL over `f` follow_up: whether anybody may ring, people at least."""

OVERTAKEN = f"""case when l.follow_up_id is null then p.return_state <> 'ready'
                else p.return_state <> 'follow_up' or p.return_due_at > :now
                  or exists (select from follow_up f
                              where f.crm_id = :crm_id and f.id = l.follow_up_id
                                and (f.ended_at is not null
                                  or f.seller_id is distinct from l.seller_id and not {PASSED})) end"""  # noqa: S608 - our own words
"""SQL over `l` lease, offered, and `p` its placement: whether it was offered for what is no longer so.

A lease begins with 'ready' to return to, or with the promise that it is to keep: anything else was written
meanwhile. So is a lease whose promise has ended, or is somebody else's now.
"""

_OVER = text("""
    select id from follow_up where crm_id = :crm_id and id = any(:follow_ups) and ended_at is not null
""")


@dataclass(frozen=True, slots=True)
class Due:
    """A promised call that is due. `owner_id`: only this seller may ring yet; None: anybody.

    `robots_too`: it was never anybody's own, so that a machine may keep it.
    """

    follow_up_id: int
    customer_id: int
    segment_id: int
    clock_id: int
    owner_id: int | None
    robots_too: bool


@dataclass(frozen=True, slots=True)
class _Kind:
    """What holders have in common as far as promises go: each kind is probed once."""

    segment_id: int | None
    rings_late: timedelta
    forbidden: frozenset[int]
    person: bool


def due_promises(
    work: Work, assignment_id: int, needs: Sequence[Need], closing: Closing, *, even_offered: bool = False
) -> list[Due]:
    """What these holders may keep: one personal to each seller, then what is anybody's, each oldest first.

    Of the latter twice as many as each kind of holder is to have. Stamps are believed: whoever leases them
    asks the gates. `even_offered`: with those who are no more than offered for something else.
    """
    mosts: dict[_Kind, int] = {}
    for need in needs:
        kind = _Kind(need.segment_id, need.rings_late, need.forbidden, need.person)
        mosts[kind] = min(mosts.get(kind, 0) + 2 * need.promised, BATCH)
    kinds = list(mosts)
    rows = work.run(
        load("due_promises"), assignment_id=assignment_id, even_offered=even_offered, few=FEW, any=len(kinds),
        sellers=[need.seller_id for need in needs if need.seller_id is not None],
        asked=list(range(len(kinds))), people=[kind.person for kind in kinds], mosts=list(mosts.values()),
        **_doors([*kinds, _Kind(None, timedelta(0), frozenset(), person=True)], closing, work.now),
    )  # fmt: skip
    found: dict[int, Due] = {}
    for row in rows:
        found[row.id] = Due(  # what is anybody's comes last, and stands
            row.id, row.customer_id, row.segment_id, row.clock_id, row.owner_id, row.robots_too
        )
    return list(found.values())


def deal_promises(
    work: Work, assignment_id: int, needs: Sequence[Need], closing: Closing
) -> list[tuple[Due, Need]]:
    """Due promises and who is to keep them: personal ones their owners, then what is anybody's.

    What a need is given counts towards what it wants. `closing`: of all segments that are not paused.
    """
    hungry = [need for need in needs if need.promised > 0]
    return (
        match(due_promises(work, assignment_id, hungry, closing), hungry, closing, work.now) if hungry else []
    )


def match(
    found: Sequence[Due], hungry: Sequence[Need], closing: Closing, now: datetime
) -> list[tuple[Due, Need]]:
    """Each to the first who may keep it and has room, at most 200; what a need is given, it wants no more.

    `hungry` is in the order in which they are dealt to.
    """
    dealt: list[tuple[Due, Need]] = []
    for due in found:
        closes_at = closing[due.segment_id][due.clock_id]
        need = next((one for one in hungry if _may_keep(one, due, closes_at, now)), None)
        if need is not None and len(dealt) < BATCH:
            need.keep()
            dealt.append((due, need))
    return dealt


def _may_keep(need: Need, due: Due, closes_at: datetime, now: datetime) -> bool:
    """Whether a promised call may be this holder's. An owner keeps theirs, whatever segment it is in."""
    if need.promised < 1 or last_ring_by(closes_at, need.rings_late) <= now or due.clock_id in need.forbidden:
        return False
    if due.owner_id is not None:
        return due.owner_id == need.seller_id
    return need.segment_id in (None, due.segment_id) and (need.person or due.robots_too)


def _doors(kinds: Sequence[_Kind], closing: Closing, now: datetime) -> dict[str, Any]:
    """Which segments and clocks each kind may ring: `kinds`, `segments`, `hours` by row, and what is `open`.

    As in closing.py, a set of clocks is a number beyond all clocks, and an open clock of it the sum of both.
    """
    numbers: dict[tuple[int, timedelta, frozenset[int]], int] = {}
    there: list[int] = []
    rows: list[tuple[int, int, int]] = []
    for place, kind in enumerate(kinds):
        for segment_id, clocks in closing.items():
            if kind.segment_id not in (None, segment_id):
                continue
            key = (id(clocks), kind.rings_late, kind.forbidden)
            if key not in numbers:
                numbers[key] = len(numbers) * BEYOND_CLOCKS
                there += [numbers[key] + clock for clock in _rung_by(kind, clocks, now)]
            rows.append((place, segment_id, numbers[key]))
    places, segments, hours = map(list, zip(*rows, strict=True)) if rows else ([], [], [])
    return {"kinds": places, "segments": segments, "hours": hours, "open": there}


def _rung_by(kind: _Kind, clocks: Mapping[int, datetime], now: datetime) -> list[int]:
    return [
        clock for clock, closes_at in clocks.items()
        if clock not in kind.forbidden and last_ring_by(closes_at, kind.rings_late) > now
    ]  # fmt: skip


def ended_promises(work: Work, follow_ups: Sequence[int]) -> set[int]:
    """Those of these that were changed or taken back by now. The caller holds their placements."""
    return set(work.run(_OVER, follow_ups=list(follow_ups)).scalars()) if follow_ups else set()
