"""Which number of a customer would be rung, and why that one: the gates' own choice, said in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text

from calling.handout import gates
from calling.views.number_stands import registers, suppressed
from models.errors import NotFound
from models.tables.customers import CALLABLE_NUMBER_STATES
from models.work import Work

_NUMBERS = gates.with_registers(f"""
    select n.*
      from placement p
      join customer c on c.crm_id = :crm_id and c.id = p.customer_id
     cross join lateral (
        select m.e164, m.state, m.kind, m.unanswered, m.position,
               greatest(stop.limited_until, stop.gap_until) as until,
               {gates.ROUND} as round, {gates.PLACE} as place {gates.NUMBERS} order by {gates.CHOICE}) n
     where p.crm_id = :crm_id and p.assignment_id = :assignment_id and p.customer_id = :customer_id
""")  # noqa: S608 - our own words
_LEFT_OUT = text(f"""
    select m.e164, m.kind, m.state, {suppressed("m.e164")} as suppressed,
           {registers("m.e164", "m.customer_id", ":assignment_id")} as registers
      from customer_number m
     where m.crm_id = :crm_id and m.customer_id = :customer_id and m.e164 <> all(:chosen)
     order by m.position, m.e164
""")  # noqa: S608 - our own words
_THERE = text("""
    select 1 from placement
     where crm_id = :crm_id and assignment_id = :assignment_id and customer_id = :customer_id
""")


_DO_NOT_CALL = {
    "crm": "on the do-not-call list", "owner": "on the do-not-call list of every CRM of its owner",
    "everyone": "on the do-not-call list of everyone",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Candidate:
    """A number that may be rung at all. `until` (UTC): it is at its limit or in its gap; None: it is free."""

    e164: str
    kind: str | None
    state: str
    unanswered: int
    until: datetime | None


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A number that is not rung at all, and what keeps it."""

    e164: str
    kind: str | None
    why: str


@dataclass(frozen=True, slots=True)
class NumberChoice:
    """The numbers in the order in which they would be rung, the first one next; and why it is that one.

    `left_out`: those that may not be rung, whatever the hour.
    """

    numbers: tuple[Candidate, ...]
    why: str
    left_out: tuple[LeftOut, ...]

    @property
    def e164(self) -> str | None:
        """The number that would be rung; None: none may be."""
        return self.numbers[0].e164 if self.numbers else None


def why_this_number(work: Work, assignment_id: int, customer_id: int) -> NumberChoice:
    """Which number of a customer would be rung in an assignment now, and why. Raises NotFound."""
    where = {"assignment_id": assignment_id, "customer_id": customer_id}
    if work.run(_THERE, **where).first() is None:
        raise NotFound("customer in the assignment", customer_id)
    used, bound = gates.bindings(work, [customer_id], assignment_id)
    rows = work.run(_NUMBERS[used.variant], **where, **bound).all()
    numbers = tuple(Candidate(r.e164, r.kind, r.state, r.unanswered, r.until) for r in rows)
    chosen = [number.e164 for number in numbers]
    left_out = (
        LeftOut(r.e164, r.kind, _kept_by(r)) for r in work.run(_LEFT_OUT, **where, chosen=chosen)
    )  # fmt: skip
    return NumberChoice(numbers, _why(rows), tuple(left_out))


def _kept_by(row: Row[Any]) -> str:
    """Everything that keeps a number from being rung."""
    found = [] if row.state in CALLABLE_NUMBER_STATES else [row.state.replace("_", " ")]
    found += [_DO_NOT_CALL[row.suppressed]] if row.suppressed else []
    found += [f"on {name}" for name in row.registers]
    return ", ".join(found) or "may not be rung"


def _why(rows: Sequence[Row[Any]]) -> str:
    """The first reason in which the first number differs from the second."""
    if not rows:
        return "no number of theirs may be rung"
    first, others = rows[0], rows[1:]
    named = f"{first.e164} ({first.kind or 'kind unknown'})"
    if not others:
        return f"{named}: the only number of theirs that may be rung"
    second = others[0]
    if first.until != second.until:
        stopped = "free, and the others are not" if first.until is None else "the first that will be free"
        return f"{named}: {stopped}"
    if first.round != second.round:
        calls = f"{_calls(first.unanswered)} in a row without an answer"
        return f"{named}: {calls}, {second.e164} {second.unanswered}"
    if first.place != second.place:
        return f"{named}: its kind comes first at this hour"
    if first.state != second.state:
        return f"{named}: somebody answered there, or said that it is good"
    return f"{named}: first in their order"


def _calls(number: int) -> str:
    return "1 call" if number == 1 else f"{number} calls"
