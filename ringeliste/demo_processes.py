"""What the demo runs beside the Procfile: a simulated dialer and simulated sellers, strangers to our code."""

import sys
from collections.abc import Mapping
from pathlib import Path

from ringeliste.demo import DemoWorld
from workers.adapters import queue_name

JOURNALS = "journals"
"""In the data directory: what the simulated dialer and sellers have told, and what was acknowledged."""


def demo_commands(
    world: DemoWorld, env: Mapping[str, str], folder: Path, *, url: str, seed: int, lines: int
) -> dict[str, list[str]]:
    """The commands of the simulated dialer and the simulated sellers, by name."""
    journals = folder / JOURNALS
    journals.mkdir(exist_ok=True)
    robot = {
        "redis-url": env["REDIS_URL"],
        "queue": queue_name(world.crm_id, world.dialer_id),
        "name": world.dialer_name,
        "journal": journals / "robot.journal",
        "truth": world.truth,
        "seed": seed,
        "lines": lines,
    }
    sellers = {"url": url, "demo": folder, "journal": journals / "sellers.journal", "seed": seed}
    return {
        "robot": _command("ringeliste.robot", robot),
        "sellers": _command("ringeliste.sellers", sellers),
    }


def _command(module: str, options: Mapping[str, object]) -> list[str]:
    return [sys.executable, "-m", module, *(f"--{name}={value}" for name, value in options.items())]
