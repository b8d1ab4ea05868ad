"""States and provinces as people write them in an address: "FL", "Florida", "Québec"."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from functools import cache

from calling.catalogue.keys import plain
from calling.hours.places import read_legal_place, today

COUNTRIES = ("AU", "CA", "US")
"""Where the state decides zones, or has a law of its own."""

_LONGEST_CODE = len("AU-ACT")


def place_of_state(text: str, country: str) -> str:
    """The legal place ("US-FL") of a state of a country, by its code, its name or "US-FL" itself.

    Names are those of the `holidays` package. A state of another country is taken in full, "CA-ON"; a
    territory that is a country of the numbering plan is that country. ValueError says what is wrong.
    """
    found = _states(country).get(plain(text.strip()))
    if found is not None:
        return found
    if "-" in text:
        return read_legal_place(text.strip())
    names = [name for name in _states(country) if len(name) > _LONGEST_CODE]
    near = get_close_matches(plain(text.strip()), names, 1)
    hint = f"did you mean {near[0].title()}?" if near else "write its code or its name, as in FL or Florida"
    raise ValueError(f"is no state of {country}: {hint}")


def are_states(texts: Sequence[str], country: str) -> bool:
    """Whether most of these are states of a country: a list has odd cells, and few words are states."""
    known = _states(country)
    states = sum(plain(text.strip()) in known for text in texts)
    return states > len(texts) - states


@cache
def _states(country: str) -> Mapping[str, str]:
    if country not in COUNTRIES:
        return {}
    from holidays import country_holidays  # who reads other lists need not load it

    calendar = country_holidays(country)
    codes = {code: code for code in calendar.subdivisions} | dict(calendar.subdivisions_aliases)
    places = {name: f"{country}-{code}" for name, code in codes.items()}
    places |= {place: place for place in places.values()}
    return {plain(name): today(place) for name, place in places.items()}
