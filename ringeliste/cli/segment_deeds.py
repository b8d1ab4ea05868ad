"""What is done to many customers at once: moved, back to free, ready again, holds let go."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from models.errors import BadInput
from ringeliste.cli.options import AsJson, AssignmentName, Author, CrmName, DryRun, whoever
from ringeliste.cli.wheres import Where, read_wheres

if TYPE_CHECKING:
    from calling.segments.bulk import BulkDone
    from calling.segments.selection import Expected

Segment = Annotated[str, typer.Argument(metavar="SEGMENT", help="A segment by name, key or id.")]
Reason = Annotated[str, typer.Option(help="Why; it stands in the history.")]
Expect = Annotated[
    int | None,
    typer.Option(min=0, metavar="N", help="How many you expect: it is refused when there are others."),
]
TolerancePercent = Annotated[
    float, typer.Option("--tolerance", min=0, max=100, metavar="PERCENT", help="How far that may be off.")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask whether you are sure.")]


def move(
    segment: Segment,
    where: Where = None,
    reason: Reason = "moved by hand",
    days: Annotated[int | None, typer.Option(min=1, help="For so many days; else until released.")] = None,
    expect: Expect = None,
    tolerance: TolerancePercent = 0,
    yes: Yes = False,
    crm: CrmName = None,
    assignment: AssignmentName = None,
    author: Author = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Hold a selection of customers in a segment, whatever its rules say, until released.

    \b
    Examples:
      ringeliste segments move loans -w job=student,retired --reason campaign
      ringeliste segments move loans -w age=20..40 --days 5 --expect 510 --tolerance 2
      ringeliste segments move loans -w job=empty --dry-run
    """
    from calling.segments import selection
    from calling.views.bars import in_words
    from ringeliste.cli.doors import writing
    from ringeliste.cli.finding import find
    from ringeliste.drawing import counted

    if not where:
        raise BadInput("move: say who with --where, as in --where job=student")
    with writing(crm, dry_run=dry_run) as (app, open_work):
        with open_work() as work:
            assignment_id = find(work, "assignment", assignment)
            target = find(work, "segment", segment, assignment_id=assignment_id)
            filters = read_wheres(work, assignment_id, where)
            what = in_words(work, assignment_id, filters)
            found = selection.count(work, assignment_id, filters)
        question = f"Move {counted(found, 'customer')} to {segment}?"
        expected = _sure(found, question, expect, tolerance, yes=yes or dry_run)
        expires_at = app.now() + timedelta(days=days) if days else None
        with _bar() as progress:
            done = selection.move_selection(
                open_work, assignment_id, filters, target, expected=expected, author=whoever(author),
                reason=reason, expires_at=expires_at, what=what, progress=progress,
            )  # fmt: skip
    _tell(done, f"moved to {segment}", dry_run=dry_run, as_json=as_json)


def free(
    segment: Segment,
    reason: Reason = "moved back to free",
    expect: Expect = None,
    tolerance: TolerancePercent = 0,
    yes: Yes = False,
    crm: CrmName = None,
    assignment: AssignmentName = None,
    author: Author = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Move everybody in a segment back to free: to Unsegmented, with a hold each.

    State, status and follow-ups stay; `segments wake` makes resting ones ready.

    \b
    Examples:
      ringeliste segments free loans --dry-run
      ringeliste segments free loans --expect 7244 --tolerance 1 --reason "campaign is over"
    """
    from calling.segments.freeing import free_segment

    asked = _Asked("customers", "Move {} back to free?", reason, expect, tolerance, yes)
    done = _all(segment, asked, free_segment, crm, assignment, author, dry_run=dry_run)
    _tell(done, "moved back to free", dry_run=dry_run, as_json=as_json)


def wake(
    segment: Segment,
    reason: Reason = "woken by hand",
    expect: Expect = None,
    tolerance: TolerancePercent = 0,
    yes: Yes = False,
    crm: CrmName = None,
    assignment: AssignmentName = None,
    author: Author = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Make everybody ready who rests in a segment. Promised calls and closed customers stay.

    \b
    Examples:
      ringeliste segments wake loans --dry-run
      ringeliste segments wake unsegmented --yes
    """
    from calling.segments.freeing import wake_segment

    asked = _Asked("resting", "Make {} ready now?", reason, expect, tolerance, yes)
    done = _all(segment, asked, wake_segment, crm, assignment, author, dry_run=dry_run)
    _tell(done, "ready now", dry_run=dry_run, as_json=as_json)


def release(
    segment: Segment,
    reason: Reason = "released",
    expect: Expect = None,
    tolerance: TolerancePercent = 0,
    yes: Yes = False,
    crm: CrmName = None,
    assignment: AssignmentName = None,
    author: Author = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Let go of every hold in a segment; the rules place its customers again.

    \b
    Examples:
      ringeliste segments release unsegmented --dry-run
      ringeliste segments release loans --yes
    """
    from calling.segments.freeing import release_segment

    asked = _Asked("held", "Let go of {}?", reason, expect, tolerance, yes)
    done = _all(segment, asked, release_segment, crm, assignment, author, dry_run=dry_run)
    _tell(done, "moved to where the rules say", dry_run=dry_run, as_json=as_json)


@dataclass(frozen=True)
class _Asked:
    """What is asked before it is done. `which` of the counts of `affected` it is about."""

    which: str
    question: str
    reason: str
    expect: int | None
    tolerance: float
    yes: bool


def _all(
    segment: str, asked: _Asked, verb: "Callable[..., BulkDone]", crm: str | None, assignment: str | None,
    author: str | None, *, dry_run: bool,
) -> "BulkDone":  # fmt: skip
    from calling.segments.freeing import affected
    from ringeliste.cli.doors import writing
    from ringeliste.cli.finding import find
    from ringeliste.drawing import counted

    with writing(crm, dry_run=dry_run) as (_, open_work):
        with open_work() as work:
            assignment_id = find(work, "assignment", assignment)
            segment_id = find(work, "segment", segment, assignment_id=assignment_id)
            found = affected(work, assignment_id, segment_id)[asked.which]
        question = asked.question.format(counted(found, "customer"))
        expected = _sure(found, question, asked.expect, asked.tolerance, yes=asked.yes or dry_run)
        with _bar() as progress:
            return verb(
                open_work, assignment_id, segment_id, expected=expected, author=whoever(author),
                reason=asked.reason, progress=progress,
            )  # fmt: skip


def _sure(found: int, question: str, expect: int | None, tolerance: float, *, yes: bool) -> "Expected":
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
def _bar() -> Iterator[Callable[[int, int], None]]:
    """A bar on a terminal for what takes longer."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (SpinnerColumn(), BarColumn(30), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("")
        yield lambda done, of: bar.update(task, completed=done, total=of)


def _tell(done: "BulkDone", what: str, *, dry_run: bool, as_json: bool) -> None:
    from ringeliste.cli.output import answer, shown, would
    from ringeliste.drawing import counted

    document = {
        "id": done.id, "customers": done.customers, "changed": done.changed, "dry_run": dry_run,
    }  # fmt: skip
    others = f" ({counted(done.customers - done.changed, 'other')} stood there already)"
    said = f"{counted(done.changed, 'customer')} {what}{others if done.changed < done.customers else ''}."
    answer(document, lambda console: console.print(would(dry_run) + shown(said)), as_json=as_json)
