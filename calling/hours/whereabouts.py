"""Where a customer may be: candidate zones and legal places."""

from collections.abc import Iterable
from dataclasses import dataclass

from calling.hours.number_zones import zones_of_place
from calling.hours.zones import canonical

UNKNOWN_RECKONING = "Etc/UTC"
"""Serves midnights while nobody knows the customer's zone."""


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Where a customer may be: candidate zones and legal places, both sorted, and the reckoning zone.

    No zones: unknown, so not callable until a person verifies the zone.
    """

    zones: tuple[str, ...]
    places: tuple[str, ...]
    reckoning: str


def whereabouts(
    numbers: Iterable[tuple[tuple[str, ...], str | None]], verified_zone: str | None, place: str | None
) -> Whereabouts:
    """Where a customer may be.

    `numbers`: (zones, legal place) of each number, in their order. `verified_zone` wins alone. Otherwise
    every zone of every number is a candidate; and if one number has none, nothing is known: that number may
    be anywhere on earth, and the customer with it, so the other numbers prove nothing.
    `place`: the legal place of the address, beside those of the numbers. Its zones are candidates too, but
    of a mere country only where no number is of that country: the number then says more.
    """
    known = list(numbers)
    places = {its for _, its in known if its} | ({place} if place else set())
    if verified_zone:
        zones: tuple[str, ...] = (verified_zone,)
    elif known and all(candidates for candidates, _ in known):
        at_home = {name for candidates, _ in known for name in candidates}
        zones = canonical(tuple(sorted(at_home.union(_of_address(place, known)))))
    else:
        zones = ()
    first = (verified_zone or known[0][0][0]) if zones else UNKNOWN_RECKONING
    return Whereabouts(zones, tuple(sorted(places)), first)


def _of_address(place: str | None, numbers: Iterable[tuple[tuple[str, ...], str | None]]) -> tuple[str, ...]:
    if place is None or any(place == (its or "").partition("-")[0] for _, its in numbers):
        return ()
    return zones_of_place(place)
