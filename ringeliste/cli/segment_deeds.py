"""What is done to many customers at once: moved, back to free, ready again, holds let go."""

from datetime import timedelta
from typing import Annotated

import typer

from models.ends import LONGEST_HOLD
from models.errors import BadInput
from ringeliste.cli.asking import Asked, bulk_bar, do_to_all, sure, tell_done
from ringeliste.cli.options import AsJson, AssignmentName, Author, CrmName, DryRun, whoever
from ringeliste.cli.wheres import Where, read_wheres

Segment = Annotated[str, typer.Argument(metavar="SEGMENT", help="A segment by name, key or id.")]
Reason = Annotated[str, typer.Option(help="Why; it stands in the history.")]
Expect = Annotated[
    int | None,
    typer.Option(min=0, metavar="N", help="How many you expect: it is refused when there are others."),
]
TolerancePercent = Annotated[
    float, typer.Option("--tolerance", min=0, max=100, metavar="PERCENT", help="How far that may be off.")
]
Days = Annotated[
    int | None,
    typer.Option(min=1, max=LONGEST_HOLD.days, help="For so many days; else until released."),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask whether you are sure.")]


def move(
    segment: Segment,
    where: Where = None,
    reason: Reason = "moved by hand",
    days: Days = None,
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
        expected = sure(found, question, expect, tolerance, yes=yes or dry_run)
        expires_at = app.now() + timedelta(days=days) if days else None
        with bulk_bar() as progress:
            done = selection.move_selection(
                open_work, assignment_id, filters, target, expected=expected, author=whoever(author),
                reason=reason, expires_at=expires_at, what=what, progress=progress,
            )  # fmt: skip
    tell_done(done, f"moved to {segment}", dry_run=dry_run, as_json=as_json)


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

    asked = Asked("customers", "Move {} back to free?", reason, expect, tolerance, yes)
    done = do_to_all(segment, asked, free_segment, crm, assignment, author, dry_run=dry_run)
    tell_done(done, "moved back to free", dry_run=dry_run, as_json=as_json)


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

    asked = Asked("resting", "Make {} ready now?", reason, expect, tolerance, yes)
    done = do_to_all(segment, asked, wake_segment, crm, assignment, author, dry_run=dry_run)
    tell_done(done, "ready now", dry_run=dry_run, as_json=as_json)


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

    asked = Asked("held", "Let go of {}?", reason, expect, tolerance, yes)
    done = do_to_all(segment, asked, release_segment, crm, assignment, author, dry_run=dry_run)
    tell_done(done, "moved to where the rules say", dry_run=dry_run, as_json=as_json)
