"""One behaviour, every adapter: what a link may rely on, whatever the dialer is made of."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from dialer_bench import NUMBER, Bench, FakeBench, RedisBench, ids, new_order, offered

from dialer_adapter.values import OrderState, RecallAnswer

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(params=["fake", "redis"])
async def bench(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bench]:
    """An adapter in touch with its dialer."""
    made: Bench
    made = (
        FakeBench() if request.param == "fake" else RedisBench(request.getfixturevalue("redis_url"), tmp_path)
    )
    await made.dialer.beat()
    await made.dialer.epoch()
    yield made
    await made.aclose()


async def states(bench: Bench, *leases: UUID) -> list[OrderState]:
    return [status.state for status in await bench.dialer.status(leases)]


async def reasons(bench: Bench, epoch: str, *orders: object) -> list[str]:
    return [answer.reason for answer in await bench.dialer.offer(epoch, orders)]  # type: ignore[arg-type]


async def test_an_order_is_taken_as_it_was_offered(bench: Bench) -> None:
    order = new_order(
        bench.clock, customer_ref="Ærø 7", mode="key_press", payload={"voice": "Inês", "n": [1]}
    )
    answers = await bench.dialer.offer(await bench.dialer.epoch(), [order])
    assert [(a.lease_id, a.accepted, a.reason) for a in answers] == [(order.lease_id, True, "queued")]
    assert await bench.take(10) == (order,)
    assert await bench.take(10) == ()
    assert NUMBER not in repr(order)


async def test_orders_are_taken_in_the_order_offered(bench: Bench) -> None:
    first, second = await offered(bench, 3), await offered(bench, 2)
    assert ids(await bench.take(4)) == ids(first + second)[:4]
    assert ids(await bench.take(4)) == ids(first + second)[4:]


async def test_many_orders_go_through_and_come_back(bench: Bench) -> None:
    orders = await offered(bench, 450)
    recalled = await bench.dialer.recall(ids(orders[:210]))
    assert [answer.lease_id for answer in recalled] == ids(orders[:210])
    assert {answer.answer for answer in recalled} == {"recalled"}
    assert ids(await bench.take(1000)) == ids(orders[210:])
    told = [await bench.dialer.events("")]
    while told[-1].events:
        told.append(await bench.dialer.events(told[-1].cursor))
    assert [event.lease_id for batch in told for event in batch.events] == ids(orders[210:])
    await bench.dialer.ack([event.event_id for batch in told for event in batch.events])
    assert (await bench.dialer.events("")).events == ()


async def test_offering_twice_rings_once(bench: Bench) -> None:
    (order,) = await offered(bench)
    epoch = await bench.dialer.epoch()
    again = await bench.dialer.offer(epoch, [order])
    assert (again[0].accepted, again[0].reason) == (True, "queued_already")
    assert ids(await bench.take(10)) == [order.lease_id]
    for kind, word in [("taken", "taken"), ("ringing", "ringing"), ("ended", "ended")]:
        await bench.tell(order.lease_id, kind, result="busy")
        answer = (await bench.dialer.offer(epoch, [order]))[0]
        assert (answer.accepted, answer.reason) == (False, word)
    assert await bench.take(10) == ()


async def test_what_is_recalled_is_never_taken(bench: Bench) -> None:
    kept, recalled = await offered(bench, 2)
    for _ in range(2):
        assert await bench.dialer.recall([recalled.lease_id]) == [RecallAnswer(recalled.lease_id, "recalled")]
    assert await reasons(bench, await bench.dialer.epoch(), recalled) == ["recalled"]
    assert ids(await bench.take(10)) == [kept.lease_id]


async def test_an_offer_after_its_recall_is_refused(bench: Bench) -> None:
    order = new_order(bench.clock)
    for _ in range(2):
        assert await bench.dialer.recall([order.lease_id]) == [RecallAnswer(order.lease_id, "never_seen")]
    assert await reasons(bench, await bench.dialer.epoch(), order) == ["recalled"]
    assert await bench.take(10) == ()
    assert await states(bench, order.lease_id) == [OrderState.RECALLED]


async def test_what_is_taken_cannot_be_recalled(bench: Bench) -> None:
    (order,) = await offered(bench)
    await bench.take(1)
    for kind in ("taken", "ringing", "ended"):
        await bench.tell(order.lease_id, kind, result="no_answer")
        assert await bench.dialer.recall([order.lease_id]) == [RecallAnswer(order.lease_id, "taken")]
    assert (await bench.dialer.status([order.lease_id]))[0].result == "no_answer"


@pytest.mark.parametrize(("early", "number"), [(timedelta(milliseconds=1), 1), (timedelta(0), 0)])
async def test_nothing_is_taken_from_ring_by_on(bench: Bench, early: timedelta, number: int) -> None:
    (order,) = await offered(bench)
    bench.clock.now = order.ring_by - early
    await bench.dialer.beat()
    assert len(await bench.take(1)) == number


async def test_an_offer_past_ring_by_is_refused(bench: Bench) -> None:
    late, epoch = new_order(bench.clock, life=0), await bench.dialer.epoch()
    assert await reasons(bench, epoch, late) == ["too_late"]
    assert await states(bench, late.lease_id) == [OrderState.NEVER_SEEN]


async def test_what_nobody_took_in_time_was_never_seen(bench: Bench) -> None:
    (order,) = await offered(bench)
    bench.clock.now = order.ring_by
    await bench.dialer.beat()
    assert await states(bench, order.lease_id) == [OrderState.RECALLED]
    assert await bench.dialer.recall([order.lease_id]) == [RecallAnswer(order.lease_id, "never_seen")]
    bench.clock.now -= timedelta(seconds=60)
    assert await reasons(bench, await bench.dialer.epoch(), order) == ["recalled"]


async def test_where_an_order_is(bench: Bench) -> None:
    order = new_order(bench.clock)
    seen = [*await states(bench, order.lease_id)]
    await bench.dialer.offer(await bench.dialer.epoch(), [order])
    seen += await states(bench, order.lease_id)
    await bench.take(1)
    seen += await states(bench, order.lease_id)
    for kind in ("ringing", "answered", "connected", "ended", "ringing"):
        await bench.tell(order.lease_id, kind, result="sale")
        seen += await states(bench, order.lease_id)
    talking = [OrderState.RINGING] * 3
    assert seen == ["never_seen", "queued", "taken", *talking, "ended", "ended"]


async def test_events_come_in_order_until_acknowledged(bench: Bench) -> None:
    (order,) = await offered(bench)
    await bench.take(1)
    await bench.tell(order.lease_id, "ringing")
    await bench.tell(order.lease_id, "ended", result="sale", talk_seconds=61)
    first = await bench.dialer.events("")
    assert [event.kind for event in first.events] == ["taken", "ringing", "ended"]
    assert {event.at for event in first.events} == {bench.clock.now}
    assert first.events[2].body == {"result": "sale", "talk_seconds": 61}
    assert (await bench.dialer.events(first.cursor)).events == ()
    await bench.dialer.ack([first.events[0].event_id])
    assert (await bench.dialer.events("")).events == first.events[1:]


async def test_an_event_told_twice_waits_once(bench: Bench) -> None:
    (order,) = await offered(bench)
    await bench.take(1)
    for _ in range(3):
        await bench.tell(order.lease_id, "taken")
        await bench.want(5)
    assert [event.kind for event in (await bench.dialer.events("")).events] == ["taken"]


async def test_a_reader_waits_for_an_event(bench: Bench) -> None:
    (order,) = await offered(bench)
    before = await bench.dialer.events("")
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(bench.dialer.events(before.cursor, wait=5))
        taken = group.create_task(bench.take(1))
    assert ids(await taken) == [order.lease_id]
    assert [event.kind for event in (await waiting).events] == ["taken"]
    assert (await bench.dialer.events((await waiting).cursor, wait=0.01)).events == ()


async def test_a_word_we_do_not_know_is_told_all_the_same(bench: Bench) -> None:
    (order,) = await offered(bench)
    await bench.take(1)
    await bench.tell(order.lease_id, "whispered", to="nobody")
    assert (await bench.dialer.events("")).events[-1].kind == "whispered"
    assert await states(bench, order.lease_id) == [OrderState.TAKEN]


async def test_capacity_is_what_is_wanted_and_what_waits(bench: Bench) -> None:
    await offered(bench, 3)
    await bench.want(20)
    await bench.take(1)
    capacity = await bench.dialer.capacity()
    assert (capacity.wanted, capacity.queued, capacity.consumers) == (20, 2, 1)


async def test_an_epoch_lasts_until_something_is_forgotten(bench: Bench) -> None:
    epoch = await bench.dialer.epoch()
    assert await bench.dialer.epoch() == epoch
    await bench.forget()
    order = new_order(bench.clock)
    assert await reasons(bench, epoch, order) == ["old_epoch"]
    await bench.dialer.beat()
    assert await bench.dialer.epoch() != epoch
    assert await reasons(bench, epoch, order) == ["old_epoch"]
    assert await bench.take(1) == ()


async def test_nobody_knows_of_orders_of_an_earlier_epoch(bench: Bench) -> None:
    """Planted `return 'never_seen'` always in traceless: it fails, a call on the line would be freed."""
    await offered(bench, 2)
    (ringing,) = await bench.take(1)
    waiting = new_order(bench.clock)
    bench.clock.forward(seconds=1)
    await bench.forget()
    assert await states(bench, ringing.lease_id) == [OrderState.UNKNOWN]
    await bench.dialer.beat()
    await bench.dialer.epoch()
    both = [ringing.lease_id, waiting.lease_id]
    assert await states(bench, *both) == [OrderState.UNKNOWN] * 2
    assert [answer.answer for answer in await bench.dialer.recall(both)] == ["unknown"] * 2
    assert await states(bench, *both) == [OrderState.UNKNOWN] * 2
    newer = new_order(bench.clock)
    assert await states(bench, newer.lease_id) == [OrderState.NEVER_SEEN]


async def test_both_sides_heal_when_all_is_forgotten(bench: Bench) -> None:
    ringing, over = await offered(bench, 2)
    await bench.take(2)
    await bench.tell(ringing.lease_id, "ringing")
    await bench.tell(over.lease_id, "ended", result="sale")
    await bench.want(2)
    bench.clock.forward(seconds=1)
    await bench.forget()
    await bench.dialer.beat()
    await bench.dialer.epoch()
    await bench.want(2)
    both = [ringing.lease_id, over.lease_id]
    assert await states(bench, *both) == [OrderState.RINGING, OrderState.ENDED]
    assert [a.answer for a in await bench.dialer.recall(both)] == ["taken", "taken"]
    told = {(event.lease_id, event.kind) for event in (await bench.dialer.events("")).events}
    assert {(ringing.lease_id, "ringing"), (over.lease_id, "ended")} <= told
    await offered(bench)
    assert len(await bench.take(5)) == 1


async def test_without_a_beat_nothing_is_offered_or_taken(bench: Bench) -> None:
    await bench.forget()
    epoch = await bench.dialer.epoch()
    assert await reasons(bench, epoch, new_order(bench.clock)) == ["lost_touch"]
    assert await bench.take(1) == ()
