"""Editing a customer: their data change, and with them at once whatever follows from them.

Only what is named is written, so of two who edit at once the last one wins a value, and nobody loses another.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Row, text

from calling.catalogue.uniqueness import looking_again
from calling.customers.changes import Changes, read_changes
from calling.customers.reclocking import reclock_and_follow, take_back_moved_promises
from calling.customers.standing import check_on_screen, pass_turnstiles
from calling.dialers.reclocked import Orders, lock_orders
from calling.follow_ups.own_wall import Followed, tell
from calling.handout import gates, placements
from calling.intake.placing import rerank
from calling.segments.following import follow_facts
from calling.segments.resegmenting import take_back_moved
from models.errors import Conflict, NotFound
from models.work import OpenWork, Work
from segmentation.resegment import Moved

_LOCK = text("""
    select id, external_id, name, email, place, fields, anonymised_at from customer
     where crm_id = :crm_id and id = :customer_id for no key update
""")
_WRITE = text("""
    update customer
       set name = :name, email = :email, place = :place,
           fields = (fields - cast(:without as text[])) || cast(:fields as jsonb), updated_at = :now
     where crm_id = :crm_id and id = :customer_id
""")
_ORDERED_BY = text("""
    select 1 from assignment where crm_id = :crm_id and id = any(:assignments) and order_field = any(:keys)
     limit 1
""")
_NOTE = text("""
    insert into customer_edit (crm_id, customer_id, author, changed, edited_at)
    values (:crm_id, :customer_id, :author, :changed, :now)
""")
_EDITS = text("""
    select id, author, changed, edited_at from customer_edit
     where crm_id = :crm_id and customer_id = :customer_id and id > :after order by id limit :most
""")

# What rules ask that a customer's own columns decide.
_DECIDES = {"name": ("name",), "email": ("email", "has_email"), "place": ("place", "country")}


@dataclass(frozen=True, slots=True)
class Edited:
    """What an edit changed, as "name" or "fields.age"; nothing, if all was so already. `moved`: segments."""

    customer_id: int
    changed: tuple[str, ...]
    moved: int


def edit_customer(
    open_work: OpenWork, customer_id: int, wanted: Mapping[str, object], *,
    author: str, seller_id: int | None = None,
) -> Edited:  # fmt: skip
    """Change what `wanted` names of a customer ({"name": .., "email": .., "place": .., "fields": {..}}).

    Rank, clock, gates and segments follow in the same transaction; an offered lease of whoever moved is
    recalled. `seller_id`: only if this seller has the customer on their screen. Raises BadValues with every
    problem, NotFound, Conflict when the customer was anonymised.
    """

    def write() -> tuple[Edited, list[Moved], list[UUID]]:
        with open_work() as work:
            return _write(work, customer_id, wanted, author, seller_id)

    edited, moved, offered = looking_again(write)
    take_back_moved_promises(open_work, offered)
    take_back_moved(open_work, moved)
    return edited


def edits(work: Work, customer_id: int, after: int, most: int) -> list[Row[Any]]:
    """Who edited a customer, what and when, from the first on."""
    return list(work.run(_EDITS, customer_id=customer_id, after=after, most=most))


def _write(
    work: Work, customer_id: int, wanted: Mapping[str, object], author: str, seller_id: int | None
) -> tuple[Edited, list[Moved], list[UUID]]:
    assignments = pass_turnstiles(work, [customer_id])
    orders = lock_orders(work, [customer_id]) if "place" in wanted else []
    before = work.run(_LOCK, customer_id=customer_id).first()
    _check_there(before, customer_id)
    if seller_id is not None:
        check_on_screen(work, customer_id, seller_id)
    changes = read_changes(work, customer_id, wanted)
    after, changed = _after(before, changes)
    if not changed:
        return Edited(customer_id, (), 0), [], []
    placements.lock(work, [customer_id])
    work.run(_WRITE, customer_id=customer_id, **after)
    work.run(_NOTE, customer_id=customer_id, author=author, changed=list(changed))
    moved, offered = _follow(work, customer_id, assignments, orders, changed, author)
    return Edited(customer_id, changed, len(moved)), moved, offered


def _check_there(row: Row[Any] | None, customer_id: int) -> None:
    if row is None:
        raise NotFound("customer", customer_id)
    if row.anonymised_at is not None:
        raise Conflict(f"customer {customer_id} was anonymised: nothing is kept of them any more")


def _after(before: Any, changes: Changes) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The row's new values, and the names of those that differ."""
    person = {name: changes.person.get(name, getattr(before, name)) for name in _DECIDES}
    person["name"] = person["name"] or ""
    own = {key: value for key, value in changes.fields.items() if not _same(before.fields.get(key), value)}
    changed = [name for name, value in person.items() if value != getattr(before, name)]
    values = {key: value for key, value in own.items() if value is not None}
    columns = {**person, "without": sorted(own), "fields": orjson.dumps(values).decode()}
    return columns, (*changed, *(f"fields.{key}" for key in own))


def _same(one: object, other: object) -> bool:
    """As JSON: true is not 1."""
    return one == other and isinstance(one, bool) == isinstance(other, bool)


def _follow(
    work: Work, customer_id: int, assignments: Collection[int], orders: Orders, changed: Collection[str],
    author: str,
) -> tuple[list[Moved], list[UUID]]:  # fmt: skip
    """Everything that hangs on what was just written: who changed segment, and what is offered in vain."""
    reclocked, promises = list[int](), Followed()
    if "place" in changed:
        done = reclock_and_follow(work, [customer_id], orders, author)
        reclocked, promises = done.customers, done.promises
        gates.restamp(work, [customer_id], locked=True)
    own = [name.removeprefix("fields.") for name in changed if name.startswith("fields.")]
    if own and work.run(_ORDERED_BY, assignments=list(assignments), keys=own).first():
        rerank(work, [customer_id])
    facts = {*own, *(fact for name in changed for fact in _DECIDES.get(name, ()))}
    moved = follow_facts(work, assignments, [customer_id], None if reclocked else facts, "event")
    tell(work, promises)
    return moved, promises.offered
