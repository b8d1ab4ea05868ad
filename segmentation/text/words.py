"""The words of the textual form: operators, comparing signs, units of time."""

import re
from collections.abc import Iterator
from typing import Any

from models.errors import BadRule
from segmentation.catalogue import OPERATORS, Catalogue

SIGNS = {"=": "eq", "==": "eq", "!=": "ne", "<>": "ne", "<": "lt", "<=": "le", ">": "gt", ">=": "ge"}

WRITTEN = {
    "eq": "=", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">=",
    "in": "in", "not_in": "not in", "between": "between",
    "contains": "contains", "starts_with": "starts with", "ends_with": "ends with",
    "empty": "is empty", "not_empty": "is not empty", "is_true": "is true", "is_false": "is false",
    "before": "before", "after": "after", "older_than": "older than", "within_last": "within last",
    "due_within": "due within", "overdue_by": "overdue by", "anniversary_within": "anniversary within",
    "on": "on", "weekday_in": "weekday in", "any": "any", "all": "all", "none": "none",
    "count_ge": "count >=",
}  # fmt: skip
"""Operator of the JSON form -> how the text says it."""

OF_TYPE = {
    "date": {"before": "lt", "after": "gt"},
    "instant": {"lt": "before", "gt": "after"},
}
"""Type of a field -> operators that it has under another name."""

KIND = {
    "yes_no": "a yes or no",
    "instant": "an instant",
    "tags": "tags",
    "segments": "segments",
    "labels": "labels",
}

UNITS = {
    "m": ("minute", "m", "min", "mins", "minute", "minutes"),
    "h": ("hour", "h", "hr", "hrs", "hour", "hours"),
    "d": ("day", "d", "day", "days"),
    "w": ("week", "w", "wk", "wks", "week", "weeks"),
}
"""Short form of a unit -> its word, then every spelling."""

UNIT_OF = {spelling: short for short, (_, *spellings) in UNITS.items() for spelling in spellings}
OF_NO_FIXED_LENGTH = ("month", "months", "quarter", "quarters", "year", "years")

_OF_CALENDAR = re.compile("(?<=this|last|next)_")
DURATION = re.compile(r"([0-9]+)([a-z]+)")


def spoken_duration(short: str) -> str | None:
    """ "3d" as "3 days"; None if it is no duration."""
    found = DURATION.fullmatch(short)
    if found is None or found[2] not in UNITS:
        return None
    word = UNITS[found[2]][0]
    return f"{found[1]} {word if found[1] == '1' else f'{word}s'}"


def in_words(body: Any, bad: BadRule, known: Catalogue) -> Iterator[tuple[str, str]]:
    """(path, message) of wrong operators and of words of the calendar, as people spell them."""
    for path, message in bad.problems:
        if "no word of the calendar" in message:
            yield path, _OF_CALENDAR.sub(" ", message)
        leaf = _at(body, path.removesuffix(".op")) if path.endswith(".op") else None
        field = known.get(leaf["f"]) if leaf else None
        if leaf is None or field is None:
            continue
        takes = ", ".join(WRITTEN[op] for op in OPERATORS[field.type])
        is_a = KIND.get(field.type, f"a {field.type}")
        yield path, f'"{WRITTEN[leaf["op"]]}" does not go with {field.key}, {is_a}: it takes {takes}'


def _at(body: Any, path: str) -> Any:
    for step in path.replace("[", ".[").split("."):
        body = body[int(step[1:-1])] if step.startswith("[") else body[step]
    return body
