"""The rules in plain Python, over one row: what the SQL says, held equal to it by a differential test.

A row maps the built-in fields to their values (instants in UTC, tags as a collection), and "fields" to the
customer's own as JSON gave them. `local_offset` is reckoned from `zone`. Rules come without references.
"""

import operator
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from models.zones import zone_names
from segmentation.catalogue import TRUE_OF_NOTHING, Catalogue, KnownField
from segmentation.evaluate_time import TIME, meets_time
from segmentation.moments import HoursAhead
from segmentation.nodes import AllOf, AnyOf, Leaf, Node, Not, Rules
from segmentation.time_values import is_day

Row = Mapping[str, Any]


def segment_of(rules: Rules, row: Row, known: Catalogue, now: datetime) -> str | None:
    """The key of the first segment whose rule the row meets; None: Unsegmented. Holds are not looked at."""
    return next((s.key for s in rules.segments if meets(s.when, row, known, now)), None)


def labels_of(rules: Rules, row: Row, known: Catalogue, now: datetime) -> tuple[str, ...]:
    """The keys of the labels whose rules the row meets, in their order."""
    return tuple(label.key for label in rules.labels if meets(label.when, row, known, now))


def meets(node: Node, row: Row, known: Catalogue, now: datetime) -> bool:
    """Whether the row meets one rule when it is `now`."""
    match node:
        case AllOf(parts):
            return all(meets(part, row, known, now) for part in parts)
        case AnyOf(parts):
            return any(meets(part, row, known, now) for part in parts)
        case Not(part):
            return not meets(part, row, known, now)
        case Leaf(key):
            value = value_of(known[key], row, now)
            return meets_value(node, known[key], value, row["zone"], now)


def value_of(field: KnownField, row: Row, now: datetime) -> Any:
    """The row's value of a field as rules compare it; None when it is missing or of the wrong JSON type."""
    if field.table == "local":
        return HoursAhead().of(row["zone"], now) if row["zone"] in zone_names() else None
    if field.table is not None:
        return row[field.key] if field.type != "tags" else row[field.key] or None
    value = row["fields"].get(field.stored)
    match field.type:
        case "yes_no":
            return value if isinstance(value, bool) else None
        case "number":
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            return Decimal(str(value)) if is_number else None
        case "date":
            return value if is_day(value) else None
        case _:
            return value if isinstance(value, str) else None


def meets_value(leaf: Leaf, field: KnownField, value: Any, zone: str, now: datetime) -> bool:
    """Whether a value, as rules compare it, meets one question in this reckoning zone when it is `now`."""
    if value is None:
        return leaf.op in TRUE_OF_NOTHING
    if leaf.op in TIME:
        return meets_time(leaf, field, value, zone, now)
    return _OPERATORS[leaf.op](value, _comparable(leaf.value))


def _comparable(wanted: Any) -> Any:
    if isinstance(wanted, tuple):
        return tuple(_comparable(one) for one in wanted)
    if isinstance(wanted, date) and not isinstance(wanted, datetime):
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
    "ends_with": lambda value, wanted: _folded(value).endswith(_folded(wanted)),
    "before": operator.lt,
    "after": operator.gt,
    "any": lambda value, wanted: any(one in value for one in wanted),
    "all": lambda value, wanted: all(one in value for one in wanted),
    "none": lambda value, wanted: not any(one in value for one in wanted),
    "count_ge": lambda value, wanted: len(value) >= wanted,
    "empty": lambda value, _: value == "",
    "not_empty": lambda value, _: value != "",
    "is_true": lambda value, _: value is True,
    "is_false": lambda value, _: value is False,
}
