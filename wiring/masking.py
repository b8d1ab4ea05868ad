"""Telephone numbers never reach a log: what looks like one keeps its head and its tail only."""

import re
from collections.abc import Mapping, MutableMapping, Sequence
from typing import Any

# "+", also as a URL spells it, then digits in one piece (what follows them is something else), or grouped
# for people. Ids, times and amounts have no plus.
_NUMBER = re.compile(r"(\+|%2B)([1-9][0-9]{6,}|[1-9](?:[ .\-/()]{0,2}[0-9]){6,})", re.IGNORECASE)
_NOT_DIGITS = re.compile(r"[^0-9]")
_BARE = re.compile(r"[0-9](?:[ .\-/()]{0,2}[0-9]){5,}")

NUMBER_KEYS = frozenset({"e164", "msisdn", "phone", "telephone"})
"""Log keys whose values are numbers even when written without a plus."""


def mask_text(text: str) -> str:
    """`text` with its telephone numbers masked: +351912345678 -> +3519*****78."""
    return _NUMBER.sub(lambda found: found[1] + _mask(found[2]), text)


def mask_values(value: Any) -> Any:
    """`value` with the numbers in all texts within it masked; containers are copied, not changed."""
    if isinstance(value, str):
        return mask_text(value)
    if isinstance(value, Mapping):
        return {mask_values(key): _mask_under(key, inner) for key, inner in value.items()}
    if isinstance(value, Sequence | set | frozenset) and not isinstance(value, bytes | bytearray):
        return [mask_values(inner) for inner in value]
    return value


def masked_event(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor: every value of a log line, however deep. An exception is text only later."""
    return {key: value if key == "exc_info" else _mask_under(key, value) for key, value in event.items()}


def masked_line(_logger: Any, _method: str, line: str) -> str:
    """A structlog processor after the renderer: tracebacks and foreign objects are text by now."""
    return mask_text(line)


def _mask_under(key: object, value: Any) -> Any:
    if key in NUMBER_KEYS and isinstance(value, str | int):
        return _BARE.sub(lambda found: _mask(found[0]), mask_text(str(value)))
    return mask_values(value)


def _mask(number: str) -> str:
    """Of the digits of `number` at most four in front and two behind; four are hidden at the least."""
    digits = _NOT_DIGITS.sub("", number)
    head = max(0, min(4, len(digits) - 6))
    return f"{digits[:head]}*****{digits[-2:]}"
