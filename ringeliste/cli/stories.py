"""What happened to a segment, drawn with letters; and the picture of its typical member."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringeliste.cli.options import AsJson, AssignmentName, CrmName
from ringeliste.cli.segment_options import Segment

if TYPE_CHECKING:
    from rich.console import Console

    from calling.segments.history import Deed, SegmentHistory
    from calling.views.portraits import NamedPortrait

CAUSES = {
    "entered": "came in", "rule": "by rule", "event": "by events", "time": "by time", "hand": "by hand",
    "left": "left for good", "anonymised": "anonymised",
}  # fmt: skip
WIDTH = 60
MOST_DEEDS = 12
BAR = 24


def history(
    segment: Segment,
    hours: Annotated[int, typer.Option(min=1, max=24 * 366, help="How far back, in business time.")] = 24,
    crm: CrmName = None,
    assignment: AssignmentName = None,
    as_json: AsJson = False,
) -> None:
    """Show a segment over time: its size, who came and went by cause, and who did what.

    That of a deleted one stays: `ringeliste segments deleted` lists them.

    \b
    Examples:
      ringeliste segments history loans
      ringeliste segments history loans --hours 168 --json
    """
    from datetime import timedelta

    from calling.segments.history import history as story_of
    from ringeliste.cli.doors import reading
    from ringeliste.cli.finding import find_ever
    from ringeliste.cli.output import answer

    with reading(crm, assignment) as (work, assignment_id):
        segment_id = find_ever(work, segment, assignment_id)
        back = timedelta(hours=hours)
        told = story_of(work, segment_id, work.now - back, back / WIDTH)
    answer(told, lambda console: _draw_history(console, told), as_json=as_json)


def portrait(
    segment: Segment, crm: CrmName = None, assignment: AssignmentName = None, as_json: AsJson = False
) -> None:
    """Show the typical member of a segment: means, values that stand out, contact rate, best hours.

    \b
    Examples:
      ringeliste portrait loans
      ringeliste portrait loans --json
    """
    from calling.views.portraits import named_portrait
    from ringeliste.cli.doors import reading
    from ringeliste.cli.finding import find
    from ringeliste.cli.output import answer

    with reading(crm, assignment) as (work, assignment_id):
        segment_id = find(work, "segment", segment, assignment_id=assignment_id)
        found = named_portrait(work, assignment_id, segment_id)
    answer(_document(found), lambda console: _draw_portrait(console, segment, found), as_json=as_json)


def _draw_history(console: "Console", told: "SegmentHistory") -> None:
    from ringeliste.cli.output import instant, number, plain_table, shown
    from ringeliste.drawing import count, sparkline

    sizes = [step.size for step in told.steps]
    console.print(f"[bold]{shown(told.name)}[/bold] [dim]since {instant(told.since)}[/dim]")
    console.print(
        f"[cyan]{sparkline(sizes)}[/cyan]  {count(told.size_before)} → [bold]{count(told.size)}[/bold]"
    )
    causes = sorted(
        {cause for step in told.steps for cause in (*step.came, *step.went)}, key=list(CAUSES).index
    )
    if causes:
        table = plain_table("", "in", "out", "", right=("in", "out"))
        for cause in causes:
            came, went = (
                [getattr(step, way).get(cause, 0) for step in told.steps] for way in ("came", "went")
            )
            drawn = sparkline([one + other for one, other in zip(came, went, strict=True)])
            table.add_row(CAUSES[cause], number(sum(came)), number(sum(went)), drawn)
        console.print(table)
    else:
        console.print("[dim]Nobody came or went.[/dim]")
    for deed in told.deeds[-MOST_DEEDS:]:
        console.print(f"[dim]{deed.done_at:%a %d %b %H:%M}[/dim]  {shown(deed_in_words(deed))}")


def deed_in_words(deed: "Deed") -> str:
    """Kari moved 510 customers here (Job: student): campaign."""
    from calling.views.deeds import in_words

    return in_words(deed)


def _document(found: "NamedPortrait") -> dict[str, Any]:
    from segmentation.facets.spelling import spelled

    of = found.of
    calls = of.calls.worked
    worked = {
        "attempts": calls.attempts, "contacts": calls.contacts, "sales": calls.sales,
        "contact_rate": calls.contact_rate, "conversion_rate": calls.conversion_rate,
    }  # fmt: skip
    return {
        "segment_id": of.segment_id, "size": of.size, "assignment": of.assignment, "as_of": of.as_of,
        "numbers": [one.figures for one in found.numbers],
        "standouts": [
            {"dimension": one.dimension, "value": spelled(one.value), "name": one.name, "count": one.count,
             "of_all": one.of_all, "lift": one.lift, "deviations": one.deviations}
            for one in found.standouts
        ],
        "sample": of.numbers.sample, "sample_of_all": of.numbers.sample_of_all,
        "calls_since": of.calls.since, "calls_cut": of.calls.cut, "worked": worked,
        "hours": [{"hour": hour, "contact_rate": work.contact_rate, "attempts": work.attempts}
                  for hour, work in of.calls.hours],
    }  # fmt: skip


def _draw_portrait(console: "Console", segment: str, found: "NamedPortrait") -> None:
    from ringeliste.cli.output import instant, plain_table, shown
    from ringeliste.drawing import bar, count

    of = found.of
    console.print(
        f"[bold]{shown(segment)}[/bold] {count(of.size)} [dim]of {count(of.assignment)} customers[/dim]"
    )
    table = plain_table("", "mean", "median", "everybody", right=("mean", "median", "everybody"))
    for one in found.numbers:
        figures = one.figures
        table.add_row(
            shown(one.title), *(f"{n:,.1f}" for n in (figures.mean, figures.median, figures.mean_of_all))
        )
    if found.numbers:
        console.print(table)
    if of.numbers.sample_of_all < of.assignment:
        sample, of_all = count(of.numbers.sample), count(of.numbers.sample_of_all)
        console.print(f"[dim]numbers of {sample} of them and {of_all} of everybody[/dim]")
    table = plain_table("more often here", "", "lift", "here", "", right=("lift", "here"))
    most = max((one.lift for one in found.standouts), default=1)
    for stands in found.standouts:
        table.add_row(
            shown(stands.title), shown(stands.name), f"{stands.lift:.1f}×", count(stands.count),
            f"[cyan]{bar(stands.lift / most, BAR)}[/cyan]",
        )  # fmt: skip
    if found.standouts:
        console.print(table)
    worked = of.calls.worked
    if worked.attempts:
        best = ", ".join(f"{hour:02}:00" for hour, _ in of.calls.hours[:3])
        console.print(
            f"{count(worked.attempts)} calls, {worked.contact_rate:.0%} reached, "
            f"{worked.conversion_rate or 0:.0%} of those bought; best at {best}"
        )
        which = "the last of them " if of.calls.cut else ""
        console.print(f"[dim]{which}since {instant(of.calls.since)}[/dim]")
    else:
        console.print(f"[dim]Nobody was called from it since {instant(of.calls.since)}.[/dim]")
