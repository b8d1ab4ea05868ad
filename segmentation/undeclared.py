"""Values that rules ask and that nobody can have, any more or yet: most likely misspelt.

No mistake: a choice that was taken out of a field may still stand in old rows.
"""

from collections.abc import Iterator
from functools import cache
from importlib.resources import files

from models.tags import read_tag
from models.zones import zone_names
from segmentation.catalogue import WITH_LIST, Catalogue, KnownField
from segmentation.nodes import Leaf, Node, leaves
from segmentation.problems import did_you_mean, shown

_EXACT = WITH_LIST | {"eq", "ne"}


def undeclared(when: Node, known: Catalogue) -> Iterator[str]:
    """A message of each value that a rule asks and the field cannot have, or does not declare."""
    for leaf in leaves(when):
        if leaf.op in _EXACT:
            yield from filter(None, (_doubt(known[leaf.field], value) for value in _values(leaf)))


def _doubt(field: KnownField, value: object) -> str:
    """What is strange about one value; "" if nothing is."""
    if field.table is not None:
        if field.key == "tags":
            return _no_tag(str(value))
        if field.key == "country" and value not in _countries():
            return f"there is no country {shown(value)}{_country_meant(str(value))}"
        if field.key == "zone" and value not in zone_names():
            return f"there is no zone {shown(value)}{_zone_meant(str(value))}"
    elif field.declared and value not in field.declared:
        return f"{field.key} has no choice {shown(value)}{did_you_mean(value, field.declared)}"
    return ""


def _no_tag(value: str) -> str:
    try:
        read_tag(value)
    except ValueError as error:
        return f"nobody can have the tag {shown(value)}: it {error}"
    return ""


@cache
def _countries() -> dict[str, str]:
    """Code -> name, of ISO 3166 as the pinned zones list it."""
    table = (files("tzdata") / "zoneinfo" / "iso3166.tab").read_text(encoding="utf-8")
    rows = (line.split("\t") for line in table.splitlines() if line and not line.startswith("#"))
    return {code: name for code, name, *_ in rows}


def _country_meant(value: str) -> str:
    if value.upper() in _countries():
        return f' - did you mean "{value.upper()}"?'
    codes = {name.casefold(): code for code, name in _countries().items()}
    name = did_you_mean(value, codes).partition('"')[2].partition('"')[0]
    return f' - did you mean "{codes[name]}"?' if name else ": a code of two letters is wanted, as in NO"


def _zone_meant(value: str) -> str:
    names = {name.casefold(): name for name in zone_names()}
    name = did_you_mean(value, names).partition('"')[2].partition('"')[0]
    return f' - did you mean "{names[name]}"?' if name else ""


def _values(leaf: Leaf) -> tuple[object, ...]:
    return leaf.value if isinstance(leaf.value, tuple) else (leaf.value,)
