"""A dialer in memory under a test's hand, and business time that goes only where the test sets it."""

from datetime import UTC, datetime, timedelta

from dialer_adapter.in_memory import InMemoryDialer as FakeDialer
from dialer_adapter.values import ClockReading

__all__ = ["FakeDialer", "SetClock"]


class SetClock:
    """Business time that goes only where the test sets it."""

    def __init__(self, now: datetime = datetime(2026, 3, 2, 12, tzinfo=UTC), speed: float = 0.0) -> None:
        self.now, self.speed = now, speed

    def __call__(self) -> ClockReading:
        return ClockReading(self.now, self.speed)

    def forward(self, **time: float) -> None:
        """Go on by so much, as timedelta takes it."""
        self.now += timedelta(**time)
