"""A floor of sellers who ask for their next customer over HTTP, as often as people do.

Each asks every twenty seconds, whoever asked before them answered or not: the figure is what a seller waits
for, not how much the server could do. What they are given they give back, so that their lists stay filled.
"""

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from statistics import quantiles
from time import perf_counter, sleep

import httpx

from benchmarks.figures import Figure, cost
from benchmarks.floor import NOON, lay
from calling import register
from calling.handout import presence
from calling.handout.allocate import allocate_all
from models.errors import Unavailable
from wiring.app import App
from wiring.clock import set_clock

SELLERS, EVERY = 200, 20.0
"""Sellers, and after how many wall seconds each of them asks again."""

ROUNDS = 400
_API = "/api/v1"
_NOTHING = "/healthz"
"""An answer over the same way that asks nobody anything."""


def measure(app: App, rows: int, rounds: int = ROUNDS) -> list[Figure]:
    """p50 and p99 of `POST /me/next`, beside an answer that asks nobody, half a turn later."""
    floor = lay(app, rows)
    with app.shared() as session:
        set_clock(session, NOON, 1.0)
    keys = []
    for number in range(min(SELLERS, rounds)):
        with app.work(floor.crm_id, now=NOON) as work:
            seller = register.add_seller(work, f"seller {number}")
            presence.be(work, seller, "available", assignment_id=floor.assignment_id)
        with app.shared() as session:
            keys.append(
                register.add_key(session, floor.crm_id, "seller", "bench", now=NOON, seller_id=seller)
            )
    allocate_all(app.opener(floor.crm_id, now=NOON), floor.assignment_id)
    with _served(app) as url:
        mine, best = asyncio.run(_ask(url, keys, rounds))
    p99 = [quantiles(costs, n=100)[98] for costs in (mine, best)]
    beside = f"GET {_NOTHING} between them"
    name = f"POST next, {SELLERS} sellers each {EVERY:g} s"
    return [cost(f"{name} p50", mine, best, beside), cost(f"{name} p99", p99[:1], p99[1:], beside)]


async def _ask(url: str, keys: Sequence[str], rounds: int) -> tuple[list[float], list[float]]:
    """Wall seconds of each answer, and of each that asks nobody; the first of each seller warms up."""
    costs: tuple[list[float], list[float]] = ([], [])
    async with httpx.AsyncClient(base_url=url, timeout=30) as client:

        async def ask(number: int) -> None:
            key = {"Authorization": f"Bearer {keys[number % len(keys)]}"}
            begun = perf_counter()
            handed = await client.post(f"{_API}/me/next", headers=key)
            ended = perf_counter()
            if handed.status_code != httpx.codes.OK:
                raise AssertionError(f"next answered {handed.status_code}: {handed.text}")
            (
                await client.post(f"{_API}/leases/{handed.json()['lease_id']}/release", headers=key)
            ).raise_for_status()
            await asyncio.sleep(EVERY / SELLERS / 2)
            mid = perf_counter()
            (await client.get(_NOTHING)).raise_for_status()
            if number >= warm:
                costs[0].append(ended - begun)
                costs[1].append(perf_counter() - mid)

        warm = rounds // 10
        async with asyncio.TaskGroup() as turns:
            for number in range(rounds + warm):
                turns.create_task(ask(number))
                await asyncio.sleep(EVERY / SELLERS)
    return costs


@contextmanager
def _served(app: App) -> Iterator[str]:
    """The web in a process of its own, on a free port; its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = app.settings
    env = {
        **os.environ, "DATABASE_URL": settings.database_url, "REDIS_URL": settings.redis_url,
        "DATABASE_OWNER_URL": settings.database_owner_url, "RINGELISTE_DATA": str(settings.data),
        "RINGELISTE_WEB_PORT": str(port), "RINGELISTE_LOG_LEVEL": "error",
    }  # fmt: skip
    web = subprocess.Popen([sys.executable, "-m", "web"], env=env)
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_until_it_answers(url, web)
        yield url
    finally:
        web.terminate()
        web.wait(timeout=30)


def _wait_until_it_answers(url: str, web: "subprocess.Popen[bytes]", seconds: float = 180) -> None:
    latest = perf_counter() + seconds
    while perf_counter() < latest and web.poll() is None:
        try:
            httpx.get(url + _NOTHING, timeout=1).raise_for_status()
            return
        except httpx.HTTPError:
            sleep(0.1)
    raise Unavailable(f"the web did not answer within {seconds:g} s")
