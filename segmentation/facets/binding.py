"""The columns that dimensions read, and their values as SQL binds them."""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Numeric, Text, bindparam, cast, literal_column
from sqlalchemy.dialects.postgresql import ARRAY

from segmentation.facets.dimensions import LABELS, SEGMENT, TAGS, Dimension
from segmentation.rows import Rows, rows_of


def read_rows(dimensions: Iterable[Dimension], *, some: bool) -> Rows:
    """The rows with the columns that these dimensions read; tags are no column.

    `some`: of the bound customer_ids, each once; there may be thousands.
    """
    return rows_of({one.field for one in dimensions} - {TAGS, SEGMENT}, some=some, listed=some)


def column_of(field: Any, rows: Rows) -> ColumnElement[Any]:
    """The typed column of a field."""
    return rows.table.c.segment_id if field == SEGMENT else rows.columns[field.key]


def is_empty(one: Dimension, column: ColumnElement[Any]) -> ColumnElement[bool]:
    """As the rule operator `empty`: missing, of the wrong type, or the empty text."""
    if one.field.type in ("text", "choice"):
        return (column != literal_column("''")).is_not(True)
    return column.is_(None)


def has_none(column: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether a row has no label."""
    return column == literal_column("'{}'::bigint[]")


def sql_type(one: Dimension) -> Any:
    """What the values of a dimension are in SQL; days are text, as in rules."""
    if one.field == LABELS or one.field.whole:
        return BigInteger()
    return Numeric() if one.field.type == "number" else Text()


def plain(one: Dimension, value: Any) -> Any:
    """A value as the driver takes it for that type."""
    if isinstance(sql_type(one), BigInteger):
        return int(value)
    if isinstance(value, date) or one.field.type != "number":
        return str(value)
    return Decimal(str(value))


def bind(one: Dimension, value: Any) -> ColumnElement[Any]:
    """One value, bound."""
    return bindparam(None, plain(one, value), type_=sql_type(one))


def bound_array(one: Dimension, values: Sequence[Any]) -> ColumnElement[Any]:
    """Values, bound as one array."""
    return cast(bindparam(None, [plain(one, value) for value in values]), ARRAY(sql_type(one)))
