"""Who may not be called, since when and by whose word: the entries of a CRM, those that are over as well."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import Row, TextClause, text

from models.errors import BadInput
from models.tables.walls import SUPPRESSION_SCOPES
from models.work import Work

STATES = ("standing", "expired", "lifted", "all")

_ENTRIES = """
    select w.id, w.e164, w.customer_id, w.scope, w.reason, w.author, w.created_at, w.expires_at, w.walled_at,
           w.lifted_at, w.lifted_by,
           case when w.lifted_at is not null then 'lifted'
                when w.expires_at <= :now then 'expired' else 'standing' end as state
      from suppression w
     where w.crm_id = :crm_id and w.id > :after and {asked}
     order by w.id limit :most
"""
# Of each state and filter no more than is asked, in the words of the indexes: behind a `case`, or beside a
# filter that may be null in a plan that is kept, none is found,
# and a million entries are read for one number.
_OF_STATE = {
    "standing": "w.lifted_at is null and (w.expires_at is null or w.expires_at > :now)",
    "expired": "w.lifted_at is null and w.expires_at <= :now",
    "lifted": "w.lifted_at is not null",
}
_FILTERS = {name: f"w.{name} = :{name}" for name in ("e164", "customer_id", "scope", "author")}


@cache
def _statement(state: str, filters: tuple[str, ...]) -> TextClause:
    """Entries of a state (all: whether lifted or not, each by its own index) that meet these filters."""
    states = [_OF_STATE[state]] if state != "all" else ["w.lifted_at is null", _OF_STATE["lifted"]]
    met = [_FILTERS[name] for name in filters]
    asked = " or ".join(f"({' and '.join([one, *met])})" for one in states)
    return text(_ENTRIES.format(asked=f"({asked})"))


def entries(
    work: Work, after: int, most: int, *, state: str = "standing", e164: str | None = None,
    customer_id: int | None = None, scope: str | None = None, author: str | None = None,
) -> Sequence[Row[Any]]:  # fmt: skip
    """Entries with an id after `after`, oldest first, that meet every filter.

    None was ever rewritten but to be lifted: who added and who lifted what is all here. Raises BadInput.
    """
    if state not in STATES:
        raise BadInput(f"state: {state!r} is none of {', '.join(STATES)}")
    if scope is not None and scope not in SUPPRESSION_SCOPES:
        raise BadInput(f"scope: {scope!r} is none of {', '.join(SUPPRESSION_SCOPES)}")
    filters = {"e164": e164, "customer_id": customer_id, "scope": scope, "author": author}
    given = {name: value for name, value in filters.items() if value is not None}
    return work.run(_statement(state, tuple(given)), after=after, most=most, **given).all()
