"""A dialer in memory: the port as a link sees it, and the levers of the dialer at its other end.

It serves tests and simulations of whatever stands above the port; the conformance suite holds it to the same
behaviour as the real adapters.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, get_args
from uuid import UUID

from dialer_adapter.values import (
    Capabilities,
    Capacity,
    ClockReading,
    Event,
    EventBatch,
    Mode,
    OfferAnswer,
    Order,
    OrderState,
    RecallAnswer,
    RecallWord,
    Status,
)
from models.errors import Unavailable
from models.ids import instant_of

RANK = {
    "taken": 1, "ringing": 2, "answered": 2, "connected": 2, "key": 2, "intent": 2, "hung_up": 2, "ended": 3,
}  # fmt: skip
STATES = {1: OrderState.TAKEN, 2: OrderState.RINGING, 3: OrderState.ENDED}


@dataclass
class _Mark:
    state: OrderState
    order: Order | None = None
    answer: RecallWord = "recalled"
    result: str | None = None


def _no_time_passes() -> float:
    return 0.0


class InMemoryDialer:
    """The port in memory. Levers: `take`, `tell`, `want`, `forget` (a flush) and `away` (nothing answers).

    `clock`: what a link beats with. `ticking`: wall seconds, by which business time runs on between beats.
    """

    capabilities = Capabilities(
        replays_events=True,
        exact_recall=True,
        enforces_ring_by=True,
        rings_late_seconds=5,
        modes=get_args(Mode),
    )

    def __init__(
        self, clock: Callable[[], ClockReading], ticking: Callable[[], float] = _no_time_passes
    ) -> None:
        self.away = False
        self._clock, self._ticking = clock, ticking
        self._kept: dict[str, Event] = {}  # the dialer's own memory: what is not acknowledged
        self._wants: dict[str, int] = {}
        self._births = 0
        self._told = asyncio.Event()
        self.forget()

    def forget(self) -> None:
        """Lose everything but what the dialer itself keeps."""
        self._marks: dict[UUID, _Mark] = {}
        self._stream: list[tuple[int, Event]] = []
        self._turn = 0
        self._beaten: tuple[ClockReading, float] | None = None
        self._born: datetime | None = None

    @property
    def _now(self) -> datetime | None:
        """Business time as the last beat told it, and run on since; None: nobody has told it yet."""
        if self._beaten is None:
            return None
        reading, at = self._beaten
        return reading.now + timedelta(seconds=(self._ticking() - at) * reading.speed)

    def take(self, limit: int) -> tuple[Order, ...]:
        """Take orders, first offered first."""
        taken: list[Order] = []
        now = self._now
        for lease, mark in list(self._marks.items()) if self._born else []:
            if now is None or len(taken) == limit:
                break
            if mark.state is OrderState.QUEUED and mark.order:
                if mark.order.ring_by <= now:
                    self._marks[lease] = _Mark(OrderState.RECALLED, answer="never_seen")
                else:
                    taken.append(mark.order)
                    self._marks[lease] = _Mark(OrderState.TAKEN)
                    self.tell(lease, "taken")
        return tuple(taken)

    def tell(self, lease: UUID, kind: str, /, **body: Any) -> None:
        """Tell an event, keep it until it is acknowledged."""
        event = Event(f"{lease}:{kind}", lease, kind, self._now, body)
        self._kept.setdefault(event.event_id, event)
        self._announce(event)

    def want(self, count: int, consumer: str = "a") -> None:
        """Say how many orders a consumer wants; tell again what is not acknowledged."""
        self._wants[consumer] = count
        for event in self._kept.values() if self._born else ():
            self._announce(event)

    async def beat(self) -> None:
        self._reach()
        self._beaten = self._clock(), self._ticking()
        now = self._beaten[0].now
        for lease, mark in self._marks.items():
            if mark.state is OrderState.QUEUED and mark.order and mark.order.ring_by <= now:
                self._marks[lease] = _Mark(OrderState.RECALLED, answer="never_seen")

    async def epoch(self) -> str:
        self._reach()
        if self._born is None:
            self._born = self._clock().now
            self._births += 1
        return f"epoch-{self._births}"

    async def capacity(self) -> Capacity:
        self._reach()
        queued = sum(mark.state is OrderState.QUEUED for mark in self._marks.values())
        return Capacity(sum(self._wants.values()), queued, len(self._wants))

    async def offer(self, epoch: str, orders: Sequence[Order]) -> list[OfferAnswer]:
        self._reach()
        answers = []
        for order in orders:
            word = self._offered(epoch, order)
            answers.append(OfferAnswer(order.lease_id, word in ("queued", "queued_already"), word))
        return answers

    async def recall(self, lease_ids: Sequence[UUID]) -> list[RecallAnswer]:
        self._reach()
        return [RecallAnswer(lease, self._recalled(lease)) for lease in lease_ids]

    async def status(self, lease_ids: Sequence[UUID]) -> list[Status]:
        self._reach()
        return [self._status(lease) for lease in lease_ids]

    async def events(self, cursor: str, wait: float = 0.0) -> EventBatch:
        self._reach()
        if wait > 0 and not self._after(cursor):
            self._told.clear()
            try:
                await asyncio.wait_for(self._told.wait(), wait)
            except TimeoutError:
                return EventBatch((), cursor)
        found = self._after(cursor)[:200]
        return EventBatch(tuple(event for _, event in found), str(found[-1][0]) if found else cursor)

    async def ack(self, event_ids: Sequence[str]) -> None:
        self._reach()
        for key in event_ids:
            self._kept.pop(key, None)
        self._stream = [(turn, event) for turn, event in self._stream if event.event_id not in event_ids]

    async def aclose(self) -> None:
        """Nothing to close."""

    def _reach(self) -> None:
        if self.away:
            raise Unavailable("the fake dialer is away")

    def _after(self, cursor: str) -> list[tuple[int, Event]]:
        return [(turn, event) for turn, event in self._stream if turn > int(cursor or 0)]

    def _announce(self, event: Event) -> None:
        if event.event_id not in {told.event_id for _, told in self._stream}:
            self._turn += 1
            self._stream.append((self._turn, event))
            self._told.set()
        self._mark(event.lease_id, event.kind, event.body)

    def _mark(self, lease: UUID | None, kind: str, body: Mapping[str, Any]) -> None:
        rank = RANK.get(kind, 0)
        if lease is None or not rank:
            return
        known = self._marks.get(lease)
        behind = known is None or known.state not in STATES.values()
        if behind or (known and rank > RANK[known.state.value]):
            self._marks[lease] = _Mark(STATES[rank], result=body.get("result"))

    def _offered(self, epoch: str, order: Order) -> str:
        if self._born is None or epoch != f"epoch-{self._births}":
            return "old_epoch"
        if known := self._marks.get(order.lease_id):
            return "queued_already" if known.state is OrderState.QUEUED else known.state.value
        now = self._now
        if now is None:
            return "lost_touch"
        if order.ring_by <= now:
            return "too_late"
        self._marks[order.lease_id] = _Mark(OrderState.QUEUED, order)
        return "queued"

    def _recalled(self, lease: UUID) -> RecallWord:
        known = self._marks.get(lease)
        if known and known.state in STATES.values():
            return "taken"
        if known is None:
            answer: RecallWord = "unknown" if self._older(lease) else "never_seen"
            self._marks[lease] = _Mark(OrderState.RECALLED, answer=answer)
        elif known.state is OrderState.QUEUED:
            self._marks[lease] = _Mark(OrderState.RECALLED)
        return self._marks[lease].answer

    def _status(self, lease: UUID) -> Status:
        known = self._marks.get(lease)
        if known is None:
            return Status(lease, OrderState.UNKNOWN if self._older(lease) else OrderState.NEVER_SEEN)
        if known.state is OrderState.RECALLED and known.answer == "unknown":
            return Status(lease, OrderState.UNKNOWN)
        return Status(lease, known.state, known.result)

    def _older(self, lease: UUID) -> bool:
        return self._born is None or instant_of(lease) < self._born
