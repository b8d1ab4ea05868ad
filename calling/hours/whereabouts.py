"""Where a customer may be: candidate zones and legal places."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from calling.hours.number_zones import countries_of_zone, zones_of_place
from calling.hours.places import exists, today
from calling.hours.zones import canonical, zone_names

UNKNOWN_RECKONING = "Etc/UTC"
"""Serves midnights while nobody knows the customer's zone."""


RULE = "a verified zone adds its country; reckoned where most people live"
"""Hashed with our corrections of zones: where the rule below becomes another, everybody is looked at anew."""


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Where a customer may be: candidate zones and legal places, both sorted, and the reckoning zone.

    The countries that a verified zone adds stand behind the other places, which stay in their order.
    No zones: unknown, so not callable until a person verifies the zone.
    """

    zones: tuple[str, ...]
    places: tuple[str, ...]
    reckoning: str


def whereabouts(
    numbers: Iterable[tuple[tuple[str, ...], str | None]], verified_zone: str | None, place: str | None,
    main: str | None = None,
) -> Whereabouts:  # fmt: skip
    """Where a customer may be.

    `numbers`: (zones, legal place) of each number, in their order. `verified_zone` wins alone, and says
    nothing once no zone data know it any more: a person has to look at it. Otherwise
    every zone of every number is a candidate; and if one number has none, nothing is known: that number may
    be anywhere on earth, and the customer with it, so the other numbers prove nothing.
    `place`: the legal place of the address, beside those of the numbers. Its zones are candidates too, but
    of a mere country only where no number is of that country: the number then says more.
    A verified zone adds the country it lies in to the legal places, unless one of them is of that country.
    `main`: the main zone of the first number (main_zones.py), by which they are reckoned unless a zone is
    verified; None: the first number's first.
    """
    known = list(numbers)
    places = {its for _, its in known if its} | ({place} if place else set())
    if verified_zone:
        zones: tuple[str, ...] = (verified_zone,) if verified_zone in zone_names() else ()
    elif known and all(candidates for candidates, _ in known):
        at_home = {name for candidates, _ in known for name in candidates}
        zones = canonical(tuple(sorted(at_home.union(_of_address(place, known)))))
    else:
        zones = ()
    reckoning = (verified_zone or main or known[0][0][0]) if zones else UNKNOWN_RECKONING
    return Whereabouts(zones, (*sorted(places), *_of_verified(verified_zone, places)), reckoning)


def _of_verified(zone: str | None, places: Collection[str]) -> tuple[str, ...]:
    """Somebody sits in the country of a zone that was vouched for, and its law protects them as well."""
    countries = countries_of_zone(zone) if zone else ()
    known = {place.partition("-")[0] for place in places}
    return () if known.intersection(countries) else countries


def _of_address(place: str | None, numbers: Iterable[tuple[tuple[str, ...], str | None]]) -> tuple[str, ...]:
    if place is None:
        return ()
    place = today(place)
    said = place if exists(place) else place.partition("-")[0]  # US-ZZ, of an earlier edition, says US
    return () if any(said == (its or "").partition("-")[0] for _, its in numbers) else zones_of_place(place)
