"""Who may not be called, since when and by whose word: the entries of a CRM, those that are over as well."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, text

from models.errors import BadInput
from models.tables.walls import SUPPRESSION_SCOPES
from models.work import Work

STATES = ("standing", "expired", "lifted", "all")

_ENTRIES = text("""
    select w.id, w.e164, w.customer_id, w.scope, w.reason, w.author, w.created_at, w.expires_at, w.walled_at,
           w.lifted_at, w.lifted_by,
           case when w.lifted_at is not null then 'lifted'
                when w.expires_at <= :now then 'expired' else 'standing' end as state
      from suppression w
     where w.crm_id = :crm_id and w.id > :after
       and case :state when 'standing' then w.lifted_at is null
                                            and (w.expires_at is null or w.expires_at > :now)
                       when 'expired' then w.lifted_at is null and w.expires_at <= :now
                       when 'lifted' then w.lifted_at is not null
                       else true end
       and (cast(:e164 as text) is null or w.e164 = :e164)
       and (cast(:customer_id as bigint) is null or w.customer_id = :customer_id)
       and (cast(:scope as text) is null or w.scope = :scope)
       and (cast(:author as text) is null or w.author = :author)
     order by w.id limit :most
""")


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
    return work.run(
        _ENTRIES, after=after, most=most, state=state, e164=e164, customer_id=customer_id, scope=scope,
        author=author,
    ).all()  # fmt: skip
