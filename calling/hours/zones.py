"""Where a customer may be: candidate zones and legal places. The zones' rules are in models/zones.py."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from models.zones import zone as zone
from models.zones import zone_names as zone_names

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
