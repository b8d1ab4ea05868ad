"""Values that may stand only once in a CRM: the database keeps them and refuses a second one.

Triggers on `customer` keep `unique_value` (migration 0007), whoever writes. A writer looks beforehand who has
a value, to say so in words; whom another overtakes between the look and the write looks again.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from models.errors import Conflict
from models.work import Work

TRIES = 5  # each time somebody else has to take the value in the very moment

# The triggers hold this lock shared, in every transaction that writes customers.
_ALONE = text("""
    select pg_advisory_xact_lock(7401112, hashint8(:crm_id)) from field where crm_id = :crm_id and key = :key
""")
_PATIENCE = text("set local statement_timeout = 0")
_GATHER = text("""
    insert into unique_value (crm_id, field, value, customer_id)
    select :crm_id, :key, v.value, c.id
      from customer c cross join lateral (select unique_text(c.fields -> :key) as value offset 0) v
     where c.crm_id = :crm_id and c.anonymised_at is null and v.value is not null
""")
_FORGET = text("delete from unique_value where crm_id = :crm_id and field = :key")
_OWNERS = text("""
    select u.field, u.value, u.customer_id, c.external_id
      from unnest(cast(:fields as text[]), cast(:values as text[])) as w(field, value)
      join unique_value u on u.crm_id = :crm_id and u.field = w.field and u.value = w.value
      join customer c on c.crm_id = :crm_id and c.id = u.customer_id
""")

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Owner:
    """Who has a unique value."""

    customer_id: int
    external_id: str


def gather(work: Work, key: str) -> bool:
    """Keep a field's values as unique from now on; False, with nothing kept, when two customers share one.

    Until the transaction ends nobody else writes customers of this CRM: seconds for a million of them. Set
    the field in the same transaction.
    """
    work.run(_ALONE, key=key)
    work.run(_PATIENCE)
    work.run(_FORGET, key=key)
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


def owners(work: Work, wanted: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Owner]:
    """(field, value as it is kept) -> who has it now."""
    if not wanted:
        return {}
    rows = work.run(_OWNERS, fields=[one for one, _ in wanted], values=[value for _, value in wanted])
    return {(row.field, row.value): Owner(row.customer_id, row.external_id) for row in rows}


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
