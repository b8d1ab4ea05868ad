"""What a number says of where it is: the candidates that phonenumbers leaves out, and the state of its code.

Zones of phonenumbers are made from its geocoding data "once in a while", with stand-ins of other countries.
Every correction stands with its reason and source in calling/laws/zones.toml; the states of North American
area codes stand in calling/laws/area_codes.toml.
"""

import tomllib
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from phonenumbers.tzdata import TIMEZONE_DATA

from calling.hours.places import exists, today
from calling.hours.zones import canonical, zone

_NORTH_AMERICA = "+1"
_CODE = slice(2, 5)  # the area code in +1 850 555 0100


@dataclass(frozen=True, slots=True)
class Correction:
    """Other zones for numbers that begin with `prefix`; `instead` of what was there, or beside it."""

    prefix: str
    zones: tuple[str, ...]
    instead: bool
    why: str
    source: str


def zones_of(e164: str, zones: tuple[str, ...]) -> tuple[str, ...]:
    """All candidates for a number whose own zones phonenumbers says are `zones`; none stay none.

    A North American number may be in any zone of its area code: single exchanges are listed by halves, and
    what is not listed is given the larger part's zone.
    """
    if not zones:
        return ()
    found = set(zones)
    if e164.startswith(_NORTH_AMERICA):
        found |= _zones_of_area_codes().get(e164[_CODE], frozenset())
    for correction in _corrections_for(e164):
        found = set(correction.zones) if correction.instead else found | set(correction.zones)
    return canonical(tuple(sorted(found)))


def presumed_place(e164: str, country: str | None) -> str | None:
    """The legal place of a number: its country, or the state that its area code presumes ("US-FL")."""
    if country is None or not e164.startswith(_NORTH_AMERICA):
        return country
    place = _places_of_area_codes().get(e164[_CODE], country)
    return place if place.startswith(country) else country


def zone_of_area_code(e164: str) -> str | None:
    """The zone of a North American area code that has but one; None for any other number."""
    if not e164.startswith(_NORTH_AMERICA):
        return None
    zones = _zones_of_area_codes().get(e164[_CODE], frozenset())
    return next(iter(zones)) if len(zones) == 1 else None


@cache
def zones_of_place(place: str) -> tuple[str, ...]:
    """The zones of a legal place ("NO", "US-FL") as part of an address; () for a country that is none.

    A subdivision of which we know nothing may keep any time of its country: all of them are candidates.
    """
    place = today(place)
    country, _, state = place.partition("-")
    named = _zones_of_places()
    if not state:
        return canonical(named.get(country) or _zones_of_countries().get(country, ()))
    codes = [code for code, its in _places_of_area_codes().items() if its == place]
    ours = {name for code in codes for name in _zones_of_area_codes().get(code, ())}.union(
        named.get(place, ())
    )
    rest = named.get(f"{country}-*", ()) if exists(place) else ()
    return canonical(tuple(sorted(ours))) or canonical(rest) or zones_of_place(country)


@cache
def countries_of_zone(name: str) -> tuple[str, ...]:
    """The countries of a zone that somebody vouches for ("Europe/Paris": FR), sorted; () for no place.

    tzdata's zone.tab has a country for each of today's names. A name of before is what it links to now, which
    several countries may share: they all count.
    """
    found = _countries_of_names().get(name)
    if found is not None:
        return (found,)
    today = _links().get(name, name)
    return tuple(sorted(country for country, names in _zones_of_countries().items() if today in names))


def corrections() -> tuple[Correction, ...]:
    """Every correction, the shortest prefix first."""
    return _read(_file("zones.toml"))


@cache
def _read(text: str) -> tuple[Correction, ...]:
    rows = [
        Correction(row["prefix"], tuple(row["zones"]), row["instead"], row["why"], row["source"])
        for row in tomllib.loads(text)["correction"]
    ]
    for row in rows:
        for name in row.zones:
            zone(name)  # a name that is none is refused when the program starts, not when somebody is rung
    return tuple(sorted(rows, key=lambda row: (len(row.prefix), row.prefix)))


def _corrections_for(e164: str) -> list[Correction]:
    return [row for row in corrections() if e164.startswith(row.prefix)]


@cache
def _zones_of_area_codes() -> Mapping[str, frozenset[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for prefix, zones in TIMEZONE_DATA.items():
        if prefix.startswith("1") and len(prefix) >= 4:
            found[prefix[1:4]].update(zones)
    return {code: frozenset(zones) for code, zones in found.items()}


@cache
def _zones_of_places() -> Mapping[str, tuple[str, ...]]:
    """Our own table of places; "BR-*" stands for every subdivision that it does not name."""
    return {place: tuple(names) for place, names in tomllib.loads(_file("zones.toml"))["places"].items()}


@cache
def _zones_of_countries() -> Mapping[str, tuple[str, ...]]:
    """tzdata's own table: a zone a line, with every country that keeps its time."""
    found: dict[str, list[str]] = defaultdict(list)
    for countries, name in _table("zone1970.tab"):
        for country in countries.split(","):
            found[country].append(name)
    return {country: tuple(names) for country, names in found.items()}


@cache
def _countries_of_names() -> Mapping[str, str]:
    """tzdata's older table: every name of today with the one country it lies in."""
    return {name: country for country, name in _table("zone.tab")}


def _table(file: str) -> list[tuple[str, str]]:
    lines = (files("tzdata") / "zoneinfo" / file).read_text(encoding="utf-8").splitlines()
    cells = [line.split("\t") for line in lines if not line.startswith("#")]
    return [(row[0], row[2]) for row in cells]


@cache
def _links() -> Mapping[str, str]:
    """Names of before -> the name that tzdata keeps their time under."""
    lines = (files("tzdata") / "zoneinfo" / "tzdata.zi").read_text(encoding="utf-8").splitlines()
    return {name: today for _, today, name in (line.split() for line in lines if line.startswith("L "))}


@cache
def _places_of_area_codes() -> Mapping[str, str]:
    places = tomllib.loads(_file("area_codes.toml"))["places"]
    return {str(code): place for place, codes in places.items() for code in codes}


@cache
def _file(name: str) -> str:
    return (files("calling") / "laws" / name).read_text(encoding="utf-8")
