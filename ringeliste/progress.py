"""A bar for what takes longer than two seconds: how far, how fast, how long still."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn

from calling.intake.importing import Progress as Imported
from calling.views.rebuilds import Rebuild
from ringeliste.drawing import counted

PATIENCE_SECONDS = 2.0
LINE_SECONDS = 10.0
"""Without a terminal a line is written so often instead of a bar."""


@contextmanager
def import_bar(console: Console, title: str) -> Iterator[Callable[[Imported], None]]:
    """Call what it gives with each progress of an import."""
    if not console.is_terminal:
        yield _lines(console, title)
        return
    columns = (
        SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(30), TaskProgressColumn(),
        TextColumn("{task.fields[pace]}", style="dim"),
    )  # fmt: skip
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(title, total=1.0, pace="")
        yield lambda now: bar.update(task, completed=now.share, pace=_pace(now))


@contextmanager
def share_bar(title: str) -> Iterator[Callable[[float], None]]:
    """Call what it gives with the share that is done, 0 to 1; on standard error, on a terminal alone."""
    console = Console(stderr=True)
    columns = (
        SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(30), TaskProgressColumn()
    )  # fmt: skip
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(title, total=1.0)
        yield lambda share: bar.update(task, completed=share)


@contextmanager
def rebuild_bar(console: Console) -> Iterator[Callable[[Rebuild], None]]:
    """Call what it gives with each look at a rebuild."""
    if not console.is_terminal:
        yield _rebuild_lines(console)
        return
    columns = (
        SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(30), TaskProgressColumn(),
        TextColumn("{task.fields[pace]}", style="dim"),
    )  # fmt: skip
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=1.0, pace="")
        yield lambda now: bar.update(
            task, completed=now.share, description=_what(now), pace=_how_far(now), refresh=True
        )


def _rebuild_lines(console: Console) -> Callable[[Rebuild], None]:
    due = monotonic() + PATIENCE_SECONDS

    def tell(now: Rebuild) -> None:
        nonlocal due
        if monotonic() >= due:
            console.print(f"{_what(now)}: {_how_far(now)}", highlight=False, markup=False, emoji=False)
            due = monotonic() + LINE_SECONDS

    return tell


def _what(now: Rebuild) -> str:
    return "Waiting for a worker" if now.state == "pending" else f"Moving customers ({now.reason})"


def _how_far(now: Rebuild) -> str:
    if now.differing is None or now.settled is None:
        return "" if now.state == "pending" else "looking at all of them"
    ends = f", done at {now.ends_at:%H:%M:%S} UTC" if now.ends_at else ""
    return f"{now.settled:,} of {now.differing:,}{ends}"


def _lines(console: Console, title: str) -> Callable[[Imported], None]:
    due = monotonic() + PATIENCE_SECONDS

    def tell(now: Imported) -> None:
        nonlocal due
        if monotonic() >= due:
            console.print(
                f"{title}: {now.share:.0%}, {_pace(now)}", highlight=False, markup=False, emoji=False
            )
            due = monotonic() + LINE_SECONDS

    return tell


def _pace(now: Imported) -> str:
    rejected = f", {now.rejected:,} rejected" if now.rejected else ""
    left = f", {_seconds(now.eta)} left" if now.eta is not None else ""
    return f"{counted(now.rows, 'row')}{rejected}, {now.rate:,.0f} rows/s{left}"


def _seconds(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"
