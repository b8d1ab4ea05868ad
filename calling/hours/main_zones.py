"""Of the zones where a number may be, the one where most people live: it serves to reckon, never to forbid.

Which that is stands, with its source, in calling/laws/main_zones.toml.
"""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files

from calling.hours.number_zones import zone_of_area_code
from calling.hours.zones import zone


def main_zone(e164: str, zones: Sequence[str]) -> str | None:
    """The main one of a number's candidate zones; None where it has none.

    The first by the alphabet, where nobody has looked.
    """
    if len(zones) > 1:
        for name in by_prefix(e164):
            if name in zones:
                return name
    return zones[0] if zones else None


def by_prefix(e164: str) -> Iterator[str]:
    """What the rows say, the longest prefix first; what an area code says, before those of all America."""
    rows, longest = _rows()
    for length in range(min(longest, len(e164)), 0, -1):
        yield from rows.get(e164[:length], ())
        if length == _AREA_CODE and (name := zone_of_area_code(e164)):
            yield name


_AREA_CODE = len("+1850")


@cache
def _rows() -> tuple[Mapping[str, Sequence[str]], int]:
    """Prefix -> zones, the first that is a candidate counts; and how long the longest prefix is."""
    text = (files("calling") / "laws" / "main_zones.toml").read_text(encoding="utf-8")
    rows = {row["prefix"]: tuple(row["zones"]) for row in tomllib.loads(text)["main"]}
    for names in rows.values():
        for name in names:
            zone(name)  # a name that is none is refused when the program starts
    return rows, max(map(len, rows))
