"""The rows that rules read: placement with customer and the hold in force, a typed column per field asked.

Each own field is taken out of `customer.fields` once a row, however many rules ask it, and a value of the
wrong JSON type is no value. OFFSET 0 keeps the planner from copying the extraction into every question; its
zero has to be a bigint constant, or PostgreSQL gives up the parallel plan.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    DateTime,
    FromClause,
    Numeric,
    Subquery,
    Text,
    and_,
    any_,
    bindparam,
    case,
    cast,
    collate,
    func,
    literal_column,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from models.tables import Customer, Hold, Placement
from segmentation.catalogue import KnownField

FENCE: ColumnElement[int] = literal_column("bigint '0'")

CRM_ID = bindparam("crm_id", type_=BigInteger)
ASSIGNMENT_ID = bindparam("assignment_id", type_=BigInteger)
CUSTOMER_IDS = bindparam("customer_ids", type_=ARRAY(BigInteger))
NOW = bindparam("now", type_=DateTime(timezone=True))

LIES_AT: ColumnElement[Any] = literal_column("placement.ctid")

GONE = ("left", "anonymised")
"""States of placements that no rule moves any more."""

_placement, _customer, _hold = Placement.__table__.c, Customer.__table__.c, Hold.__table__.c


@dataclass(frozen=True, slots=True)
class Rows:
    """A subquery with lies_at, customer_id, segment_id and `held` (the hold's segment).

    `lies_at` is where the placement's row is stored. `columns`: field -> column.
    """

    table: Subquery
    columns: dict[str, ColumnElement[Any]]


def rows_of(fields: Iterable[KnownField], *, some: bool) -> Rows:
    """The placements of one assignment, or only those of the bound `customer_ids` when `some`."""
    asked = sorted(fields, key=lambda field: field.key)
    names = {field.key: f"own_{i}" if field.table is None else field.key for i, field in enumerate(asked)}
    raw = _joined({names[field.key]: field for field in asked}, some)
    typed = select(
        raw.c.lies_at,
        raw.c.customer_id,
        raw.c.segment_id,
        raw.c.held,
        *(_typed(field, raw.c[names[field.key]]).label(names[field.key]) for field in asked),
    )
    table = typed.offset(FENCE).subquery("typed")
    return Rows(table, {key: table.c[name] for key, name in names.items()})


def among(column: ColumnElement[int]) -> ColumnElement[bool]:
    """Whether `column` is one of the bound customer_ids.

    Through a subselect the planner cannot see how many there are: one plan fits all and is kept.
    """
    return column == any_(cast(select(CUSTOMER_IDS).scalar_subquery(), ARRAY(BigInteger)))


def _joined(columns: dict[str, KnownField], some: bool) -> Subquery:
    wanted = [
        _placement.crm_id == CRM_ID,
        _placement.assignment_id == ASSIGNMENT_ID,
        _placement.state.not_in([literal_column(f"'{state}'") for state in GONE]),
    ]
    if some:
        wanted.append(among(_placement.customer_id))
    return (
        select(
            LIES_AT.label("lies_at"),
            _placement.customer_id,
            _placement.segment_id,
            _hold.segment_id.label("held"),
            *(_raw(field).label(name) for name, field in columns.items()),
        )
        .select_from(_from(some))
        .where(*wanted)
        .offset(FENCE)
        .subquery("raw")
    )


def _from(some: bool) -> FromClause:
    same_customer = [_customer.crm_id == CRM_ID, _customer.id == _placement.customer_id]
    held = [
        _hold.crm_id == CRM_ID,
        _hold.assignment_id == ASSIGNMENT_ID,
        _hold.customer_id == _placement.customer_id,
        or_(_hold.expires_at.is_(None), _hold.expires_at > NOW),
    ]
    if some:
        # Said of each table, so that no way of joining reads all of one, whatever its size was when planned.
        same_customer.append(among(_customer.id))
        held.append(among(_hold.customer_id))
    joined = Placement.__table__.join(Customer.__table__, and_(*same_customer))
    return joined.outerjoin(Hold.__table__, and_(*held))


def _raw(field: KnownField) -> ColumnElement[Any]:
    if field.table is None:
        return _customer.fields.op("->", return_type=JSONB())(bindparam(None, field.key, type_=Text()))
    return (_placement if field.table == "placement" else _customer)[field.key]


def _typed(field: KnownField, raw: ColumnElement[Any]) -> ColumnElement[Any]:
    if field.table is not None:
        return raw
    json_type, read = _READ[field.type]
    return case((func.jsonb_typeof(raw) == literal_column(f"'{json_type}'"), read(raw)))


def _text(raw: ColumnElement[Any]) -> ColumnElement[Any]:
    return raw.op("#>>", return_type=Text())(literal_column("'{}'::text[]"))


def _day(raw: ColumnElement[Any]) -> ColumnElement[Any]:
    # Days compare as text, in every collation alike: a cast to date is not immutable.
    is_day = _text(raw).op("~", is_comparison=True)(literal_column("'^[0-9]{4}-[0-9]{2}-[0-9]{2}$'"))
    return case((is_day, collate(_text(raw), "C")))


_READ: dict[str, tuple[str, Callable[[ColumnElement[Any]], ColumnElement[Any]]]] = {
    "text": ("string", _text),
    "choice": ("string", _text),
    "number": ("number", lambda raw: cast(raw, Numeric)),
    "date": ("string", _day),
    "yes_no": ("boolean", lambda raw: cast(raw, Boolean)),
}
