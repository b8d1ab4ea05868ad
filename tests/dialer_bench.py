"""A bench for dialers: one adapter, the clock, and the dialer at its other end, moved by hand."""

from collections.abc import Iterable
from datetime import timedelta
from itertools import count
from pathlib import Path
from random import Random
from typing import Any, Protocol
from uuid import UUID

from fake_dialer import FakeDialer, SetClock

from dialer_adapter.consumer import Consumer
from dialer_adapter.journal import Journal
from dialer_adapter.port import Dialer
from dialer_adapter.redis_queue import RedisQueue
from dialer_adapter.values import Order
from dialer_adapter.wire import connect
from models.ids import time_ordered_id

QUEUE = "1.robot"
NUMBER = "+351912345678"
_dice = Random(7)
_numbers = count(1)


class Bench(Protocol):
    """An adapter and both its ends."""

    @property
    def clock(self) -> SetClock: ...

    @property
    def dialer(self) -> Dialer: ...

    async def take(self, limit: int) -> tuple[Order, ...]:
        """The dialer takes orders."""
        ...

    async def tell(self, lease: UUID, kind: str, /, **body: Any) -> None:
        """The dialer tells an event."""
        ...

    async def want(self, count: int) -> None:
        """The dialer gives a sign of life."""
        ...

    async def forget(self) -> None:
        """What lies between the ends burns."""
        ...

    async def aclose(self) -> None:
        """Tidy up."""
        ...


class FakeBench:
    """The dialer in memory."""

    def __init__(self) -> None:
        self.clock = SetClock()
        self.dialer = self._fake = FakeDialer(self.clock)

    async def take(self, limit: int) -> tuple[Order, ...]:
        return self._fake.take(limit)

    async def tell(self, lease: UUID, kind: str, /, **body: Any) -> None:
        self._fake.tell(lease, kind, **body)

    async def want(self, count: int) -> None:
        self._fake.want(count)

    async def forget(self) -> None:
        self._fake.forget()

    async def aclose(self) -> None:
        """Nothing to tidy."""


class RedisBench:
    """The Redis queue, with one consumer at its other end."""

    def __init__(self, url: str, folder: Path, queue: str = QUEUE) -> None:
        self.url, self.queue, self.folder = url, queue, folder
        self.clock = SetClock()
        self.redis = connect(url, retries=3)
        self.dialer = RedisQueue.at(url, queue, self.clock)
        self.consumer = self.another("a")

    def another(self, name: str) -> Consumer:
        """One more consumer; whoever asks closes it."""
        return Consumer.at(self.url, self.queue, name, Journal(self.folder / f"{name}.journal"))

    async def take(self, limit: int) -> tuple[Order, ...]:
        return (await self.consumer.take(limit)).orders

    async def tell(self, lease: UUID, kind: str, /, **body: Any) -> None:
        await self.consumer.tell(lease, kind, **body)

    async def want(self, count: int) -> None:
        await self.consumer.beat(count)

    async def forget(self) -> None:
        await self.redis.flushdb()

    async def aclose(self) -> None:
        await self.dialer.aclose()
        await self.consumer.aclose()
        await self.redis.aclose()


def new_order(clock: SetClock, *, life: float = 60, **values: Any) -> Order:
    """An order made now, to be rung within `life` business seconds."""
    return Order(
        lease_id=time_ordered_id(clock.now, _dice),
        e164=values.pop("e164", NUMBER),
        ring_by=clock.now + timedelta(seconds=life),
        customer_ref=values.pop("customer_ref", f"c{next(_numbers)}"),
        **values,
    )


async def offered(bench: Bench, number: int = 1, **values: Any) -> list[Order]:
    """So many orders, offered and accepted."""
    orders = [new_order(bench.clock, **values) for _ in range(number)]
    answers = await bench.dialer.offer(await bench.dialer.epoch(), orders)
    assert {answer.reason for answer in answers} <= {"queued"}
    return orders


def ids(orders: Iterable[Order]) -> list[UUID]:
    """Their lease ids, in order."""
    return [order.lease_id for order in orders]
