"""The other side of a comparison: a literal, or a moment reckoned from now."""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from sqlglot import exp

from segmentation.expert.gate import NotTaken, span_of
from segmentation.places import Span

UNITS = {"MINUTE": 60, "HOUR": 3_600, "DAY": 86_400, "WEEK": 604_800}
_WHOLE = re.compile(r"-?[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class Literally:
    """A text, a number or a yes or no."""

    value: str | int | float | bool
    span: Span


@dataclass(frozen=True, slots=True)
class FromNow:
    """So many seconds after now, or before; or days after today."""

    start: Literal["now", "today"]
    seconds: int
    span: Span


def value_of(node: exp.Expr, sql: str) -> Literally | FromNow | None:
    """What a rule may compare a column with; None if `node` is no such thing. Raises NotTaken."""
    node = unbracketed(node)
    span = span_of(node, sql)
    match node:
        case exp.Null():
            raise NotTaken("a comparison with NULL is never true: write IS NULL or IS NOT NULL", span)
        case exp.Boolean():
            return Literally(bool(node.this), span)
        case exp.Literal():
            return Literally(_literal(node, span), span)
        case exp.Neg(this=exp.Literal(is_string=False) as number):
            value = _literal(number, span)
            return Literally(-value, span) if not isinstance(value, str) else None
    return _from_now(node, sql, span)


def unbracketed(node: exp.Expr) -> exp.Expr:
    """Without the brackets round it."""
    while isinstance(node, exp.Paren):
        node = node.this
    return node


def arguments(node: exp.Expr) -> set[str]:
    """The names of what a node was given."""
    return {name for name, given in node.args.items() if given not in (None, False, [])}


def _literal(node: exp.Literal, span: Span) -> Any:
    if node.is_string:
        if not node.this:
            raise NotTaken("an empty text counts as no value: write IS NULL or IS NOT NULL", span)
        return str(node.this)
    written = str(node.this)
    if written.isdigit() and len(written) <= 30:
        return int(written)
    number = float(written)
    if abs(number) != float("inf") and Decimal(written) != Decimal(repr(number)):
        raise NotTaken("a number may have about 15 digits", span)
    return number


def _from_now(node: exp.Expr, sql: str, span: Span) -> FromNow | None:
    """`now() + a - b` leans to the left, as deep as it is long."""
    steps: list[tuple[int, exp.Expr]] = []
    while isinstance(node, exp.Add | exp.Sub):
        steps.append((1 if isinstance(node, exp.Add) else -1, node.expression))
        node = unbracketed(node.this)
    match node:
        case exp.CurrentTimestamp() if not arguments(node):
            start = FromNow("now", 0, span)
        case exp.CurrentDate() if not arguments(node):
            start = FromNow("today", 0, span)
        case _:
            return None
    seconds = sum(sign * _length(length, start, sql) for sign, length in reversed(steps))
    return FromNow(start.start, seconds, span)


def _length(node: exp.Expr, start: FromNow, sql: str) -> int:
    node = unbracketed(node)
    if isinstance(node, exp.Interval):
        return _interval(node, sql)
    is_days = isinstance(node, exp.Literal) and not node.is_string and _WHOLE.fullmatch(node.this)
    if start.start == "today" and is_days:
        return int(node.this) * UNITS["DAY"]
    why = "to a moment only an interval can be added, as in now() - interval '3 days'"
    raise NotTaken(why, span_of(node, sql))


def _interval(node: exp.Interval, sql: str) -> int:
    unit = str(node.args.get("unit") or "").upper().removesuffix("S")
    number = node.this
    if unit in UNITS and isinstance(number, exp.Literal) and _WHOLE.fullmatch(number.this):
        return int(number.this) * UNITS[unit]
    why = "an interval is a whole number of minutes, hours, days or weeks: interval '3 days'"
    raise NotTaken(why, span_of(node, sql))
