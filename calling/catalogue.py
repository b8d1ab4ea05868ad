"""The CRM's own fields: which there are, and how an import makes new ones."""

from collections.abc import Sequence

from sqlalchemy import text

from calling.intake.columns import Column
from models.errors import BadInput
from models.work import OpenWork

_TYPES = text("""
    select key, type from field where crm_id = :crm_id and retired_at is null order by ordinal, key
""")
_ADD = text("""
    insert into field (crm_id, key, type, label, ordinal)
    select :crm_id, w.key, w.type, w.label, w.place + coalesce(
           (select max(f.ordinal) from field f where f.crm_id = :crm_id), 0)
      from unnest(cast(:keys as text[]), cast(:types as text[]), cast(:labels as text[]))
           with ordinality as w(key, type, label, place)
     order by w.key
    on conflict (crm_id, key) do nothing
""")
_RETIRED = text("""
    select key from field where crm_id = :crm_id and key = any(:keys) and retired_at is not null order by key
""")


def types(open_work: OpenWork) -> dict[str, str]:
    """key -> type of the CRM's own fields that are in use."""
    with open_work() as work:
        return {row.key: row.type for row in work.run(_TYPES)}


def add(open_work: OpenWork, columns: Sequence[Column]) -> None:
    """Make fields of columns; what somebody else made meanwhile stays. Raises BadInput for a retired one."""
    keys = [column.target for column in columns]
    with open_work() as work:
        retired = list(work.run(_RETIRED, keys=keys).scalars())
        if retired:
            raise BadInput(f"no longer in use: {', '.join(retired)}; map the columns to others, or to -")
        work.run(
            _ADD, keys=keys, types=[column.type for column in columns], labels=[c.header for c in columns]
        )
