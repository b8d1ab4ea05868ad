"""A zone that somebody vouches for: read strictly, and held against where the customer could be otherwise."""

import re
from collections.abc import Collection
from difflib import get_close_matches
from functools import cache
from importlib.resources import files

from calling.hours.zones import ALIASES, zone_names

NO_IDEA = "; write Area/City, such as Europe/Oslo"
SHORTEST = 4
"""Letters by which a name may be guessed; CET is no Ceuta."""

# CET, or <-03>: what people call a time is not the time.
_NAME = re.compile(rb"<[^>]*>|[A-Za-z]{3,}")


def read_zone(text: str) -> str:
    """The name of a zone, as tzdata writes it today. ValueError says what is wrong, and what may be meant.

    Only places are zones here: Etc/UTC and its like keep nobody's office hours.
    """
    name = text.strip()
    found = _names().get(name.casefold())
    if found is not None:
        return ALIASES.get(found, found)
    raise ValueError(f"is no time zone of a place{_meant(name)}")


def contradicts(zone_name: str, candidates: Collection[str]) -> bool:
    """Whether none of the zones where they may be keeps the same time as this one from now on.

    Nothing contradicts where nobody knows.
    """
    return bool(candidates) and _rule(zone_name) not in {_rule(name) for name in candidates}


def contradiction(candidates: Collection[str]) -> str:
    """What is said of a zone that contradicts."""
    return (
        f"by their numbers and address they are in {' or '.join(sorted(candidates))}, which keep another time"
    )


@cache
def _names() -> dict[str, str]:
    """Small letters -> the name, of every zone that is a place."""
    return {name.casefold(): name for name in zone_names() if "/" in name and not name.startswith("Etc/")}


def _meant(name: str) -> str:
    """Oslo is Europe/Oslo, and Europe/Olso as well."""
    wanted = name.casefold().replace(" ", "_")
    if len(wanted) < SHORTEST:
        return NO_IDEA
    cities = {key.rpartition("/")[2]: key for key in sorted(_names(), reverse=True)}
    near = get_close_matches(wanted, _names(), 1, 0.75) or [
        cities[one] for one in get_close_matches(wanted, cities, 1, 0.75)
    ]
    return f"; did you mean {_names()[near[0]]}?" if near else NO_IDEA


@cache
def _rule(name: str) -> bytes:
    """What tzdata says of all time to come, without names: a zone file's last line; of no zone its name."""
    if name not in zone_names():
        return name.encode()
    file = (files("tzdata") / "zoneinfo").joinpath(*name.split("/"))
    return _NAME.sub(b"", file.read_bytes().splitlines()[-1])
