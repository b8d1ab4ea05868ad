"""The dialer on the stage: lines that ring, a queue that burns, and a way to it on which much is lost."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from dialer_adapter.consumer import CUT_SHORT
from dialer_adapter.in_memory import InMemoryDialer
from dialer_adapter.values import (
    Capabilities,
    Capacity,
    ClockReading,
    Event,
    EventBatch,
    OfferAnswer,
    Order,
    RecallAnswer,
    Status,
)
from models.errors import Unavailable
from models.outcomes import Outcome
from ringeliste.faults.baton import Crash
from ringeliste.faults.scene import Scene

T = TypeVar("T")

LINES = 2
LOOKS = (10.0, 45.0)
"""Seconds between two looks into its queue."""

LATE = (20.0, 150.0)
"""Seconds for which an event lies about, from and to."""

LOOP_SPEED = 600.0
"""Business seconds a second of the link's: its turn, 0.1 s, comes once a minute."""


class DialerOnStage:
    """Who takes orders and makes calls. `at` is its queue, which the link speaks to."""

    def __init__(self, scene: Scene) -> None:
        self._scene, self._dice = scene, scene.dice("dialer")
        begins = scene.baton.now
        self.at = InMemoryDialer(
            lambda: ClockReading(scene.baton.now, LOOP_SPEED),
            lambda: (scene.baton.now - begins).total_seconds() / LOOP_SPEED,
        )
        self._calls: dict[UUID, tuple[str, Order]] = {}  # what was told of it last
        self._lives = 0

    def work(self) -> None:
        """Until all is told."""
        scene = self._scene
        while True:
            if scene.trouble.comes("queue burns"):
                scene.baton.step("the queue burns")
                self.at.forget()
            if scene.trouble.comes("dialer dies"):
                self._die()
            free = 0 if scene.closing else LINES - len(self._calls)
            self.at.want(0 if scene.closing else 2 * LINES)
            for order in self.at.take(free):
                self._calls[order.lease_id] = "taken", order
                scene.baton.begin("line", partial(self._call, order, self._lives))
            scene.baton.wait(self._dice.uniform(*LOOKS))

    def _call(self, order: Order, life: int) -> None:
        """One call on one line, as long as the dialer that makes it lives."""
        scene, its = self._scene, self._scene.fate(order.lease_id)
        scene.baton.wait(self._dice.uniform(0, 3))
        if life != self._lives:
            return
        if scene.baton.now >= order.ring_by:
            self._end(order, Outcome.FAILED)
            return
        if its.rings:
            self._tell(order, "ringing")
            around = {
                "dialer": scene.world.dialer_id, "assignment": scene.world.assignments[0],
            }  # fmt: skip
            scene.ring(order.lease_id, order.e164, order.customer_ref, 0, around)
            scene.baton.wait(its.rings)
            if life == self._lives and its.talks:
                self._tell(order, "answered")
                scene.baton.wait(its.talks)
        if life == self._lives:
            self._end(order, its.result)

    def _die(self) -> None:
        """Every call is cut; who starts it again says so, and tells what it had not told."""
        self._lives += 1
        self._scene.baton.step("the dialer dies")
        for lease_id, (kind, order) in list(self._calls.items()):
            self._scene.ledger.hang_up(lease_id)
            self._end(order, CUT_SHORT.get(kind, Outcome.ABANDONED))
        self._scene.baton.wait(self._dice.uniform(5, 60))

    def _end(self, order: Order, result: Outcome) -> None:
        self._scene.ledger.hang_up(order.lease_id)
        self._scene.ledger.tell(order.lease_id, result, order.customer_ref)
        self._tell(order, "ended", result=result.value, talk_seconds=1)
        del self._calls[order.lease_id]

    def _tell(self, order: Order, kind: str, **body: Any) -> None:
        self._calls[order.lease_id] = kind, order
        self._scene.baton.step(f"tells {kind} {body.get('result', '')} of {order.lease_id}")
        self.at.tell(order.lease_id, kind, **body)


class TroubledPort:
    """The way from one link to the dialer. Whoever uses it is a process, and dies of a Crash."""

    capabilities: Capabilities = InMemoryDialer.capabilities

    def __init__(
        self, scene: Scene, dialer: InMemoryDialer, patience: Callable[[float], Awaitable[None]]
    ) -> None:
        self._scene, self._dialer, self._patience = scene, dialer, patience
        self._held: dict[str, float] = {}  # event -> elapsed seconds before which it is nowhere
        self._given: set[str] = set()

    async def beat(self) -> None:
        await self._through("beat", self._dialer.beat)

    async def epoch(self) -> str:
        return await self._through("epoch", self._dialer.epoch)

    async def capacity(self) -> Capacity:
        return await self._through("capacity", self._dialer.capacity)

    async def offer(self, epoch: str, orders: Sequence[Order]) -> list[OfferAnswer]:
        return await self._through(f"offer {len(orders)}", lambda: self._dialer.offer(epoch, orders))

    async def recall(self, lease_ids: Sequence[UUID]) -> list[RecallAnswer]:
        return await self._through(f"recall {len(lease_ids)}", lambda: self._dialer.recall(lease_ids))

    async def status(self, lease_ids: Sequence[UUID]) -> list[Status]:
        return await self._through("status", lambda: self._dialer.status(lease_ids))

    async def events(self, cursor: str, wait: float = 0.0) -> EventBatch:
        """What is not held up on its way: late, twice, or in disorder."""
        found = await self._through("events", lambda: self._dialer.events(""))
        there = [event for event in found.events if self._is_there(event)]
        if not there and wait:
            await self._patience(wait / 8)
            return EventBatch((), cursor)
        self._given |= {event.event_id for event in there}
        return EventBatch(tuple(self._in_what_order(there)), cursor)

    async def ack(self, event_ids: Sequence[str]) -> None:
        await self._through(f"ack {len(event_ids)}", lambda: self._dialer.ack(event_ids))

    async def aclose(self) -> None:
        """Nothing to close."""

    def _is_there(self, event: Event) -> bool:
        if event.event_id in self._given and not self._scene.trouble.comes("event twice"):
            return False
        if event.event_id not in self._held:
            late = self._scene.trouble.comes("event late")
            self._held[event.event_id] = self._scene.baton.elapsed + (
                self._scene.trouble.seconds(*LATE) if late else 0.0
            )
        return self._held[event.event_id] <= self._scene.baton.elapsed

    def _in_what_order(self, events: list[Event]) -> list[Event]:
        if self._scene.trouble.comes("events in disorder"):
            self._scene.trouble.dice.shuffle(events)
        return events

    async def _through(self, what: str, call: Callable[[], Awaitable[T]]) -> T:
        """One call: it may be lost, come late or twice, or its answer may be lost."""
        scene, trouble = self._scene, self._scene.trouble
        process = scene.baton.current.process
        if trouble.comes("call late"):
            await self._patience(trouble.seconds(1, 40) / LOOP_SPEED)
        if process is not None and not process.alive:
            raise Crash
        how = trouble.one_of("call lost", "answer lost", "call twice")
        scene.baton.step(f"{what}{f': {how}' if how else ''}")
        if how == "call lost":
            raise Unavailable("the dialer cannot be reached")
        answer = await call()
        if how == "call twice":
            answer = await call()
        scene.baton.wait()
        if how == "answer lost":
            raise Unavailable("the dialer did not answer")
        return answer
