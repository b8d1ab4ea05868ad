"""Legal places: a country ("NO"), or a subdivision of one by ISO 3166-2 ("US-FL").

Which subdivisions there are, and which of them are countries of their own, stands in
calling/laws/subdivisions.toml.
"""

import re
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from importlib.resources import files

from phonenumbers import SUPPORTED_REGIONS

_PLACE = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?")
_WRITE = "is no place: write PT, or US-FL for a state"


def read_legal_place(text: str) -> str:
    """The legal place that somebody wrote: "us-fl" is "US-FL", "US-PR" is "PR".

    ValueError says what is wrong with one that does not exist, and what may be meant.
    """
    place = text.upper()
    country, _, part = place.partition("-")
    if not (_PLACE.fullmatch(place) and country in SUPPORTED_REGIONS):
        raise ValueError(_WRITE)
    if not part or exists(place):
        return today(place)
    codes = subdivisions().get(country, frozenset())
    if not codes:
        raise ValueError(f"is no place: {country} has no parts with a code (ISO 3166-2); write {country}")
    near = [code for code in sorted(codes) if part.startswith(code)] or get_close_matches(
        part, sorted(codes), 1
    )
    hint = f"did you mean {country}-{near[0]}?" if near else f"write one of its codes, or {country} alone"
    raise ValueError(f"is no place: {country} has no {part} (ISO 3166-2); {hint}")


def exists(place: str) -> bool:
    """Whether a country has this subdivision ("US-FL")."""
    country, _, part = place.partition("-")
    return part in subdivisions().get(country, ())


def today(place: str) -> str:
    """The same place under the name by which numbers know it: the country that a subdivision is, or itself.

    What stands behind a space ("AU-NSW Western") is a calendar's, which once was taken for a state.
    """
    place = place.partition(" ")[0]
    return _countries().get(place, place)


@cache
def subdivisions() -> Mapping[str, frozenset[str]]:
    """Country -> the codes of its subdivisions; one that has none is missing."""
    codes: dict[str, str] = _file()["codes"]
    return {country: frozenset(line.split()) for country, line in codes.items()}


@cache
def _countries() -> Mapping[str, str]:
    return _file()["countries"]


@cache
def _file() -> dict[str, dict[str, str]]:
    return tomllib.loads((files("calling") / "laws" / "subdivisions.toml").read_text(encoding="utf-8"))
