"""The rules in plain Python, over one row: what the SQL says, held equal to it by a differential test.

A row maps the built-in fields to their values, and "fields" to the customer's own as JSON gave them.
"""

import operator
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from segmentation.catalogue import TRUE_OF_NOTHING, Catalogue, KnownField
from segmentation.nodes import AllOf, AnyOf, Leaf, Node, Not, Rules
from segmentation.values import DAY

_Row = Mapping[str, Any]


def segment_of(rules: Rules, row: _Row, known: Catalogue) -> str | None:
    """The key of the first segment whose rule the row meets; None: Unsegmented. Holds are not looked at."""
    return next((s.key for s in rules.segments if meets(s.when, row, known)), None)


def meets(node: Node, row: _Row, known: Catalogue) -> bool:
    """Whether the row meets one rule."""
    match node:
        case AllOf(parts):
            return all(meets(part, row, known) for part in parts)
        case AnyOf(parts):
            return any(meets(part, row, known) for part in parts)
        case Not(part):
            return not meets(part, row, known)
        case Leaf(key, op, wanted):
            value = value_of(known[key], row)
            if value is None:
                return op in TRUE_OF_NOTHING
            return _OPERATORS[op](value, _comparable(wanted))


def value_of(field: KnownField, row: _Row) -> Any:
    """The row's value of a field as rules compare it; None when it is missing or of the wrong JSON type."""
    if field.table is not None:
        return row[field.key]
    value = row["fields"].get(field.key)
    match field.type:
        case "yes_no":
            return value if isinstance(value, bool) else None
        case "number":
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            return Decimal(str(value)) if is_number else None
        case "date":
            return value if isinstance(value, str) and DAY.fullmatch(value) else None
        case _:
            return value if isinstance(value, str) else None


def _comparable(wanted: Any) -> Any:
    if isinstance(wanted, tuple):
        return tuple(_comparable(one) for one in wanted)
    if isinstance(wanted, date):
        return wanted.isoformat()
    return Decimal(str(wanted)) if isinstance(wanted, float) else wanted


def _folded(text: str) -> str:
    """PostgreSQL's lower(): a character becomes one character, whatever its neighbours."""
    return text.lower() if text.isascii() else "".join(character.lower()[0] for character in text)


_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
    "between": lambda value, wanted: bool(wanted[0] <= value <= wanted[1]),
    "in": lambda value, wanted: value in wanted,
    "not_in": lambda value, wanted: value not in wanted,
    "contains": lambda value, wanted: _folded(wanted) in _folded(value),
    "starts_with": lambda value, wanted: _folded(value).startswith(_folded(wanted)),
    "empty": lambda value, _: value == "",
    "not_empty": lambda value, _: value != "",
    "is_true": lambda value, _: value is True,
    "is_false": lambda value, _: value is False,
}
