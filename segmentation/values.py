"""The value beside an operator, read as its field's type."""

import re
from dataclasses import replace
from datetime import date
from typing import Any

from segmentation.catalogue import PART_OF_TEXT, WITH_LIST, WITHOUT_VALUE, KnownField
from segmentation.nodes import Scalar, Value
from segmentation.problems import Problems, did_you_mean, shown

MAX_LIST = 1_000
MAX_TEXT = 200
MAX_NUMBER = 10**15  # within the whole numbers that JSON readers keep exactly

DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")  # PostgreSQL keeps neither NUL nor half a character


class _Refused(Exception):
    """This one value is wrong; carries the message."""


def read_value(problems: Problems, path: str, field: KnownField, op: str, leaf: dict[str, Any]) -> Value:
    """The value of `leaf` in its one form: lists sorted and without doubles, 3.0 as 3, days as dates.

    Whatever is wrong is added to `problems`; then the answer means nothing.
    """
    if op in WITHOUT_VALUE:
        if "v" in leaf:
            problems.add(f"{path}.v", f'"{op}" takes no value')
        return None
    if "v" not in leaf:
        problems.add(path, f'"{op}" needs a value: "v"')
        return None
    given = leaf["v"]
    if op in PART_OF_TEXT:
        field = replace(field, choices=())
    if op in WITH_LIST:
        return _list(problems, f"{path}.v", field, given)
    if op == "between":
        return _range(problems, f"{path}.v", field, given)
    return _one(problems, f"{path}.v", field, given)


def _list(problems: Problems, path: str, field: KnownField, given: Any) -> Value:
    if not isinstance(given, list) or not given:
        problems.add(path, f"is {shown(given)}: give a list of at least one value")
        return None
    if len(given) > MAX_LIST:
        problems.add(path, f"holds {len(given)} values; at most {MAX_LIST} are allowed")
        return None
    values = {_one(problems, f"{path}[{i}]", field, one) for i, one in enumerate(given)} - {None}
    return tuple(sorted(values))  # type: ignore[arg-type]  # one field: all of one type


def _range(problems: Problems, path: str, field: KnownField, given: Any) -> Value:
    if not isinstance(given, list) or len(given) != 2:
        problems.add(path, f'is {shown(given)}: "between" takes a list of two values, both included')
        return None
    low, high = (_one(problems, f"{path}[{i}]", field, one) for i, one in enumerate(given))
    if low is None or high is None:
        return None
    if low > high:  # type: ignore[operator]  # one field: both of one type
        problems.add(path, f"is never true: {shown(given[0])} is above {shown(given[1])}")
    return (low, high)


def _one(problems: Problems, path: str, field: KnownField, given: Any) -> Scalar | None:
    if isinstance(given, dict):
        problems.add(
            path, f"{shown(given)}: values reckoned from others are not known yet; write a plain value"
        )
        return None
    read = {"number": _number, "date": _day}.get(field.type, _text)
    try:
        return read(field, given)
    except _Refused as refused:
        problems.add(path, str(refused))
        return None


def _number(field: KnownField, given: Any) -> Scalar:
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise _Refused(f"{field.key} is a number; {shown(given)} is not")
    if not abs(given) <= MAX_NUMBER:  # so written, NaN is refused too
        raise _Refused(f"{shown(given)} is out of range: numbers go to ±{MAX_NUMBER:.0e}")
    if given == int(given):
        return int(given)
    if field.whole:
        raise _Refused(f"{field.key} is a whole number; {shown(given)} is not")
    return given


def _day(field: KnownField, given: Any) -> Scalar:
    if isinstance(given, str) and DAY.fullmatch(given):
        try:
            return date.fromisoformat(given)
        except ValueError:
            raise _Refused(f"{shown(given)} is no day of the calendar") from None
    raise _Refused(f'{field.key} is a date; {shown(given)} is not: write "2026-03-02"')


def _text(field: KnownField, given: Any) -> Scalar:
    if not isinstance(given, str):
        raise _Refused(f"{field.key} is a {field.type}; {shown(given)} is not: put it in quotes")
    if not given:
        raise _Refused('is empty: ask with "empty" or "not_empty"')
    if len(given) > MAX_TEXT:
        raise _Refused(f"is {len(given)} characters long; at most {MAX_TEXT} are allowed")
    if _UNSTORABLE.search(given):
        raise _Refused("holds a character that cannot be stored")
    if field.choices and given not in field.choices:
        known = did_you_mean(given, field.choices) or f": it is one of {', '.join(field.choices)}"
        raise _Refused(f"{field.key} has no value {shown(given)}{known}")
    return given
