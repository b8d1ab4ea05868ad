"""Sellers who wait for a customer, each with an open request: woken by news, and looking for themself too.

A waiter holds no thread and no connection to PostgreSQL. News that customers may be free in an assignment
wakes the one who has waited longest; whoever gets one wakes the next, so that two hundred do not ask for one.
"""

import asyncio
from asyncio import AbstractEventLoop, Event, Queue
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from random import Random
from time import monotonic
from typing import TypeVar

from prometheus_client import Gauge
from starlette.concurrency import run_in_threadpool

from models.work import Hint
from web.news import News
from wiring.metrics import REGISTRY
from wiring.settings import Settings

LONGEST_WAIT = 30.0
"""Wall seconds for which a request waits at most: proxies give up on longer ones."""

LOOK_SECONDS, ALONE_SECONDS = 5.0, 1.0
"""Wall time after which a waiter looks for themself; and while Redis is away."""

REST_SECONDS = 0.05
"""Wall time between two who are woken in vain by news of the same work."""

MOST_NEWS = 100
"""Words that wait for a page that does not read; it looks for itself then."""

WAITING = Gauge(
    "ringeliste_waiting_sellers", "Requests that wait for a customer in this process.", registry=REGISTRY
)

Where = tuple[int, int, int | None]
"""The CRM, the assignment, and the only segment that they work, if it is one."""

Card = TypeVar("Card")


@dataclass(eq=False, slots=True)
class Waiter:
    """An open request of a seller. `chosen`: woken by news of the work, and has not asked since."""

    seller: tuple[int, int]
    where: Where
    woken: Event = field(default_factory=Event)
    chosen: bool = False


class Desks:
    """Everybody who waits in this process. Used in the event loop alone."""

    def __init__(self, settings: Settings) -> None:
        self.news = News(settings, self.hear)
        self.look_seconds, self.alone_seconds = LOOK_SECONDS, ALONE_SECONDS
        self._dice = Random()  # noqa: S311 - only spreads who looks when
        self._waiting: dict[Where, dict[Waiter, None]] = {}
        self._asking: dict[Where, Waiter] = {}
        self._again: set[Where] = set()
        self._pages: dict[tuple[int, int], set[Queue[str]]] = {}
        self._loop: AbstractEventLoop | None = None
        self.closing = False

    async def begun(self) -> None:
        """Hear news from now on, as far as Redis tells any."""
        self._loop = asyncio.get_running_loop()
        await self.news.begun()

    async def wait_for(
        self, seller: tuple[int, int], where: Where, ask: Callable[[], Card | None], seconds: float,
        gone: Callable[[], Awaitable[bool]],
    ) -> Card | None:  # fmt: skip
        """What `ask` gives as soon as it gives anything; None after so many seconds, or for who is `gone`.

        `ask` runs in a thread; what it raises is raised. It is asked once the seller is known to wait here:
        nothing that happens since is missed.
        """
        await self.begun()
        until = monotonic() + min(seconds, LONGEST_WAIT)
        with self._joined(Waiter(seller, where)) as waiter:
            while not (self.closing or await gone()):
                waiter.woken.clear()
                turn, waiter.chosen = waiter.chosen, False
                card = await run_in_threadpool(ask)
                self._asked(waiter, turn=turn, found=card is not None)
                left = until - monotonic()
                if card is not None or left <= 0:
                    return card
                await self._sleep(waiter, left)
        return None

    def hear(self, hint: Hint | None) -> None:
        """Wake whoever may want to know. None: something may have been missed."""
        if hint is None:
            for told in self._pages.values():
                _tell(told, "look")
        elif hint.kind == "allocate":
            for where in [w for w in self._waiting if w[:2] == (hint.crm_id, hint.subject)]:
                self._wake_one(where)
        elif hint.kind in ("customer_ready", "lease_taken_away"):
            seller = (hint.crm_id, int(hint.subject))
            if hint.kind == "customer_ready":
                self._wake_seller(seller)
            _tell(self._pages.get(seller, set()), hint.kind)

    @contextmanager
    def told(self, seller: tuple[int, int]) -> Iterator["Queue[str]"]:
        """The news of one seller, from now on. "look": they may have missed some."""
        words: Queue[str] = Queue(MOST_NEWS)
        self._pages.setdefault(seller, set()).add(words)
        try:
            yield words
        finally:
            self._pages[seller].discard(words)
            if not self._pages[seller]:
                del self._pages[seller]

    def close_soon(self) -> None:
        """As `close`, said from outside the event loop."""
        self.closing = True
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self.close)

    def close(self) -> None:
        """The process ends: nobody waits any longer."""
        self.closing = True
        self.news.end()
        for waiters in self._waiting.values():
            for waiter in waiters:
                waiter.woken.set()
        for told in self._pages.values():
            _tell(told, "look")

    @contextmanager
    def _joined(self, waiter: Waiter) -> Iterator[Waiter]:
        """Behind whoever waits already; who leaves unserved hands the news on."""
        self._waiting.setdefault(waiter.where, {})[waiter] = None
        WAITING.inc()
        try:
            yield waiter
        finally:
            WAITING.dec()
            del self._waiting[waiter.where][waiter]
            if not self._waiting[waiter.where]:
                del self._waiting[waiter.where]
            if self._asking.get(waiter.where) is waiter:
                del self._asking[waiter.where]
                self._wake_one(waiter.where)

    def _asked(self, waiter: Waiter, *, turn: bool, found: bool) -> None:
        """Whoever has one wakes the next, and the other tabs of the same seller; who has none, nobody.

        `turn`: they were woken by news of the work; what came while they asked wakes somebody after them.
        """
        if turn:
            del self._asking[waiter.where]
        if found:
            self._wake_seller(waiter.seller)
            self._wake_one(waiter.where, but=waiter)
        elif turn and waiter.where in self._again:
            self._again.discard(waiter.where)
            asyncio.get_running_loop().call_later(REST_SECONDS, self._wake_one, waiter.where)

    def _wake_one(self, where: Where, but: Waiter | None = None) -> None:
        """Wake who has waited longest; if one is looking already, another looks after them."""
        if where in self._asking:
            self._again.add(where)
            return
        waiter = next((one for one in self._waiting.get(where, ()) if one is not but), None)
        if waiter is not None:
            self._asking[where] = waiter
            waiter.chosen = True
            waiter.woken.set()

    def _wake_seller(self, seller: tuple[int, int]) -> None:
        for waiters in self._waiting.values():
            for waiter in waiters:
                if waiter.seller == seller:
                    waiter.woken.set()

    async def _sleep(self, waiter: Waiter, left: float) -> None:
        """Until woken, or until it is time to look; spread, so that not all look at once.

        Should Redis go away meanwhile, that is sooner.
        """
        begun, spread = monotonic(), self._dice.uniform(0.8, 1.2)
        while not waiter.woken.is_set():
            look = self.look_seconds if self.news.listening else self.alone_seconds
            still = begun + min(left, spread * look) - monotonic()
            if still <= 0:
                return
            with suppress(TimeoutError):
                await asyncio.wait_for(waiter.woken.wait(), min(still, self.alone_seconds))


def _tell(pages: "set[Queue[str]]", word: str) -> None:
    for words in pages:
        if not words.full():
            words.put_nowait(word)
