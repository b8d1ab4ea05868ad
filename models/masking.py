"""What looks like a telephone number keeps its head and its tail only: in logs, and in what is set aside."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

NUMBER_KEYS = frozenset({"e164", "msisdn", "phone", "telephone", "mobile", "tel"})
"""Keys whose values are numbers even when written without a plus."""

# What stands in front of a number tells that it is one; ids, times and amounts have nothing of the kind. Each
# pattern: what tells, then digits in one piece (what follows them is something else), or grouped for people;
# no date, and nothing that is masked already.
_NAME = "|".join(sorted(NUMBER_KEYS))
_SIX = r"(?![0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]+\*)([0-9]{6,}|[0-9](?:[ .\-/()]{0,2}[0-9]){5,})"
_NUMBERS = [
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        # A name that says so: in a query, in an error of PostgreSQL, in JSON within a text.
        rf"""((?<![a-z0-9])(?:{_NAME})(?:_?number)?["'\\)\]]{{0,3}}\s*(?:=|:|%3D)\s*["'\\(\[]{{0,3}}){_SIX}""",
        # The address of a telephone.
        rf"((?<![a-z])(?:sips?|tel|callto|sms)(?::|%3A)/{{0,2}}0*){_SIX}",
        # "+", also as a URL spells it.
        r"(\+|%2B)([1-9][0-9]{6,}|[1-9](?:[ .\-/()]{0,2}[0-9]){6,})",
        # "00" and a country; no part of a word, a time, a fraction or a uuid.
        r"((?<![\w+\-])(?<![0-9][:.])00 ?)(?![0-9a-f]{6}-[0-9a-f]{4}-)"
        r"([1-9][0-9]{7,}|[1-9](?:[ .\-/()]{0,2}[0-9]){7,})(?![0-9]|[a-f]\w)",
    )
]
_NOT_DIGITS = re.compile(r"[^0-9]")
_BARE = re.compile(r"[0-9](?:[ .\-/()]{0,2}[0-9]){5,}")


def mask_text(text: str) -> str:
    """`text` with its telephone numbers masked: +351912345678 -> +3519*****78."""
    for number in _NUMBERS:
        text = number.sub(lambda found: found[1] + _mask(found[2]), text)
    return text


def mask_values(value: Any) -> Any:
    """`value` with the numbers in all texts within it masked; containers are copied, not changed."""
    if isinstance(value, str):
        return mask_text(value)
    if isinstance(value, Mapping):
        return {mask_values(key): mask_under(key, inner) for key, inner in value.items()}
    if isinstance(value, Sequence | set | frozenset) and not isinstance(value, bytes | bytearray):
        return [mask_values(inner) for inner in value]
    return value


def mask_under(key: object, value: Any) -> Any:
    """`value` as `mask_values` has it, where its key may say that it is a number."""
    if key in NUMBER_KEYS and isinstance(value, str | int):
        return _BARE.sub(lambda found: _mask(found[0]), mask_text(str(value)))
    return mask_values(value)


def _mask(number: str) -> str:
    """Of the digits of `number` at most four in front and two behind; four are hidden at the least."""
    digits = _NOT_DIGITS.sub("", number)
    head = max(0, min(4, len(digits) - 6))
    return f"{digits[:head]}*****{digits[-2:]}"
