"""Benchmarks on servers of their own: an empty database, nobody else's customers."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console

import migrations
from benchmarks import NAMES, Figure, flooding, run
from models.errors import BadInput
from ringeliste import embedded, throwaway
from ringeliste.cli.output import plain_table, shown
from wiring.app import App
from wiring.reading import did_you_mean
from wiring.settings import Settings

FOLDER = "bench"

START_SECONDS, EMPTY_MEGABYTES = 10, 60
MILLISECONDS_A_ROW = {
    "import": 0.6,
    "rebuild": 0.5,
    "allocate": 0.2,
    "pairs": 0.3,
    "next": 0.5,
    "next-http": 0.3,
    "wake": 0.3,
    "outcomes": 0.1,
    "pause": 0.3,
    "facets": 0.4,
    "sweep": 0.5,
    "bulk": 1.5,
    "preview": 0.3,
    "flood": 0.5,
    "clocks": 0.3,
    "funnel": 0.3,
}
KILOBYTES_A_ROW = 3
"""What a benchmark takes on two cores, roughly; most of it is making the customers."""
SECONDS_WHATEVER_THE_ROWS = {"flood": flooding.SECONDS, "pause": 40, "next-http": 80, "wake": 90}
CLOSE, FAR = 2.0, 5.0
"""Ratios up to these are shown green and yellow, beyond red."""


def plan(name: str, rows: int) -> dict[str, Any]:
    """What `measure` would do, where, and roughly how long and how large. Raises BadInput as it would."""
    _check(name)
    folder = _folder()
    throwaway.check(folder)
    return {
        "directory": folder,
        "benchmark": name,
        "customers": rows,
        "seconds": _seconds(name, rows),
        "megabytes": round(EMPTY_MEGABYTES + rows * KILOBYTES_A_ROW / 1000),
        "afterwards": "everything is removed",
    }


def measure(name: str, rows: int) -> list[Figure]:
    """Every figure of one benchmark; says on standard error what it is doing."""
    _check(name)
    folder = _folder()
    with Console(stderr=True).status("Starting PostgreSQL and Redis") as status, _empty(folder) as app:
        status.update(f"Measuring {name} over {rows:,} customers")
        return run(app, name, rows)


def _seconds(name: str, rows: int) -> int:
    itself = SECONDS_WHATEVER_THE_ROWS.get(name, 0)
    return round(START_SECONDS + rows * MILLISECONDS_A_ROW[name] / 1000) + itself


def _check(name: str) -> None:
    if name not in NAMES:
        hint = did_you_mean(name, list(NAMES)) or f"; there are {', '.join(NAMES)}"
        raise BadInput(f"there is no benchmark {name!r}{hint}")


def _folder() -> Path:
    return Settings.from_env().data.expanduser().resolve() / FOLDER


@contextmanager
def _empty(folder: Path) -> Iterator[App]:
    """Servers with their usual settings and an empty database; both are gone afterwards."""
    throwaway.begin(folder)
    servers = embedded.start(folder, env={})
    try:
        migrations.upgrade(servers.owner_url)
        settings = Settings(
            database_url=servers.database_url,
            database_owner_url=servers.owner_url,
            redis_url=servers.redis_url,
            data=folder,
        )
        app = App(settings)
        try:
            yield app
        finally:
            app.close()
    finally:
        throwaway.remove(folder)


def draw_figures(console: Console, figures: list[Figure]) -> None:
    """For people: ours beside the limit, and how many times as costly."""
    table = plain_table("", "ours", "limit", "ratio", "the limit", right=("ours", "limit", "ratio"))
    for one in figures:
        style = "green" if one.ratio <= CLOSE else "yellow" if one.ratio <= FAR else "red"
        table.add_row(
            shown(one.name), f"{one.value:,g} {one.unit}", f"{one.limit:,g} {one.unit}",
            f"[{style}]{one.ratio:g}[/{style}]", f"[dim]{shown(one.limit_name)}[/dim]",
        )  # fmt: skip
    console.print(table)
    console.print("[dim]ratio: our cost divided by the limit's, measured in this run; 1 is perfect[/dim]")
