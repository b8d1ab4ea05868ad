"""What a template is told, checked: every problem at once, with what was probably meant."""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from itertools import pairwise
from typing import Any

from models.errors import BadInput
from segmentation.problems import did_you_mean, shown
from segmentation.templates.catalogue import Parameter, Template
from segmentation.templates.roles import Named
from segmentation.templates.rounding import Number, shortest
from segmentation.values import MAX_LIST, MAX_NUMBER, MAX_TEXT

MOST_LIMITS = 49
MOST_YEARS = 99  # of an age by the date of birth: rules reach back no further

_OF_A_NUMBER = ("silver", "gold", "platinum")


class _Wrong(Exception):
    """One choice is wrong; carries the message."""


def read_choices(template: Template, given: Mapping[str, Any], fields: Mapping[str, Named]) -> dict[str, Any]:
    """The parameters that were given, each as its template takes it. Raises BadInput with all problems."""
    problems: list[tuple[str, str]] = []
    read: dict[str, Any] = {}
    for name, value in given.items():
        parameter = template.parameters.get(name)
        try:
            if parameter is None:
                known = ", ".join(template.parameters) or "none"
                hint = did_you_mean(name, template.parameters) or f": it takes {known}"
                raise _Wrong(f"{template.key} has no such parameter{hint}")
            if value is not None:
                read[name] = _read(parameter, value, fields)
        except _Wrong as wrong:
            problems.append((f"parameters.{name}", str(wrong)))
    refuse(problems)
    return read


def refuse(problems: Iterable[tuple[str, str]]) -> None:
    """Raise BadInput with (path, message) pairs, if there are any."""
    found = list(problems)
    if found:
        listed = [{"path": path, "message": message} for path, message in found]
        raise BadInput("; ".join(f"{path}: {message}" for path, message in found), problems=listed)


def _read(parameter: Parameter, given: Any, fields: Mapping[str, Named]) -> Any:
    if parameter.role is not None:
        return _field(parameter, given, fields)
    if isinstance(parameter.default, int):
        return _whole(parameter, given)
    return _READERS[parameter.name](given)


def _field(parameter: Parameter, given: Any, fields: Mapping[str, Named]) -> str:
    found = fields.get(given) if isinstance(given, str) else None
    if found is None:
        hint = did_you_mean(given, fields) or f": there are {', '.join(fields)}"
        raise _Wrong(f"{shown(given)} is not a field{hint}")
    if found.field.type not in parameter.types:
        raise _Wrong(
            f"{given} is a field of type {found.field.type}: give one of {', '.join(parameter.types)}"
        )
    return found.field.key


def _whole(parameter: Parameter, given: Any) -> int:
    whole = isinstance(given, int) and not isinstance(given, bool)
    if not whole or not parameter.least <= given <= parameter.most:
        raise _Wrong(f"is {shown(given)}: a whole number from {parameter.least} to {parameter.most}")
    return int(given)


def _number(given: Any) -> Number:
    if isinstance(given, bool) or not isinstance(given, int | float) or not abs(given) <= MAX_NUMBER:
        raise _Wrong(f"is {shown(given)}: a number to ±{MAX_NUMBER:.0e}")
    return shortest(Decimal(str(given)))


def _limits(given: Any) -> tuple[Number, ...]:
    if not isinstance(given, list | tuple) or not 1 <= len(given) <= MOST_LIMITS:
        raise _Wrong(f"is {shown(given)}: a list of 1 to {MOST_LIMITS} numbers at which bands begin")
    read = tuple(_number(one) for one in given)
    if any(low >= high for low, high in pairwise(read)):
        raise _Wrong("has to go up, each number above the one before")
    return read


def _values(given: Any) -> tuple[tuple[str, ...], ...]:
    """Values, or groups of them that are one band: ["Oslo", ["Bergen", "BERGEN"]]."""
    if not isinstance(given, list | tuple) or not given:
        raise _Wrong(f"is {shown(given)}: a list of values, or of lists of values that are one band")
    groups = tuple(tuple(one) if isinstance(one, list | tuple) else (one,) for one in given)
    every = [value for group in groups for value in group]
    if not all(groups) or not all(_is_value(value) for value in every):
        raise _Wrong(f"each value is a text of 1 to {MAX_TEXT} characters that can be read")
    if len(set(every)) < len(every):
        raise _Wrong("names a value twice: nobody would fall into the second band")
    if len(every) > MAX_LIST:
        raise _Wrong(f"holds {len(every)} values; at most {MAX_LIST} are allowed")
    return groups


def _is_value(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip()) and value.isprintable() and len(value) <= MAX_TEXT


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "limits": _limits, "values": _values, **dict.fromkeys(_OF_A_NUMBER, _number)
}  # fmt: skip
