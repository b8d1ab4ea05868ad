"""Which last digits of a number decide nothing, so that one answer serves all numbers that differ in them.

Whether a number is valid, of which type, country and zone is decided by the patterns of its numbering plan.
Where every pattern ends in digits that may be anything (`9[1236]\\d{7}`), those last digits are free. This is
read off the patterns themselves, so it holds for each release of phonenumbers, or the answer is "none are".
"""

from collections.abc import Callable, Iterable
from functools import lru_cache
from importlib import import_module
from typing import Any

from phonenumbers import (
    COUNTRY_CODE_TO_REGION_CODE,
    PhoneMetadata,
    PhoneNumber,
    national_significant_number,
    region_code_for_country_code,
)
from phonenumbers.tzdata import TIMEZONE_DATA

from calling.hours.number_zones import corrections

# The standard library's own reading of a pattern; it has no public name and no types.
_constants: Any = import_module("re._constants")
_parser: Any = import_module("re._parser")

TAIL = 3
"""Digits that are asked to be free: few enough for most plans, and a list's numbers share the rest."""

_DESCRIPTIONS = (
    "general_desc", "fixed_line", "mobile", "toll_free", "premium_rate", "shared_cost",
    "personal_number", "voip", "pager", "uan", "voicemail",
)  # fmt: skip
_NEVER = 99


def tail_is_free(number: PhoneNumber, region: str | None, digits: int) -> bool:
    """Texts of `digits` digits, read in `region` like that of `number`, that differ in the last TAIL of them
    alone, come to numbers that differ there alone."""
    national = national_significant_number(number)
    head = len(national) - TAIL
    # Before the prefixes are stripped, the plan's patterns are held against longer numbers too.
    lengths = range(len(national), max(digits, len(national)) + 1)
    decided = max(_decided_by(number.country_code, region, length) for length in lengths)
    return head >= decided and int(national[:head]) > 0


@lru_cache(maxsize=4096)
def _decided_by(country_code: int, region: str | None, length: int) -> int:
    """How many first digits of a national number decide all; _NEVER: its last digits may decide as well."""
    code = str(country_code)
    decided = max((len(prefix) - len(code) for prefix in TIMEZONE_DATA if prefix.startswith(code)), default=0)
    ours = (len(row.prefix) - 1 - len(code) for row in corrections() if row.prefix[1:].startswith(code))
    decided = max(decided, *ours, 0)
    for plan in COUNTRY_CODE_TO_REGION_CODE.get(country_code, ()):
        metadata = PhoneMetadata.metadata_for_region_or_calling_code(country_code, plan)
        if metadata is None or not _ends_free(metadata, length):
            return _NEVER
        decided = max(decided, _width(metadata.leading_digits))
    # Read by the plan of the text's own region, and by the one that speaks for the country code.
    for reader in {region or "", region_code_for_country_code(country_code)} - {""}:
        metadata = PhoneMetadata.metadata_for_region_or_calling_code(country_code, reader)
        if metadata is None or not _ends_free(metadata, length):
            return _NEVER
        prefixes = (metadata.international_prefix, metadata.national_prefix_for_parsing)
        decided = max(decided, *map(_width, prefixes))
    return decided


def form_is_free(number: PhoneNumber, region: str, digits: int, tail: int) -> bool:
    """The same of how a number is written in E.164 alone, valid or not: its plan's outline decides that."""
    national = national_significant_number(number)
    head = len(national) - tail
    lengths = range(len(national), max(digits, len(national)) + 1)
    return head >= max(_form_decided_by(number.country_code, region, length, tail) for length in lengths)


@lru_cache(maxsize=4096)
def _form_decided_by(country_code: int, region: str, length: int, tail: int) -> int:
    """How many first digits decide what is stripped and put in front; _NEVER: the last may as well."""
    decided = 0
    for reader in {region, region_code_for_country_code(country_code)}:
        metadata = PhoneMetadata.metadata_for_region_or_calling_code(country_code, reader)
        if metadata is None:  # of another country: nothing of this region's is stripped but its prefixes
            metadata = PhoneMetadata.metadata_for_region(reader, None)
        if metadata is None or not _ends_free(metadata, length, tail, ("general_desc",)):
            return _NEVER
        prefixes = (metadata.international_prefix, metadata.national_prefix_for_parsing)
        decided = max(decided, *map(_width, prefixes))
    return decided


def _ends_free(
    metadata: Any, length: int, tail: int = TAIL, descriptions: Iterable[str] = _DESCRIPTIONS
) -> bool:
    """Every pattern of a plan that matches numbers of `length` digits ends in `tail` free ones."""
    patterns = (getattr(getattr(metadata, name), "national_number_pattern", None) for name in descriptions)
    parsed = [_parser.parse(pattern) for pattern in patterns if pattern]
    return not any(map(_looks_around, parsed)) and all(
        _free_end(one, range(length, length + 1)) >= tail for one in parsed
    )


def _free_end(pattern: Any, lengths: range) -> int:
    """How many digits at the end of whatever matches and is of one of these lengths may be any digits."""
    free = 0
    items: list[Any] = list(pattern)
    while items:
        kind, value = items.pop()
        if kind is _constants.MAX_REPEAT and _is_any_digit(value[2]):
            free += int(value[0])
            if value[0] != value[1]:
                return free
        elif kind is _constants.IN and _is_any_digit([(kind, value)]):
            free += 1
        elif kind is _constants.SUBPATTERN:
            items += list(value[3])
        elif kind is _constants.BRANCH:
            low, high = _widths(items)
            left = range(lengths.start - free - high, lengths.stop - free - low)
            ends = (_free_end(part, left) for part in value[1] if _fits(part, left))
            return free + min(ends, default=_NEVER)
        else:
            return free
    return free


def _widths(items: list[Any]) -> tuple[int, int]:
    """The fewest and the most digits that a part of a pattern matches."""
    low, high = _parser.SubPattern(_parser.State(), items).getwidth()
    return low, min(high, _NEVER)


def _fits(part: Any, lengths: range) -> bool:
    low, high = part.getwidth()
    return any(low <= length <= high for length in lengths)


def _is_any_digit(items: Any) -> bool:
    any_digit = [(_constants.IN, [(_constants.CATEGORY, _constants.CATEGORY_DIGIT)])]
    return list(items) == any_digit


def _width(pattern: str | None) -> int:
    """How many first digits a prefix pattern looks at, at most."""
    if not pattern:
        return 0
    parsed = _parser.parse(pattern)
    return _NEVER if _looks_around(parsed) else min(parsed.getwidth()[1], _NEVER)


def _looks_around(items: Any) -> bool:
    """It asserts something beyond what it matches."""
    for kind, value in items:
        if kind in (_constants.ASSERT, _constants.ASSERT_NOT, _constants.AT):
            return True
        parts: dict[Any, Callable[[Any], Any]] = {
            _constants.BRANCH: lambda v: v[1],
            _constants.SUBPATTERN: lambda v: [v[3]],
            _constants.MAX_REPEAT: lambda v: [v[2]],
        }
        if kind in parts and any(map(_looks_around, parts[kind](value))):
            return True
    return False
