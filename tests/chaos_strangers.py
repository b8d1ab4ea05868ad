"""The strangers of a chaos: simulated sellers and dialers; each process knows of us what it is told."""

import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from chaos_world import ChaosWorld

from ringeliste import procfile
from ringeliste.supervised import Supervised
from workers.adapters import queue_name

TESTS = Path(__file__).resolve().parent

LINES = 48
"""Of each dialer: with a call of four seconds forty and more a second, and ten of the sellers."""

NIGHT = "Etc/GMT-12"
"""Where the dialers' customers live: in their night few answer, so that calls are as short at any hour."""


def strangers(
    world: ChaosWorld, folder: Path, env: Mapping[str, str], *, url: str, seed: int
) -> list[Supervised]:
    """Sellers of each floor, on the web at `url`, and every dialer; what they write is in `folder`."""
    return [
        _stranger(name, program, {**options, "seed": seed}, folder, env)
        for name, program, options in (*_sellers(world, folder, url), *_dialers(world, folder, env))
    ]


Options = dict[str, object]


def _sellers(world: ChaosWorld, folder: Path, url: str) -> Iterator[tuple[str, str, Options]]:
    for n, floor in enumerate(world.floors, start=1):
        journal = folder / f"sellers-{n}.journal"
        yield f"sellers {n}", "chaos_sellers.py", {"url": url, "demo": floor, "journal": journal}


def _dialers(world: ChaosWorld, folder: Path, env: Mapping[str, str]) -> Iterator[tuple[str, str, Options]]:
    for name, dialer in world.dialers.items():
        yield name, "chaos_robot.py", {
            "redis-url": env["REDIS_URL"], "queue": queue_name(world.crm_id, dialer), "name": _stem(name),
            "journal": folder / f"{_stem(name)}.journal", "truth": world.truth, "lines": LINES, "zone": NIGHT,
        }  # fmt: skip


def _stranger(name: str, program: str, options: Options, folder: Path, env: Mapping[str, str]) -> Supervised:
    told = {"telephones": folder / f"{_stem(name)}.telephones", **options}
    path = os.pathsep.join([str(procfile.PACKAGES), str(TESTS)])
    return Supervised(
        name,
        [sys.executable, str(TESTS / program), *(f"--{key}={value}" for key, value in told.items())],
        env={**env, "PYTHONPATH": path},
        directory=procfile.PACKAGES,
        log=folder / f"{_stem(name)}.log",
    )


def _stem(name: str) -> str:
    """A name as files and queues have it."""
    return name.replace(" ", "-")
