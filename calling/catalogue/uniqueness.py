"""Values that may stand only once in a CRM: the database keeps them and refuses a second one.

Triggers on `customer` keep `unique_value` (migration 0007), whoever writes. A writer looks beforehand who has
a value, to say so in words; whom another overtakes between the look and the write looks again.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import orjson
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from calling.catalogue.scanning import slices
from models.errors import Conflict
from models.work import OpenWork, Work

TRIES = 5  # each time somebody else has to take the value in the very moment

# The triggers hold this lock shared, in every transaction that writes customers.
_ALONE = text("""
    select pg_advisory_xact_lock(7401112, hashint8(:crm_id)) from field where crm_id = :crm_id and key = :key
""")
_PATIENCE = text("set local statement_timeout = 0")
# Nobody has counted the rows that were just gathered: taken for a few, they would be searched one by one.
_HASHED = text("set local enable_nestloop = off")
_HAVE = """
    (select c.id, unique_text(c.fields -> :key) as value from customer c
      where c.crm_id = :crm_id and c.anonymised_at is null {and_in_slice} offset 0) have"""
_BEFOREHAND = text(f"""
    insert into unique_value (crm_id, field, value, customer_id)
    select :crm_id, :key, have.value, have.id
      from {_HAVE.format(and_in_slice="and c.id between :first and :last")}
     where have.value is not null
    on conflict do nothing
""")  # noqa: S608 - our own words
_LEAVE = text(f"""
    delete from unique_value u
     where u.crm_id = :crm_id and u.field = :key and not exists (
           select from {_HAVE.format(and_in_slice="")} where have.id = u.customer_id and have.value = u.value)
""")  # noqa: S608 - our own words
_GATHER = text(f"""
    insert into unique_value (crm_id, field, value, customer_id)
    select :crm_id, :key, have.value, have.id
      from {_HAVE.format(and_in_slice="")}
     where have.value is not null and not exists (
           select from unique_value u where u.crm_id = :crm_id and u.field = :key
              and u.customer_id = have.id and u.value = have.value)
""")  # noqa: S608 - our own words
_FORGET = text("delete from unique_value where crm_id = :crm_id and field = :key")
_OWNERS = text("""
    select w.field, u.customer_id, c.external_id
      from unnest(cast(:fields as text[]), cast(:values as jsonb[])) as w(field, value)
      join unique_value u on u.crm_id = :crm_id and u.field = w.field and u.value = unique_text(w.value)
      join customer c on c.crm_id = :crm_id and c.id = u.customer_id
""")

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Owner:
    """Who has a unique value."""

    customer_id: int
    external_id: str


def gather_beforehand(open_work: OpenWork, key: str) -> None:
    """Most of the work of `gather`, slice by slice, while everybody else goes on.

    Of a field that is not unique nobody asks what stands there: what is left behind does no harm.
    """
    for ids in slices(open_work):
        with open_work() as work:
            work.run(_BEFOREHAND, key=key, **ids)


def gather(work: Work, key: str) -> bool:
    """Keep a field's values as unique from now on; False when two customers share one.

    Set the field in the same transaction. Until it ends nobody else writes customers of this CRM: a second or
    two for a million of them, when `gather_beforehand` was there.
    """
    work.run(_ALONE, key=key)
    work.run(_PATIENCE)
    work.run(_HASHED)
    work.run(_LEAVE, key=key)
    try:
        with work.session.begin_nested():
            work.run(_GATHER, key=key)
    except IntegrityError as error:
        if not is_taken(error):
            raise
        return False
    return True


def forget(work: Work, key: str) -> None:
    """Keep a field's values no longer: they may stand twice."""
    work.run(_ALONE, key=key)
    work.run(_PATIENCE)
    work.run(_FORGET, key=key)


def owners(work: Work, wanted: Mapping[str, object]) -> dict[str, Owner]:
    """Who has these values now: of `wanted`, unique field -> value, those that somebody has."""
    if not wanted:
        return {}
    values = [orjson.dumps(value).decode() for value in wanted.values()]
    rows = work.run(_OWNERS, fields=list(wanted), values=values)
    return {row.field: Owner(row.customer_id, row.external_id) for row in rows}


def is_taken(error: IntegrityError) -> bool:
    """Whether the database refused a second customer with one value."""
    diagnosed = getattr(error.orig, "diag", None)
    return getattr(diagnosed, "constraint_name", None) == "pk_unique_value"


def looking_again(act: Callable[[], Result]) -> Result:
    """Do `act`, a whole transaction that looks and writes, once more when somebody else was faster.

    Raises Conflict when that happens again and again.
    """
    for _ in range(TRIES):
        try:
            return act()
        except IntegrityError as error:
            if not is_taken(error):
                raise
    raise Conflict("others take the same unique values at this very moment; try again")
