"""The business clock: one row, at most one second old in each process, never running backwards."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Lock
from time import monotonic

from sqlalchemy import text
from sqlalchemy.orm import Session

from models.errors import BadInput, Conflict

KEPT_SECONDS = 1.0
"""Wall time after which the row is read again."""

_READ = text("select business_at, wall_at, speed from business_clock where id = 1")
_ONE_AT_A_TIME = text("select pg_advisory_xact_lock(7401, 2)")  # there may be no row yet to lock
_WRITE = text(
    """
    insert into business_clock (id, business_at, wall_at, speed) values (1, :business_at, :wall_at, :speed)
    on conflict (id) do update set business_at = :business_at, wall_at = :wall_at, speed = :speed
    """
)


def wall_now() -> datetime:
    """Wall time (UTC): for time limits, signatures and sessions, never for calling rules."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class ClockBase:
    """It was `business_at` at wall time `wall_at`, and business time runs at `speed` since."""

    business_at: datetime
    wall_at: datetime
    speed: float

    def at(self, wall: datetime) -> datetime:
        """Business time (UTC) at wall time `wall`."""
        return self.business_at + (wall - self.wall_at) * self.speed

    def served(self) -> dict[str, str | float]:
        """As it is told to links and foreign dialers: times in ISO 8601, UTC."""
        return {
            "business_at": self.business_at.isoformat(),
            "wall_at": self.wall_at.isoformat(),
            "speed": self.speed,
        }


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
WALL = ClockBase(EPOCH, EPOCH, 1.0)
"""Without a row business time is wall time."""


def read_base(session: Session) -> ClockBase:
    """The clock as the database has it now."""
    row = session.execute(_READ).one_or_none()
    return ClockBase(*row) if row else WALL


def set_clock(
    session: Session, business_at: datetime, speed: float, *, wall: Callable[[], datetime] = wall_now
) -> ClockBase:
    """From now on it is `business_at` (UTC) and runs at `speed` (0 stops it).

    A database without a clock takes any start; after that it is only set forward, else Conflict.
    """
    if business_at.tzinfo is None or speed < 0:
        raise BadInput("a clock wants an instant with a time zone and a speed of 0 or more")
    session.execute(_ONE_AT_A_TIME)
    before, wall_at = read_base(session), wall()
    if before is not WALL and (shown := before.at(wall_at)) > business_at:
        raise Conflict(
            f"business time never runs backwards: it is {shown.isoformat()}, after {business_at.isoformat()}",
            now=shown,
        )
    base = ClockBase(business_at, wall_at, float(speed))
    session.execute(_WRITE, {"business_at": base.business_at, "wall_at": base.wall_at, "speed": base.speed})
    return base


class Clock:
    """Business time for one process."""

    def __init__(
        self,
        read: Callable[[], ClockBase],
        *,
        wall: Callable[[], datetime] = wall_now,
        ticking: Callable[[], float] = monotonic,
    ) -> None:
        self._read, self._wall, self._ticking = read, wall, ticking
        self._lock = Lock()
        self._base: ClockBase | None = None
        self._read_at = 0.0
        self._shown = EPOCH

    def now(self) -> datetime:
        """Business time (UTC). Never before what this process was told earlier, whatever the wall does."""
        with self._lock:
            self._refresh()
            assert self._base is not None  # noqa: S101 - just refreshed
            self._shown = max(self._shown, self._base.at(self._wall()))
            return self._shown

    def base(self) -> ClockBase:
        """What to serve to others: business time as a line over wall time."""
        with self._lock:
            self._refresh()
            assert self._base is not None  # noqa: S101 - just refreshed
            return self._base

    def wall_seconds_until(self, instant: datetime) -> float | None:
        """Wall seconds until business time is `instant`; 0 when past, None when the clock stands still."""
        away = (instant - self.now()) / timedelta(seconds=1)
        speed = self.base().speed
        if away <= 0:
            return 0.0
        return away / speed if speed else None

    def _refresh(self) -> None:
        if self._base is not None and 0 <= self._ticking() - self._read_at < KEPT_SECONDS:
            return
        fresh = self._read()
        if self._base is WALL and fresh is not WALL:
            self._shown = EPOCH  # the database got its clock: what the wall showed before does not count
        self._base, self._read_at = fresh, self._ticking()
