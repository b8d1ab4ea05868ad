"""Fields go out of use and come back. Their values stay where they are all the time."""

from dataclasses import dataclass, replace

from sqlalchemy import text

from calling.catalogue.breakers import breakers
from calling.catalogue.changing import keep_unique, lock, refuse_doubles
from calling.catalogue.field import Field
from calling.catalogue.reading import Asker, askers, one_field
from calling.catalogue.uniqueness import gather_beforehand
from models.errors import Conflict
from models.work import OpenWork

_RETIRE = text("""
    update field set retired_at = :retired_at, retired_by = :retired_by where crm_id = :crm_id and key = :key
""")


@dataclass(frozen=True, slots=True)
class Retired:
    """A field that is no longer in use, and the rules and orders in force that go on asking it."""

    field: Field
    askers: tuple[Asker, ...]


def retire(open_work: OpenWork, key: str, *, author: str) -> Retired:
    """Take a field out of use: no list, page, bar or new rule offers it; its unique values are free.

    Rules in force that ask it go on as they are until they are published again. Raises NotFound, Conflict
    when it is retired already.
    """
    with open_work() as work:
        lock(work)
        field = one_field(work, key)
        if field.retired_at is not None:
            raise Conflict(f"{key} was retired {field.retired} already", field=key)
        work.run(_RETIRE, key=key, retired_at=work.now, retired_by=author)
        gone = replace(field, retired_at=work.now, retired_by=author)
        if field.unique:
            keep_unique(work, gone)
        return Retired(gone, tuple(askers(work, key)))


def revive(open_work: OpenWork, key: str) -> Field:
    """Take a retired field into use again, with all that was demanded of it and the values it had.

    Raises NotFound, Conflict when it is in use, or unique and two customers share a value.
    """
    with open_work() as work:
        field = one_field(work, key)
    if field.unique:
        refuse_doubles(key, breakers(open_work, replace(field, unique=False), field))
        gather_beforehand(open_work, key)
    with open_work() as work:
        lock(work)
        field = one_field(work, key)
        if field.retired_at is None:
            raise Conflict(f"{key} is in use", field=key)
        live = replace(field, retired_at=None, retired_by=None)
        work.run(_RETIRE, key=key, retired_at=None, retired_by=None)
        if live.unique:
            keep_unique(work, live)
    return live
