"""What is done to a selection of customers: moved, made into a segment, told as a rule."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from models.errors import BadInput
from ringeliste.cli.asking import Asked, bulk_bar, sure_of, tell_done
from ringeliste.cli.options import AsJson, AssignmentName, Author, CrmName, DryRun, whoever
from ringeliste.cli.segment_options import (
    Days,
    Expect,
    MaybeReason,
    Reason,
    Segment,
    TolerancePercent,
    Yes,
    ends_at,
)
from ringeliste.cli.wheres import Selected, Where, demand, read_wheres, select

if TYPE_CHECKING:
    from datetime import datetime

    from rich.console import Console

    from calling.segments.selection import Created
    from models.work import OpenWork, Work

BY_HAND = "moved by hand"


class How(StrEnum):
    """How a selection comes into its new segment."""

    RULE = "rule"
    HOLD = "hold"


def move(
    segment: Segment,
    where: Where = None,
    reason: Reason = BY_HAND,
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
    from ringeliste.cli.doors import writing_in
    from ringeliste.cli.finding import find

    asked = Asked("", f"Move {{}} to {segment}?", reason, expect, tolerance, yes)
    demand(where, "move")
    with writing_in(crm, assignment, dry_run=dry_run) as (app, open_work, assignment_id):
        with open_work() as work:
            target = find(work, "segment", segment, assignment_id=assignment_id)
            chosen = select(work, assignment_id, where)
        expected = sure_of(chosen.found, asked, dry_run=dry_run)
        with bulk_bar() as progress:
            done = selection.move_selection(
                open_work, assignment_id, chosen.filters, target, expected=expected, author=whoever(author),
                reason=reason, expires_at=ends_at(app, days), what=chosen.what, progress=progress,
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
    reason: MaybeReason = None,
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
    from ringeliste.cli.doors import somebody_works, writing_in
    from ringeliste.cli.output import answer

    demand(where, "new")
    if how is How.RULE and (days is not None or reason is not None):
        raise BadInput("new: --days and --reason are of holds; say --how hold, or leave them out")
    asked = Asked("", f"Make {name} of {{}}?", reason or BY_HAND, expect, tolerance, yes)
    with writing_in(crm, assignment, dry_run=dry_run) as (app, open_work, assignment_id):
        with open_work() as work:
            chosen = select(work, assignment_id, where)
            front = before and _key(work, assignment_id, before)
        common = {
            "expected": sure_of(chosen.found, asked, dry_run=dry_run), "author": whoever(author),
            "before": front, "last": last,
        }  # fmt: skip
        held = _Held(asked.reason, ends_at(app, days)) if how is How.HOLD else None
        made = _make(open_work, assignment_id, chosen, name, held, common)
        worked = somebody_works(app)
    document = {
        "version": made.version, "segment_id": made.segment_id, "key": made.key, "selected": made.selected,
        "comes": made.comes, "done": made.done, "dry_run": dry_run, "somebody_works": worked,
    }  # fmt: skip
    answer(document, lambda console: _draw_made(console, name, made, document), as_json=as_json)


@dataclass(frozen=True)
class _Held:
    reason: str
    until: "datetime | None"


def _make(
    open_work: "OpenWork", assignment_id: int, chosen: Selected, name: str, held: _Held | None,
    common: dict[str, Any],
) -> "Created":  # fmt: skip
    """Make the segment: with a standing rule, or with these very customers held in it."""
    from calling.segments import selection

    if held is None:
        return selection.save_as_rule(open_work, assignment_id, chosen.filters, name, **common)
    with bulk_bar() as progress:
        return selection.hold_in_new(
            open_work, assignment_id, chosen.filters, name, reason=held.reason, expires_at=held.until,
            what=chosen.what, progress=progress, **common,
        )  # fmt: skip


def _key(work: "Work", assignment_id: int, segment: str) -> str | None:
    from calling.segments.editing import key_of
    from ringeliste.cli.finding import find

    return key_of(work, assignment_id, find(work, "segment", segment, assignment_id=assignment_id))


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

    demand(where, "rule")
    with reading(crm, assignment) as (work, assignment_id):
        tree = selection.rule_of(work, assignment_id, read_wheres(work, assignment_id, where))
    document = {"when": dump_node(tree), "text": write_rule(tree)}
    answer(document, lambda console: console.print(shown(document["text"])), as_json=as_json)


def _draw_made(console: "Console", name: str, made: "Created", document: dict[str, Any]) -> None:
    from ringeliste.cli.output import moving, shown, would
    from ringeliste.drawing import counted

    console.print(f"{would(document['dry_run'])}[bold]{shown(name)}[/bold] is made, as {shown(made.key)}.")
    if made.done is not None:
        held = made.done.customers
        console.print(f"{counted(held, 'customer')} {'is' if held == 1 else 'are'} held in it.")
        return
    console.print(_coming(made.selected, made.comes))
    if not document["dry_run"]:
        console.print(moving(document["somebody_works"]))


def _coming(selected: int, comes: int | None) -> str:
    """How many of those selected will be in it."""
    from ringeliste.drawing import count, counted

    everybody = counted(selected, "customer")
    if comes is None:
        return f"How many of the {count(selected)} come into it cannot be told now."
    verb = "comes" if 1 in (selected, comes) else "come"
    if comes == selected:
        return f"{'' if selected == 1 else 'All '}{everybody} {verb} into it."
    others = "other" if selected - comes == 1 else "others"
    return (
        f"{count(comes)} of {everybody} {verb} into it; segments in front of it and holds keep the {others}."
    )
