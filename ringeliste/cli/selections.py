"""What is done to a selection of customers: moved, made into a segment, told as a rule."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from models.errors import BadInput
from ringeliste.cli.asking import Asked, bulk_bar, sure_of, tell_done
from ringeliste.cli.options import AsJson, AssignmentName, Author, CrmName, DryRun, whoever
from ringeliste.cli.segment_options import Days, Expect, Reason, Segment, TolerancePercent, Yes, ends_at
from ringeliste.cli.wheres import Where, read_wheres

if TYPE_CHECKING:
    from rich.console import Console

    from calling.segments.selection import Created


class How(StrEnum):
    """How a selection comes into its new segment."""

    RULE = "rule"
    HOLD = "hold"


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
    from ringeliste.cli.doors import writing_in
    from ringeliste.cli.finding import find

    asked = Asked("", f"Move {{}} to {segment}?", reason, expect, tolerance, yes)
    if not where:
        raise BadInput("move: say who with --where, as in --where job=student")
    with writing_in(crm, assignment, dry_run=dry_run) as (app, open_work, assignment_id):
        with open_work() as work:
            target = find(work, "segment", segment, assignment_id=assignment_id)
            filters = read_wheres(work, assignment_id, where)
            what = in_words(work, assignment_id, filters)
            found = selection.count(work, assignment_id, filters)
        expected = sure_of(found, asked, dry_run=dry_run)
        with bulk_bar() as progress:
            done = selection.move_selection(
                open_work, assignment_id, filters, target, expected=expected, author=whoever(author),
                reason=reason, expires_at=ends_at(app, days), what=what, progress=progress,
            )  # fmt: skip
    tell_done(done, f"moved to {segment}", dry_run=dry_run, as_json=as_json)


def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Its name; its key is made of it.")],
    where: Where = None,
    how: Annotated[
        How, typer.Option(help="rule: whoever comes to be like them as well. hold: these customers, once.")
    ] = How.RULE,
    before: Annotated[
        str | None, typer.Option(metavar="SEGMENT", help="In front of this segment; else first.")
    ] = None,
    last: Annotated[bool, typer.Option("--last", help="Behind all others.")] = False,
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
    """Make a segment of a selection: by a standing rule, or with these very customers held in it.

    It tells how many will really be in it: segments in front of it and holds keep theirs.

    \b
    Examples:
      ringeliste segments new Young -w age=..30 --dry-run
      ringeliste segments new "Young and free" -w job=student -w loan=no --expect 510 --tolerance 2
      ringeliste segments new Trial -w job=student --how hold --reason trial --days 5 --before loans
    """
    from calling.segments import selection
    from calling.segments.editing import key_of
    from calling.views.bars import in_words
    from ringeliste.cli.doors import somebody_works, writing_in
    from ringeliste.cli.finding import find
    from ringeliste.cli.output import answer

    asked = Asked("", f"Make {name} of {{}}?", reason, expect, tolerance, yes)
    if not where:
        raise BadInput("new: say who with --where, as in --where job=student")
    with writing_in(crm, assignment, dry_run=dry_run) as (app, open_work, assignment_id):
        with open_work() as work:
            filters = read_wheres(work, assignment_id, where)
            what = in_words(work, assignment_id, filters)
            found = selection.count(work, assignment_id, filters)
            front = before and key_of(
                work, assignment_id, find(work, "segment", before, assignment_id=assignment_id)
            )
        common: dict[str, Any] = {
            "expected": sure_of(found, asked, dry_run=dry_run), "author": whoever(author), "before": front,
            "last": last,
        }  # fmt: skip
        if how is How.RULE:
            made = selection.save_as_rule(open_work, assignment_id, filters, name, **common)
        else:
            with bulk_bar() as progress:
                made = selection.hold_in_new(
                    open_work, assignment_id, filters, name, reason=reason, expires_at=ends_at(app, days),
                    what=what, progress=progress, **common,
                )  # fmt: skip
        worked = somebody_works(app)
    document = {
        "version": made.version, "segment_id": made.segment_id, "key": made.key, "selected": made.selected,
        "comes": made.comes, "done": made.done, "dry_run": dry_run, "somebody_works": worked,
    }  # fmt: skip
    answer(document, lambda console: _draw_made(console, name, made, document), as_json=as_json)


def rule(
    where: Where = None, crm: CrmName = None, assignment: AssignmentName = None, as_json: AsJson = False
) -> None:
    """Show the rule that exactly a selection meets, as people write it. Nothing is changed.

    \b
    Examples:
      ringeliste segments rule -w job=student,retired -w age=20..40
      ringeliste segments rule -w job=empty --json
    """
    from calling.segments import selection
    from ringeliste.cli.doors import reading
    from ringeliste.cli.output import answer, shown
    from segmentation.nodes import dump_node
    from segmentation.text.writing import write_rule

    if not where:
        raise BadInput("rule: say who with --where, as in --where job=student")
    with reading(crm, assignment) as (work, assignment_id):
        tree = selection.rule_of(work, assignment_id, read_wheres(work, assignment_id, where))
    document = {"when": dump_node(tree), "text": write_rule(tree)}
    answer(document, lambda console: console.print(shown(document["text"])), as_json=as_json)


def _draw_made(console: "Console", name: str, made: "Created", document: dict[str, Any]) -> None:
    from ringeliste.cli.output import moving, shown, would
    from ringeliste.drawing import count, counted

    console.print(f"{would(document['dry_run'])}[bold]{shown(name)}[/bold] is made, as {shown(made.key)}.")
    if made.done is not None:
        console.print(f"{counted(made.done.customers, 'customer')} are held in it.")
        return
    if made.comes is None:
        console.print(f"How many of the {count(made.selected)} come into it cannot be told now.")
    elif made.comes == made.selected:
        console.print(f"All {counted(made.selected, 'customer')} come into it.")
    else:
        console.print(
            f"{count(made.comes)} of {counted(made.selected, 'customer')} come into it; segments in front of "
            "it and holds keep the others."
        )
    if not document["dry_run"]:
        console.print(moving(document["somebody_works"]))
