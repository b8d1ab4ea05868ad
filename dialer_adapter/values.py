"""What passes between us and a dialer: plain values, the same for every adapter.

Numbers are E.164 and never shown by repr. Instants are business time, aware UTC, exact to the millisecond.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal
from uuid import UUID

Mode = Literal["connect", "key_press", "voice_robot", "preview"]
"""Connect to a seller, ask for a key press, let a voice robot talk, or show the customer first."""

_E164 = re.compile(r"\+[1-9]\d{4,14}")


def _want_aware(instant: datetime, what: str) -> None:
    if instant.utcoffset() is None:
        raise ValueError(f"{what} has no time zone: {instant}")


@dataclass(frozen=True, slots=True)
class ClockReading:
    """Business time at one moment: `now` (UTC), running at `speed` business seconds a wall second."""

    now: datetime
    speed: float

    def __post_init__(self) -> None:
        _want_aware(self.now, "now")


@dataclass(frozen=True, slots=True)
class Order:
    """A lease as a dialer sees it. Never rung at or after `ring_by`.

    `customer_ref`: the customer's external id. `payload`: what the dialer's mode needs, plain JSON.
    """

    lease_id: UUID
    e164: str = field(repr=False)
    ring_by: datetime
    customer_ref: str
    mode: Mode = "connect"
    payload: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        _want_aware(self.ring_by, "ring_by")
        if not _E164.fullmatch(self.e164):
            raise ValueError("not an E.164 number")


@dataclass(frozen=True, slots=True)
class OfferAnswer:
    """What became of an offered order.

    Accepted: `queued`, or `queued_already` (offered twice, rings once). Refused: `old_epoch` (meant for
    another epoch), `lost_touch` (the dialer's side has no fresh clock), `too_late` (past ring_by), `taken`,
    `ringing`, `ended` (it has had it), `recalled` (a tombstone stands). A refusal frees no customer, since an
    earlier try of the same offer may have got through: recall it.
    """

    lease_id: UUID
    accepted: bool
    reason: str


RecallWord = Literal["recalled", "taken", "never_seen", "unknown"]


@dataclass(frozen=True, slots=True)
class RecallAnswer:
    """What became of a recall.

    `recalled`: it waited, and nobody will ring it. `never_seen`: it never came, and is refused if it comes
    later, or nobody took it before ring_by. `taken`: too late, the dialer has or had it. `unknown`: no trace
    of it, but it may have been taken in an earlier epoch.
    """

    lease_id: UUID
    answer: RecallWord


class OrderState(StrEnum):
    """Where an order is at the dialer."""

    NEVER_SEEN = "never_seen"
    QUEUED = "queued"
    TAKEN = "taken"
    RINGING = "ringing"  # or talking
    ENDED = "ended"
    RECALLED = "recalled"  # or nobody took it before ring_by; either way nobody will
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Status:
    """Where one order is, and the result (a word of models.outcomes) once it has ended."""

    lease_id: UUID
    state: OrderState
    result: str | None = None


EVENT_KINDS = ("taken", "ringing", "answered", "connected", "key", "intent", "hung_up", "ended", "capacity")


@dataclass(frozen=True, slots=True)
class Event:
    """What a dialer tells. The same `event_id` twice is one event.

    `kind` is one of EVENT_KINDS, else a word we do not know: journalled, not used. `at`: business time, None
    when the dialer could not tell. `body` of `ended`: result (a word of models.outcomes), talk_seconds
    (business time); of `connected`: seller (name or id); of `key`: key; of `intent`: intent; of `capacity`:
    wanted.
    """

    event_id: str
    lease_id: UUID | None
    kind: str
    at: datetime | None
    body: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EventBatch:
    """Events in the order told, and the cursor after them."""

    events: tuple[Event, ...]
    cursor: str


@dataclass(frozen=True, slots=True)
class Capacity:
    """How many untaken orders the dialer would like to find, how many wait, and how many consumers live."""

    wanted: int
    queued: int
    consumers: int


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What an adapter can promise; the conformance suite runs the tests that these allow.

    `replays_events`: what is not acknowledged comes again. `exact_recall`: recalled or taken, decided at one
    place, never both. `enforces_ring_by`: refuses by itself to hand out at or after ring_by.
    `rings_late_seconds`: business seconds after ring_by during which a telephone may still begin to ring.
    `modes`: what it can do.
    """

    replays_events: bool
    exact_recall: bool
    enforces_ring_by: bool
    rings_late_seconds: int
    modes: tuple[Mode, ...]
