"""Redis may burn: flushed, killed, restarted with what it had saved, or away for a while (P9)."""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import pytest
from dialer_bench import NUMBER, RedisBench, ids, new_order, offered
from ground import OwnRedis

from dialer_adapter.values import EventBatch, OrderState
from models.errors import Unavailable

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def bench(own_redis: OwnRedis, tmp_path: Path) -> AsyncIterator[RedisBench]:
    made = RedisBench(own_redis.url, tmp_path)
    await made.dialer.beat()
    await made.dialer.epoch()
    yield made
    await made.aclose()


async def again(bench: RedisBench) -> None:
    """The link finds its way back, then the dialer."""
    await bench.dialer.beat()
    await bench.dialer.epoch()
    await bench.want(5)


async def states(bench: RedisBench, *leases: UUID) -> list[OrderState]:
    return [status.state for status in await bench.dialer.status(leases)]


async def test_a_restart_brings_no_order_back(bench: RedisBench, own_redis: OwnRedis) -> None:
    """The file may lack the last takes: had the order been taken, it would ring twice.

    Planted an epoch without run_id: the order is taken after the restart.
    """
    taken, waiting = await offered(bench, 2)
    await bench.take(1)
    before = await bench.dialer.epoch()
    bench.clock.forward(seconds=10)
    own_redis.kill()
    own_redis.start()
    with pytest.raises(Unavailable):  # the connection is gone: a consumer never tries by itself
        await bench.take(5)
    assert (await bench.consumer.take(5)).refusal == "no_epoch"
    both = [taken.lease_id, waiting.lease_id]
    assert await states(bench, *both) == [OrderState.TAKEN, OrderState.UNKNOWN]
    await again(bench)
    assert await bench.dialer.epoch() != before
    assert await bench.take(5) == ()
    assert await states(bench, *both) == [OrderState.TAKEN, OrderState.UNKNOWN]
    assert [a.reason for a in await bench.dialer.offer(before, [waiting])] == ["old_epoch"]
    assert [key async for key in bench.redis.scan_iter() if NUMBER in repr(await dump(bench, key))] == []
    assert ids(await offered(bench)) == ids(await bench.take(5))


async def dump(bench: RedisBench, key: Any) -> object:
    return await bench.redis.hgetall(key) if await bench.redis.type(key) == "hash" else None


async def test_a_recall_before_the_new_epoch_promises_nothing(bench: RedisBench, own_redis: OwnRedis) -> None:
    """Planted no look at the epoch in recall.lua: it says recalled, though it may have been taken."""
    (order,) = await offered(bench)
    own_redis.kill()
    own_redis.start()
    assert [a.answer for a in await bench.dialer.recall([order.lease_id])] == ["unknown"]
    await again(bench)
    assert await bench.take(5) == ()


async def test_what_was_told_while_redis_was_away_arrives(bench: RedisBench, own_redis: OwnRedis) -> None:
    (order,) = await offered(bench)
    await bench.take(1)
    own_redis.kill()
    await bench.tell(order.lease_id, "ringing")
    await bench.tell(order.lease_id, "ended", result="sale")
    with pytest.raises(Unavailable):
        await bench.want(5)
    with pytest.raises(Unavailable):
        await bench.take(1)
    own_redis.start()
    await again(bench)
    told = (await bench.dialer.events("")).events
    assert [event.kind for event in told] == ["taken", "ringing", "ended"]
    await bench.dialer.ack([event.event_id for event in told])
    await bench.want(5)
    assert bench.consumer.journal.kept() == []


async def test_results_acknowledged_before_a_flush_stay_so(bench: RedisBench) -> None:
    over, ringing = await offered(bench, 2)
    await bench.take(2)
    await bench.tell(over.lease_id, "ended", result="busy")
    await bench.tell(ringing.lease_id, "ringing")
    await bench.dialer.ack([event.event_id for event in (await bench.dialer.events("")).events])
    await bench.want(2)
    await bench.redis.flushall()
    await again(bench)
    told = (await bench.dialer.events("")).events
    assert {event.lease_id for event in told} == {ringing.lease_id}
    assert await states(bench, ringing.lease_id) == [OrderState.RINGING]


async def test_an_ack_that_is_lost_is_given_again(bench: RedisBench) -> None:
    (order,) = await offered(bench)
    await bench.take(1)
    await bench.tell(order.lease_id, "ended", result="busy")
    first = (await bench.dialer.events("")).events
    await bench.dialer.ack([event.event_id for event in first])
    await bench.redis.flushall()
    await again(bench)
    second = (await bench.dialer.events("")).events
    assert second == first
    await bench.dialer.ack([event.event_id for event in second])
    await bench.want(2)
    assert bench.consumer.journal.kept() == []


async def test_a_redis_that_may_evict_is_refused(bench: RedisBench) -> None:
    await bench.redis.config_set("maxmemory", "100mb")
    await bench.redis.config_set("maxmemory-policy", "volatile-lru")
    await bench.redis.flushall()
    with pytest.raises(Unavailable, match="noeviction"):
        await bench.dialer.epoch()
    await bench.redis.config_set("maxmemory-policy", "noeviction")
    assert await bench.dialer.epoch()


class Day:
    """A link and a dialer at work while Redis is flushed and killed under them."""

    def __init__(self, bench: RedisBench, seed: int) -> None:
        self.bench, self.dice = bench, Random(seed)
        self.rung: Counter[UUID] = Counter()
        self.told: dict[UUID, list[str]] = {}
        self.results: dict[str, UUID] = {}
        self.offered: set[UUID] = set()

    async def link(self) -> None:
        """Beat, offer one order, journal, acknowledge."""
        await self.bench.dialer.beat()
        epoch = await self.bench.dialer.epoch()
        order = new_order(self.bench.clock)
        self.offered.add(order.lease_id)
        await self.bench.dialer.offer(epoch, [order, order])
        batch: EventBatch = await self.bench.dialer.events("")
        for event in batch.events:
            if event.kind == "ended" and event.lease_id:
                self.results[event.event_id] = event.lease_id
        await self.bench.dialer.ack([event.event_id for event in batch.events])

    async def dial(self) -> None:
        """Beat, take, ring, end."""
        await self.bench.want(5)
        for order in await self.bench.take(2):
            await self.bench.tell(order.lease_id, "ringing")
            self.rung[order.lease_id] += 1
            await self.bench.tell(order.lease_id, "ended", result="no_answer")

    async def step(self) -> None:
        self.bench.clock.forward(milliseconds=self.dice.randint(0, 500))
        await self.dice.choice([self.link, self.dial, self.dial])()


async def tried(doing: Awaitable[None]) -> None:
    with suppress(Unavailable):
        await doing


@pytest.mark.parametrize("seed", range(3))
async def test_a_day_of_fires(bench: RedisBench, own_redis: OwnRedis, seed: int) -> None:
    """Whatever burns when, nobody is rung twice and every ring's result arrives, once.

    Planted no journal before telling, and no telling again in a new epoch: results are missing.
    """
    day = Day(bench, seed)
    for turn in range(240):
        await tried(day.step())
        if day.dice.random() < 0.06:
            await tried(burn(bench))
        if turn % 80 == 40:
            own_redis.kill()
            await tried(day.dial())
            own_redis.start()
    for _ in range(3):
        await day.link()
        await day.bench.want(0)
    assert set(day.rung.values()) == {1}
    assert len(day.rung) > 20
    assert set(day.results.values()) >= set(day.rung)
    assert len(day.results) == len(set(day.results.values()))
    assert bench.consumer.journal.unacknowledged() == []


async def burn(bench: RedisBench) -> None:
    try:
        await bench.redis.flushall()
    except Exception as away:
        raise Unavailable("burnt already") from away
