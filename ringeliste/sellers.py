"""`python -m ringeliste.sellers`: simulated sellers, clients of the public API in a process of their own."""

import argparse
import asyncio
import json
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import httpx
import structlog

from dialer_adapter.truth import read_truth
from models.errors import RingelisteError
from ringeliste.desk import Desk, Floor
from ringeliste.desk_api import BusinessTime, DeskApi
from ringeliste.desk_journal import DeskJournal
from wiring.logs import configure
from wiring.settings import Settings

API = "/api/v1"
ANSWER_SECONDS = 30.0

log = structlog.get_logger(__name__)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(prog="python -m ringeliste.sellers", description=__doc__)
    made.add_argument("--url", required=True, help="where the web is: http://127.0.0.1:8080")
    made.add_argument("--demo", type=Path, required=True, help="directory of demo.json: keys and truth")
    made.add_argument("--journal", type=Path, required=True, help="file of what was reported")
    made.add_argument("--seed", type=int, default=1, help="the same seed, the same fate for the same lease")
    return made


async def serve(
    asked: argparse.Namespace, desk_api: Callable[[httpx.AsyncClient, str], DeskApi] = DeskApi
) -> None:
    """Sell until SIGTERM or SIGINT. `desk_api`: each seller's way to the API, of a client and a key."""
    demo: dict[str, Any] = json.loads((asked.demo / "demo.json").read_text(encoding="utf-8"))
    truth = read_truth(asked.demo / demo["truth"])
    journal, time = DeskJournal(asked.journal), BusinessTime()
    floor = Floor(demo["assignment_id"], truth, asked.seed, time, journal)
    stopping = asyncio.Event()
    for wish in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(wish, stopping.set)
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=len(demo["seller_keys"]) + 1)
    base = f"{asked.url}{API}"
    async with httpx.AsyncClient(base_url=base, timeout=ANSWER_SECONDS, limits=limits) as client:
        sellers = [(int(seller), desk_api(client, key)) for seller, key in demo["seller_keys"].items()]
        await _until_told(stopping, sellers, floor)
    journal.close()


async def _until_told(stopping: asyncio.Event, sellers: Sequence[tuple[int, DeskApi]], floor: Floor) -> None:
    """All at their desks; the first failure of any of them is raised."""
    tasks = [asyncio.create_task(floor.time.follow(sellers[0][1]))]
    tasks += [asyncio.create_task(_sit_down(seller, api, floor)) for seller, api in sellers]
    log.info("begin", sellers=len(sellers), customers=len(floor.truth))
    told = asyncio.create_task(stopping.wait())
    done, _ = await asyncio.wait([told, *tasks], return_when=asyncio.FIRST_COMPLETED)
    for task in (told, *tasks):
        task.cancel()
    await asyncio.gather(told, *tasks, return_exceptions=True)
    for task in done - {told}:
        task.result()


async def _sit_down(seller: int, api: DeskApi, floor: Floor) -> None:
    await floor.time.known.wait()
    await Desk(seller, api, floor).work()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the sellers; 2 when they were told something wrong."""
    asked = parser().parse_args(arguments)
    configure(Settings.from_env(), "sellers")
    try:
        asyncio.run(serve(asked))
    except (RingelisteError, OSError, ValueError) as flaw:
        log.error("cannot sell", why=str(flaw))
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
