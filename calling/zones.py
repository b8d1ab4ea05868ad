"""Time zones: their rules from the pinned `tzdata` package, and where a customer may be.

The machine's own zone files may be years old, so they are never read. pytz is never a tzinfo: it answers
with the local mean time of the nineteenth century.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

from models.errors import BadInput

UNKNOWN_RECKONING = "Etc/UTC"
"""Serves midnights while nobody knows the customer's zone."""

# Names that phonenumbers still answers with, and what they are called today (tzdata, file `backward`).
ALIASES = {
    "Africa/Asmera": "Africa/Asmara",
    "America/Buenos_Aires": "America/Argentina/Buenos_Aires",
    "America/Godthab": "America/Nuuk",
    "Asia/Calcutta": "Asia/Kolkata",
    "Asia/Choibalsan": "Asia/Ulaanbaatar",
    "Asia/Katmandu": "Asia/Kathmandu",
    "Asia/Rangoon": "Asia/Yangon",
    "Atlantic/Faeroe": "Atlantic/Faroe",
    "Pacific/Enderbury": "Pacific/Kanton",
    "Pacific/Ponape": "Pacific/Pohnpei",
    "Pacific/Truk": "Pacific/Chuuk",
}


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Where a customer may be: candidate zones and legal places, both sorted, and the reckoning zone.

    No zones: unknown, so not callable until a person verifies the zone.
    """

    zones: tuple[str, ...]
    places: tuple[str, ...]
    reckoning: str


@cache
def zone_names() -> frozenset[str]:
    """Every zone that the tzdata package knows."""
    return frozenset((files("tzdata") / "zones").read_text(encoding="utf-8").split())


@cache
def zone(name: str) -> ZoneInfo:
    """The rules of the zone `name` (IANA). Raises BadInput, with a proposal, for a name that is none."""
    if name not in zone_names():
        near = get_close_matches(name, zone_names(), 1)
        raise BadInput(f"there is no time zone {name!r}" + (f"; did you mean {near[0]}?" if near else ""))
    with (files("tzdata") / "zoneinfo").joinpath(*name.split("/")).open("rb") as rules:
        return ZoneInfo.from_file(rules, key=name)


@cache
def canonical(names: tuple[str, ...]) -> tuple[str, ...]:
    """The same zones under today's names, sorted, each once."""
    return tuple(sorted({ALIASES.get(name, name) for name in names}))


def whereabouts(
    numbers: Iterable[tuple[tuple[str, ...], str | None]], verified_zone: str | None, place: str | None
) -> Whereabouts:
    """Where a customer may be.

    `numbers`: (zones, country) of each number, in their order. `verified_zone` wins alone. Otherwise every
    zone of every number is a candidate; and if one number has none, nothing is known: that number may be
    anywhere on earth, and the customer with it, so the other numbers prove nothing.
    `place`: the legal place of the address, beside the country of each number.
    """
    known = list(numbers)
    places = {country for _, country in known if country} | ({place} if place else set())
    if verified_zone:
        zones: tuple[str, ...] = (verified_zone,)
    elif all(candidates for candidates, _ in known):
        zones = canonical(tuple(name for candidates, _ in known for name in candidates))
    else:
        zones = ()
    first = (verified_zone or known[0][0][0]) if zones else UNKNOWN_RECKONING
    return Whereabouts(zones, tuple(sorted(places)), first)
