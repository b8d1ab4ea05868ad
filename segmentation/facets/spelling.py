"""Filters as JSON spells them, for machines and addresses; read back, they mean the same.

{"job": ["student", "retired"], "age": [{"from": 20, "to": 40}], "place": [{"empty": true}],
 "city": [{"other_than": ["Oslo", "Bergen"]}], "loan": [true]}
"""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from models.errors import BadInput
from segmentation.facets.dimensions import LABELS, SEGMENT, STATE, Dimension, Frame
from segmentation.facets.values import EMPTY, Bound, Empty, FacetValue, Filters, Others, Range
from segmentation.nodes import Scalar
from segmentation.problems import Refused, did_you_mean, shown
from segmentation.time_values import is_day
from segmentation.values import MAX_NUMBER, MAX_TEXT

MOST_VALUES = 200  # of one dimension

Ids = Mapping[str, Mapping[str, int]]
"""Dimension of ids (segment, labels) -> the id of each key; either may be written."""


def spelled(value: FacetValue) -> Any:
    """A value as JSON has it."""
    match value:
        case Empty():
            return {"empty": True}
        case Range(low, high):
            return {"from": _plain(low), "to": _plain(high)}
        case Others(known):
            return {"other_than": [_plain(one) for one in known]}
        case _:
            return _plain(value)


def spelled_filters(filters: Filters) -> dict[str, list[Any]]:
    """Filters as JSON has them."""
    return {key: [spelled(value) for value in values] for key, values in filters.items()}


def read_filters(document: object, frame: Frame, ids: Ids, shown_only: Sequence[str] = ()) -> Filters:
    """Filters from JSON. Raises BadInput with every problem: its path, what is wrong, and what instead.

    `shown_only`: the dimensions that somebody wants to see; that there is none of such a name is a problem.
    """
    if not isinstance(document, Mapping):
        raise BadInput('filters: an object of dimensions, each with a list: {"job": ["student"]}')
    problems: list[dict[str, str]] = []
    read: dict[str, list[FacetValue]] = {}
    for key, given in document.items():
        one = frame.dimension(key)
        if one is None:
            problems.append({"path": f"filters.{key}", "message": _no_dimension(key, frame)})
        elif not isinstance(given, list) or len(given) > MOST_VALUES:
            message = f"give a list of at most {MOST_VALUES} values"
            problems.append({"path": f"filters.{key}", "message": message})
        else:
            read[key] = _values(one, given, ids.get(key, {}), problems)
    problems += [
        {"path": f"dimensions[{i}]", "message": _no_dimension(key, frame)}
        for i, key in enumerate(shown_only) if frame.dimension(key) is None
    ]  # fmt: skip
    if problems:
        raise BadInput("; ".join(f"{p['path']}: {p['message']}" for p in problems), problems=problems)
    return read


def _no_dimension(key: str, frame: Frame) -> str:
    hint = did_you_mean(key, [known.key for known in frame.dimensions])
    return f"there is no dimension {key}{hint}"


def _values(
    one: Dimension, given: Sequence[Any], ids: Mapping[str, int], problems: list[dict[str, str]]
) -> list[FacetValue]:
    read: list[FacetValue] = []
    for i, value in enumerate(given):
        try:
            found = _value(one, value, ids)
        except Refused as refused:
            problems.append({"path": f"filters.{one.key}[{i}]", "message": str(refused)})
        else:
            read += [] if found in read else [found]
    return read


def _value(one: Dimension, given: Any, ids: Mapping[str, int]) -> FacetValue:
    if not isinstance(given, dict):
        return _scalar(one, given, ids)
    match given:
        case {"empty": True} if len(given) == 1:
            return EMPTY
        case {"other_than": list(known)} if len(given) == 1 and one.kind in ("listed", "many"):
            return Others(tuple(_scalar(one, value, ids) for value in known[:MOST_VALUES]))
        case {**ends} if ends and ends.keys() <= {"from", "to"} and one.kind == "ranges":
            low, high = (_bound(one, ends.get(end)) for end in ("from", "to"))
            if low is not None and high is not None and not low < high:  # type: ignore[operator]  # one type
                raise Refused('"from" is included and "to" is not: it has to be larger')
            return Range(low, high)
    takes = {"ranges": '{"from": .., "to": ..}', "yes_no": "true, false"}.get(one.kind, "a value")
    raise Refused(f'{shown(given)} is none of its values: give {takes} or {{"empty": true}}')


def _bound(one: Dimension, given: Any) -> Bound | None:
    return None if given is None else _ordered(one, given)


def _scalar(one: Dimension, given: Any, ids: Mapping[str, int]) -> Scalar:
    if one.kind == "yes_no":
        if not isinstance(given, bool):
            raise Refused(f"{shown(given)} is neither true nor false")
        return given
    if one.kind == "ranges":
        number_or_day: Scalar = _ordered(one, given)
        return number_or_day
    if one.field in (SEGMENT, LABELS):
        return _id(one, given, ids)
    if not isinstance(given, str) or not 0 < len(given) <= MAX_TEXT or not _can_be_kept(given):
        raise Refused(f"{shown(given)} is no text of at most {MAX_TEXT} characters")
    words = one.listed if one.field == STATE else (*one.field.choices, *one.listed)
    if one.field.choices or one.field == STATE:
        _known(given, [str(word) for word in words])
    return given


def _can_be_kept(given: str) -> bool:
    """PostgreSQL keeps no NUL, and no half of a pair of characters."""
    return "\x00" not in given and given == given.encode(errors="ignore").decode()


def _known(given: str, words: Sequence[str]) -> None:
    if given not in words:
        raise Refused(
            f"{shown(given)} is none of {', '.join(sorted(set(words)))}{did_you_mean(given, words)}"
        )


def _id(one: Dimension, given: Any, ids: Mapping[str, int]) -> int:
    if isinstance(given, str):
        _known(given, list(ids))
        return ids[given]
    if isinstance(given, bool) or given not in one.listed:
        raise Refused(f"there is no {one.key.removesuffix('s')} {shown(given)} here")
    return int(given)


def _ordered(one: Dimension, given: Any) -> Any:
    """A number or a day."""
    if one.field.type == "date":
        if not is_day(given):
            raise Refused(f'{shown(given)} is no day: write "2026-03-02"')
        return date.fromisoformat(given)
    if isinstance(given, bool) or not isinstance(given, int | float) or not abs(given) <= MAX_NUMBER:
        raise Refused(f"{shown(given)} is no number")
    if one.field.whole and given != int(given):
        raise Refused(f"{shown(given)} is no whole number")
    return int(given) if given == int(given) else given


def _plain(value: Any) -> Any:
    match value:
        case date():
            return value.isoformat()
        case Decimal():
            return int(value) if value == int(value) else float(value)
    return value
