"""The catalogue as it stands in the database, and who asks a field."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, text

from calling.catalogue.field import Field
from models.errors import NotFound
from models.work import Work
from segmentation.problems import did_you_mean

_FIELDS = text("""
    select key, type, label, required, is_unique, pattern, choices, retired_at, retired_by from field
     where crm_id = :crm_id order by retired_at is not null, ordinal, key
""")
# A rule is stored as JSON whose questions name their field under "f".
_ASKS = "jsonb_path_exists(rule, '$.** ? (@.f == $key)', jsonb_build_object('key', cast(:key as text)))"
_ASKERS = text(f"""
    select a.id as assignment_id, a.name as assignment, w.kind, w.key, w.name
      from assignment a
      join (select assignment_id, 'segment' as kind, key, name, position from segment
             where crm_id = :crm_id and retired_at is null and rule is not null
               and {_ASKS}
            union all
            select assignment_id, 'label', key, name, position from label
             where crm_id = :crm_id and retired_at is null and {_ASKS}
            union all
            select id, 'order', order_field, name, -1 from assignment
             where crm_id = :crm_id and order_field = :key
           ) w on w.assignment_id = a.id
     where a.crm_id = :crm_id
     order by a.id, array_position(array['segment', 'label', 'order'], w.kind), w.position, w.key
""")  # noqa: S608 - our own words


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks a field: a `segment` or `label` by key and name, or the `order` of an assignment."""

    assignment_id: int
    assignment: str
    kind: str
    key: str
    name: str


def all_fields(work: Work) -> list[Field]:
    """Every field of the CRM: those in use in their order, then the retired ones."""
    return [_field(row) for row in work.run(_FIELDS)]


def in_use(work: Work) -> list[Field]:
    """The fields that are in use, in their order."""
    return [field for field in all_fields(work) if field.retired_at is None]


def one_field(work: Work, key: str) -> Field:
    """A field, in use or retired. Raises NotFound with what was probably meant."""
    fields = {field.key: field for field in all_fields(work)}
    if key not in fields:
        raise NotFound("field", f"{key}{did_you_mean(key, fields)}")
    return fields[key]


def askers(work: Work, key: str) -> list[Asker]:
    """The segments and labels in force whose rules ask a field themselves, and orders that go by it."""
    return [Asker(**row._asdict()) for row in work.run(_ASKERS, key=key)]


def _field(row: Row[Any]) -> Field:
    return Field(
        row.key, row.type, row.label, row.required, row.is_unique, row.pattern, tuple(row.choices),
        row.retired_at, row.retired_by,
    )  # fmt: skip
