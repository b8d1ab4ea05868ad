"""What a database's schema is, read from PostgreSQL's own catalogue, and rows for every tenant table."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Table, text
from world import NOON

Fact = tuple[str, str, str, str]

_FACTS = text("""
    with ours as (
        select c.* from pg_class c join pg_namespace n on n.oid = c.relnamespace
         where n.nspname = 'public' and c.relkind in ('r', 'p') and not c.relispartition
           and c.relname <> 'alembic_version'
    )
    select o.relname::text, 'column', a.attname::text,
           concat_ws(' ', format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity,
                     pg_get_expr(d.adbin, d.adrelid))
      from ours o join pg_attribute a on a.attrelid = o.oid and a.attnum > 0 and not a.attisdropped
      left join pg_attrdef d on d.adrelid = o.oid and d.adnum = a.attnum
    union all
    select o.relname::text, 'constraint', k.conname::text, pg_get_constraintdef(k.oid)
      from ours o join pg_constraint k on k.conrelid = o.oid
    union all
    select o.relname::text, 'index', i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid)
      from ours o join pg_index i on i.indrelid = o.oid
    union all
    select o.relname::text, 'storage', '', concat_ws(' ', o.relkind, o.reloptions, pg_get_partkeydef(o.oid))
      from ours o
""")

# What a CHECK wants beyond a value of the column's type.
_CHOICES: dict[str, dict[str, Any]] = {
    "attempt": {"kind": "first", "revision": 0},
    "broken_rule": {"kind": "label"},
    "bulk_action": {"kind": "wake"},
    "call_limit": {"scope": "customer", "days": 1},
    "customer_number": {"e164": "+351912345678", "state": "good", "kind": "work", "kind_by": "hand"},
    "customer_tag": {"source": "hand"},
    "dialer": {"mode": "connect"},
    "field": {"type": "number"},
    "follow_up": {"made_by": "hand", "asked_as": "instant"},
    "import_run": {"state": "done"},
    "lease": {"state": "offered", "seller_id": 1},
    "limit_change": {"deed": "set"},
    "pause": {"scope": "crm"},
    "placement": {"state": "closed"},
    "recall": {"answer": None},
    "ring_limit": {"scope": "customer"},
    "segment": {"key": "unsegmented"},
    "segment_event": {"deed": "paused"},
    "segment_move": {"cause": "rule", "from_segment": 1},
    "seller": {"presence": "away"},
    "register_exemption": {"tag": "x"},
    "set_aside": {"problem_kind": "orphan"},
    "suppression": {"customer_id": 1},
    "turnover_classes": {"silver": 1.0, "gold": 2.0, "platinum": 3.0},
}
_VALUES: dict[type, Any] = {
    int: 1,
    float: 1.0,
    bool: False,
    str: "x",
    datetime: NOON,
    date: NOON.date(),
    UUID: UUID(int=1),
    list: [],
    object: {},  # jsonb
}


def facts(connection: Connection) -> set[Fact]:
    """Columns, constraints, indexes and storage of every table of ours (partitions left out)."""
    return {(table, kind, name, what) for table, kind, name, what in connection.execute(_FACTS)}


def row_of(table: Table, crm_id: int) -> dict[str, Any]:
    """A row that the table's own checks accept; what it refers to need not exist."""
    row: dict[str, Any] = {
        column.name: _VALUES[column.type.python_type]
        for column in table.columns
        if not column.nullable and column.server_default is None
    }
    return {**row, **_CHOICES.get(table.name, {}), "crm_id": crm_id}
