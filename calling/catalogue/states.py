"""States and provinces as people write them in an address: "FL", "Florida", "Québec"."""

from collections.abc import Mapping
from functools import cache

from calling.catalogue.keys import plain

COUNTRIES = ("AU", "CA", "US")
"""Where the state decides zones, or has a law of its own."""


def place_of_state(text: str, country: str) -> str:
    """The legal place ("US-FL") of a state of a country, by its code, its name or "US-FL" itself.

    Names and codes are those of the `holidays` package (ISO 3166-2). ValueError says what is wrong.
    """
    found = _states(country).get(plain(text.strip()))
    if found is None:
        raise ValueError(f"is no state of {country}: write its code or its name, as in FL or Florida")
    return found


def are_states(texts: list[str], country: str) -> bool:
    """Whether all of these, and at least one, are states of a country."""
    known = _states(country)
    return bool(texts) and all(plain(text.strip()) in known for text in texts)


@cache
def _states(country: str) -> Mapping[str, str]:
    if country not in COUNTRIES:
        return {}
    from holidays import country_holidays  # who reads other lists need not load it

    calendar = country_holidays(country)
    places = {code: f"{country}-{code}" for code in calendar.subdivisions}
    places |= {name: f"{country}-{code}" for name, code in calendar.subdivisions_aliases.items()}
    return {plain(word): place for name, place in places.items() for word in (name, place)}
