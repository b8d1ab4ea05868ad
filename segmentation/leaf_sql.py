"""One question of one field as SQL: true or false, never null."""

import operator
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    DateTime,
    Numeric,
    Text,
    any_,
    bindparam,
    false,
    func,
    literal_column,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONPATH
from sqlalchemy.types import TypeEngine

from segmentation.catalogue import WITH_DURATION, WITHOUT_VALUE, KnownField
from segmentation.direct import Path, Whole, path_of
from segmentation.nodes import Leaf, Scalar
from segmentation.time_sql import Columns, Condition, time_condition

_COMPARE: Mapping[str, Callable[..., ColumnElement[bool]]] = {
    "lt": operator.lt, "le": operator.le, "gt": operator.gt, "ge": operator.ge,
    "before": operator.lt, "after": operator.gt,
}  # fmt: skip
_TIME = WITH_DURATION | {"on", "weekday_in"}


def leaf_condition(leaf: Leaf, columns: Columns, field: KnownField) -> Condition:
    """The condition of a leaf over the column of its field, or over all own values where it can ask them."""
    whole = columns.get(Whole(field.key))
    if whole is not None and (path := path_of(leaf, field)) is not None:
        return _of_path(whole, path)
    column = columns[field.key]
    if leaf.op in _TIME:
        return time_condition(leaf, columns, field)
    if leaf.op in WITHOUT_VALUE:
        return _without_value(leaf.op, column, field)
    return (_of_tags if field.type == "tags" else _of_value)(leaf, column, field)


def _of_path(whole: ColumnElement[Any], path: Path) -> Condition:
    met = whole.op("@@", is_comparison=True)(bindparam(None, path.predicate, type_=JSONPATH()))
    return met.is_not(true()) if path.negated else met.is_(true())


def _of_value(leaf: Leaf, column: ColumnElement[Any], field: KnownField) -> Condition:
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
        case "contains" | "starts_with" | "ends_with":
            return _of_part(leaf.op, func.lower(column), func.lower(_bind(field, value))).is_(true())
    return _COMPARE[leaf.op](column, _bind(field, value)).is_(true())


def _of_part(op: str, text: ColumnElement[Any], part: ColumnElement[Any]) -> Condition:
    match op:
        case "contains":
            return func.strpos(text, part) > literal_column("0")
        case "starts_with":
            return func.starts_with(text, part)
    return func.right(text, func.length(part)) == part


def _of_tags(leaf: Leaf, column: ColumnElement[Any], field: KnownField) -> Condition:
    value: Any = leaf.value
    match leaf.op:
        case "any":
            return column.op("&&", is_comparison=True)(_bind_list(field, value)).is_(true())
        case "all":
            return column.op("@>", is_comparison=True)(_bind_list(field, value)).is_(true())
        case "none":
            return column.op("&&", is_comparison=True)(_bind_list(field, value)).is_not(true())
    return (func.cardinality(column) >= bindparam(None, value, type_=BigInteger)).is_(true())


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
    if field.type == "instant":
        return DateTime(timezone=True)
    if field.type != "number":
        return Text()  # days as well: they are kept as 2026-03-02
    return BigInteger() if field.whole else Numeric()


def _plain(field: KnownField, value: Scalar) -> Any:
    if isinstance(value, datetime):
        return value
    if field.type == "number":
        return value if field.whole else Decimal(str(value))
    return str(value)


def _bind(field: KnownField, value: Scalar) -> ColumnElement[Any]:
    return bindparam(None, _plain(field, value), type_=_type(field))


def _bind_list(field: KnownField, values: Sequence[Scalar]) -> ColumnElement[Any]:
    return bindparam(None, [_plain(field, one) for one in values], type_=ARRAY(_type(field)))
