"""A dialer's end of the queue: what is told arrives, what is taken ends, a death is told as it was."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from dialer_bench import QUEUE, RedisBench, ids, offered

from dialer_adapter.consumer import Consumer
from dialer_adapter.journal import Journal
from dialer_adapter.wire import connect
from models.errors import Unavailable

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Ticks:
    """A monotonic clock that the test moves."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def ticks() -> Ticks:
    return Ticks()


@pytest.fixture
async def bench(redis_url: str, tmp_path: Path, ticks: Ticks) -> AsyncIterator[RedisBench]:
    made = RedisBench(redis_url, tmp_path)
    await made.consumer.aclose()
    made.consumer = consumer_at(redis_url, tmp_path, ticks)
    await made.dialer.beat()
    await made.dialer.epoch()
    await made.want(0)
    yield made
    await made.aclose()


def consumer_at(url: str, folder: Path, ticks: Ticks) -> Consumer:
    return Consumer(connect(url, retries=0), QUEUE, "a", Journal(folder / "a.journal"), ticking=ticks)


async def reborn(bench: RedisBench, ticks: Ticks) -> Consumer:
    """The consumer after a kill: what its process knew is gone, its journal is not."""
    await bench.consumer.aclose()
    bench.consumer = consumer_at(bench.url, bench.folder, ticks)
    return bench.consumer


async def told(bench: RedisBench) -> list[tuple[str, Any]]:
    """Kinds and results of what waits for the link."""
    return [(event.kind, event.body.get("result")) for event in (await bench.dialer.events("")).events]


class Cut:
    """A wire that is cut before or after Redis has done what was asked."""

    def __init__(self, consumer: Consumer, name: str, *, done: bool) -> None:
        self._scripts, self._name, self._done = consumer._scripts, name, done
        self._run = consumer._scripts.run

    async def run(self, name: str, *args: Any) -> Any:
        if name != self._name:
            return await self._run(name, *args)
        if self._done:
            await self._run(name, *args)
        raise Unavailable("cut")

    def __enter__(self) -> None:
        self._scripts.run = self.run  # type: ignore[method-assign]

    def __exit__(self, *flaw: object) -> None:
        self._scripts.run = self._run  # type: ignore[method-assign]


@pytest.mark.parametrize("done", [False, True])
async def test_an_event_that_did_not_get_through_is_told_again(bench: RedisBench, done: bool) -> None:
    """Planted no _resend in beat: the result never comes."""
    (order,) = await offered(bench)
    await bench.take(1)
    with Cut(bench.consumer, "tell", done=done):
        await bench.tell(order.lease_id, "ended", result="sale")
    await bench.want(1)
    assert await told(bench) == [("taken", None), ("ended", "sale")]


async def test_an_event_without_an_ack_is_told_again_after_a_while(bench: RedisBench, ticks: Ticks) -> None:
    (order,) = await offered(bench)
    await bench.take(1)
    await bench.tell(order.lease_id, "ended", result="sale")
    await bench.want(1)
    await bench.redis.delete(f"ringeliste:{{{QUEUE}}}:told", f"ringeliste:{{{QUEUE}}}:events")
    ticks.seconds += 4.9
    await bench.want(1)
    assert await told(bench) == []
    ticks.seconds += 0.2
    await bench.want(1)
    assert await told(bench) == [("taken", None), ("ended", "sale")]


async def test_orders_whose_reply_was_lost_are_ended_unrung(bench: RedisBench) -> None:
    """Planted no _settle in beat: the order is taken for ever."""
    orders = await offered(bench, 2)
    with Cut(bench.consumer, "take", done=True), pytest.raises(Unavailable):
        await bench.take(2)
    await bench.want(2)
    assert sorted(await told(bench)) == [("ended", "failed")] * 2 + [("taken", None)] * 2
    assert await bench.take(2) == ()
    ended = [event for event in (await bench.dialer.events("")).events if event.kind == "ended"]
    assert {event.lease_id for event in ended} == set(ids(orders))
    assert {event.body["why"] for event in ended} == {"never_rung"}


@pytest.mark.parametrize(
    ("kinds", "result"),
    [
        ((), "failed"),
        (("ringing",), "no_answer"),
        (("ringing", "answered"), "abandoned"),
        (("ringing", "answered", "connected"), "abandoned"),
        (("ringing", "answered", "key"), "abandoned"),
    ],
)
async def test_a_death_is_told_as_it_was(
    bench: RedisBench, ticks: Ticks, kinds: tuple[str, ...], result: str
) -> None:
    """Not rung is failed (it counts as nothing); rung is a missed call; answered is a person left alone."""
    (order,) = await offered(bench)
    await bench.take(1)
    for kind in kinds:
        await bench.tell(order.lease_id, kind)
    consumer = await reborn(bench, ticks)
    assert await consumer.cut() == 1
    assert await consumer.cut() == 0
    await bench.want(1)
    assert await told(bench) == [("taken", None), *((kind, None) for kind in kinds), ("ended", result)]


async def test_what_ended_before_a_death_keeps_its_result(bench: RedisBench, ticks: Ticks) -> None:
    (order,) = await offered(bench)
    await bench.take(1)
    with Cut(bench.consumer, "tell", done=False):
        await bench.tell(order.lease_id, "ended", result="sale")
    consumer = await reborn(bench, ticks)
    assert await consumer.cut() == 0
    await bench.want(1)
    assert await told(bench) == [("taken", None), ("ended", "sale")]


async def test_a_death_between_the_take_and_its_journal_is_healed(bench: RedisBench, ticks: Ticks) -> None:
    await offered(bench)
    with Cut(bench.consumer, "take", done=True), pytest.raises(Unavailable):
        await bench.take(1)
    consumer = await reborn(bench, ticks)
    assert await consumer.cut() == 0
    await bench.want(1)
    assert await told(bench) == [("taken", None), ("ended", "failed")]


async def test_keys_of_one_call_are_events_of_their_own(bench: RedisBench) -> None:
    (order,) = await offered(bench)
    await bench.take(1)
    for key in ("4", "1"):
        await bench.tell(order.lease_id, "key", key=key)
    events = (await bench.dialer.events("")).events
    assert [event.body.get("key") for event in events] == [None, "4", "1"]
    assert len({event.event_id for event in events}) == 3


async def test_business_time_goes_on_between_beats(bench: RedisBench, ticks: Ticks) -> None:
    bench.clock.speed = 60.0
    await bench.dialer.beat()
    await bench.want(1)
    before = bench.consumer.now()
    ticks.seconds += 2
    assert before is not None
    assert bench.consumer.now() == before + timedelta(minutes=2)


async def test_many_acks_are_heard(bench: RedisBench) -> None:
    for order in await offered(bench, 700):
        await bench.tell(order.lease_id, "ended", result="busy")
    while events := (await bench.dialer.events("")).events:
        await bench.dialer.ack([event.event_id for event in events])
    await bench.want(1)
    await bench.want(1)
    assert bench.consumer.journal.kept() == []
    await bench.want(1)
    assert not await bench.redis.exists(f"ringeliste:{{{QUEUE}}}:acks:a")


async def test_a_second_process_of_the_same_name_is_refused(bench: RedisBench) -> None:
    with pytest.raises(Exception, match="another process"):
        Journal(bench.folder / "a.journal")
