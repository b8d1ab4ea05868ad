"""What is done to everybody in a segment, or to a selection: back to free, ready again, holds let go."""

from typing import Annotated

import typer

from models.errors import BadInput
from ringeliste.cli.asking import Asked, bulk_bar, do_to_all, sure_of, tell_done
from ringeliste.cli.options import AsJson, AssignmentName, Author, CrmName, DryRun, whoever
from ringeliste.cli.segment_options import Expect, MaybeSegment, Reason, Segment, TolerancePercent, Yes
from ringeliste.cli.wheres import Where, select


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
    segment: MaybeSegment = None,
    where: Where = None,
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
    """Make everybody ready who rests in a segment or a selection. Promised calls and closed customers stay.

    \b
    Examples:
      ringeliste segments wake loans --dry-run
      ringeliste segments wake unsegmented --yes
      ringeliste segments wake -w job=student,retired --expect 80
    """
    from calling.segments import freeing, selection
    from ringeliste.cli.doors import writing_in

    asked = Asked("resting", "Make {} ready now?", reason, expect, tolerance, yes)
    if (segment is None) == (not where):
        raise BadInput("wake: name a segment, or say who with --where; one of the two")
    if segment is not None:
        done = do_to_all(segment, asked, freeing.wake_segment, crm, assignment, author, dry_run=dry_run)
        tell_done(done, "ready now", dry_run=dry_run, as_json=as_json)
        return
    with writing_in(crm, assignment, dry_run=dry_run) as (_, open_work, assignment_id):
        with open_work() as work:
            chosen = select(work, assignment_id, where, only=selection.resting)
        expected = sure_of(chosen.found, asked, dry_run=dry_run)
        with bulk_bar() as progress:
            done = selection.wake_selection(
                open_work, assignment_id, chosen.filters, expected=expected, author=whoever(author),
                reason=reason, what=chosen.what, progress=progress,
            )  # fmt: skip
    tell_done(done, "ready now", dry_run=dry_run, as_json=as_json)


def release(
    segment: MaybeSegment = None,
    customer: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="Only this customer, by external id; or several.")
    ] = None,
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
    """Let go of every hold in a segment, or of those of some customers; the rules place them again.

    \b
    Examples:
      ringeliste segments release unsegmented --dry-run
      ringeliste segments release loans --yes
      ringeliste segments release --customer bm-01841 --customer bm-01850
    """
    from calling.segments.freeing import release_segment

    if (segment is None) == (not customer):
        raise BadInput("release: name a segment, or customers with --customer; one of the two")
    if segment is None:
        _release_some(customer or [], crm, assignment, author, dry_run=dry_run, as_json=as_json)
        return
    asked = Asked("held", "Let go of {}?", reason, expect, tolerance, yes)
    done = do_to_all(segment, asked, release_segment, crm, assignment, author, dry_run=dry_run)
    tell_done(done, "moved to where the rules say", dry_run=dry_run, as_json=as_json)


def _release_some(
    external_ids: list[str], crm: str | None, assignment: str | None, author: str | None, *, dry_run: bool,
    as_json: bool,
) -> None:  # fmt: skip
    from calling.segments.holding import release as let_go
    from ringeliste.cli.doors import writing_in
    from ringeliste.cli.output import answer, would
    from ringeliste.cli.suppression import customer_id
    from ringeliste.drawing import counted

    with writing_in(crm, assignment, dry_run=dry_run) as (_, open_work, assignment_id):
        with open_work() as work:
            customers = [customer_id(work, one) for one in external_ids]
        moved = let_go(open_work, assignment_id, customers, author=whoever(author))
    said = f"{counted(moved, 'customer')} moved to where the rules say."
    document = {"moved": moved, "dry_run": dry_run}
    answer(document, lambda console: console.print(would(dry_run) + said), as_json=as_json)
