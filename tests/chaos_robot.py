"""`python chaos_robot.py`: the dialer of dialer_adapter/simulator.py, on a bad line, its calls noted."""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from random import Random
from time import time
from typing import Any
from uuid import UUID

from redis.asyncio import Redis
from telephones import Telephones

from dialer_adapter import simulator
from dialer_adapter.consumer import Consumer, Taken
from dialer_adapter.journal import Journal
from dialer_adapter.values import Event, Order
from dialer_adapter.wire import connect
from wiring.logs import configure
from wiring.settings import Settings

TWICE, LATER = 0.1, 0.1
"""Shares of events that are sent twice, and that are not sent now but with a later beat, behind others."""


class NotedConsumer(Consumer):
    """A consumer whose calls are noted by the telephones, and whose events come twice and in any order."""

    def __init__(
        self, redis: Redis, queue: str, name: str, journal: Journal, telephones: Telephones, dice: Random
    ) -> None:
        super().__init__(redis, queue, name, journal)
        self._telephones, self._dice = telephones, dice
        self._orders: dict[UUID, Order] = {}
        self._over: set[UUID] = set()

    async def take(self, limit: int) -> Taken:
        """What was taken was handed out."""
        taken = await super().take(limit)
        for order in taken.orders:
            self._orders[order.lease_id] = order
            self._telephones.took(str(order.lease_id), order.customer_ref)
        return taken

    async def tell(self, lease_id: UUID, kind: str, /, **body: Any) -> None:
        """It rings once the ring is in the journal."""
        asked = time()
        await super().tell(lease_id, kind, **body)
        if kind == "ringing" and (order := self._orders.get(lease_id)):
            self._telephones.rang(str(lease_id), order.customer_ref, order.e164, asked)

    async def _send(self, events: Sequence[Event]) -> None:
        """The line: whatever a dialer tells may come twice, late, or before what was told earlier.

        Here what the journal holds of ends is noted as well, also by who comes after a kill.
        """
        for event in events:
            if event.kind == "ended" and event.lease_id and event.lease_id not in self._over:
                self._over.add(event.lease_id)
                self._orders.pop(event.lease_id, None)
                self._telephones.ended(str(event.lease_id), event.body["result"])
        now = [event for event in events if self._dice.random() >= LATER]
        again = [event for event in now if self._dice.random() < TWICE]
        self._dice.shuffle(now)
        await super()._send([*now, *again])


def main() -> int:
    """Run it until told to stop."""
    more = argparse.ArgumentParser(add_help=False)
    more.add_argument("--telephones", type=Path, required=True)
    ours, rest = more.parse_known_args()
    asked = simulator.parser().parse_args(rest)
    configure(Settings.from_env(), asked.name)
    telephones, dice = Telephones(ours.telephones, ours.telephones.stem), Random(f"{asked.seed}|{asked.name}")

    def consumer_at(url: str, queue: str, name: str, journal: Journal) -> Consumer:
        return NotedConsumer(connect(url, retries=0), queue, name, journal, telephones, dice)

    asyncio.run(simulator.serve(asked, consumer_at))
    return 0


if __name__ == "__main__":
    sys.exit(main())
