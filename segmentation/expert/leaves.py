"""Single questions of SQL as parts of a rule: what makes each true, and what makes it false.

In SQL a question about NULL is neither true nor false; our leaves are always one of the two. So what makes
`a < 5` false is `a >= 5`, and what makes `a = 5` false is `a != 5` where there is a value.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from segmentation.expert.parts import Part, negated, together
from segmentation.places import Span

OPPOSITE = {"eq": "ne", "ne": "eq", "lt": "ge", "ge": "lt", "gt": "le", "le": "gt"}
MIRRORED = {"eq": "eq", "ne": "ne", "lt": "gt", "gt": "lt", "le": "ge", "ge": "le"}

_MINUTE, _DAY = 60, 86_400
_UNITS = (("w", 7 * _DAY), ("d", _DAY), ("h", 3_600), ("m", _MINUTE))


@dataclass(frozen=True, slots=True)
class Asked:
    """The column of one question, its field's type ("" if there is no such field), and where it stands."""

    column: str
    type: str
    column_span: Span
    span: Span

    def leaf(
        self, op: str, value: Any = None, value_span: Span | None = None, each: Sequence[Span] = ()
    ) -> Part:
        """One leaf about this column. `each`: where every value of a list stands."""
        leaf = {"f": self.column, "op": op} | ({} if value is None else {"v": value})
        spans = {"f": self.column_span, "v": value_span or self.span}
        spans |= {f"v[{i}]": span for i, span in enumerate(each)}
        return Part(self.span, leaf=leaf, spans=spans)

    def known(self) -> Part:
        """There is a value."""
        return self.leaf("not_empty")

    def opposite(self, part: Part) -> Part:
        """There is a value, and `part` is not so."""
        return together("all", self.span, negated(part), self.known())


def compared(asked: Asked, op: str, value: Any, where: Span, *, truth: bool) -> Part:
    """`column op value` is true, or is false."""
    op = op if truth else OPPOSITE[op]
    if asked.type == "instant" and op not in ("eq", "ne"):
        before_or_after = asked.leaf("before" if op in ("lt", "ge") else "after", value, where)
        return before_or_after if op in ("lt", "gt") else asked.opposite(before_or_after)
    if asked.type == "yes_no" and isinstance(value, bool) and op in ("eq", "ne"):
        return asked.leaf("is_true" if value is (op == "eq") else "is_false")
    if op == "ne":
        return together("all", asked.span, asked.leaf("ne", value, where), asked.known())
    return asked.leaf(op, value, where)


def compared_with_now(asked: Asked, op: str, seconds: int, *, truth: bool) -> Part:
    """`column op now() + seconds` is true, or is false. Whether the very instant counts is not told apart."""
    up_to = _up_to(asked, seconds)
    is_before = (op if truth else OPPOSITE[op]) in ("lt", "le")
    return up_to if is_before else asked.opposite(up_to)


def compared_with_today(asked: Asked, op: str, days: int, *, truth: bool) -> Part:
    """`column op current_date + days` is true, or is false."""
    up_to, before = (_up_to(asked, (days - i) * _DAY) for i in (0, 1))
    match op if truth else OPPOSITE[op]:
        case "le":
            return up_to
        case "lt":
            return before
        case "gt":
            return asked.opposite(up_to)
        case "ge":
            return asked.opposite(before)
        case "eq":
            return together("all", asked.span, up_to, negated(before))
    return together("all", asked.span, asked.known(), together("any", asked.span, negated(up_to), before))


def among(asked: Asked, values: list[Any], where: Sequence[Span], *, truth: bool) -> Part:
    """`column in (values)` is true, or is false."""
    leaf = asked.leaf("in" if truth else "not_in", values, (where[0][0], where[-1][1]), where)
    return leaf if truth else together("all", asked.span, leaf, asked.known())


def alike(asked: Asked, op: str, value: str, where: Span, *, truth: bool) -> Part:
    """The column contains, starts with or ends with `value`, or is a text that does not."""
    part = asked.leaf(op, value, where)
    return part if truth else asked.opposite(part)


def duration(seconds: int) -> str:
    """A length of time as rules write it."""
    unit, length = next(one for one in _UNITS if seconds % one[1] == 0) if seconds else ("d", _DAY)
    return f"{seconds // length}{unit}"


def _up_to(asked: Asked, seconds: int) -> Part:
    """The value lies at most so many seconds ahead; a negative number: at least so many back."""
    if seconds <= 0:
        return asked.leaf("older_than", duration(-seconds))
    ahead = asked.leaf("due_within", duration(seconds))
    return together("any", asked.span, asked.leaf("older_than", "0d"), ahead)
