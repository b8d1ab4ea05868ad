"""How a list is cut: its segments."""

from typing import TYPE_CHECKING

from ringeliste.cli.options import AsJson, AssignmentName, CrmName

if TYPE_CHECKING:
    from rich.console import Console

    from calling.views.report import SegmentFigures
    from calling.views.segment_list import DeletedSegment, StandingPause

PANEL = "Lists"
MOST_DELETED = 10_000
BAR, ROOMY = 24, 120
NUMBERS = {
    "size": "size", "free": "free", "gated": "gated", "leased": "leased", "resting": "resting",
    "follow_up": "promised", "closed": "closed", "held": "held", "attempts": "calls", "sales": "sales",
}  # fmt: skip
"""Figures of a segment, and what stands above them; those between size and held are its parts."""
SPARE = ("gated", "leased", "resting", "follow_up", "closed", "held")
"""What has no column on a narrow screen while all of it is 0."""


def segments(crm: CrmName = None, assignment: AssignmentName = None, as_json: AsJson = False) -> None:
    """Show the segments of an assignment: how large, how many free, leased, resting, held, sold.

    The parts from free to closed make the size; held ones, put there by hand, are among them.

    \b
    Examples:
      ringeliste segments list
      ringeliste segments list --assignment "Term deposit" --json
    """
    from calling.segments.alarms import alarms
    from calling.views.report import segments as figures_of
    from ringeliste.cli.doors import reading
    from ringeliste.cli.output import answer

    with reading(crm, assignment) as (work, assignment_id):
        figures = figures_of(work, assignment_id)
        broken = {one.id for one in alarms(work, assignment_id) if one.kind == "segment"}
    answer(figures, lambda console: _draw_segments(console, figures, broken), as_json=as_json)


def deleted(crm: CrmName = None, assignment: AssignmentName = None, as_json: AsJson = False) -> None:
    """Show the segments that were deleted. Their history stays, and a roll back brings them back.

    \b
    Examples:
      ringeliste segments deleted
      ringeliste segments deleted --json
    """
    from calling.views.segment_list import deleted_segments
    from ringeliste.cli.doors import reading
    from ringeliste.cli.output import answer

    with reading(crm, assignment) as (work, assignment_id):
        found = deleted_segments(work, assignment_id, 0, MOST_DELETED)
    answer(found, lambda console: _draw_deleted(console, found), as_json=as_json)


def _draw_deleted(console: "Console", found: "list[DeletedSegment]") -> None:
    from ringeliste.cli.output import instant, number, plain_table, shown

    if not found:
        console.print("No segment was deleted.")
        return
    table = plain_table("segment", "key", "deleted", "on their way", right=("on their way",))
    for one in sorted(found, key=lambda one: one.deleted_at, reverse=True):
        table.add_row(shown(one.name), shown(one.key), instant(one.deleted_at), number(one.size))
    console.print(table)


def _draw_segments(console: "Console", figures: "list[SegmentFigures]", broken: set[int]) -> None:
    from rich.table import Table

    from ringeliste.cli.output import number, shown
    from ringeliste.drawing import bar, count

    table = Table(box=None, header_style="dim", padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("segment", no_wrap=True, min_width=12)
    roomy = console.width >= ROOMY
    totals = {name: sum(getattr(one, name) for one in figures) for name in NUMBERS}
    columns = [name for name in NUMBERS if roomy or totals[name] or name not in SPARE]
    for name in columns:
        table.add_column(NUMBERS[name], justify="right", no_wrap=True)
    if roomy:
        table.add_column("key", style="dim", no_wrap=True)
        table.add_column("", style="cyan", no_wrap=True, min_width=BAR)
    largest = max((one.size for one in figures), default=0) or 1
    for one in figures:
        marks = (["paused"] if one.paused else []) + (["broken rule"] if one.id in broken else [])
        titled = f"[red]{shown(one.name)} ({', '.join(marks)})[/red]" if marks else shown(one.name)
        more = (shown(one.key), bar(one.size / largest, BAR)) if roomy else ()
        table.add_row(titled, *(number(getattr(one, name)) for name in columns), *more)
    table.add_row("together", *(count(totals[name]) for name in columns), style="bold")
    console.print(table)
    for one in figures:
        if one.pause is not None:
            console.print(f"[yellow]{shown(_paused(one.name, one.pause))}[/yellow]")


def _paused(name: str, pause: "StandingPause") -> str:
    from datetime import UTC

    from calling.views.deeds import until

    whole = {
        "owner": "all CRMs of its data owner", "everything": "everything", "crm": "all of its CRM",
    }.get(pause.scope, f"all of its {pause.scope}")  # fmt: skip
    what = name if pause.scope == "segment" else f"{name}, with {whole},"
    end = f" {until(pause.ends_at, UTC)} UTC" if pause.ends_at else ""
    return f"{what} is paused{end} by {pause.author}: {pause.reason}"
