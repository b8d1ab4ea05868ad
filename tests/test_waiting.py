"""Who waits for a customer is woken by news, one after the other; and looks for themself where none comes."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from threading import Event
from time import monotonic
from typing import Any

import pytest
from eventually import eventually, turns
from ground import OwnRedis
from promises import HOUR
from sqlalchemy import text
from web_client import Api, Caller, api_of
from world import NOON, World, new_app, wait_until

from calling.handout.allocate import allocate_all
from calling.handout.presence import be
from calling.walls.pause import pause
from models.errors import Conflict
from models.work import Hint
from web.api.news import _told
from web.desks import Desks
from wiring.clock import set_clock
from wiring.hints import install_publisher
from wiring.settings import Settings
from workers.sending import connect

pytestmark = pytest.mark.once

Asks = Callable[[], str | None]
WORK = (1, 7, None)


async def stays() -> bool:
    """They are still there."""
    return False


class Room:
    """Desks that hear what the test says, and a heap of cards that they ask for."""

    def __init__(self) -> None:
        self.desks = Desks(Settings(database_url="postgresql://nowhere"))
        self.desks.look_seconds = self.desks.alone_seconds = 3600.0
        self.desks.news.begun = self._begun  # type: ignore[method-assign]
        self.desks.news.listening = True
        self.cards: list[str] = []
        self.asks = 0

    async def _begun(self) -> None:
        """Nothing to listen to."""

    def ask(self) -> str | None:
        self.asks += 1
        return self.cards.pop() if self.cards else None

    def sits(
        self, seller: int, ask: Asks | None = None, gone: Callable[[], Awaitable[bool]] = stays,
        where: tuple[int, int, int | None] = WORK,
    ) -> "asyncio.Task[str | None]":  # fmt: skip
        """Somebody waits from now on."""
        return asyncio.create_task(self.desks.wait_for((1, seller), where, ask or self.ask, 30.0, gone))

    async def all_asked(self, times: int) -> None:
        await eventually(lambda: self.asks == times, why=f"asked {self.asks} times, not {times}")
        await turns(20)

    def ready(self, assignment: int = 7) -> None:
        self.desks.hear(Hint("allocate", 1, assignment))


def test_news_wake_and_nobody_looks_before() -> None:
    async def story() -> None:
        room = Room()
        waits = room.sits(1)
        await room.all_asked(1)
        room.cards.append("card")
        room.ready(assignment=8)
        await turns(20)
        assert room.asks == 1
        room.ready()
        assert await waits == "card"
        assert room.asks == 2

    asyncio.run(story())


def test_two_hundred_do_not_ask_for_one_card() -> None:
    """Planted: news wake everybody; seen to fail."""

    async def story() -> None:
        room = Room()
        waits = [room.sits(seller) for seller in range(200)]
        await room.all_asked(200)
        room.cards += ["a", "b", "c"]
        room.ready()
        await eventually(lambda: not room.cards)
        await room.all_asked(204)  # three cards, and one in vain
        assert [task.done() for task in waits[:4]] == [True, True, True, False]
        room.desks.close()
        assert set(await asyncio.gather(*waits[3:])) == {None}

    asyncio.run(story())


def test_news_that_come_while_somebody_asks_are_not_lost() -> None:
    """Planted: whoever was woken while they asked counted as asked; seen to fail."""

    async def story() -> None:
        room = Room()
        begun, go_on = Event(), Event()

        def slow() -> str | None:
            found = room.ask()  # what is there now; news come before the answer
            begun.set()
            assert go_on.wait(10)
            return found

        waits = room.sits(1, slow)
        await asyncio.to_thread(begun.wait, 10)
        room.cards.append("card")
        room.ready()
        go_on.set()
        assert await asyncio.wait_for(waits, 10) == "card"

    asyncio.run(story())


def test_news_that_come_while_the_first_asks_wake_somebody_after_them() -> None:
    """Planted: a second word while one asks is forgotten; seen to fail."""

    async def story() -> None:
        room = Room()
        held = Event()
        held.set()

        def slow() -> str | None:
            found = room.ask()
            assert held.wait(10)
            return found

        waits = [room.sits(seller, slow) for seller in (1, 2)]
        await room.all_asked(2)
        held.clear()
        room.ready()
        await room.all_asked(3)
        room.cards.append("card")
        room.ready()
        held.set()
        done, _ = await asyncio.wait(waits, timeout=10, return_when=asyncio.FIRST_COMPLETED)
        assert [task.result() for task in done] == ["card"]
        room.desks.close()
        await asyncio.gather(*waits)

    asyncio.run(story())


@pytest.mark.parametrize("how", ["left", "sent away"])
def test_whoever_is_woken_and_takes_nothing_hands_the_news_on(how: str) -> None:
    """Planted: who leaves keeps their turn; seen to fail, both ways."""

    async def story() -> None:
        room = Room()
        left = False

        async def gone() -> bool:
            return left

        def away() -> str | None:
            if room.asks >= 2:
                raise Conflict("you are away")
            return room.ask()

        first = room.sits(1, away if how == "sent away" else None, gone)
        await room.all_asked(1)
        second = room.sits(2)
        await room.all_asked(2)
        left = how == "left"
        room.cards.append("card")
        room.ready()
        assert await asyncio.wait_for(second, 10) == "card"
        (outcome,) = await asyncio.gather(first, return_exceptions=True)
        assert isinstance(outcome, Conflict) if how == "sent away" else outcome is None

    asyncio.run(story())


def test_who_works_another_segment_is_woken_besides() -> None:
    async def story() -> None:
        room = Room()
        waits = [room.sits(1, lambda: None, where=(1, 7, 3)), room.sits(2, where=(1, 7, 4))]
        await room.all_asked(1)
        room.cards.append("card")
        room.ready()
        assert await asyncio.wait_for(waits[1], 10) == "card"
        room.desks.close()
        await asyncio.gather(*waits)

    asyncio.run(story())


def test_both_tabs_of_a_seller_are_woken() -> None:
    async def story() -> None:
        room = Room()
        tabs = [room.sits(1), room.sits(1)]
        other = room.sits(2)
        await room.all_asked(3)
        room.cards += ["card", "card"]
        room.desks.hear(Hint("customer_ready", 1, 1))
        assert await asyncio.wait_for(asyncio.gather(*tabs), 10) == ["card", "card"]
        room.desks.close()
        assert await other is None

    asyncio.run(story())


def test_without_news_everybody_looks_for_themself() -> None:
    async def story() -> None:
        room = Room()
        room.desks.news.listening = False
        room.desks.alone_seconds = 0.01
        waits = room.sits(1)
        await eventually(lambda: room.asks > 2)
        room.cards.append("card")
        assert await asyncio.wait_for(waits, 10) == "card"

    asyncio.run(story())


def test_it_is_over_when_the_time_is() -> None:
    async def story() -> None:
        room = Room()
        assert await room.desks.wait_for((1, 1), WORK, room.ask, 0.05, stays) is None
        assert room.asks == 2
        room.ready()  # nobody is left to be woken
        assert room.desks._waiting == {}

    asyncio.run(story())


# Over HTTP, with real servers


@pytest.fixture
def api(world: World, settings: Settings) -> Iterator[Api]:
    """Hints of this process go to Redis, and come back as news; nobody looks for themself within an hour."""
    connect(settings)
    try:
        with api_of(world) as made:
            made.site.state.desks.look_seconds = 3600.0
            yield made
    finally:
        install_publisher(None)


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as threads:
        yield threads


def waiting(api: Api, many: int = 1) -> None:
    """Until so many requests wait, and have asked in vain."""
    desks: Desks = api.site.state.desks
    wait_until(lambda: sum(map(len, desks._waiting.values())) == many and desks.news.listening)


def hold(pool: ThreadPoolExecutor, caller: Caller, wait: float = 30) -> "Future[Any]":
    return pool.submit(caller.ask, "POST", "/me/next", params={"wait": wait})


def asked_in_vain(world: World, many: int) -> None:
    """Until so many sellers are known to wait, each but for their last look."""
    with_none = text("select count(*) from seller where asked_in_vain_at is not null")

    def known() -> bool:
        with world.work() as work:
            return bool(work.run(with_none).scalar() == many)

    wait_until(known)


def test_a_hot_lead_wakes_a_waiting_seller(api: Api, world: World, pool: ThreadPoolExecutor) -> None:
    """Planted: `allocate` is no news; seen to fail."""
    work = world.assignment()
    (lead,) = world.customers(1, work, state="resting", due_at=NOON + 9 * HOUR)
    ana, kari = api.seller(world.seller(work, name="Ana")), api.manager()
    waits = hold(pool, ana)
    waiting(api)

    kari.ok("POST", "/hot-leads", json={"assignment_id": work, "customer_ids": [lead], "reason": "asked"})

    card = waits.result(20)
    assert (card.status_code, card.json()["customer_id"]) == (200, lead)


def test_dealt_by_somebody_else_they_hear_of_it(api: Api, world: World, pool: ThreadPoolExecutor) -> None:
    """Planted: whoever deals says nothing to the seller; seen to fail."""
    work = world.assignment()
    ana = api.seller(world.seller(work, name="Ana"))
    waits = hold(pool, ana)
    waiting(api)
    asked_in_vain(world, 1)

    (customer,) = world.customers(1, work)  # by nobody's verb: nobody is told
    allocate_all(world.app.opener(world.crm_id, now=NOON), work)

    assert waits.result(20).json()["customer_id"] == customer


def test_two_tabs_are_given_the_same_one(api: Api, world: World, pool: ThreadPoolExecutor) -> None:
    work = world.assignment()
    ana = api.seller(world.seller(work, name="Ana"))
    tabs = [hold(pool, ana), hold(pool, ana)]
    waiting(api, 2)
    asked_in_vain(world, 1)

    world.customers(3, work)
    allocate_all(world.app.opener(world.crm_id, now=NOON), work)

    first, second = (tab.result(20).json() for tab in tabs)
    assert first["lease_id"] == second["lease_id"]
    assert ana.ok("GET", "/me/lease")["lease_id"] == first["lease_id"]


def test_a_hint_that_is_lost_costs_a_look(api: Api, world: World, pool: ThreadPoolExecutor) -> None:
    work = world.assignment()
    ana = api.seller(world.seller(work))
    api.site.state.desks.look_seconds = 0.2
    install_publisher(None)
    waits = hold(pool, ana)
    waiting(api)

    (customer,) = world.customers(1, work)

    assert waits.result(20).json()["customer_id"] == customer


def test_paused_while_they_wait_they_are_given_nobody(
    api: Api, world: World, pool: ThreadPoolExecutor
) -> None:
    work = world.assignment()
    world.customers(3, work, state="resting", due_at=NOON + HOUR)
    seller = world.seller(work)
    ana = api.seller(seller)
    waits = hold(pool, ana, wait=2)
    waiting(api)
    opener = world.app.opener(world.crm_id, now=NOON)
    pause(opener, "seller", seller, reason="training", author="Kari")
    with world.app.work(world.crm_id, now=NOON) as opened:
        opened.run(text("update placement set state = 'ready', due_at = null"))
        opened.hint("allocate", work)

    answer = waits.result(20)

    assert (answer.status_code, answer.headers["Retry-After"]) == (204, "1")


def test_sent_away_while_they_wait_they_are_told(api: Api, world: World, pool: ThreadPoolExecutor) -> None:
    work = world.assignment()
    seller = world.seller(work)
    waits = hold(pool, api.seller(seller))
    waiting(api)

    with world.app.work(world.crm_id, now=NOON) as opened:
        be(opened, seller, "away", said_by="Kari")

    answer = waits.result(20)
    assert (answer.status_code, answer.json()["said_by"]) == (409, "Kari")


def test_a_key_that_is_revoked_while_they_wait_is_given_nobody(
    api: Api, world: World, pool: ThreadPoolExecutor
) -> None:
    """Planted: only whoever hangs up is gone; seen to fail."""
    work = world.assignment()
    world.customers(3, work, state="resting", due_at=NOON + HOUR)
    ana = api.seller(world.seller(work))
    waits = hold(pool, ana)
    waiting(api)
    with world.app.shared() as session:
        session.execute(text("update api_key set revoked_at = :now"), {"now": NOON})
    keys = api.site.state.keys
    wait_until(lambda: keys.remembered(ana.key) is None)
    with world.app.work(world.crm_id, now=NOON) as opened:
        opened.run(text("update placement set state = 'ready', due_at = null"))
        opened.hint("allocate", work)

    assert waits.result(20).status_code == 204
    assert ana.ask("POST", "/me/next").status_code == 401


def test_at_night_the_answer_comes_at_once(api: Api, world: World) -> None:
    """Planted: they wait all the same; seen to fail."""
    work = world.assignment()
    ana = api.seller(world.seller(work))
    with world.app.shared() as session:
        set_clock(session, NOON + 11 * HOUR, 0)

    begun = monotonic()
    answer = ana.ask("POST", "/me/next", params={"wait": 5})

    assert (answer.status_code, "Next-Opening" in answer.headers) == (204, True)
    assert monotonic() - begun < 5


def test_nobody_waits_for_longer_than_a_proxy_would(api: Api, world: World) -> None:
    api.seller(world.seller(world.assignment())).refused(422, "POST", "/me/next", params={"wait": 31})


def test_redis_may_burn_while_they_wait(
    world: World, settings: Settings, own_redis: OwnRedis, pool: ThreadPoolExecutor
) -> None:
    """Planted: Redis is away and everybody looks as seldom as with it; seen to fail."""
    settings = replace(settings, redis_url=own_redis.url)
    world.app = new_app(settings)
    connect(settings)
    try:
        with api_of(world) as api:
            desks: Desks = api.site.state.desks
            desks.look_seconds, desks.alone_seconds = 3600.0, 0.1
            work = world.assignment()
            waits = hold(pool, api.seller(world.seller(work)))
            waiting(api)
            own_redis.stop()
            (customer,) = world.customers(1, work)
            assert waits.result(20).json()["customer_id"] == customer
    finally:
        install_publisher(None)
        world.app.close()


def test_news_are_told_as_they_come() -> None:
    """The stream: first "look", then what happens to the seller, nothing of anybody else's."""

    async def story() -> None:
        room = Room()
        stream = _told(room.desks, (1, 5))
        said = [await anext(stream)]
        for seller in (4, 5):
            room.desks.hear(Hint("lease_taken_away", 1, seller))
            room.desks.hear(Hint("customer_ready", 1, seller))
        said += [await anext(stream), await anext(stream)]
        room.desks.hear(None)
        said.append(await anext(stream))
        assert [one.split()[1] for one in said] == ["look", "lease_taken_away", "customer_ready", "look"]
        room.desks.close()
        assert [one async for one in stream] == []
        assert room.desks._pages == {}

    asyncio.run(story())


def test_the_lease_on_the_screen_is_told_without_taking_one(api: Api, world: World) -> None:
    work = world.assignment()
    world.customers(3, work)
    ana = api.seller(world.seller(work))
    ana.ok("GET", "/me/lease", status=204)
    card = ana.ok("POST", "/me/next")
    assert ana.ok("GET", "/me/lease") == card
    ana.ok("POST", f"/leases/{card['lease_id']}/ring")
    assert ana.ok("GET", "/me/lease")["state"] == "rung"
    api.manager().refused(403, "GET", "/me/lease")
    api.manager().refused(403, "GET", "/me/news")
