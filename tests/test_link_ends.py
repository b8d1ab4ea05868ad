"""A link and what it hears first: it ends when told, and no ack and no recall comes before its time."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from threading import Event as ThreadEvent
from typing import Any
from uuid import UUID

import pytest
from eventually import eventually, slowness, turns
from fake_dialer import FakeDialer, SetClock
from sqlalchemy import Row, text
from world import NOON, World

from calling.dialers.orders import entered_epoch, linked_dialer, to_offer
from calling.handout.allocate import allocate_all
from dialer_adapter.values import Capacity, EventBatch
from models.errors import Unavailable
from wiring.clock import set_clock
from workers import jobs
from workers.link import Link

pytestmark = pytest.mark.anyio

SOON = 5.0
"""Wall seconds in which whatever ends has ended."""


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class DeafDialer(FakeDialer):
    """Its `events` swallows the first cancellation, as redis-py does on Python 3.11."""

    def __init__(self) -> None:
        super().__init__(SetClock())
        self.asked, self.swallowed, self.fails = asyncio.Event(), 0, False

    async def events(self, cursor: str, wait: float = 0.0) -> EventBatch:
        try:
            await slowness(wait)
        except asyncio.CancelledError:
            self.swallowed += 1
            if self.swallowed > 1:
                raise
        return EventBatch((), cursor)

    async def capacity(self) -> Capacity:
        self.asked.set()
        if self.fails:
            await slowness(0.1)  # the others are at work by now
            raise Unavailable("it has gone")
        return await super().capacity()


def link_of(world: World, dialer: int, port: FakeDialer) -> Link:
    with world.app.shared() as session:
        set_clock(session, NOON, 0.0)
    with world.work() as work:
        return Link(world.app, world.crm_id, linked_dialer(work, dialer), port)


async def test_a_link_ends_when_it_is_told_although_a_cancellation_is_lost(world: World) -> None:
    """Seen to fail: the job that swallowed its only cancellation went on, with the dialer's lock in hand."""
    port, stopping = DeafDialer(), asyncio.Event()
    running = asyncio.create_task(link_of(world, world.dialer(), port).run(stopping))
    await port.asked.wait()
    stopping.set()
    done, _ = await asyncio.wait([running], timeout=SOON)
    assert done == {running}
    assert (port.swallowed, running.exception()) == (2, None)


async def test_a_link_ends_when_a_job_fails_although_a_cancellation_is_lost(world: World) -> None:
    """Seen to fail, as above: no beats, no orders, no recalls, and nobody else may link the dialer."""
    port = DeafDialer()
    port.fails = True
    running = asyncio.create_task(link_of(world, world.dialer(), port).run(asyncio.Event()))
    done, _ = await asyncio.wait([running], timeout=SOON)
    assert done == {running}
    failed = running.exception()
    assert isinstance(failed, BaseExceptionGroup)
    assert failed.subgroup(Unavailable)


async def test_a_job_that_never_ends_ends_its_process() -> None:
    over, left = asyncio.Event(), []

    async def deaf() -> None:
        while not over.is_set():
            try:
                await over.wait()
            except asyncio.CancelledError:
                continue

    job = asyncio.create_task(deaf())
    await turns()
    await jobs.end([job], deadline=0.3, give_up=lambda: left.append(True))
    over.set()
    await job
    assert left == [True]


async def test_ending_goes_on_to_its_end_when_it_is_cancelled() -> None:
    """Or the jobs of a link would outlive it."""
    over = asyncio.Event()

    async def slow() -> None:
        try:
            await slowness(60)
        finally:
            await jobs._see_out(asyncio.ensure_future(over.wait()))

    job = asyncio.create_task(slow())
    await turns()
    ending = asyncio.create_task(jobs.end([job]))
    for _ in range(3):
        await turns(3)
        ending.cancel()
    assert not ending.done()
    over.set()
    await asyncio.wait([ending], timeout=SOON)
    assert (job.done(), ending.cancelled()) == (True, True)


async def test_a_verb_comes_to_its_end_however_often_it_is_cancelled() -> None:
    """Seen to fail: a second cancellation left the transaction to itself."""
    go_on, done = ThreadEvent(), []

    def verb() -> None:
        go_on.wait(SOON)
        done.append(True)

    running = asyncio.create_task(jobs.to_the_end(verb))
    for _ in range(3):
        await turns(3)
        running.cancel()
    assert not running.done()
    go_on.set()
    await asyncio.wait([running], timeout=SOON)
    assert (done, running.cancelled()) == ([True], True)


@asynccontextmanager
async def at_work(world: World, dialer: int, port: FakeDialer) -> AsyncIterator[None]:
    stopping = asyncio.Event()
    running = asyncio.create_task(link_of(world, dialer, port).run(stopping))
    try:
        yield
    finally:
        stopping.set()
        await running


def outside(world: World) -> tuple[int, UUID]:
    """A dialer, and an order that it was offered in its first epoch."""
    assignment = world.assignment()
    world.customers(1, assignment)
    dialer = world.dialer(assignment, wanted=1, wanted_at=NOON)
    allocate_all(world.opener(), assignment)
    with world.work() as work:
        (order,) = to_offer(work, dialer)
        entered_epoch(work, dialer, "epoch-1")
    return dialer, order.lease_id


def one(world: World, sql: str, **values: Any) -> Row[Any] | None:
    with world.work() as work:
        return work.run(text(sql), **values).first()


class SlowToTell(FakeDialer):
    """A dialer that has forgotten its orders, and whose events come late. Wants nothing."""

    async def events(self, cursor: str, wait: float = 0.0) -> EventBatch:
        await slowness(0.5)
        return await super().events(cursor, wait)


async def test_what_was_taken_while_we_were_away_is_not_freed_as_never_seen(world: World) -> None:
    """P5. Seen to fail: after a day away the marks at the dialer are gone, and the recall came first."""
    dialer, lease = outside(world)
    port = SlowToTell(SetClock(NOON - timedelta(seconds=1)))
    await port.epoch()
    port.tell(lease, "taken")
    port._marks.clear()  # they are kept for a day
    with world.work() as work:
        work.run(text("update lease set ring_by = :now where id = :id"), id=lease)
    how = "select state, ended_by from lease where id = :id"
    async with at_work(world, dialer, port):
        await eventually(lambda: one(world, how, id=lease) != ("offered", None))
    assert one(world, how, id=lease) == ("taken", None)


class WatchesTheWall(FakeDialer):
    """Notes at each ack whether the wall of a do-not-call stands."""

    world: World
    walls: list[bool]
    listened = 0

    async def events(self, cursor: str, wait: float = 0.0) -> EventBatch:
        self.listened += 1
        return await super().events(cursor, wait)

    async def ack(self, event_ids: Sequence[str]) -> None:
        row = one(self.world, "select count(*) from suppression where walled_at is not null")
        self.walls.append(row is not None and row[0] == 2)  # the customer's and the number's
        await super().ack(event_ids)


@pytest.mark.parametrize("told_before", [True, False], ids=["away", "listening"])
async def test_a_do_not_call_is_a_wall_before_its_ack(world: World, told_before: bool) -> None:
    """P8. Seen to fail: it was acknowledged when it was journalled, and the wall came after that."""
    dialer, lease = outside(world)
    port = WatchesTheWall(SetClock())
    port.world, port.walls = world, []
    await port.epoch()
    if told_before:
        port.tell(lease, "ended", result="do_not_call")
    async with at_work(world, dialer, port):
        if not told_before:
            await eventually(lambda: port.listened)
            port.tell(lease, "ended", result="do_not_call")
        await eventually(lambda: port.walls)
    assert port.walls == [True]
