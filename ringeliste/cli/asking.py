"""Deeds on many customers: ask whether somebody is sure, show how far it is, tell what came of it."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import typer

from models.errors import BadInput
from ringeliste.cli.options import whoever

if TYPE_CHECKING:
    from calling.segments.bulk import BulkDone
    from calling.segments.selection import Expected


@dataclass(frozen=True)
class Asked:
    """What is asked before it is done. `which` of the counts of `affected` it is about."""

    which: str
    question: str
    reason: str
    expect: int | None
    tolerance: float
    yes: bool


def do_to_all(
    segment: str, asked: Asked, verb: "Callable[..., BulkDone]", crm: str | None, assignment: str | None,
    author: str | None, *, dry_run: bool,
) -> "BulkDone":  # fmt: skip
    """Free, wake or release everybody in a segment, once somebody is sure. Raises what `verb` raises."""
    from calling.segments.freeing import affected
    from ringeliste.cli.doors import writing_in
    from ringeliste.cli.finding import find

    with writing_in(crm, assignment, dry_run=dry_run) as (_, open_work, assignment_id):
        with open_work() as work:
            segment_id = find(work, "segment", segment, assignment_id=assignment_id)
            found = affected(work, assignment_id, segment_id)[asked.which]
        expected = sure_of(found, asked, dry_run=dry_run)
        with bulk_bar() as progress:
            return verb(
                open_work, assignment_id, segment_id, expected=expected, author=whoever(author),
                reason=asked.reason, progress=progress,
            )  # fmt: skip


def sure_of(found: int, asked: Asked, *, dry_run: bool) -> "Expected":
    """Ask about as many as were found; a dry run asks nobody."""
    from ringeliste.drawing import counted

    question = asked.question.format(counted(found, "customer"))
    return sure(found, question, asked.expect, asked.tolerance, yes=asked.yes or dry_run)


def sure(found: int, question: str, expect: int | None, tolerance: float, *, yes: bool) -> "Expected":
    """How many it may be: as many as expected, or as the one who was asked has seen."""
    from calling.segments.selection import Expected

    if expect is not None:
        return Expected(expect, percent=tolerance)
    if not yes and not sys.stdin.isatty():
        raise BadInput(f"{question} Nobody can be asked here: say --yes, or how many with --expect")
    if not yes and not typer.confirm(question, err=True):
        raise typer.Abort
    return Expected(found, percent=tolerance)


@contextmanager
def bulk_bar() -> Iterator[Callable[[int, int], None]]:
    """A bar on a terminal for what takes longer."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (SpinnerColumn(), BarColumn(30), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("")
        yield lambda done, of: bar.update(task, completed=done, total=of)


def tell_done(done: "BulkDone", what: str, *, dry_run: bool, as_json: bool) -> None:
    """Print what came of it."""
    from ringeliste.cli.output import answer, shown, would
    from ringeliste.drawing import counted

    document = {
        "id": done.id, "customers": done.customers, "changed": done.changed, "dry_run": dry_run,
    }  # fmt: skip
    others = f" ({counted(done.customers - done.changed, 'other')} stood there already)"
    said = f"{counted(done.changed, 'customer')} {what}{others if done.changed < done.customers else ''}."
    answer(document, lambda console: console.print(would(dry_run) + shown(said)), as_json=as_json)
