"""The way between link and dialer on the stage: what is said there is lost, late, twice, or never heard."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar
from uuid import UUID

from dialer_adapter.in_memory import InMemoryDialer
from dialer_adapter.values import (
    Capabilities,
    Capacity,
    Event,
    EventBatch,
    OfferAnswer,
    Order,
    RecallAnswer,
    Status,
)
from models.errors import Unavailable
from ringeliste.faults.baton import Crash
from ringeliste.faults.dialer import LOOP_SPEED
from ringeliste.faults.scene import Scene

T = TypeVar("T")

LATE = (20.0, 150.0)
"""Seconds for which an event lies about, from and to."""


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
        await self._through(f"ack {len(event_ids)}", lambda: self._acknowledge(event_ids))

    async def aclose(self) -> None:
        """Nothing to close."""

    async def _acknowledge(self, event_ids: Sequence[str]) -> None:
        """From the ack on, who wants no more calls is rung by nobody who asks (P8)."""
        self._scene.ledger.acknowledged(event_ids, self._scene.baton.now)
        await self._dialer.ack(event_ids)

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
