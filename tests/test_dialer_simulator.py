"""The simulated dialer as what it is: another process, that can be killed."""

import asyncio
import sys
from asyncio.subprocess import Process
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from uuid import UUID

import pytest
from dialer_bench import NUMBER, QUEUE, new_order
from fake_dialer import SetClock
from ground import OwnRedis

from dialer_adapter.fate import Fate, fate
from dialer_adapter.redis_queue import RedisQueue
from dialer_adapter.simulator import talk
from dialer_adapter.values import ClockReading, Event, Order

pytestmark = pytest.mark.anyio
SEED, LINES, SPEED = 7, 5, 600.0
BEGIN = datetime(2026, 3, 2, 12, 5, tzinfo=UTC)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class RunningClock:
    """Business time from BEGIN on, SPEED times as fast as the wall's."""

    def __init__(self) -> None:
        self._began = monotonic()

    def __call__(self) -> ClockReading:
        return ClockReading(BEGIN + timedelta(seconds=(monotonic() - self._began) * SPEED), SPEED)


class Link:
    """A link as small as can be: it beats, offers, journals and acknowledges."""

    def __init__(self, url: str) -> None:
        self.queue = RedisQueue.at(url, QUEUE, RunningClock())
        self.events: dict[str, Event] = {}
        self.most_open = 0

    async def offer(self, number: int) -> list[Order]:
        await self.queue.beat()
        epoch, clock = await self.queue.epoch(), SetClock(BEGIN)
        orders = [new_order(clock, life=86_400, customer_ref=str(n)) for n in range(number)]
        await self.queue.offer(epoch, orders)
        return orders

    async def until(self, done: Callable[[], bool], seconds: float = 30) -> None:
        """Work until `done`; the test fails if it takes longer."""
        async with asyncio.timeout(seconds):
            while not done():
                await self.queue.beat()
                batch = await self.queue.events("", wait=0.1)
                for event in batch.events:
                    self.events.setdefault(event.event_id, event)
                    kinds = Counter(known.kind for known in self.events.values())
                    self.most_open = max(self.most_open, kinds["taken"] - kinds["ended"])
                await self.queue.ack([event.event_id for event in batch.events])

    def told(self, kind: str) -> dict[UUID, Event]:
        return {e.lease_id: e for e in self.events.values() if e.kind == kind and e.lease_id}


@pytest.fixture
async def link(redis_url: str) -> AsyncIterator[Link]:
    made = Link(redis_url)
    yield made
    await made.queue.aclose()


@asynccontextmanager
async def simulator(url: str, folder: Path, *more: str) -> AsyncIterator[Process]:
    """The process, with half of the customers willing to buy; what it says goes to `log`."""
    truth = folder / "truth.csv"
    truth.write_text("external_id,y\n" + "".join(f"{n},{'yes' if n % 2 else 'no'}\n" for n in range(200)))
    asked = [
        *(sys.executable, "-m", "dialer_adapter.simulator", "--redis-url", url, "--queue", QUEUE),
        *("--journal", str(folder / "journal"), "--truth", str(truth)),
        *("--seed", str(SEED), "--lines", str(LINES), *more),
    ]
    with (folder / "log").open("a") as log:
        process = await asyncio.create_subprocess_exec(*asked, stdout=log, stderr=log)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def fate_of(link: Link, order: Order) -> Fate | None:
    """The fate that it had; on a slow machine a call may begin in a later hour than its take."""
    began, end = link.told("taken")[order.lease_id].at, link.told("ended")[order.lease_id]
    assert began is not None
    assert end.at is not None
    buys = int(order.customer_ref) % 2 == 1
    for minute in range(int((end.at - began).total_seconds() / 60) + 1):
        hour = (began + timedelta(minutes=minute)).hour
        its = fate(SEED, order.lease_id, order.customer_ref, hour, buys)
        if (its.result, its.talk_seconds) == (end.body["result"], end.body["talk_seconds"]):
            return its
    return None


async def test_it_works_its_orders_to_their_fate(link: Link, redis_url: str, tmp_path: Path) -> None:
    orders = await link.offer(40)
    async with simulator(redis_url, tmp_path) as process:
        await link.until(lambda: len(link.told("ended")) == 40)
        process.terminate()
        assert await process.wait() == 0
    ended = link.told("ended")
    assert [order for order in orders if fate_of(link, order) is None] == []
    assert "sale" in {event.body["result"] for event in ended.values()}
    assert 1 < link.most_open <= LINES
    assert (await link.queue.capacity()).wanted == LINES
    assert NUMBER not in (tmp_path / "log").read_text()
    assert NUMBER not in (tmp_path / "journal").read_text()


async def test_a_call_takes_business_time(link: Link, redis_url: str, tmp_path: Path) -> None:
    orders = await link.offer(12)
    async with simulator(redis_url, tmp_path):
        await link.until(lambda: len(link.told("ended")) == 12)
    for order in orders:
        its = fate_of(link, order)
        assert its
        began, ended = link.told("taken")[order.lease_id].at, link.told("ended")[order.lease_id].at
        assert began is not None
        assert ended is not None
        planned = its.ring_seconds + its.talk_seconds
        assert planned - 1 <= (ended - began).total_seconds() < planned + 10 * SPEED


async def test_killed_it_tells_what_became_of_its_calls(link: Link, redis_url: str, tmp_path: Path) -> None:
    """Every order taken ends once, whatever its line was at. Planted no cut at start: some never end."""
    orders = await link.offer(60)
    for turn in (1, 2, 3):
        async with simulator(redis_url, tmp_path) as process:
            await link.until(lambda turn=turn: len(link.told("ended")) >= 12 * turn)  # type: ignore[misc]
            process.kill()
    async with simulator(redis_url, tmp_path):
        await link.until(lambda: len(link.told("ended")) == 60)
    cut = [event for event in link.told("ended").values() if "why" in event.body]
    assert cut, "the kills must have met open calls"
    for event in cut:
        assert event.body["result"] in ("failed", "no_answer", "abandoned")
        rung = event.lease_id in link.told("ringing")
        assert (event.body["result"] == "failed") == (not rung)
    whole = [order for order in orders if "why" not in link.told("ended")[order.lease_id].body]
    assert [order for order in whole if fate_of(link, order) is None] == []


async def test_told_to_stop_it_hangs_up(link: Link, redis_url: str, tmp_path: Path) -> None:
    await link.offer(30)
    async with simulator(redis_url, tmp_path) as process:
        await link.until(lambda: len(link.told("taken")) >= LINES)
        process.terminate()
        assert await process.wait() == 0
    await link.until(lambda: link.told("taken").keys() == link.told("ended").keys())
    assert (await link.queue.capacity()).queued > 0


async def test_it_outlives_redis(own_redis: OwnRedis, tmp_path: Path) -> None:
    """It waits for a link, works, and after a crash of Redis goes on with what is offered then."""
    link = Link(own_redis.url)
    async with simulator(own_redis.url, tmp_path) as process:
        async with asyncio.timeout(30):
            while not (await link.queue.capacity()).consumers:
                assert process.returncode is None
        await link.offer(20)
        await link.until(lambda: len(link.told("ended")) >= 8)
        own_redis.kill()
        own_redis.start()
        later = {order.lease_id for order in await link.offer(3)}
        await link.until(lambda: later <= link.told("ended").keys())
        await link.until(lambda: link.told("taken").keys() == link.told("ended").keys())
        assert process.returncode is None
    await link.queue.aclose()


@pytest.mark.parametrize(
    ("asked", "code", "message"),
    [
        (["--help"], 0, ""),
        (["--truth-column", "Z"], 2, "no column 'Z'"),
        (["--queue", "two words"], 2, "not a name"),
    ],
)
async def test_it_says_what_is_wrong(
    redis_url: str, tmp_path: Path, asked: list[str], code: int, message: str
) -> None:
    async with simulator(redis_url, tmp_path, *asked) as process:
        assert await process.wait() == code
    assert message in (tmp_path / "log").read_text()


@pytest.mark.parametrize(
    ("mode", "kinds"),
    [
        ("connect", ["answered", "connected"]),
        ("key_press", ["answered", "key"]),
        ("voice_robot", ["answered", "intent"]),
        ("preview", ["answered", "connected"]),
    ],
)
def test_each_mode_tells_its_own(mode: str, kinds: list[str]) -> None:
    its = next(f for n in range(99) if (f := fate(1, UUID(int=n), "c", 18, True)).reached)
    assert [kind for kind, _ in talk(mode, its)] == kinds
