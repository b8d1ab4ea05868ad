"""Values that `now` decides: worked out in Python at each run and bound, so that the SQL stays the same.

What depends on the zone as well becomes one array a run, beside the array of all zones.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache, lru_cache
from typing import ClassVar, Literal

from sqlalchemy import DateTime, Numeric, SmallInteger, Text
from sqlalchemy.types import TypeEngine

from models.zones import zone_names
from segmentation.calendar import days_of, local_day, local_offset, midnight, year_days
from segmentation.offsets import behaviour

_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Moment:
    """`now` and so many seconds."""

    seconds: int

    def at(self, now: datetime) -> datetime:
        """The instant meant when it is `now`."""
        return now + timedelta(seconds=self.seconds)


@dataclass(frozen=True, slots=True)
class LocalDay:
    """The customer's today and so many days, as "2026-03-02"."""

    ahead: int
    sql_type: ClassVar[TypeEngine[str]] = Text()

    def of(self, zone_name: str, now: datetime) -> str:
        """The value in a zone."""
        return (local_day(zone_name, now) + timedelta(days=self.ahead)).isoformat()


@dataclass(frozen=True, slots=True)
class WordDay:
    """The first day of what a calendar word means, or the day after its last."""

    word: str
    edge: Literal[0, 1]
    sql_type: ClassVar[TypeEngine[str]] = Text()

    def of(self, zone_name: str, now: datetime) -> str:
        """The value in a zone."""
        return days_of(self.word, local_day(zone_name, now))[self.edge].isoformat()


@dataclass(frozen=True, slots=True)
class WordMidnight:
    """The instant at which what a calendar word means begins, or has ended."""

    word: str
    edge: Literal[0, 1]
    sql_type: ClassVar[TypeEngine[datetime]] = DateTime(timezone=True)

    def of(self, zone_name: str, now: datetime) -> str:
        """The value in a zone."""
        return midnight(zone_name, days_of(self.word, local_day(zone_name, now))[self.edge]).isoformat()


@dataclass(frozen=True, slots=True)
class YearDay:
    """The first "MM-DD" of the window of an anniversary, or its last."""

    ahead: int
    edge: Literal[0, 1]
    sql_type: ClassVar[TypeEngine[str]] = Text()

    def of(self, zone_name: str, now: datetime) -> str:
        """The value in a zone."""
        return year_days(local_day(zone_name, now), self.ahead)[self.edge]


@dataclass(frozen=True, slots=True)
class HoursAhead:
    """Hours that the zone is ahead of UTC."""

    sql_type: ClassVar[TypeEngine[Decimal]] = Numeric()

    def of(self, zone_name: str, now: datetime) -> Decimal:
        """The value in a zone."""
        return Decimal(local_offset(zone_name, now) // _MINUTE) / 60


@dataclass(frozen=True, slots=True)
class Behaviour:
    """Which zones change their clocks alike (segmentation/offsets.py)."""

    sql_type: ClassVar[TypeEngine[int]] = SmallInteger()

    def of(self, zone_name: str, now: datetime) -> int:  # noqa: ARG002 - of a zone for good
        """The value in a zone."""
        return behaviour(zone_name)


Local = LocalDay | WordDay | WordMidnight | YearDay | HoursAhead | Behaviour
"""What each zone has its own value of."""


@dataclass(frozen=True, slots=True)
class LocalArray:
    """The values of every zone, in the order of `zones()`, as PostgreSQL writes an array."""

    value: Local

    def at(self, now: datetime) -> str:
        """The array when it is `now`. Offsets change at whole minutes, so one serves a minute."""
        return _array(self.value, now.replace(second=0, microsecond=0))


@cache
def zones() -> str:
    """Every zone there is, as PostgreSQL writes an array: a reckoning zone may bear an older name too."""
    return f"{{{','.join(sorted(zone_names()))}}}"


@lru_cache(maxsize=512)
def _array(value: Local, minute: datetime) -> str:
    return f"{{{','.join(str(value.of(name, minute)) for name in sorted(zone_names()))}}}"
