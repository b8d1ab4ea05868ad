"""Time zones: their rules from the pinned `tzdata` package.

The machine's own zone files may be years old, so they are never read. pytz is never a tzinfo: it answers
with the local mean time of the nineteenth century.
"""

from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

from models.errors import BadInput


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
