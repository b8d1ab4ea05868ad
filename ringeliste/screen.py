"""What `ringeliste up` says and shows: a live table on a terminal, a plain line now and then elsewhere."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from time import monotonic
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.text import Text

from calling.intake.importing import Progress as Imported
from ringeliste.figures import Scene
from ringeliste.keeper import Keeper
from ringeliste.live import Lamp, View, draw, line
from ringeliste.progress import import_bar
from ringeliste.supervisor import Supervisor

DRAW_SECONDS = 0.5
LINE_SECONDS = 5.0
LEVELS = {"warning": "yellow", "error": "red", "critical": "bold red", "info": "green", "debug": "dim"}


class Screen:
    """The terminal, or what stands in its place. Its words may come from several threads."""

    def __init__(self, *, plain: bool = False, logs: bool = False, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False)
        self._live = not plain and self._console.is_terminal
        self._logs = logs

    def say(self, message: str) -> None:
        """One line that stays."""
        try:
            self._console.print(Text(message), soft_wrap=True)
        except OSError:  # the terminal is gone; the processes are stopped all the same
            self._console = Console(file=sys.stderr, quiet=True)

    @contextmanager
    def busy(self, message: str) -> Iterator[None]:
        """Something that takes a moment."""
        if not self._live:
            self.say(message)
            yield
            return
        with self._console.status(Text(message)):
            yield

    def progress(self, title: str) -> AbstractContextManager[Callable[[Imported], None]]:
        """A bar for an import."""
        return import_bar(self._console, title)

    def heard(self, process: str, written: str) -> None:
        """A line that a process wrote to its log."""
        if self._logs:
            whole = not self._console.is_terminal
            self._console.print(
                readable(process, written), soft_wrap=whole, no_wrap=True, overflow="ellipsis"
            )

    @contextmanager
    def showing(self, scene: Scene, supervisor: Supervisor, keeper: Keeper) -> Iterator[Callable[[], None]]:
        """The table for as long as the block lasts; call what it gives a few times a second."""

        def view() -> View:
            reader = scene.reader
            lamps = lamps_of(supervisor, keeper)
            figures, problem = (reader.latest, reader.problem) if reader else (None, "")
            return View(figures, problem, lamps, scene.address, scene.zone)

        if self._live and not self._logs:
            with Live(console=self._console, auto_refresh=False, transient=False) as live:
                yield _every(
                    DRAW_SECONDS, lambda: live.update(draw(view(), self._console.width), refresh=True)
                )
        else:
            self.say(f"The page: {scene.address}")
            yield _every(LINE_SECONDS, lambda: self.say(line(view())))


def lamps_of(supervisor: Supervisor, keeper: Keeper) -> list[Lamp]:
    """Every process of ours, and the servers unless they are elsewhere."""
    ours = [Lamp(process.name, process.pid is not None, process.deaths) for process in supervisor.processes]
    servers = {"postgres": keeper.status.postgres, "redis": keeper.status.redis}
    return ours + [Lamp(name, state == "running") for name, state in servers.items() if state != "elsewhere"]


def readable(process: str, written: str) -> Text:
    """A line of a log for people: JSON taken apart, everything else as it is."""
    try:
        event: dict[str, Any] = dict(json.loads(written))
    except (ValueError, TypeError):
        return Text.assemble((f"{process:<10}", "cyan"), written)
    level = str(event.pop("level", "info"))
    time = str(event.pop("timestamp", ""))[11:19]
    said = str(event.pop("event", ""))
    for name in ("process", "pid", "logger", "exception"):
        event.pop(name, None)
    rest = " ".join(f"{name}={value}" for name, value in event.items())
    when, how = (f"{time} ", "dim"), (f"{level:<8}", LEVELS.get(level, ""))
    return Text.assemble((f"{process:<10}", "cyan"), when, how, said, (f" {rest}", "dim"))


def _every(seconds: float, act: Callable[[], None]) -> Callable[[], None]:
    """`act`, at most so often."""
    due = monotonic()

    def now_and_then() -> None:
        nonlocal due
        if monotonic() >= due:
            act()
            due = monotonic() + seconds

    return now_and_then
