"""A customer's numbers by hand: which is good and which is not, where each rings, and which is rung first.

What is said here no list changes. In which order numbers are rung: docs/numbers.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, NamedTuple

from sqlalchemy import text

from calling.customers.reclocking import reclock_and_follow
from calling.customers.standing import check_on_screen, pass_turnstiles
from calling.dialers.reclocked import lock_orders
from calling.follow_ups.own_wall import tell
from calling.handout import gates, placements
from calling.handout.recalling import recall
from calling.segments.following import follow_facts
from calling.segments.resegmenting import take_back_moved
from models.errors import BadValues, Conflict, NotFound
from models.kinds import NUMBER_KINDS
from models.tables.customers import NUMBER_STATES
from models.work import OpenWork, Work
from segmentation.resegment import Moved

_LOCK = text("""
    select anonymised_at from customer where crm_id = :crm_id and id = :customer_id for no key update
""")
_NUMBERS = text("""
    select e164, state, kind from customer_number
     where crm_id = :crm_id and customer_id = :customer_id order by position, e164
""")
_WRITE = text("""
    update customer_number m
       set position = t.place, state = t.state, kind = t.kind,
           kind_by = case when m.kind is distinct from t.kind or m.e164 = :kind_said then 'hand'
                          else m.kind_by end
      from unnest(cast(:numbers as text[]), cast(:states as text[]), cast(:kinds as text[]))
           with ordinality as t(e164, state, kind, place)
     where m.crm_id = :crm_id and m.customer_id = :customer_id and m.e164 = t.e164
       and ((m.position, m.state, m.kind) is distinct from (t.place, t.state, t.kind)
            or (m.e164 = :kind_said and m.kind_by <> 'hand'))
""")
_ORDERED = text("""
    update customer set numbers_by_hand = true
     where crm_id = :crm_id and id = :customer_id and not numbers_by_hand
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


class OneNumber(NamedTuple):
    """A number of a customer (E.164), whether it is any good, and where it rings (None: nobody knows)."""

    e164: str
    state: str
    kind: str | None


@dataclass(frozen=True, slots=True)
class NumberSet:
    """What was changed: "numbers.state", "numbers.kind", "numbers.order"; and the numbers in their order."""

    customer_id: int
    changed: tuple[str, ...]
    numbers: tuple[OneNumber, ...]
    moved: int


def set_number(
    open_work: OpenWork, customer_id: int, e164: str, *, author: str,
    state: str | None = None, kind: str | None = None, place: int | None = None,
    seller_id: int | None = None,
) -> NumberSet:  # fmt: skip
    """Say what a number of a customer is, where it rings, or its place in the order (1 is first).

    Clock, gates and segments follow in the same transaction; what is offered with another number comes back
    and is dealt anew. Whom an outcome has closed for want of a number stays closed. `seller_id`: only if this
    seller has the customer on their screen. Raises BadValues with every problem, NotFound, Conflict.
    """
    wish = _Wish(e164, state, kind, place)
    wish.check()
    with open_work() as work:
        done, moved, offered = _write(work, customer_id, wish, author, seller_id)
    if offered:
        with open_work() as work:
            recall(work, offered, "another number is to be rung", states=["offered"])
    take_back_moved(open_work, moved)
    return done


@dataclass(frozen=True, slots=True)
class _Wish:
    """What is to be of one number; None: as it is."""

    e164: str
    state: str | None
    kind: str | None
    place: int | None

    def check(self) -> None:
        """Raises BadValues with everything that is wrong."""
        problems = []
        if self.state is None and self.kind is None and self.place is None:
            problems.append(("state", "say what the number is, its kind, or its place in the order"))
        for name, said, known in (("state", self.state, NUMBER_STATES), ("kind", self.kind, NUMBER_KINDS)):
            if said is not None and said not in known:
                near = get_close_matches(said, known, 1)
                hint = f"; did you mean {near[0]}?" if near else ""
                problems.append((name, f"{said!r} is none of {', '.join(known)}{hint}"))
        if self.place is not None and self.place < 1:
            problems.append(("place", "begins with 1"))
        if problems:
            raise BadValues(problems)

    def fulfilled(self, numbers: Sequence[OneNumber]) -> list[OneNumber]:
        """The numbers as they are to be. Raises NotFound for one that is not theirs."""
        was = next((number for number in numbers if number.e164 == self.e164), None)
        if was is None:
            raise NotFound("number of the customer", self.e164)
        others = [number for number in numbers if number is not was]
        at = numbers.index(was) if self.place is None else min(self.place - 1, len(others))
        return [
            *others[:at],
            OneNumber(self.e164, self.state or was.state, self.kind or was.kind),
            *others[at:],
        ]


def _write(
    work: Work, customer_id: int, wish: _Wish, author: str, seller_id: int | None
) -> tuple[NumberSet, list[Moved], list[Any]]:
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
    before = [OneNumber(row.e164, row.state, row.kind) for row in work.run(_NUMBERS, customer_id=customer_id)]
    after = wish.fulfilled(before)
    changed = _names(before, after)
    if wish.place is not None:  # said is said, even if it was so: no list changes it from now on
        work.run(_ORDERED, customer_id=customer_id)
    if changed or wish.kind is not None:
        work.run(
            _WRITE, customer_id=customer_id, numbers=[one.e164 for one in after],
            states=[one.state for one in after], kinds=[one.kind for one in after],
            kind_said=wish.e164 if wish.kind is not None else None,
        )  # fmt: skip
    if not changed:
        return NumberSet(customer_id, (), tuple(before), 0), [], []
    work.run(_NOTE, customer_id=customer_id, author=author, changed=list(changed))
    reclocked = reclock_and_follow(work, [customer_id], orders, author)
    gates.restamp(work, [customer_id], locked=True)
    moved = follow_facts(
        work, assignments, [customer_id], None if reclocked.customers else {"has_phone"}, "event"
    )
    tell(work, reclocked.promises)
    for assignment_id in assignments:
        work.hint("allocate", assignment_id)
    offered = list(work.run(_OFFERED, customer_id=customer_id).scalars())
    return NumberSet(customer_id, changed, tuple(after), len(moved)), moved, offered


def _names(before: Sequence[OneNumber], after: Sequence[OneNumber]) -> tuple[str, ...]:
    was = {one.e164: one for one in before}
    differs = {
        "numbers.state": any(one.state != was[one.e164].state for one in after),
        "numbers.kind": any(one.kind != was[one.e164].kind for one in after),
        "numbers.order": [one.e164 for one in before] != [one.e164 for one in after],
    }
    return tuple(name for name, yes in differs.items() if yes)
