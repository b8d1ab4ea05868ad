"""A customer's numbers by hand: which is good and which is not, and which is rung first.

A good number, where somebody answered, comes before the others; among equals the order decides.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from sqlalchemy import text

from calling.customers.standing import check_on_screen, pass_turnstiles
from calling.dialers.reclocked import lock_orders, want_back_reclocked
from calling.handout import gates, placements
from calling.handout.recalling import recall
from calling.hours.clocks import reclock
from calling.segments.following import follow_facts
from calling.segments.resegmenting import take_back_moved
from models.errors import BadValues, Conflict, NotFound
from models.tables.customers import NUMBER_STATES
from models.work import OpenWork, Work
from segmentation.resegment import Moved

_LOCK = text("""
    select anonymised_at from customer where crm_id = :crm_id and id = :customer_id for no key update
""")
_NUMBERS = text("""
    select e164, state from customer_number
     where crm_id = :crm_id and customer_id = :customer_id order by position, e164
""")
_WRITE = text("""
    update customer_number m set position = t.place, state = t.state
      from unnest(cast(:numbers as text[]), cast(:states as text[])) with ordinality as t(e164, state, place)
     where m.crm_id = :crm_id and m.customer_id = :customer_id and m.e164 = t.e164
       and (m.position, m.state) is distinct from (t.place, t.state)
""")
_NOTE = text("""
    insert into customer_edit (crm_id, customer_id, author, changed, edited_at)
    values (:crm_id, :customer_id, :author, :changed, :now)
""")
_OFFERED = text("""
    select id from lease
     where crm_id = :crm_id and customer_id = :customer_id and ended_at is null and state = 'offered'
     order by id
""")


@dataclass(frozen=True, slots=True)
class NumberSet:
    """What was changed: "numbers.state", "numbers.order", or nothing. `numbers`: (E.164, state) in order."""

    customer_id: int
    changed: tuple[str, ...]
    numbers: tuple[tuple[str, str], ...]
    moved: int


def set_number(
    open_work: OpenWork, customer_id: int, e164: str, *, author: str,
    state: str | None = None, place: int | None = None, seller_id: int | None = None,
) -> NumberSet:  # fmt: skip
    """Say what a number of a customer is, or its place in the order (1 is first).

    Clock, gates and segments follow in the same transaction; what is offered with another number comes back
    and is dealt anew. Whom an outcome has closed for want of a number stays closed. `seller_id`: only if this
    seller has the customer on their screen. Raises BadValues with every problem, NotFound, Conflict.
    """
    _check(state, place)
    with open_work() as work:
        done, moved, offered = _write(work, customer_id, e164, author, state, place, seller_id)
    if offered:
        with open_work() as work:
            recall(work, offered, "another number is to be rung", states=["offered"])
    take_back_moved(open_work, moved)
    return done


def _check(state: str | None, place: int | None) -> None:
    problems = []
    if state is None and place is None:
        problems.append(("state", "say what the number is, or its place in the order"))
    if state is not None and state not in NUMBER_STATES:
        near = get_close_matches(state, NUMBER_STATES, 1)
        hint = f"; did you mean {near[0]}?" if near else ""
        problems.append(("state", f"{state!r} is none of {', '.join(NUMBER_STATES)}{hint}"))
    if place is not None and place < 1:
        problems.append(("place", "begins with 1"))
    if problems:
        raise BadValues(problems)


def _write(
    work: Work, customer_id: int, e164: str, author: str, state: str | None, place: int | None,
    seller_id: int | None,
) -> tuple[NumberSet, list[Moved], list[Any]]:  # fmt: skip
    assignments = pass_turnstiles(work, [customer_id])
    orders = lock_orders(work, [customer_id])
    found = work.run(_LOCK, customer_id=customer_id).first()
    if found is None:
        raise NotFound("customer", customer_id)
    if found.anonymised_at is not None:
        raise Conflict(f"customer {customer_id} was anonymised: nothing is kept of them any more")
    if seller_id is not None:
        check_on_screen(work, customer_id, seller_id)
    placements.lock(work, [customer_id])
    before = [(row.e164, row.state) for row in work.run(_NUMBERS, customer_id=customer_id)]
    after = _changed(before, e164, state, place)
    changed = _names(before, after)
    if not changed:
        return NumberSet(customer_id, (), tuple(before), 0), [], []
    work.run(_WRITE, customer_id=customer_id, numbers=[n for n, _ in after], states=[s for _, s in after])
    work.run(_NOTE, customer_id=customer_id, author=author, changed=list(changed))
    reclocked = reclock(work, [customer_id])
    want_back_reclocked(work, orders, reclocked)
    gates.restamp(work, [customer_id], locked=True)
    moved = follow_facts(work, assignments, [customer_id], None if reclocked else {"has_phone"}, "event")
    for assignment_id in assignments:
        work.hint("allocate", assignment_id)
    offered = list(work.run(_OFFERED, customer_id=customer_id).scalars())
    return NumberSet(customer_id, changed, tuple(after), len(moved)), moved, offered


def _changed(
    numbers: Sequence[tuple[str, str]], e164: str, state: str | None, place: int | None
) -> list[tuple[str, str]]:
    """The numbers as they are to be. Raises NotFound for one that is not theirs."""
    was = next((number for number in numbers if number[0] == e164), None)
    if was is None:
        raise NotFound("number of the customer", e164)
    others = [number for number in numbers if number[0] != e164]
    at = numbers.index(was) if place is None else min(place - 1, len(others))
    return [*others[:at], (e164, state or was[1]), *others[at:]]


def _names(before: Sequence[tuple[str, str]], after: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    order = [n for n, _ in before] != [n for n, _ in after]
    return tuple(
        name
        for name, differs in (("numbers.state", dict(before) != dict(after)), ("numbers.order", order))
        if differs
    )
