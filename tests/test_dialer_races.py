"""Many consumers, a recaller and a link that offers again, all at once on a real Redis."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from random import Random
from threading import Barrier
from typing import TypeVar
from uuid import UUID

from dialer_bench import QUEUE, RedisBench, ids, offered
from fake_dialer import SetClock

from dialer_adapter.consumer import Consumer
from dialer_adapter.journal import Journal
from dialer_adapter.redis_queue import RedisQueue
from dialer_adapter.values import Order

CONSUMERS, ORDERS = 8, 2_000
T = TypeVar("T")


def in_a_loop(together: Barrier, work: Callable[[], Awaitable[T]]) -> T:
    """Run `work` in this thread's own loop, begun together with the others."""

    async def begin() -> T:
        together.wait(30)
        return await work()

    return asyncio.run(begin())


async def prepare(url: str, folder: Path) -> list[Order]:
    bench = RedisBench(url, folder)
    await bench.dialer.beat()
    orders = await offered(bench, ORDERS, life=3600)
    await bench.aclose()
    return orders


async def take_all(url: str, folder: Path, name: str) -> list[UUID]:
    consumer, taken = Consumer.at(url, QUEUE, name, Journal(folder / name)), list[UUID]()
    while orders := (await consumer.take(3)).orders:
        taken += ids(orders)
    await consumer.aclose()
    return taken


async def recall_all(url: str, leases: list[UUID]) -> dict[UUID, str]:
    link, answers = RedisQueue.at(url, QUEUE, SetClock()), dict[UUID, str]()
    for start in range(0, len(leases), 4):
        for answer in await link.recall(leases[start : start + 4]):
            answers[answer.lease_id] = answer.answer
    await link.aclose()
    return answers


async def offer_again(url: str, orders: list[Order]) -> list[UUID]:
    link, accepted = RedisQueue.at(url, QUEUE, SetClock()), list[UUID]()
    epoch = await link.epoch()
    for start in range(0, len(orders), 20):
        answers = await link.offer(epoch, orders[start : start + 20])
        accepted += [answer.lease_id for answer in answers if answer.reason == "queued"]
    await link.aclose()
    return accepted


def test_an_order_is_taken_once_or_recalled_and_never_both(redis_url: str, tmp_path: Path) -> None:
    """Planted a take that looks, then removes, as commands of their own: orders are taken up to four times.

    Planted one that pops, then marks, and a recall that does not look at the state: taken and recalled.
    """
    orders = asyncio.run(prepare(redis_url, tmp_path))
    leases = ids(orders)
    shuffled = Random(3).sample(leases, len(leases))
    together = Barrier(CONSUMERS + 2)
    with ThreadPoolExecutor(CONSUMERS + 2) as pool:
        takers = [
            pool.submit(in_a_loop, together, partial(take_all, redis_url, tmp_path, f"consumer{n}"))
            for n in range(CONSUMERS)
        ]
        recaller = pool.submit(in_a_loop, together, partial(recall_all, redis_url, shuffled))
        offerer = pool.submit(in_a_loop, together, partial(offer_again, redis_url, orders))
        taken = Counter(lease for taker in takers for lease in taker.result())
        answers = recaller.result()

    recalled = {lease for lease, answer in answers.items() if answer == "recalled"}
    assert set(taken.values()) == {1}
    assert not recalled & taken.keys()
    assert recalled | taken.keys() == set(leases)
    assert {answers[lease] for lease in taken} == {"taken"}
    assert offerer.result() == []
    assert len(recalled) > 50, "the recaller must have raced"
    assert len(taken) > 50, "the consumers must have raced"
