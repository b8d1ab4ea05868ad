"""The Redis queue's own promises: no number stays, no clock lags, nothing grows, a flush heals."""

import json
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from dialer_bench import NUMBER, QUEUE, RedisBench, ids, new_order, offered

from dialer_adapter.redis_queue import RedisQueue
from dialer_adapter.values import Event, Order, OrderState
from dialer_adapter.wire import Scripts, connect, milliseconds, prefix
from models.errors import BadInput, Unavailable

pytestmark = pytest.mark.anyio
P = prefix(QUEUE)
DAY_MS = 86_400_000


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def bench(redis_url: str, tmp_path: Path) -> AsyncIterator[RedisBench]:
    made = RedisBench(redis_url, tmp_path)
    await made.dialer.beat()
    await made.dialer.epoch()
    yield made
    await made.aclose()


async def everything(bench: RedisBench) -> str:
    """All that lies in this Redis database, as text."""
    read: dict[Any, Any] = {
        "string": bench.redis.get,
        "hash": bench.redis.hgetall,
        "set": bench.redis.smembers,
        "zset": lambda key: bench.redis.zrange(key, 0, -1),
        "stream": bench.redis.xrange,
        "list": lambda key: bench.redis.lrange(key, 0, -1),
    }
    keys = await bench.redis.keys()
    return repr({key: await read[await bench.redis.type(key)](key) for key in keys})


async def time_is(bench: RedisBench, order: Order, before_ring_by: timedelta) -> None:
    """The clock goes there by itself, without a beat."""
    await bench.redis.hset(f"{P}:clock", "business_ms", str(milliseconds(order.ring_by - before_ring_by)))


@pytest.mark.parametrize(("early", "number"), [(timedelta(milliseconds=1), 1), (timedelta(0), 0)])
async def test_take_itself_refuses_from_ring_by_on(bench: RedisBench, early: timedelta, number: int) -> None:
    """Planted `>=` for `>` in take.lua: what is at ring_by is taken."""
    (order,) = await offered(bench)
    await time_is(bench, order, early)
    assert len(await bench.take(1)) == number
    assert NUMBER not in await everything(bench)


@pytest.mark.parametrize("way", ["take", "recall", "late", "swept", "restart"])
async def test_a_number_stays_only_while_its_order_waits(bench: RedisBench, way: str) -> None:
    (order,) = await offered(bench)
    assert NUMBER in await everything(bench)
    if way == "take":
        await bench.take(1)
    elif way == "recall":
        await bench.dialer.recall([order.lease_id])
    elif way == "late":
        await time_is(bench, order, timedelta(0))
        await bench.take(1)
    elif way == "restart":
        await bench.redis.hset(f"{P}:epoch", "run_id", "the run before")
        await bench.dialer.epoch()
    else:
        bench.clock.now = order.ring_by
        await bench.dialer.beat()
    assert NUMBER not in await everything(bench)
    assert (await bench.dialer.capacity()).queued == 0


@pytest.mark.parametrize(("speed", "wall_ms"), [(1.0, 60_000), (60.0, 1_000), (0.5, 120_000), (0.0, DAY_MS)])
async def test_a_number_goes_by_itself_at_ring_by(bench: RedisBench, speed: float, wall_ms: int) -> None:
    """Also when the speed changes while it waits. Planted no PEXPIRE in beat.lua: the second look fails."""
    (order,) = await offered(bench)
    bench.clock.speed = speed
    await bench.dialer.beat()
    key = f"{P}:lease:{order.lease_id}"
    assert wall_ms - 900 <= await bench.redis.pttl(key) <= wall_ms
    bench.clock.speed = 10.0
    await bench.dialer.beat()
    assert 5_000 <= await bench.redis.pttl(key) <= 6_000


async def test_marks_stay_a_day_and_hold_no_number(bench: RedisBench) -> None:
    taken, recalled = await offered(bench, 2)
    await bench.take(1)
    await bench.dialer.recall([recalled.lease_id])
    for order in (taken, recalled):
        assert DAY_MS - 10_000 < await bench.redis.pttl(f"{P}:lease:{order.lease_id}") <= DAY_MS
    assert NUMBER not in await everything(bench)


async def test_a_link_that_is_gone_stops_the_queue(bench: RedisBench) -> None:
    """Planted no look at fresh_ms: orders are taken minutes after the last beat."""
    (order,) = await offered(bench)
    await bench.redis.hincrbyfloat(f"{P}:clock", "wall_ms", -5_001)
    taken = await bench.consumer.take(1)
    assert (taken.orders, taken.refusal) == ((), "lost_touch")
    assert (await bench.dialer.recall([order.lease_id]))[0].answer == "recalled"


async def test_business_time_goes_on_between_beats(bench: RedisBench) -> None:
    (order,) = await offered(bench)
    bench.clock.speed = 60.0
    await bench.dialer.beat()
    await bench.redis.hincrbyfloat(f"{P}:clock", "wall_ms", -1_000)
    assert await bench.take(1) == ()
    assert bench.consumer.now() is not None
    assert bench.consumer.now() >= order.ring_by  # type: ignore[operator]


async def test_a_beat_that_arrives_late_sets_no_clock_back(bench: RedisBench) -> None:
    """Planted no look at the older wall_ms: an order past ring_by is taken."""
    (order,) = await offered(bench)
    seconds, micros = await bench.redis.time()
    old = milliseconds(bench.clock.now)
    bench.clock.now = order.ring_by - timedelta(milliseconds=1)
    await bench.dialer.beat()
    wall = f"{seconds * 1000 + micros / 1000 - 10:.3f}"
    await Scripts(bench.redis, QUEUE).run("beat", old, wall, "0.0", 5_000)
    await bench.consumer.beat(0)
    assert bench.consumer.now() == bench.clock.now


async def test_the_clock_is_never_behind_the_link(bench: RedisBench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Business time is read after Redis' own time, so a delay on the way makes Redis early, never late.

    Planted the other order: the calls come the other way round.
    """
    calls = []

    def noted(what: str, real: Callable[[], Any]) -> Callable[[], Any]:
        def call() -> Any:
            calls.append(what)
            return real()

        return call

    monkeypatch.setattr(bench.dialer._redis, "time", noted("Redis", bench.dialer._redis.time))
    monkeypatch.setattr(bench.dialer, "_clock", noted("business", bench.clock))
    await bench.dialer.beat()
    assert calls == ["Redis", "business"]


async def test_acks_reach_the_dialer_and_nothing_stays(bench: RedisBench) -> None:
    """Planted an ack that leaves the event's id in P:told: it is found there."""
    for order in await offered(bench, 30):
        await bench.take(1)
        await bench.tell(order.lease_id, "ringing")
        await bench.tell(order.lease_id, "ended", result="busy")
    told = (await bench.dialer.events("")).events
    assert len(told) == 90
    await bench.dialer.ack([event.event_id for event in told])
    assert len(bench.consumer.journal.unacknowledged()) == 90
    await bench.want(1)
    assert bench.consumer.journal.kept() == []
    await bench.want(1)
    for left in ("told", "acks:a", "held:a", "queue", "due"):
        assert not await bench.redis.exists(f"{P}:{left}")
    assert await bench.redis.xlen(f"{P}:events") == 0


async def test_acks_of_a_dialer_that_never_comes_back_are_bounded(bench: RedisBench) -> None:
    """The dialer tells what it gets no ack for again, so dropping some is harmless."""
    scripts, number = Scripts(bench.redis, QUEUE), 10_100
    for start in range(0, number, 100):
        keys = [f"e{i}" for i in range(start, start + 100)]
        await scripts.run("tell", "gone", *(part for key in keys for part in (key, "", "capacity", "", "{}")))
        await scripts.run("ack", *(part for key in keys for part in (key, "")))
    assert await bench.redis.scard(f"{P}:acks:gone") == 10_000
    assert 0 < await bench.redis.pttl(f"{P}:acks:gone") <= DAY_MS
    assert await bench.redis.xlen(f"{P}:events") == 0


async def test_entries_that_break_the_format_jam_nothing(bench: RedisBench) -> None:
    order = new_order(bench.clock)
    odd = [
        {"surprise": "1"},
        {"event_id": "x1", "lease_id": "no id", "kind": "ended", "at_ms": "soon", "body": "{}"},
        {"event_id": "x2", "lease_id": str(order.lease_id), "kind": "ended", "at_ms": "", "body": "[1]"},
    ]
    for fields in odd:
        await bench.redis.xadd(f"{P}:events", fields)  # type: ignore[arg-type]
    told = (await bench.dialer.events("")).events
    assert [(event.kind, event.lease_id, event.at) for event in told] == [
        ("malformed", None, None),
        ("ended", None, None),
        ("malformed", order.lease_id, None),
    ]
    await bench.dialer.ack([event.event_id for event in told])
    assert (await bench.dialer.events("")).events == ()


async def test_a_body_that_nobody_can_read_is_kept_as_it_was_told(bench: RedisBench) -> None:
    """Seen to fail: the first ended the link with RecursionError, the second with UnicodeDecodeError."""
    for body in (b"[" * 100_000, b'{"why": "\xff"}', b'{"why"'):
        await bench.redis.xadd(f"{P}:events", {"event_id": "x", "lease_id": "", "kind": "key", "body": body})
    deep, latin, cut = (await bench.dialer.events("")).events
    assert [event.kind for event in (deep, latin, cut)] == ["malformed"] * 3
    assert deep.body["told"]["body"] == "[" * 100_000
    assert latin.body["told"]["body"] == '{"why": "\\xff"}'
    assert cut.body["told"]["body"] == '{"why"'


async def test_an_ended_order_leaves_the_queue_whoever_told_it(bench: RedisBench) -> None:
    (order,) = await offered(bench)
    await bench.tell(order.lease_id, "ended", result="failed")
    assert await bench.take(1) == ()
    assert (await bench.dialer.status([order.lease_id]))[0].state is OrderState.ENDED
    assert NUMBER not in await everything(bench)


async def test_only_consumers_that_live_count(bench: RedisBench) -> None:
    await bench.want(7)
    other = bench.another("b")
    await other.beat(5)
    assert (await bench.dialer.capacity()).wanted == 12
    await bench.redis.hset(f"{P}:wants", "b", "5 1")
    capacity = await bench.dialer.capacity()
    assert (capacity.wanted, capacity.consumers) == (7, 1)
    assert await bench.redis.hkeys(f"{P}:wants") == ["a"]
    await other.aclose()


async def test_a_dead_consumers_untaken_orders_go_to_the_others(bench: RedisBench) -> None:
    first, second = await offered(bench, 2)
    assert ids(await bench.take(1)) == [first.lease_id]
    other = bench.another("b")
    assert ids((await other.take(5)).orders) == [second.lease_id]
    await other.aclose()


async def test_scripts_forgotten_by_redis_are_sent_again(bench: RedisBench) -> None:
    await offered(bench)
    await bench.redis.script_flush()
    assert len(await bench.take(1)) == 1


async def test_an_order_of_another_epoch_is_not_taken(bench: RedisBench) -> None:
    """As a replica may bring one back. Planted no look at the epoch in take.lua: it is taken."""
    (order,) = await offered(bench)
    await bench.redis.hset(f"{P}:lease:{order.lease_id}", "epoch", "another")
    assert (await bench.dialer.status([order.lease_id]))[0].state is OrderState.UNKNOWN
    assert await bench.take(1) == ()
    assert NUMBER not in await everything(bench)


@pytest.mark.parametrize("way", ["beat", "take"])
async def test_an_order_made_as_the_epoch_began_may_lapse_for_good(bench: RedisBench, way: str) -> None:
    """Clocks differ a little, so of such a lease no trace means unknown. Planted a lapse without a mark."""
    bench.clock.speed = 60.0
    await bench.forget()
    await bench.dialer.beat()
    (order,) = await offered(bench)
    await time_is(bench, order, timedelta(0))
    if way == "take":
        assert await bench.take(1) == ()
    else:
        bench.clock.now = order.ring_by
        await bench.dialer.beat()
    unseen = new_order(bench.clock)
    answers = await bench.dialer.recall([order.lease_id, unseen.lease_id])
    assert [answer.answer for answer in answers] == ["never_seen", "unknown"]


async def test_an_order_that_expired_untaken_was_never_seen(bench: RedisBench) -> None:
    """With no link to sweep, Redis drops the number by itself; whoever comes first cleans up."""
    first, second = await offered(bench, 2)
    for order in (first, second):
        await bench.redis.delete(f"{P}:lease:{order.lease_id}")
    assert await bench.take(1) == ()
    assert await bench.redis.exists(f"{P}:queue", f"{P}:due") == 0
    assert [a.answer for a in await bench.dialer.recall(ids([first, second]))] == ["never_seen"] * 2


async def test_two_queues_do_not_touch(bench: RedisBench, redis_url: str, tmp_path: Path) -> None:
    other = RedisBench(redis_url, tmp_path / "other", queue="2.robot")
    await other.dialer.beat()
    mine = (await offered(bench))[0]
    theirs = (await offered(other))[0]
    assert ids(await other.take(5)) == [theirs.lease_id]
    assert (await other.dialer.status([mine.lease_id]))[0].state is OrderState.NEVER_SEEN
    await other.aclose()


async def test_a_stranger_to_the_wire_may_tell_without_a_time(bench: RedisBench) -> None:
    """What a dialer in another language sends at its simplest: the script fills in the time."""
    (order,) = await offered(bench)
    body = json.dumps({"result": "sale"})
    lease = str(order.lease_id)
    await Scripts(bench.redis, QUEUE).run("tell", "c", "my-id-1", lease, "ended", "", body)
    assert (await bench.dialer.events("")).events == (
        Event("my-id-1", order.lease_id, "ended", bench.clock.now, {"result": "sale"}),
    )


@pytest.mark.parametrize("name", ["", "a b", "{x}", "ä", "x" * 65])
def test_a_name_that_cannot_stand_in_a_key_is_refused(name: str) -> None:
    with pytest.raises(BadInput, match="not a name"):
        prefix(name)


async def test_redis_away_is_unavailable(tmp_path: Path, bench: RedisBench) -> None:
    url = f"unix://{tmp_path}/nobody.sock"
    link = RedisQueue(connect(url, retries=0), QUEUE, bench.clock)
    order = new_order(bench.clock)
    for asked in (
        link.beat(),
        link.epoch(),
        link.capacity(),
        link.offer("e", [order]),
        link.recall([order.lease_id]),
        link.status([order.lease_id]),
        link.events(""),
        link.ack(["e"]),
    ):
        with pytest.raises(Unavailable):
            await asked
    await link.aclose()
