"""How long after a customer became ready a waiting seller has them on the screen, over HTTP.

Nobody else deals: no worker, no tick. What is measured begins before the commit that makes them ready.
"""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from queue import Queue
from statistics import quantiles
from threading import Event
from time import monotonic, perf_counter, sleep
from uuid import UUID

import httpx
from sqlalchemy import text

from benchmarks.figures import Figure, cost
from benchmarks.floor import NOON, Floor, lay
from calling import register
from calling.handout import presence
from wiring.app import App
from wiring.clock import set_clock
from wiring.hints import install_publisher
from workers.sending import connect

SELLERS, ROUNDS = 20, 200
QUIET_SECONDS = 0.1
START_SECONDS = 120.0

_REST = text("""
    update placement set state = 'resting', due_at = :until where crm_id = :crm_id and state = 'ready'
""")
_READY = text("""
    update placement set state = 'ready', due_at = null
     where crm_id = :crm_id and assignment_id = :assignment_id and customer_id = (
        select customer_id from placement
         where crm_id = :crm_id and assignment_id = :assignment_id and state = 'resting'
         order by customer_id limit 1)
""")
_IN_VAIN = text("select count(*) from seller where crm_id = :crm_id and asked_in_vain_at is not null")


def measure(app: App, rows: int, rounds: int = ROUNDS) -> list[Figure]:
    """Twenty sellers wait while everybody rests; one customer at a time becomes ready."""
    floor = lay(app, rows)
    with app.shared() as session:
        set_clock(session, NOON, 0)
    with app.work(floor.crm_id, now=NOON) as work:
        work.run(_REST, until=NOON + timedelta(days=30))
    floor.tidy()
    keys = [_seller(floor, number) for number in range(min(SELLERS, rounds))]
    with _web(app) as url:
        asked = [_asked_at_once(floor, url, keys[0]) for _ in range(rounds)]
        woken = _woken(floor, url, keys, rounds)
    p99 = [quantiles(costs, n=100)[98] for costs in (woken, asked)]
    limit = "the same commit, and a seller who happens to ask at that very moment"
    return [
        cost("ready to answered, p50", woken, asked, limit),
        cost("ready to answered, p99", p99[:1], p99[1:], limit),
    ]


def _seller(floor: Floor, number: int) -> str:
    with floor.app.work(floor.crm_id, now=NOON) as work:
        seller = register.add_seller(work, f"seller {number}")
        presence.be(work, seller, "available", assignment_id=floor.assignment_id)
    with floor.app.shared() as session:
        return register.add_key(
            session, floor.crm_id, "seller", f"seller {number}", now=NOON, seller_id=seller
        )


def _become_ready(floor: Floor) -> float:
    """One of them becomes ready; the moment before the commit."""
    with floor.app.work(floor.crm_id, now=NOON) as work:
        work.run(_READY, assignment_id=floor.assignment_id)
        work.hint("allocate", floor.assignment_id)
        return perf_counter()


def _asked_at_once(floor: Floor, url: str, key: str) -> float:
    with _client(url, key) as client:
        client.get("/me").raise_for_status()  # the connection is there, and the key is known
        begun = _become_ready(floor)
        at, lease = _answered(client.post("/me/next"))
        _over(client, lease)
    return at - begun


def _woken(floor: Floor, url: str, keys: list[str], rounds: int) -> list[float]:
    answers: Queue[float] = Queue()
    over = Event()
    connect(floor.app.settings)
    with ThreadPoolExecutor(len(keys)) as pool:
        waiting = [pool.submit(_wait, url, key, answers, over) for key in keys]
        try:
            costs = []
            for number in range(rounds + 1):
                _all_wait(floor, len(keys))
                begun = _become_ready(floor)
                at = answers.get(timeout=START_SECONDS)
                if number:
                    costs.append(at - begun)
        finally:
            over.set()
            install_publisher(None)
            for one in waiting:
                one.result()
    return costs


def _wait(url: str, key: str, answers: "Queue[float]", over: Event) -> None:
    """A seller: rings whomever they are given, is told no, and waits for the next."""
    with _client(url, key) as client:
        while not over.is_set():
            answer = client.post("/me/next", params={"wait": 5})
            if answer.status_code == httpx.codes.OK:
                at, lease = _answered(answer)
                _over(client, lease)
                answers.put(at)


def _answered(answer: httpx.Response) -> tuple[float, UUID]:
    """When it came, and the lease."""
    at = perf_counter()
    if answer.status_code != httpx.codes.OK:
        raise AssertionError(f"nobody was handed out: {answer.status_code} {answer.text}")
    return at, UUID(answer.json()["lease_id"])


def _over(client: httpx.Client, lease: UUID) -> None:
    """They are rung, and called no more."""
    client.post(f"/leases/{lease}/ring").raise_for_status()
    client.post(f"/leases/{lease}/outcome", json={"outcome": "no_sale"}).raise_for_status()


def _all_wait(floor: Floor, many: int) -> None:
    """Until all have asked in vain, and a moment longer: they wait then, and do nothing."""
    end = monotonic() + START_SECONDS
    while True:
        with floor.app.work(floor.crm_id, now=NOON) as work:
            if work.run(_IN_VAIN).scalar_one() == many:
                break
        if monotonic() > end:
            raise AssertionError("not everybody waits")
        sleep(QUIET_SECONDS / 10)
    sleep(QUIET_SECONDS)


def _client(url: str, key: str) -> httpx.Client:
    return httpx.Client(
        base_url=f"{url}/api/v1", headers={"Authorization": f"Bearer {key}"}, timeout=START_SECONDS
    )


@contextmanager
def _web(app: App) -> Iterator[str]:
    """A web process as it is served, on a port of its own; its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = app.settings
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("RINGELISTE_")},
        "DATABASE_URL": settings.database_url, "DATABASE_OWNER_URL": settings.database_owner_url,
        "REDIS_URL": settings.redis_url, "RINGELISTE_DATA": str(settings.data),
        "RINGELISTE_WEB_PORT": str(port), "RINGELISTE_LOG_LEVEL": "warning",
    }  # fmt: skip
    process = subprocess.Popen([sys.executable, "-m", "web"], env=environment)
    url = f"http://127.0.0.1:{port}"
    try:
        _until_up(url, process)
        yield url
    finally:
        process.terminate()
        process.wait(START_SECONDS)


def _until_up(url: str, process: "subprocess.Popen[bytes]") -> None:
    end = monotonic() + START_SECONDS
    while process.poll() is None and monotonic() < end:
        try:
            httpx.get(f"{url}/healthz", timeout=1)
        except httpx.TransportError:
            sleep(QUIET_SECONDS)
        else:
            return
    raise AssertionError("the web does not come up")
