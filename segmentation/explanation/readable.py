"""Values as people read them."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from models.zones import zone, zone_names
from segmentation.catalogue import KnownField
from segmentation.nodes import Leaf
from segmentation.problems import a_or_an, shown

_MINUTE, _HOUR, _DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
_OF_LOCAL_DAYS = ("on", "weekday_in")


def plain(value: Any) -> Any:
    """A value as JSON has it; instants stay what they are."""
    match value:
        case Decimal():
            return int(value) if value == int(value) else float(value)
        case list() | tuple() | set() | frozenset():
            return sorted(value)
    return value


def readable(leaf: Leaf, field: KnownField, value: Any, kept: Any, zone_name: str, now: datetime) -> str:
    """What the field of a question is. `kept`: what stands there, should that be no value of its type."""
    if value is None:
        if field.table is None and kept is not None:
            return f"none: {shown(kept)} is not {a_or_an(field.type)}"
        return "never" if field.type == "instant" else "none"
    match value:
        case bool():
            return "yes" if value else "no"
        case datetime() if leaf.op in _OF_LOCAL_DAYS and zone_name in zone_names():
            return f"{value.astimezone(zone(zone_name)):%a %Y-%m-%d %H:%M} in {zone_name}"
        case datetime():
            return f"{instant(value)}, {_how_far(value, now)}"
        case list() | tuple() | set() | frozenset():
            return ", ".join(sorted(value))
        case str():
            return value or "empty"
    return str(plain(value))


def instant(at: datetime) -> str:
    """An instant (UTC): "Mon 2026-03-02 12:00 UTC"; with its seconds where it has any."""
    return f"{at:%a %Y-%m-%d %H:%M:%S} UTC" if at.second else f"{at:%a %Y-%m-%d %H:%M} UTC"


def _how_far(at: datetime, now: datetime) -> str:
    away = abs(at - now)
    for unit, word in ((_DAY, "day"), (_HOUR, "hour"), (_MINUTE, "minute")):
        if away >= unit:
            number = away // unit
            length = f"{number} {word}" if number == 1 else f"{number} {word}s"
            return f"in {length}" if at > now else f"{length} ago"
    return "now"
