"""The value beside an operator, read as its field's type."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from models.tags import folded
from segmentation import time_values
from segmentation.calendar import WEEKDAYS
from segmentation.catalogue import PART_OF_TEXT, WITH_DURATION, WITH_LIST, WITHOUT_VALUE, KnownField
from segmentation.nodes import Scalar, Value
from segmentation.problems import Problems, Refused, a_or_an, did_you_mean, shown

MAX_LIST = 1_000
MAX_TEXT = 200
MAX_NUMBER = 10**15  # within the whole numbers that JSON readers keep exactly

_WEEK = WEEKDAYS.index
_Read = Callable[[KnownField, Any], Scalar]
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")  # PostgreSQL keeps neither NUL nor half a character


def read_value(problems: Problems, path: str, field: KnownField, op: str, leaf: dict[str, Any]) -> Value:
    """The value of `leaf` in its one form: lists sorted and without doubles, 3.0 as 3, instants in UTC.

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
    if op == "weekday_in":
        return tuple(sorted(_list(problems, f"{path}.v", field, given, time_values.weekday), key=_WEEK))
    if op in WITH_LIST:
        return tuple(sorted(_list(problems, f"{path}.v", field, given, _reader(field))))
    if op == "between":
        return _range(problems, f"{path}.v", field, given)
    return _one(problems, f"{path}.v", field, given, _reader_beside(op, field))


def _reader_beside(op: str, field: KnownField) -> _Read:
    if op in WITH_DURATION:
        return time_values.duration_of(op)
    return {"on": time_values.word, "count_ge": _count}.get(op) or _reader(field)


def _reader(field: KnownField) -> _Read:
    return _READERS.get(field.type, _text)


def _list(problems: Problems, path: str, field: KnownField, given: Any, read: _Read) -> set[Scalar]:
    if not isinstance(given, list) or not given:
        problems.add(path, f"is {shown(given)}: give a list of at least one value")
        return set()
    if len(given) > MAX_LIST:
        problems.add(path, f"holds {len(given)} values; at most {MAX_LIST} are allowed")
        return set()
    values = (_one(problems, f"{path}[{i}]", field, one, read) for i, one in enumerate(given))
    return {value for value in values if value is not None}


def _range(problems: Problems, path: str, field: KnownField, given: Any) -> Value:
    if not isinstance(given, list) or len(given) != 2:
        problems.add(path, f'is {shown(given)}: "between" takes a list of two values, both included')
        return None
    read = _reader(field)
    low, high = (_one(problems, f"{path}[{i}]", field, one, read) for i, one in enumerate(given))
    if low is None or high is None:
        return None
    if low > high:  # type: ignore[operator]  # one field: both of one type
        problems.add(path, f"is never true: {shown(given[0])} is above {shown(given[1])}")
    return (low, high)


def _one(problems: Problems, path: str, field: KnownField, given: Any, read: _Read) -> Scalar | None:
    if isinstance(given, dict):
        problems.add(
            path, f"{shown(given)}: a value reckoned from others is not known here; write a plain one"
        )
        return None
    try:
        return read(field, given)
    except Refused as refused:
        problems.add(path, str(refused))
        return None


def _number(field: KnownField, given: Any) -> Scalar:
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise Refused(f"{field.key} is a number; {shown(given)} is not")
    if not abs(given) <= MAX_NUMBER:  # so written, NaN is refused too
        raise Refused(f"{shown(given)} is out of range: numbers go to ±{MAX_NUMBER:.0e}")
    if given == int(given):
        return int(given)
    if field.whole:
        raise Refused(f"{field.key} is a whole number; {shown(given)} is not")
    return given


def _tag(field: KnownField, given: Any) -> Scalar:
    return _text(field, folded(given) if isinstance(given, str) else given)


def _count(field: KnownField, given: Any) -> Scalar:
    if isinstance(given, bool) or not isinstance(given, int) or not 1 <= given <= MAX_LIST:
        raise Refused(f"{field.key} are counted: {shown(given)} is no whole number from 1 to {MAX_LIST}")
    return given


def _text(field: KnownField, given: Any) -> Scalar:
    if not isinstance(given, str):
        raise Refused(f"{field.key} is {a_or_an(field.type)}; {shown(given)} is not: put it in quotes")
    if not given:
        raise Refused('is empty: ask with "empty" or "not_empty"')
    if len(given) > MAX_TEXT:
        raise Refused(f"is {len(given)} characters long; at most {MAX_TEXT} are allowed")
    if _UNSTORABLE.search(given):
        raise Refused("holds a character that cannot be stored")
    if field.choices and given not in field.choices:
        known = did_you_mean(given, field.choices) or f": it is one of {', '.join(field.choices)}"
        raise Refused(f"{field.key} has no value {shown(given)}{known}")
    return given


_READERS: dict[str, _Read] = {
    "number": _number,
    "date": time_values.day,
    "instant": time_values.instant,
    "tags": _tag,
}
