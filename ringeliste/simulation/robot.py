"""The simulated dialer and its link in one process: a plain queue stands where Redis stands in the real one.

The same words pass between them: offer, take, recall, events that are journalled before they take effect.
"""

from collections import deque
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from calling.dialers import inbox, orders
from calling.dialers.inbox import Told
from calling.dialers.orders import OrderToOffer
from dialer_adapter.fate import Fate
from ringeliste.simulation.stage import Stage

CYCLE = timedelta(minutes=1)
"""How often the link tells and asks: each second of wall time on a clock of sixty times the speed."""


class SimulatedRobot:
    """So many lines, each with at most one call, and a queue that holds as many orders again."""

    def __init__(self, stage: Stage, dialer_id: int, lines: int, zone: str) -> None:
        self._stage, self._dialer_id, self._zone = stage, dialer_id, zone
        self._lines, self._busy = lines, 0
        self._queue: deque[OrderToOffer] = deque()
        self._told: list[Told] = []

    @property
    def quiet(self) -> bool:
        """Nothing rings, waits or is still to be told."""
        return not (self._busy or self._queue or self._told)

    def report(self) -> None:
        """First half of the link's turn: what was told takes effect, what lapsed in the queue comes back."""
        self._tell()
        if late := [order.lease_id for order in self._queue if order.ring_by <= self._stage.now]:
            self._give_back(late)
        with self._stage.work() as work:
            recalled = orders.recalls(work, self._dialer_id) if self._stage.wants("recall") else []
            orders.heard(work, self._dialer_id, wanted=2 * self._lines, rings_late_seconds=0)
        self._answer(recalled)

    def fetch(self) -> None:
        """Second half: what was dealt meanwhile is offered, and free lines take it."""
        with self._stage.work() as work:
            offered = orders.to_offer(work, self._dialer_id)
        self._queue.extend(offered)
        self._take()

    def _tell(self) -> None:
        if self._told:
            with self._stage.work() as work:
                inbox.journal(work, self._dialer_id, self._told)
            self._told = []
            inbox.process_inbox(self._stage.opener, self._dialer_id)

    def _answer(self, recalled: Sequence[UUID]) -> None:
        """What waits comes back and is never rung; what was taken goes on."""
        waiting = {order.lease_id for order in self._queue}
        self._give_back([lease for lease in recalled if lease in waiting])
        if taken := [lease for lease in recalled if lease not in waiting]:
            with self._stage.work() as work:
                orders.too_late(work, taken)

    def _give_back(self, leases: Sequence[UUID]) -> None:
        if leases:
            self._queue = deque(order for order in self._queue if order.lease_id not in set(leases))
            orders.came_back(self._stage.opener, leases, "recalled")

    def _take(self) -> None:
        """Free lines take what waits, first offered first."""
        while self._busy < self._lines and self._queue:
            order = self._queue.popleft()
            if order.ring_by <= self._stage.now:
                self._queue.appendleft(order)  # the next turn gives it back
                return
            self._call(order)

    def _call(self, order: OrderToOffer) -> None:
        its = self._stage.fate(order.lease_id, order.customer_ref, self._zone)
        self._busy += 1
        self._say(order, "taken")
        if its.rings:
            self._say(order, "ringing")
        ends = self._stage.now + timedelta(seconds=its.ring_seconds + its.talk_seconds)
        self._stage.agenda.at(ends, partial(self._end, order, its))

    def _end(self, order: OrderToOffer, its: Fate) -> None:
        self._say(order, "ended", result=its.result.value, talk_seconds=its.talk_seconds)
        self._busy -= 1
        self._take()

    def _say(self, order: OrderToOffer, kind: str, **body: Any) -> None:
        told = Told(f"{order.lease_id}:{kind}", order.lease_id, kind, self._stage.now, body)
        self._told.append(told)
