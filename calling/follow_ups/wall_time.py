"""From what the clock on a wall shall show to an instant (UTC): exact, skipped, or shown twice.

The instant is the first at which that clock shows the time, or has passed it. So a time in the hour that is
skipped becomes the first instant after the gap, and of an hour that comes twice the first is meant.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from calling.hours.zones import zone
from models.errors import BadInput

Reading = Literal["exact", "skipped", "twice"]

_SECOND = timedelta(seconds=1)
_FIRST_YEAR, _LAST_YEAR = 1, 9_999  # in which no instant may lie: a zone would lead out of time


@dataclass(frozen=True, slots=True)
class Reckoned:
    """The instant (UTC) of a time on the wall. `reading`: whether the wall shows it once, never or twice."""

    at: datetime
    reading: Reading


def instant_of_wall(zone_name: str, wall: datetime) -> Reckoned:
    """The instant at which the clock on a wall of the zone first shows `wall` (naive), or has passed it.

    Raises BadInput for a zone that is none, for a `wall` that carries a zone, and for one at the end of time.
    """
    if wall.tzinfo is not None:
        raise BadInput("wall_time: carries a zone; give the time on the wall alone", wall_time=wall)
    rules = zone(zone_name)
    if not _FIRST_YEAR < wall.year < _LAST_YEAR:
        raise BadInput(f"wall_time: {wall.year:04} is no year in which anybody is called", wall_time=wall)
    first = wall.replace(tzinfo=rules, fold=0).astimezone(UTC)
    second = wall.replace(tzinfo=rules, fold=1).astimezone(UTC)
    if first == second:
        return Reckoned(first, "exact")
    if wall_of(rules, first) == wall:
        return Reckoned(first, "twice")
    return Reckoned(_change(rules, second, first), "skipped")


def wall_of(rules: ZoneInfo, at: datetime) -> datetime:
    """What the clock on the wall shows at an instant, without a zone."""
    return at.astimezone(rules).replace(tzinfo=None, fold=0)


def _change(rules: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """The first instant after `before`, at most `after`, at which the zone has the offset of `after`.

    A skipped time, read with the offset after the change, lies before it; read with the one before, after it.
    """
    offset = after.astimezone(rules).utcoffset()
    while after - before > _SECOND:
        middle = before + (after - before) // _SECOND // 2 * _SECOND
        if middle.astimezone(rules).utcoffset() == offset:
            after = middle
        else:
            before = middle
    return after
