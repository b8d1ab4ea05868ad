"""The dialer on the stage: lines that ring, calls that are cut, and a queue that burns."""

from functools import partial
from typing import Any
from uuid import UUID

from dialer_adapter.consumer import CUT_SHORT
from dialer_adapter.in_memory import InMemoryDialer
from dialer_adapter.values import (
    ClockReading,
    Order,
)
from models.outcomes import Outcome
from ringeliste.faults.scene import Scene

LINES = 2
LOOKS = (10.0, 45.0)
"""Seconds between two looks into its queue."""

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
            scene.ring(order.lease_id, order.e164, order.customer_ref, scene.baton.now, around)
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
