"""A dialer's end of the Redis queue: take orders, tell what happens, forget nothing.

An event is written to the journal before it is told, and told until it is acknowledged. `ringing` is told, so
journalled, before a telephone rings: what the journal does not know has not rung.
"""

import asyncio
import json
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import inf
from time import monotonic
from typing import Any, Self
from uuid import UUID

from redis.asyncio import Redis

from dialer_adapter.journal import Journal
from dialer_adapter.values import Event, Order
from dialer_adapter.wire import (
    Scripts,
    checked_name,
    connect,
    instant,
    milliseconds,
    order_of,
    reaching_redis,
)
from models.errors import Unavailable
from models.outcomes import Outcome

log = logging.getLogger(__name__)

COUNTS_SECONDS = 5.0
"""Wall time for which a beat's wish for orders counts."""

RESEND_SECONDS = 5.0
"""Wall time after which an event without an ack is told again."""

CUT_SHORT = {"taken": Outcome.FAILED, "ringing": Outcome.NO_ANSWER}
"""What a call comes to when its dialer died. Not rung: failed. Rung and, as far as we know, not answered: the
customer missed a call. From the answer on (any other word) a person was left alone on the line: abandoned."""


@dataclass(frozen=True, slots=True)
class Taken:
    """Orders taken, first offered first; `refusal` says why none can be had: no_epoch, lost_touch."""

    orders: tuple[Order, ...]
    refusal: str = ""


class Consumer:
    """One consumer of a dialer. `name` belongs to one process at a time, with one journal, for ever.

    `redis` must not retry by itself (see wire.connect). `beat` and `take` raise Unavailable when it is away.
    """

    def __init__(
        self,
        redis: Redis,
        queue: str,
        name: str,
        journal: Journal,
        *,
        ticking: Callable[[], float] = monotonic,
    ) -> None:
        self._redis, self._name, self._ticking = redis, checked_name(name), ticking
        self._scripts, self.journal = Scripts(redis, queue), journal
        self._epoch = ""
        self._clock: tuple[datetime, float, float] | None = None  # business time at a tick, and its speed
        self._sent: dict[str, float] = {}
        self._seen: list[str] = []  # acks to take out of Redis with the next beat
        self._taking = asyncio.Lock()

    @classmethod
    def at(cls, url: str, queue: str, name: str, journal: Journal) -> Self:
        """A consumer of the queue in the Redis at `url`."""
        return cls(connect(url, retries=0), queue, name, journal)

    def now(self) -> datetime | None:
        """Business time, as last heard and gone on since; None before it was heard."""
        if self._clock is None:
            return None
        heard, tick, speed = self._clock
        return heard + timedelta(seconds=(self._ticking() - tick) * speed)

    @property
    def speed(self) -> float:
        """Business seconds a wall second, as last heard; 0 before."""
        return self._clock[2] if self._clock else 0.0

    async def beat(self, wanted: int) -> None:
        """A sign of life, about once a second: ask to find `wanted` orders waiting, hear acks, tell again."""
        tick = self._ticking()
        epoch, business_ms, speed, *acks = await self._scripts.run(
            "want", self._name, wanted, int(COUNTS_SECONDS * 1000), *self._seen
        )
        self._seen = acks
        self._hear(business_ms, speed, tick)
        self.journal.acknowledge(acks)
        await self._settle()
        if epoch and epoch != self._epoch:  # Redis may have forgotten what we hold
            await self._send(self.journal.kept())
            self._epoch = epoch
        await self._resend()

    async def take(self, limit: int) -> Taken:
        """Take up to `limit` orders. They are ours alone from now on, and each must come to an end."""
        async with self._taking:
            tick = self._ticking()
            word, _, business_ms, speed, *texts = await self._scripts.run("take", self._name, limit)
            self._hear(business_ms, speed, tick)
            orders = tuple(order_of(text) for text in texts)
            self.journal.write([self._event(order.lease_id, "taken", {}) for order in orders])
        return Taken(orders, "" if word == "ok" else word)

    async def tell(self, lease_id: UUID, kind: str, /, **body: Any) -> None:
        """Tell an event: when this returns it is safe in the journal, and told as soon as Redis answers."""
        event = self._event(lease_id, kind, body)
        self.journal.write([event])
        try:
            await self._send([event])
        except Unavailable as away:
            log.warning("event kept for later: %s", away, extra={"lease": str(lease_id), "kind": kind})

    async def cut(self) -> int:
        """End every call that is open in the journal, as its dialer's death ended it. How many there were."""
        calls = self.journal.open_calls()
        for lease_id, kinds in calls.items():
            result = CUT_SHORT.get(kinds[-1], Outcome.ABANDONED)
            await self.tell(lease_id, "ended", result=result, talk_seconds=0, why="dialer_stopped")
        return len(calls)

    async def aclose(self) -> None:
        """Close the connections and the journal."""
        await self._redis.aclose()
        self.journal.close()

    def _event(self, lease_id: UUID, kind: str, body: dict[str, Any]) -> Event:
        """One of a kind a lease, except keys and intents, which are numbered."""
        key = f"{lease_id}:{kind}"
        if kind in ("key", "intent"):
            key += f":{sum(event.event_id.startswith(key) for event in self.journal.kept())}"
        return Event(key, lease_id, kind, self.now(), body)

    def _hear(self, business_ms: str, speed: str, tick: float) -> None:
        if (heard := instant(business_ms)) is not None:
            self._clock = (heard, tick, float(speed))

    async def _settle(self) -> None:
        """End what Redis gave us and we never got: the reply or its taker was lost. It has not rung."""
        async with self._taking:
            with reaching_redis():
                held = await self._redis.smembers(f"{self._scripts.prefix}:held:{self._name}")
            for lease_id in {UUID(str(key)) for key in held} - self.journal.leases():
                await self.tell(lease_id, "ended", result=Outcome.FAILED, talk_seconds=0, why="never_rung")

    async def _resend(self) -> None:
        waiting = self.journal.unacknowledged()
        self._sent = {event.event_id: self._sent.get(event.event_id, -inf) for event in waiting}
        late = self._ticking() - RESEND_SECONDS
        await self._send([event for event in waiting if self._sent[event.event_id] <= late])

    async def _send(self, events: Sequence[Event]) -> None:
        for start in range(0, len(events), 100):
            batch = events[start : start + 100]
            await self._scripts.run("tell", self._name, *(part for event in batch for part in _parts(event)))
            self._sent |= {event.event_id: self._ticking() for event in batch}


def _parts(event: Event) -> Iterator[str]:
    yield event.event_id
    yield str(event.lease_id or "")
    yield event.kind
    yield str(milliseconds(event.at)) if event.at else ""
    yield json.dumps(dict(event.body))
