"""Somebody becomes a hot lead, or is one no longer, by hand or through the API.

Nothing is forced: gates, hours, pauses and whoever is on the telephone with them stay as they are, and the
answer says so.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Row

from calling.follow_ups.asking import LONGEST_NOTE, Wish, reckon
from calling.follow_ups.putting import put
from calling.handout import gates, placements
from calling.handout.give_back import STARTED
from calling.handout.hot import MISSED
from calling.handout.recalling import recall
from calling.hot_leads import hot_leads_sql as sql
from calling.hot_leads.stopping import stopped
from calling.segments.following import follow
from models import turnstile
from models.errors import BadInput, Conflict, NotFound
from models.work import OpenWork, Work

BATCH = 200
LONGEST_REASON = 200

Became = Literal["front", "promised", "taken", "talking", "closed", "gone", "unknown"]

HOT: tuple[Became, ...] = ("front", "promised", "taken")
"""These are hot leads now; the others are not."""


@dataclass(frozen=True, slots=True)
class Made:
    """What became of a customer who was to be a hot lead.

    `front`: they are dealt before all others. `promised`: so they are, since the call that was promised them
    is due now. `taken`: they lie on the screen of `holder` already, and are a hot lead should they come back.
    `talking`: `holder` rings them or talks with them at this moment, so they are none. `closed`: they are
    called no more, unless asked for all the same. `gone`: they have left the assignment. `unknown`: they were
    never in it. `gate`: what stops a call now; None: nothing. `callable_at` (UTC): until when, by time alone.
    """

    customer_id: int
    became: Became
    hot_lead_id: int | None = None
    holder: str | None = None
    gate: str | None = None
    callable_at: datetime | None = None


def make_hot(
    open_work: OpenWork, assignment_id: int, customers: Sequence[int], *, reason: str, author: str,
    made_by: str, even_closed: bool = False,
) -> list[Made]:  # fmt: skip
    """Make up to 200 customers hot leads: whoever is free rings them before all others; what became of each.

    Whoever rests is ready at once, whoever is offered for anything else is wanted back, and a call that was
    promised is due now. `even_closed`: who is called no more is promised a call, which is due now. Who is a
    hot lead already stays the one they are. Raises BadInput, NotFound.
    """
    customers = sorted(set(customers))
    _check(customers, reason)
    with open_work() as work:
        if work.run(sql.ASSIGNMENT, assignment_id=assignment_id).first() is None:
            raise NotFound("assignment", assignment_id)
        turnstile.pass_shared(work, [assignment_id])
        rows = placements.locked(work, customers)
        own = {customer: row for customer in customers if (row := rows.get((assignment_id, customer)))}
        held = {
            row.id: row for row in work.run(sql.HELD, leases=[r.lease_id for r in own.values() if r.lease_id])
        }
        made = {customer: _became(customer, own.get(customer), held, even_closed) for customer in customers}
        hot = [customer for customer, one in made.items() if one.became in HOT]
        ids = _write(work, assignment_id, hot, reason.strip(), author)
        made |= {customer: replace(made[customer], hot_lead_id=ids[customer]) for customer in hot}
        _due_now(
            work, [own[customer] for customer in hot if made[customer].became == "promised"], reason, author,
            made_by,
        )  # fmt: skip
        to_the_front(work, assignment_id, [customer for customer in hot if made[customer].became == "front"])
    offered = [row.id for row in held.values() if row.state == "offered" and row.customer_id in set(hot)]
    if offered:
        with open_work() as work:
            recall(work, offered, "they are a hot lead", states=["offered"])
    return _told(open_work, assignment_id, made)


def cool(work: Work, hot_lead_id: int, *, author: str) -> None:
    """They are a hot lead no longer, and wait like anybody. Raises NotFound, Conflict when it has ended."""
    row = work.run(sql.LOCK, id=hot_lead_id).first()
    if row is None:
        raise NotFound("hot lead", hot_lead_id)
    if row.ended_at is not None:
        raise Conflict(f"the hot lead has ended: {row.ended_by}", ended_by=row.ended_by, at=row.ended_at)
    work.run(sql.COOL, id=hot_lead_id, author=author)
    work.hint("allocate", row.assignment_id)


def to_the_front(work: Work, assignment_id: int, customers: Sequence[int]) -> None:
    """Whoever of them rests is ready at once; the placements are locked, the turnstile is passed."""
    if customers:
        work.run(sql.READY, assignment_id=assignment_id, customers=list(customers))
        gates.restamp(work, customers, locked=True)
        follow(work, assignment_id, customers, "due", "hand")
        work.hint("allocate", assignment_id)


def _check(customers: Collection[int], reason: str) -> None:
    if not 0 < len(reason.strip()) <= LONGEST_REASON:
        raise BadInput(
            f"reason: say in at most {LONGEST_REASON} characters why they are to be rung now: whoever rings "
            "them reads it"
        )
    if not 0 < len(customers) <= BATCH:
        raise BadInput(f"customers: {len(customers)}; name one at least, and at most {BATCH} at once")


def _became(customer: int, row: Row[Any] | None, held: Mapping[Any, Row[Any]], even_closed: bool) -> Made:
    if row is None:
        return Made(customer, "unknown")
    if row.state in ("left", "anonymised"):
        return Made(customer, "gone")
    lease = held.get(row.lease_id)
    if lease is not None and lease.state in STARTED:
        return Made(customer, "talking", holder=lease.holder)
    waits = row.return_state if row.state == "leased" else row.state
    if waits == "closed" and not even_closed:
        return Made(customer, "closed")
    if lease is not None and lease.state == "taken":
        return Made(customer, "taken", holder=lease.holder)
    return Made(customer, "promised" if waits in ("follow_up", "closed") else "front")


def _write(
    work: Work, assignment_id: int, customers: Sequence[int], reason: str, author: str
) -> dict[int, int]:
    """Customer -> the hot lead that they are now. One that a call has ended by now is over first."""
    if not customers:
        return {}
    work.run(sql.END, assignment_id=assignment_id, customers=list(customers), missed=MISSED)
    asked = {"assignment_id": assignment_id, "customers": list(customers)}
    work.run(sql.MAKE, **asked, reason=reason, author=author)
    return {row.customer_id: row.id for row in work.run(sql.OPEN, **asked)}


def _due_now(work: Work, rows: Sequence[Row[Any]], reason: str, author: str, made_by: str) -> None:
    """The call that was promised them is due now: its owner's if they are free, and anybody's else."""
    if not rows:
        return
    customers = [row.customer_id for row in rows]
    before = {
        row.customer_id: row
        for row in work.run(sql.PROMISED, assignment_id=rows[0].assignment_id, customers=customers)
    }
    for row in rows:
        was = before.get(row.customer_id)
        note = "; ".join(part for part in (reason.strip(), was.note if was else "") if part)
        wish = Wish(work.now, note=note[:LONGEST_NOTE])
        (asked,) = reckon(work, [(row.assignment_id, row.customer_id, wish)])
        put(work, row, asked, was.seller_id if was else None, author, made_by)
    work.run(sql.ANYBODYS, assignment_id=rows[0].assignment_id, customers=customers)


def _told(open_work: OpenWork, assignment_id: int, made: Mapping[int, Made]) -> list[Made]:
    """With what stops a call to them now, and until when; read when nothing is locked any more."""
    asked = [customer for customer, one in made.items() if one.became in ("front", "promised")]
    with open_work() as work:
        found = stopped(work, assignment_id, asked)
    return [
        replace(one, gate=found[customer].gate, callable_at=found[customer].callable_at)
        if customer in found else one
        for customer, one in made.items()
    ]  # fmt: skip
