"""The simulated dialer: a process of its own that knows nothing but the Redis queue's wire format.

    python -m dialer_adapter.simulator --redis-url redis://localhost/0 --queue 1.robot \\
        --journal robot.journal --truth customers.csv --seed 7 --lines 10

What becomes of a call is told by dialer_adapter/fate.py; ringing and talking take business time. Killed and
started again with the same name and journal, it ends what was open as CUT_SHORT of dialer_adapter/consumer.py
says.
"""

import argparse
import asyncio
import logging
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from dialer_adapter.consumer import Consumer
from dialer_adapter.fate import Fate, fate
from dialer_adapter.journal import Journal
from dialer_adapter.truth import read_truth
from dialer_adapter.values import Order
from models.errors import RingelisteError, Unavailable
from models.outcomes import Outcome

log = logging.getLogger("dialer_adapter.simulator")

LINE = "%(asctime)s %(name)s %(levelname)s lease=%(lease)s %(message)s"
"""A line of a dialer that runs by itself; ours is started by ringeliste/robot.py and logs as we do."""

BEAT_SECONDS = 0.5
"""Wall time between signs of life."""

LOOK_SECONDS = 0.1
"""Wall time between looks into an empty queue."""

STEP_SECONDS = 0.5
"""Longest wall time for which the speed of the business clock is believed."""


class Simulator:
    """So many lines, each with at most one call."""

    def __init__(
        self, consumer: Consumer, truth: Mapping[str, bool], *, seed: int, lines: int, zone: ZoneInfo
    ) -> None:
        self._consumer, self._truth = consumer, truth
        self._seed, self._lines, self._zone = seed, lines, zone
        self._calls: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()
        self._stopping = False
        self._beaten = float("-inf")

    async def run(self) -> None:
        """Take and make calls until told to stop; then hang up and say so."""
        await self._consumer.cut()
        async with asyncio.TaskGroup() as group:
            while not self._stopping:
                try:
                    await self._turn(group)
                except Unavailable as away:
                    log.warning("will try again: %s", away)
                await self._rest()
            for call in self._calls:
                call.cancel()
        await self._consumer.cut()

    def stop(self) -> None:
        """End `run`."""
        self._stopping = True
        self._wake.set()

    async def _turn(self, group: asyncio.TaskGroup) -> None:
        ticking = asyncio.get_running_loop().time()
        if ticking - self._beaten >= BEAT_SECONDS:
            await self._consumer.beat(self._lines)
            self._beaten = ticking
        if free := self._lines - len(self._calls):
            for order in (await self._consumer.take(free)).orders:
                call = group.create_task(self._call(order))
                self._calls.add(call)
                call.add_done_callback(self._hung_up)

    def _hung_up(self, call: asyncio.Task[None]) -> None:
        self._calls.discard(call)
        self._wake.set()

    async def _rest(self) -> None:
        try:
            await asyncio.wait_for(self._wake.wait(), LOOK_SECONDS)
        except TimeoutError:
            return
        self._wake.clear()

    async def _call(self, order: Order) -> None:
        began = self._now()
        if began >= order.ring_by:
            await self._end(order, Outcome.FAILED, 0, why="too_late")
            return
        its = self._fate(order, began)
        if its.rings:
            await self._consumer.tell(order.lease_id, "ringing")
        answered = began + timedelta(seconds=its.ring_seconds)
        await self._until(answered)
        if its.reached:
            for kind, body in talk(order.mode, its):
                await self._consumer.tell(order.lease_id, kind, **body)
            await self._until(answered + timedelta(seconds=its.talk_seconds))
        await self._end(order, its.result, its.talk_seconds)

    async def _end(self, order: Order, result: Outcome, talk_seconds: int, **more: Any) -> None:
        await self._consumer.tell(
            order.lease_id, "ended", result=result.value, talk_seconds=talk_seconds, **more
        )
        log.info("ended: %s", result.value, extra={"lease": str(order.lease_id)})

    def _fate(self, order: Order, now: datetime) -> Fate:
        zone = ZoneInfo(order.payload["zone"]) if "zone" in order.payload else self._zone
        buys = self._truth.get(order.customer_ref, False)
        return fate(self._seed, order.lease_id, order.customer_ref, now.astimezone(zone).hour, buys)

    def _now(self) -> datetime:
        now = self._consumer.now()
        if now is None:
            raise Unavailable("the link has not told the time yet")
        return now

    async def _until(self, instant: datetime) -> None:
        """Wait for a business instant, however the clock is set meanwhile."""
        while (left := (instant - self._now()).total_seconds()) > 0:
            speed = self._consumer.speed
            await asyncio.sleep(min(left / speed, STEP_SECONDS) if speed else STEP_SECONDS)


def talk(mode: str, its: Fate) -> Iterator[tuple[str, dict[str, Any]]]:
    """What is told from the answer on, besides the end: the kinds and bodies of events."""
    yield "answered", {}
    willing, understood = its.result is Outcome.SALE, its.result is not Outcome.LANGUAGE
    if mode == "key_press":
        if understood:
            yield "key", {"key": "1" if willing else "9"}
    elif mode == "voice_robot":
        meant = "interested" if willing else "not_interested"
        yield "intent", {"intent": meant if understood else "not_understood"}
    else:
        yield "connected", {"seller": "simulated"}


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(
        prog="python -m dialer_adapter.simulator", description=__doc__.split("\n")[0]
    )
    made.add_argument("--redis-url", required=True, help="the Redis of the queue")
    made.add_argument("--queue", required=True, help="the dialer's queue, such as 1.robot")
    made.add_argument("--name", default="simulator", help="this consumer's name; keep it over restarts")
    made.add_argument("--journal", type=Path, required=True, help="file of what is not acknowledged yet")
    made.add_argument("--truth", type=Path, required=True, help="CSV or .jsonl: who buys once reached")
    made.add_argument("--id-column", default="external_id", help="column of the external id; '' counts rows")
    made.add_argument("--truth-column", default="y", help="column of yes or no")
    made.add_argument("--seed", type=int, default=1, help="the same seed, the same fate for the same lease")
    made.add_argument("--lines", type=int, default=10, help="calls at a time")
    made.add_argument(
        "--zone", type=ZoneInfo, default=ZoneInfo("Europe/Lisbon"), help="zone of the customers"
    )
    return made


async def serve(
    asked: argparse.Namespace, consumer_at: Callable[[str, str, str, Journal], Consumer] = Consumer.at
) -> None:
    """Run until SIGTERM or SIGINT. `consumer_at`: its way to the queue, as `Consumer.at`."""
    truth = read_truth(asked.truth, asked.id_column, asked.truth_column)
    consumer = consumer_at(asked.redis_url, asked.queue, asked.name, Journal(asked.journal))
    simulator = Simulator(consumer, truth, seed=asked.seed, lines=asked.lines, zone=asked.zone)
    loop = asyncio.get_running_loop()
    for wish in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(wish, simulator.stop)
    log.info("%d lines, %d customers known", asked.lines, len(truth))
    try:
        await simulator.run()
    finally:
        await consumer.aclose()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the simulated dialer; 2 when it was told something wrong."""
    asked = parser().parse_args(arguments)
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter(LINE, defaults={"lease": "-"}))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    return run(asked)


def run(asked: argparse.Namespace) -> int:
    """As the command line asks, logging as it was configured; 2 when told something wrong."""
    try:
        asyncio.run(serve(asked))
    except (RingelisteError, OSError) as flaw:
        log.error("%s", flaw)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
