"""A dialer behind a queue in Redis: the link's end of the wire format of docs/redis-queue.md."""

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from itertools import islice
from secrets import token_hex
from typing import Any, Self, TypeVar
from uuid import UUID

from redis.asyncio import Redis

from dialer_adapter.values import (
    Capabilities,
    Capacity,
    ClockReading,
    EventBatch,
    OfferAnswer,
    Order,
    OrderState,
    RecallAnswer,
    Status,
)
from dialer_adapter.wire import (
    DIALER_SCRIPTS,
    WIRE,
    Scripts,
    connect,
    event_of,
    milliseconds,
    order_to_text,
    reaching_redis,
    script_text,
)
from models.errors import Unavailable

BATCH = 200
"""Orders or ids in one script: Redis serves nobody else meanwhile."""

FRESH_SECONDS = 5.0
"""Wall time after a beat during which orders may be taken."""

SKEW_SECONDS = 2.0
"""Wall time by which two machines' business clocks may differ."""

T = TypeVar("T")


class RedisQueue:
    """The port over Redis 6.2 or newer. `queue` names the dialer, for instance "1.robot" (CRM and name).

    `clock` reads business time. `rings_late_seconds` (business time): how long after ring_by the dialer at
    the other end may still begin to ring what it took in time; its owner says so.
    """

    def __init__(
        self,
        redis: Redis,
        queue: str,
        clock: Callable[[], ClockReading],
        *,
        rings_late_seconds: int = 5,
        fresh_seconds: float = FRESH_SECONDS,
    ) -> None:
        self._redis, self._clock, self._fresh_ms = redis, clock, int(fresh_seconds * 1000)
        self._scripts = Scripts(redis, queue)
        self._published = False
        self._places: dict[str, str] = {}  # event id -> its entry in the stream, until acknowledged
        self.capabilities = Capabilities(
            replays_events=True,
            exact_recall=True,
            enforces_ring_by=True,
            rings_late_seconds=rings_late_seconds,
            modes=("connect", "key_press", "voice_robot", "preview"),
        )

    @classmethod
    def at(
        cls, url: str, queue: str, clock: Callable[[], ClockReading], *, rings_late_seconds: int = 5
    ) -> Self:
        """The queue in the Redis at `url`."""
        return cls(connect(url, retries=3), queue, clock, rings_late_seconds=rings_late_seconds)

    async def beat(self) -> None:
        """Keep the clock in Redis, and drop what is past ring_by."""
        with reaching_redis():
            seconds, micros = await self._redis.time()
        # Read after Redis' own time: so Redis is ahead by the network's delay, never behind.
        reading = self._clock()
        wall_ms = f"{seconds * 1000 + micros / 1000:.3f}"
        business_ms = milliseconds(reading.now, up=True)
        await self._scripts.run("beat", business_ms, wall_ms, repr(float(reading.speed)), self._fresh_ms)

    async def epoch(self) -> str:
        """Our key in Redis and Redis' own run id; a new one is opened after a flush or a restart."""
        reading = self._clock()
        born = reading.now + timedelta(seconds=SKEW_SECONDS * reading.speed)
        epoch, new = await self._scripts.run("open_epoch", token_hex(8), milliseconds(born), WIRE)
        if new == "1" or not self._published:
            await self._publish()
        return str(epoch)

    async def capacity(self) -> Capacity:
        """The sum over the living consumers."""
        return Capacity(*await self._scripts.run("capacity"))

    async def offer(self, epoch: str, orders: Sequence[Order]) -> list[OfferAnswer]:
        """Queue orders, best first."""
        answers = []
        for batch in _batches(orders):
            args = [
                part
                for order in batch
                for part in (str(order.lease_id), milliseconds(order.ring_by), order_to_text(order))
            ]
            words = await self._scripts.run("offer", epoch, *args)
            for order, word in zip(batch, words, strict=True):
                answers.append(OfferAnswer(order.lease_id, word in ("queued", "queued_already"), word))
        return answers

    async def recall(self, lease_ids: Sequence[UUID]) -> list[RecallAnswer]:
        """Withdraw what is not taken; a tombstone for the rest."""
        answers = []
        for batch in _batches(lease_ids):
            words = await self._scripts.run("recall", *map(str, batch))
            answers += [RecallAnswer(lease, word) for lease, word in zip(batch, words, strict=True)]
        return answers

    async def status(self, lease_ids: Sequence[UUID]) -> list[Status]:
        """Where orders are."""
        answers = []
        for batch in _batches(lease_ids):
            words = await self._scripts.run("status", *map(str, batch))
            pairs = zip(words[::2], words[1::2], strict=True)
            answers += [
                Status(lease, OrderState(state), result or None)
                for lease, (state, result) in zip(batch, pairs, strict=True)
            ]
        return answers

    async def events(self, cursor: str, wait: float = 0.0) -> EventBatch:
        """Entries of the stream after `cursor`, at most BATCH."""
        block = max(1, int(wait * 1000)) if wait > 0 else None
        stream = f"{self._scripts.prefix}:events"
        with reaching_redis():
            reply: Any = await self._redis.xread({stream: cursor or "0"}, count=BATCH, block=block)
        entries = reply[0][1] if reply else []
        told = {place: event_of(place, fields) for place, fields in entries}
        self._places |= {event.event_id: place for place, event in told.items()}
        return EventBatch(tuple(told.values()), entries[-1][0] if entries else cursor)

    async def ack(self, event_ids: Sequence[str]) -> None:
        """Strike events off the stream and tell their consumers."""
        for batch in _batches(event_ids):
            args = [part for key in batch for part in (key, self._places.get(key, ""))]
            await self._scripts.run("ack", *args)
            for key in batch:
                self._places.pop(key, None)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._redis.aclose()

    async def _publish(self) -> None:
        """Put the dialers' scripts into Redis, once we know that it forgets nothing by itself."""
        with reaching_redis():
            memory = await self._redis.info("memory")
            if memory.get("maxmemory") and memory.get("maxmemory_policy") != "noeviction":
                raise Unavailable("this Redis may evict keys (maxmemory-policy): set it to noeviction")
            texts: dict[Any, Any] = {name: script_text(name) for name in DIALER_SCRIPTS}
            await self._redis.hset(f"{self._scripts.prefix}:scripts", mapping=texts)
        self._published = True


def _batches(items: Sequence[T]) -> Iterator[list[T]]:
    rest = iter(items)
    while batch := list(islice(rest, BATCH)):
        yield batch
