"""Questions that a customer's own values answer where they lie, by a path of JSON.

Taking a value out costs its type, the value and a cast; a path compares numbers, words, yes and no as they
are kept, at a third of that, and a value of another type is no answer, as everywhere.
"""

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from segmentation.catalogue import KnownField
from segmentation.nodes import Leaf, Scalar

FEW = 3
"""Up to so many questions of one field are cheaper asked one by one than of a value taken out for all."""

LONGEST_LIST = 8
"""A longer list is looked up, not gone through."""

_COMPARE = {"eq": "==", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}
_YES_NO = {"is_true": "true", "is_false": "false"}
_NEGATED = {"ne": "eq", "not_in": "in"}


@dataclass(frozen=True, slots=True)
class Whole:
    """All own values of a customer, in which a question of the field `of` finds its value itself."""

    of: str


@dataclass(frozen=True, slots=True)
class Path:
    """A predicate of jsonpath. `negated`: the question is whether it is not so."""

    predicate: str
    negated: bool = False


def path_of(leaf: Leaf, field: KnownField) -> Path | None:
    """The question as a path, or None where there is none: of time, of parts of words, of long lists."""
    if field.table is not None or field.type not in ("text", "choice", "number", "yes_no"):
        return None
    if leaf.op in _NEGATED:
        asked = _predicate(_NEGATED[leaf.op], leaf.value, field)
        return None if asked is None else Path(asked, negated=True)
    asked = _predicate(leaf.op, leaf.value, field)
    return None if asked is None else Path(asked)


def _predicate(op: str, value: Any, field: KnownField) -> str | None:
    # strict: an array of numbers is no number.
    place = f"$.{json.dumps(field.stored, ensure_ascii=False)}"
    if op in _YES_NO:
        return f"strict {place} == {_YES_NO[op]}"
    if op in _COMPARE:
        return f"strict {place} {_COMPARE[op]} {_literal(field, value)}"
    if op == "between":
        low, high = (_literal(field, one) for one in value)
        return f"strict {place} >= {low} && {place} <= {high}"
    if op == "in" and len(value) <= LONGEST_LIST:
        return "strict " + " || ".join(f"{place} == {_literal(field, one)}" for one in value)
    return None


def _literal(field: KnownField, value: Scalar) -> str:
    if field.type == "number":
        return format(Decimal(str(value)), "f")
    return json.dumps(value, ensure_ascii=False)
