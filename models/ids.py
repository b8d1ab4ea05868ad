"""Ids that carry their time: sorted by creation, partitioned by month, made by the application."""

from datetime import UTC, datetime
from random import Random
from uuid import UUID


def time_ordered_id(now: datetime, dice: Random) -> UUID:
    """A version 7 uuid (RFC 9562, section 5.7) of the instant `now`, with 74 random bits of `dice`."""
    milliseconds = int(now.timestamp() * 1000)
    head = (milliseconds & (1 << 48) - 1) << 80
    return UUID(int=head | 0x7 << 76 | dice.getrandbits(12) << 64 | 0b10 << 62 | dice.getrandbits(62))


def first_id_of(instant: datetime) -> UUID:
    """The smallest id that `time_ordered_id` can make at `instant`: a partition's lower bound."""
    return UUID(int=int(instant.timestamp() * 1000) << 80)


def instant_of(key: UUID) -> datetime:
    """The instant (UTC, to the millisecond) that a time-ordered id carries."""
    return datetime.fromtimestamp((key.int >> 80) / 1000, UTC)
