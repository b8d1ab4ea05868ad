"""What each field can be asked, as people write it: an example of every operator that its type takes."""

from collections.abc import Mapping, Sequence
from typing import Any

from segmentation.catalogue import (
    MOVING,
    OPERATORS,
    REFERENCES,
    WITH_LIST,
    WITHOUT_VALUE,
    Catalogue,
    KnownField,
)
from segmentation.language import read_rule
from segmentation.text.writing import write_rule

_VALUES: Mapping[str, Sequence[Any]] = {
    "text": ("ada", "bea"),
    "choice": ("small", "large"),
    "number": (10, 20),
    "date": ("2026-03-01", "2026-06-01"),
    "instant": ("2026-03-01T08:00:00Z", "2026-03-02T08:00:00Z"),
    "tags": ("vip", "late"),
}
_BESIDE: Mapping[str, Any] = {
    **dict.fromkeys(MOVING, "3d"), "on": "this_week", "weekday_in": ["sat", "sun"],
    "anniversary_within": "7d", "count_ge": 2,
}  # fmt: skip


def examples(field: KnownField, known: Catalogue) -> list[str]:
    """A question in text for every operator of the field; none for those that name other rules."""
    if field.key in REFERENCES:
        return []
    return [write_rule(read_rule(_question(field, op), known)) for op in OPERATORS[field.type]]


def _question(field: KnownField, op: str) -> dict[str, Any]:
    asked = {"f": field.key, "op": op}
    if op in WITHOUT_VALUE:
        return asked
    if op in _BESIDE:
        return {**asked, "v": _BESIDE[op]}
    values = list(field.choices or field.declared or _VALUES[field.type])[:2]
    if op == "between":
        return {**asked, "v": values}
    return {**asked, "v": values if op in WITH_LIST else values[0]}
