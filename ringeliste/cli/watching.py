"""Watching rebuilds: a bar while they go on, and what came of them."""

from collections.abc import Callable, Sequence
from time import sleep
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from calling.views.rebuilds import Rebuild
    from models.work import OpenWork, Work

LOOK_SECONDS = 0.2
"""Wall time between two looks."""

_MOST = 50  # rebuilds that one watch tells of; older ones it has forgotten


def last_ended(work: "Work", assignment_id: int) -> int:
    """The id of the newest rebuild that has ended; 0 if none has."""
    from calling.views.rebuilds import rebuilds

    found = rebuilds(work, assignment_id, 0, _MOST)
    return next((one.id for one in found if one.finished_at is not None), 0)


def watched(
    open_work: "OpenWork",
    assignment_id: int,
    after: int,
    *,
    goes_on: Callable[[], bool],
    pause: Callable[[float], object] = sleep,
) -> "list[Rebuild]":
    """Look until no rebuild is under way; those after the one that had ended last, as each ended.

    One that supersedes another is watched as well. Nobody to begin those that wait (`goes_on` is false): they
    are given back as they are.
    """
    from rich.console import Console

    from calling.views.rebuilds import rebuilds
    from ringeliste.progress import rebuild_bar

    with rebuild_bar(Console(stderr=True)) as show:
        while True:
            with open_work() as work:
                newest_first = rebuilds(work, assignment_id, 0, _MOST)
            seen = [one for one in reversed(newest_first) if one.id > after or one.finished_at is None]
            going = [one for one in seen if one.finished_at is None]
            if not going or (all(one.state == "pending" for one in going) and not goes_on()):
                return seen
            show(going[0])
            pause(LOOK_SECONDS)


def draw_rebuilds(console: "Console", seen: "Sequence[Rebuild]") -> None:
    """A line for each."""
    from ringeliste.cli.output import plain_table, shown
    from ringeliste.drawing import count

    numbers = ("looked at", "moved")
    table = plain_table("rebuild", "why", "state", *numbers, right=numbers)
    for one in seen:
        state = {"done": "[green]done[/green]", "superseded": "newer rules came"}.get(one.state, one.state)
        scanned, moved = (count(number) if number is not None else "" for number in (one.scanned, one.moved))
        table.add_row(str(one.id), shown(one.reason), state, scanned, moved)
    console.print(table)
