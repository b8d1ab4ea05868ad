"""The simulated business clock over the pauses of a demo: it stands still while everything is off."""

import json
from pathlib import Path

from wiring.app import App
from wiring.clock import WALL, ClockBase, read_base, set_clock, wall_now

FILE = "clock.json"
USUAL_SPEED = 60.0
"""One wall second is one business minute."""


def freeze(app: App, folder: Path) -> None:
    """Stop a simulated clock where it is, and keep its speed in `folder`. A clock of wall time goes on."""
    with app.shared() as session:
        base, wall = read_base(session), wall_now()
        if base is WALL or base.speed == 0:
            return
        (folder / FILE).write_text(json.dumps({"speed": base.speed}) + "\n", encoding="utf-8")
        set_clock(session, base.at(wall), 0, wall=lambda: wall)


def resume(app: App, folder: Path, speed: float | None = None) -> ClockBase | None:
    """Let a simulated clock go on where it stood, as fast as before or at `speed`; None: it is wall time."""
    with app.shared() as session:
        base, wall = read_base(session), wall_now()
        if base is WALL:
            return None
        if base.speed and speed in (None, base.speed):
            return base
        return set_clock(session, base.at(wall), speed or base.speed or _kept(folder), wall=lambda: wall)


def _kept(folder: Path) -> float:
    try:
        return float(json.loads((folder / FILE).read_text(encoding="utf-8"))["speed"])
    except (OSError, ValueError, KeyError):
        return USUAL_SPEED
