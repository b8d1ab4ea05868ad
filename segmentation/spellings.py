"""Other spellings of operators: some are accepted, for others the right one is named."""

from typing import Any

from segmentation.catalogue import KnownField
from segmentation.problems import did_you_mean

_ACCEPTED: dict[str, dict[str, str]] = {
    "text": {"starts": "starts_with", "ends": "ends_with"},
    "choice": {"starts": "starts_with", "ends": "ends_with"},
    "date": {"before": "lt", "after": "gt", "never": "empty"},
    "instant": {"never": "empty"},
}
_AGO = {
    **dict.fromkeys(("lt", "le", "before"), "older_than"),
    **dict.fromkeys(("gt", "ge", "after"), "within_last"),
}
_MEANT = {
    "=": "eq", "==": "eq", "is": "eq", "equals": "eq", "!=": "ne", "<>": "ne", "is_not": "ne",
    "<": "lt", "<=": "le", "lte": "le", ">": "gt", ">=": "ge", "gte": "ge",
    "lt": "before", "gt": "after", "any": "in", "none": "not_in", "in": "any", "not_in": "none",
    "is_empty": "empty", "exists": "not_empty",
}  # fmt: skip


def accepted(field: KnownField, leaf: dict[str, Any]) -> dict[str, Any]:
    """The leaf with its operator as it is kept: `starts` is starts_with, `lt` {"ago": "3d"} older_than 3d."""
    op = leaf.get("op")
    if not isinstance(op, str):
        return leaf
    value = leaf.get("v")
    if (
        field.type in ("date", "instant")
        and op in _AGO
        and isinstance(value, dict)
        and value.keys() == {"ago"}
    ):
        return leaf | {"op": _AGO[op], "v": value["ago"]}
    return leaf | {"op": _ACCEPTED.get(field.type, {}).get(op, op)}


def meant(op: object, takes: tuple[str, ...]) -> str:
    """` - did you mean "ge"?`, or nothing if nothing among `takes` is near."""
    spelled = _MEANT.get(op) if isinstance(op, str) else None
    return f' - did you mean "{spelled}"?' if spelled in takes else did_you_mean(op, takes)
