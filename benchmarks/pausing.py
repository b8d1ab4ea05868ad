"""How long whoever pauses waits for the answer, while thirty-two hand out as fast as they can.

They work in processes of their own, as the web and the workers do: in one, its threads would wait for each
other and not for the wall.
"""

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing.synchronize import Event
from statistics import quantiles
from typing import Any

from benchmarks.figures import Figure, cost, seconds
from benchmarks.floor import NOON, lay
from calling import register
from calling.handout import presence
from calling.handout.hand_out import next_customer
from calling.handout.ring import release
from calling.walls.pause import pause, resume
from models.errors import Conflict
from wiring.app import App
from wiring.settings import Settings

THREADS, BUSY, ROUNDS = 8, 32, 100
CALM = 20
"""Pauses with nobody beside them, to compare with."""


def measure(app: App, rows: int, rounds: int = ROUNDS) -> list[Figure]:
    """The answer's time for an assignment without a dialer outside, beside 32 who take and give back.

    Fewer rounds than 32 have as many beside them.
    """
    floor = lay(app, rows)
    open_work = app.opener(floor.crm_id, now=NOON)
    sellers = []
    for number in range(min(BUSY, rounds)):
        with open_work() as work:
            sellers.append(register.add_seller(work, f"seller {number}"))
            presence.be(work, sellers[-1], "available", assignment_id=floor.assignment_id)

    def stop() -> None:
        pause(open_work, "assignment", floor.assignment_id, reason="bench", author="bench")

    def go_on() -> None:
        resume(open_work, "assignment", floor.assignment_id, author="bench")

    for seller in sellers:
        next_customer(open_work, seller)
    calm = []
    for _ in range(min(CALM, rounds)):
        calm.append(seconds(stop))
        go_on()
    with _at_work(app.settings, floor.crm_id, sellers) as wait_turns:
        costs = []
        for _ in range(rounds):
            wait_turns(len(sellers))
            costs.append(seconds(stop))
            go_on()
    p99 = quantiles(costs, n=100)[98]
    alone = "the same with nobody beside it"
    return [
        cost(f"pause beside {len(sellers)} hand-outs p50", costs, calm, alone),
        cost(f"pause beside {len(sellers)} hand-outs p99", [p99], calm, alone),
    ]


@contextmanager
def _at_work(settings: Settings, crm_id: int, sellers: list[int]) -> Iterator[Any]:
    """Each seller in a thread, eight threads a process; the answer waits for so many turns of all of them."""
    context = multiprocessing.get_context("spawn")
    over, turns = context.Event(), context.Semaphore(0)
    teams = [sellers[place : place + THREADS] for place in range(0, len(sellers), THREADS)]
    processes = [
        context.Process(target=_team, args=(settings, crm_id, team, over, turns), daemon=True)
        for team in teams
    ]
    for process in processes:
        process.start()

    def wait(count: int) -> None:
        while turns.acquire(block=False):  # what was done meanwhile
            pass
        for _ in range(count):
            if not turns.acquire(timeout=60):
                raise AssertionError("nobody hands out any more")

    try:
        wait(2 * len(sellers))  # all have begun
        yield wait
    finally:
        over.set()
        for process in processes:
            process.join(60)


def _team(settings: Settings, crm_id: int, team: list[int], over: Event, turns: Any) -> None:
    app = App(settings)
    with ThreadPoolExecutor(len(team)) as pool:
        list(pool.map(lambda seller: _sell(app, crm_id, seller, over, turns), team))
    app.close()


def _sell(app: App, crm_id: int, seller: int, over: Event, turns: Any) -> None:
    """Take a customer and give them back, over and over."""
    open_work = app.opener(crm_id, now=NOON)
    while not over.is_set():
        handed = next_customer(open_work, seller)
        try:
            if handed is not None:
                with open_work() as work:
                    release(work, handed.lease_id, seller)
                turns.release()
        except Conflict:  # it was taken away
            pass
