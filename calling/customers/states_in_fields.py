"""States of addresses that a list has left in a field of the CRM's own, where no law asks them.

A column of states is the legal place since lists are read so (calling/intake/columns.py). Of whoever came
before, or by a list whose column was mapped to a field, the place is taken from the field here.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from calling.catalogue.states import COUNTRIES, place_of_state
from calling.customers.reclocking import reclock_and_follow
from calling.customers.standing import pass_turnstiles
from calling.customers.verifying_sql import OFFERED
from calling.dialers.reclocked import lock_orders
from calling.follow_ups.own_wall import tell
from calling.handout import gates, placements
from calling.handout.recalling import recall
from calling.segments.following import follow_facts
from calling.segments.resegmenting import take_back_moved
from models.errors import BadInput, NotFound
from models.work import OpenWork, Work
from segmentation.resegment import Moved

BATCH = 200

_FIELD = text("select type from field where crm_id = :crm_id and key = :key")
_REGION = text("select region from crm where id = :crm_id")
# Whoever has a state for a place has it from a list or by hand: that one stays.
_NEXT = text("""
    select id, fields ->> :key as said from customer
     where crm_id = :crm_id and id > :after and anonymised_at is null
       and (place is null or place = :country) and fields ->> :key <> ''
     order by id limit :most
""")
_LOCK = text("""
    select id, fields ->> :key as said from customer
     where crm_id = :crm_id and id = any(:customers) and anonymised_at is null
       and (place is null or place = :country) and fields ->> :key <> ''
     order by id for no key update
""")
_WRITE = text("""
    update customer c set place = t.place, updated_at = :now
      from unnest(cast(:customers as bigint[]), cast(:places as text[])) as t(id, place)
     where c.crm_id = :crm_id and c.id = t.id
""")
_NOTE = text("""
    insert into customer_edit (crm_id, customer_id, author, changed, edited_at)
    select :crm_id, t.id, :author, '{place}', :now from unnest(cast(:customers as bigint[])) as t(id)
     order by t.id
""")


@dataclass(slots=True)
class PlacesTaken:
    """Customers whose place is taken from the field, and what the others have there that is no state."""

    taken: int = 0
    no_states: Counter[str] = field(default_factory=Counter)


def take_places(open_work: OpenWork, key: str, *, country: str | None = None, author: str) -> PlacesTaken:
    """Make the states in an own field of the CRM the legal places of whoever has none but the country.

    `country`: whose states they are; None: that of the CRM. Clocks, promises on their wall, gates and
    segments follow, 200 customers a transaction; said again it goes on with whoever is left. Raises NotFound,
    BadInput.
    """
    with open_work() as work:
        country = country or str(work.run(_REGION).scalar_one())
        if country not in COUNTRIES:
            raise BadInput(f"country: {country} is none of {', '.join(COUNTRIES)}, whose states have laws")
        kind = work.run(_FIELD, key=key).scalar()
    if kind is None:
        raise NotFound("field", key)
    if kind not in ("text", "choice"):
        raise BadInput(f"field: {key} is a {kind}, and no name of a state", field=key)
    done, after = PlacesTaken(), 0
    while True:
        with open_work() as work:
            rows = work.run(_NEXT, key=key, country=country, after=after, most=BATCH).all()
            places = _places(rows, country, done.no_states)
        if places:
            _batch(open_work, list(places), key, country, author, done)
        if len(rows) < BATCH:
            return done
        after = rows[-1].id


def _batch(
    open_work: OpenWork, customers: list[int], key: str, country: str, author: str, done: PlacesTaken
) -> None:
    with open_work() as work:
        assignments = pass_turnstiles(work, customers)
        orders = lock_orders(work, customers)
        rows = work.run(_LOCK, customers=customers, key=key, country=country).all()
        places = _places(rows, country, Counter())  # somebody may have edited them meanwhile
        if not places:
            return
        placements.lock(work, places)
        work.run(_WRITE, customers=list(places), places=list(places.values()))
        work.run(_NOTE, customers=list(places), author=author)
        reclocked = reclock_and_follow(work, places, orders, author)
        gates.restamp(work, places, locked=True)
        moved = _follow(work, assignments, places, reclocked.customers)
        tell(work, reclocked.promises)
        offered = list(work.run(OFFERED, customers=reclocked.customers).scalars())
    done.taken += len(places)
    _take_back(open_work, offered, moved)


def _follow(
    work: Work, assignments: Sequence[int], places: dict[int, str], reclocked: list[int]
) -> list[Moved]:
    """Segments, by everything of those of another clock and by their place of the others."""
    others = sorted(set(places).difference(reclocked))
    moved = follow_facts(work, assignments, reclocked, None, "event") if reclocked else []
    moved += follow_facts(work, assignments, others, {"place", "country"}, "event") if others else []
    for assignment_id in assignments:
        work.hint("allocate", assignment_id)
    return moved


def _take_back(open_work: OpenWork, offered: list[UUID], moved: list[Moved]) -> None:
    """What a crash leaves is looked at by `next`, the ring and the reaper."""
    if offered:
        with open_work() as work:
            recall(work, offered, "the customer has another clock", states=["offered"])
    take_back_moved(open_work, moved)


def _places(rows: Sequence[Row[Any]], country: str, no_states: Counter[str]) -> dict[int, str]:
    """The places of these customers by what the field says; what is no state is counted."""
    found: dict[int, str] = {}
    for row in rows:
        try:
            found[row.id] = place_of_state(row.said, country)
        except ValueError:
            no_states[row.said] += 1
    return found
