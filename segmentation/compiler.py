"""Rules become one CASE: the hold in force first, then the segments by position, else Unsegmented.

Every leaf is true or false, never null (design 5.6). Whatever a rule's author wrote is a bound value; lists
are one array each. Only immutable expressions: the statement distributes on a cluster.
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Numeric,
    Text,
    and_,
    any_,
    bindparam,
    case,
    false,
    func,
    literal_column,
    or_,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import TypeEngine

from segmentation.catalogue import Catalogue, KnownField
from segmentation.nodes import AllOf, AnyOf, Leaf, Node, Not, Scalar

_COMPARE: Mapping[str, Callable[..., ColumnElement[bool]]] = {
    "lt": operator.lt, "le": operator.le, "gt": operator.gt, "ge": operator.ge,
}  # fmt: skip

Columns = Mapping[str, ColumnElement[Any]]
Condition = ColumnElement[bool]


def segment_case(
    held: ColumnElement[Any],
    arms: Sequence[tuple[int, Node]],
    otherwise: int,
    columns: Columns,
    known: Catalogue,
) -> ColumnElement[int]:
    """The id of the segment that a row belongs to. `arms`: (segment id, rule) in order of priority."""
    # The ids are our own numbers: as constants they cost nothing to bind.
    rules = [
        (condition(node, columns, known), literal_column(str(int(id_)), BigInteger)) for id_, node in arms
    ]
    return case((held.is_not(None), held), *rules, else_=literal_column(str(int(otherwise)), BigInteger))


def condition(node: Node, columns: Columns, known: Catalogue) -> Condition:
    """The condition of one tree over the typed `columns` of its fields."""
    match node:
        case AllOf(parts):
            return and_(true(), *(condition(part, columns, known) for part in parts))
        case AnyOf(parts):
            return or_(false(), *(condition(part, columns, known) for part in parts))
        case Not(part):
            return condition(part, columns, known).is_not(true())
        case Leaf(key):
            return _leaf(node, columns[key], known[key])


def _leaf(leaf: Leaf, column: ColumnElement[Any], field: KnownField) -> Condition:
    value: Any = leaf.value
    match leaf.op:
        case "eq":
            return (column == _bind(field, value)).is_(true())
        case "ne":
            return column.is_distinct_from(_bind(field, value))
        case "in":
            return (column == any_(_bind_list(field, value))).is_(true())
        case "not_in":
            return (column == any_(_bind_list(field, value))).is_not(true())
        case "between":
            low, high = (_bind(field, one) for one in value)
            return column.between(low, high).is_(true())
        case "lt" | "le" | "gt" | "ge":
            return _COMPARE[leaf.op](column, _bind(field, value)).is_(true())
        case "contains":
            found = func.strpos(func.lower(column), func.lower(_bind(field, value)))
            return (found > literal_column("0")).is_(true())
        case "starts_with":
            return func.starts_with(func.lower(column), func.lower(_bind(field, value))).is_(true())
        case _:
            return _without_value(leaf.op, column, field)


def _without_value(op: str, column: ColumnElement[Any], field: KnownField) -> Condition:
    is_text = field.type in ("text", "choice")
    match op:
        case "empty":
            return (column != literal_column("''")).is_not(true()) if is_text else column.is_(None)
        case "not_empty":
            return (column != literal_column("''")).is_(true()) if is_text else column.is_not(None)
        case "is_true":
            return column.is_(true())
        case "is_false":
            return column.is_(false())
    raise AssertionError(op)


def _type(field: KnownField) -> TypeEngine[Any]:
    if field.type != "number":
        return Text()  # days as well: they are kept as 2026-03-02
    return BigInteger() if field.whole else Numeric()


def _plain(field: KnownField, value: Scalar) -> Any:
    if field.type == "number":
        return value if field.whole else Decimal(str(value))
    return str(value)


def _bind(field: KnownField, value: Scalar) -> ColumnElement[Any]:
    return bindparam(None, _plain(field, value), type_=_type(field))


def _bind_list(field: KnownField, values: Sequence[Scalar]) -> ColumnElement[Any]:
    return bindparam(None, [_plain(field, one) for one in values], type_=ARRAY(_type(field)))
