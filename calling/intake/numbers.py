"""Telephone numbers: text as people write it -> E.164, candidate zones and country, or a reason why not."""

import re
from typing import NamedTuple

from phonenumbers import (
    SUPPORTED_REGIONS,
    NumberParseException,
    PhoneNumber,
    PhoneNumberFormat,
    PhoneNumberType,
    ValidationResult,
    format_number,
    is_possible_number_with_reason,
    number_type,
    parse,
    region_code_for_number,
)

# Never the geographical variant, which gives false certainty about mobiles; never phonenumbers.geocoder.
from phonenumbers.timezone import UNKNOWN_TIMEZONE, time_zones_for_number

from calling.hours.number_zones import presumed_place, zones_of
from calling.intake.tails import TAIL, tail_is_free
from models.errors import BadInput

LONGEST = 15  # digits of an E.164 number
NO_COUNTRY = "001"  # what phonenumbers calls +800, +870 and their like

_PARSE_REASONS = {
    NumberParseException.INVALID_COUNTRY_CODE: "no country has this code",
    NumberParseException.NOT_A_NUMBER: "not a telephone number",
    NumberParseException.TOO_SHORT_AFTER_IDD: "too short",
    NumberParseException.TOO_SHORT_NSN: "too short",
    NumberParseException.TOO_LONG: "too long",
}
_LENGTH_REASONS = {
    ValidationResult.TOO_SHORT: "too short",
    ValidationResult.TOO_LONG: "too long",
    ValidationResult.INVALID_LENGTH: "of a length that its numbering plan does not have",
    ValidationResult.IS_POSSIBLE_LOCAL_ONLY: "lacks its area code",
}
_ROUNDED = re.compile(r"[+-]?\d+(?:[.,]\d+)?[eE]\+?\d+")
_FLOAT = re.compile(r"(\+?\d{5,})\.0")
# Digits with nothing between them that phonenumbers could take for an extension or a second number.
_PLAIN = re.compile(r"\+?[0-9 ().-]*[0-9]{3}")
_KEPT = 100_000
# ";ext=", ",," and ", x12" belong to the number before them.
_SURE_SPLIT = re.compile(r"[|\r\n]|;(?!ext=|isub=|phone-context=)")
_LIKELY_SPLIT = re.compile(r"/|(?<!,),(?!,|\s*(?:ext|x|#))", re.IGNORECASE)


class Number(NamedTuple):
    """A number that can be rung. `zones`: candidates, sorted; empty means unknown, so not callable.

    `place`: the country in whose numbering plan it stands ("PT"), or the state that its area code presumes
    ("US-FL"); None for numbers of no country. `kind`: "mobile" where its numbering plan knows; else None: a
    plan tells no home from an office, and in North America no mobile from either.
    """

    e164: str
    zones: tuple[str, ...]
    place: str | None
    kind: str | None = None


# All but the tail of a text, and its region -> the number without its tail (calling/intake/tails.py).
_known: dict[tuple[str, str | None], Number] = {}


def check_region(region: str) -> str:
    """`region` in capitals, if it is a country with a numbering plan; else BadInput."""
    if region.upper() not in SUPPORTED_REGIONS:
        raise BadInput(
            f"region {region!r} is no country with a numbering plan; write two letters, such as NO"
        )
    return region.upper()


def read_number(text: str, region: str | None) -> Number | str:
    """One number, read as people of `region` (a country's two letters) write it; or why it is none.

    An extension is dropped: nobody here can dial one, and what rings is the main number. `region` None:
    the text must begin with +.
    """
    text = text.strip()
    tail = text[-TAIL:]
    known = _known.get((text[:-TAIL], region))
    if known and tail.isdecimal() and tail.isascii():
        return known._replace(e164=known.e164 + tail)
    return _read(text, region)


def _read(text: str, region: str | None) -> Number | str:
    """The long way, by phonenumbers; remembers what numbers with another tail will come to."""
    if _ROUNDED.fullmatch(text):
        return "rounded by a spreadsheet; format the column as text and export it again"
    if whole := _FLOAT.fullmatch(text):
        text = whole[1]
    try:
        number = parse(text, region)
    except NumberParseException as refusal:
        return _PARSE_REASONS.get(refusal.error_type, "not a telephone number")
    zones = time_zones_for_number(number)
    if zones[0] == UNKNOWN_TIMEZONE:
        if number_type(number) == PhoneNumberType.UNKNOWN:
            return _why_invalid(number)
        zones = ()
    e164 = format_number(number, PhoneNumberFormat.E164)
    if len(e164) > LONGEST + 1:
        return "too long"
    mobile = number_type(number) == PhoneNumberType.MOBILE
    read = Number(e164, zones_of(e164, zones), _place(number, e164), "mobile" if mobile else None)
    if _PLAIN.fullmatch(text) and tail_is_free(number, region, sum(map(str.isdecimal, text))):
        if len(_known) >= _KEPT:
            _known.clear()
        _known[text[:-TAIL], region] = read._replace(e164=e164[:-TAIL])
    return read


def read_numbers(cell: str, region: str | None) -> tuple[list[Number], list[tuple[str, str]]]:
    """The numbers of a cell, each once, and the (text, reason) of each part that is none.

    Parts stand between ; | or line breaks, and between / or , unless these belong to one number, as in
    the German "030/1234567".
    """
    numbers: dict[str, Number] = {}
    refused: list[tuple[str, str]] = []
    for text in parts_of(cell, region):
        read = read_number(text, region)
        if isinstance(read, Number):
            numbers.setdefault(read.e164, read)
        else:
            refused.append((text, read))
    return list(numbers.values()), refused


def place_of(e164: str) -> str | None:
    """The legal place of a stored number, as `Number.place`; None for what is no number any more."""
    try:
        return _place(parse(e164, None), e164)
    except NumberParseException:
        return None


def _place(number: PhoneNumber, e164: str) -> str | None:
    country = region_code_for_number(number)
    return presumed_place(e164, None if country == NO_COUNTRY else country)


def parts_of(cell: str, region: str | None) -> list[str]:
    """The texts of a cell that are meant to be a number each."""
    found: list[str] = []
    for part in _SURE_SPLIT.split(cell):
        pieces = [piece.strip() for piece in _LIKELY_SPLIT.split(part) if piece.strip()]
        if len(pieces) > 1 and isinstance(read_number(pieces[0], region), str):
            whole = part.strip()
            if isinstance(read_number(whole, region), Number):
                pieces = [whole]
        found += pieces
    return found


def _why_invalid(number: PhoneNumber) -> str:
    """Why no telephone answers to a number that could be parsed."""
    reason = _LENGTH_REASONS.get(is_possible_number_with_reason(number))
    return reason or f"not in use in the numbering plan of +{number.country_code}"
