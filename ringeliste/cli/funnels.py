"""Why is a list empty, and how long does it last? Where its customers stop, and what becomes of it."""

from typing import TYPE_CHECKING, Annotated

import typer

from ringeliste.cli.front import add
from ringeliste.cli.options import AsJson, AssignmentName, CrmName

if TYPE_CHECKING:
    from rich.console import Console

    from calling.views.forecast import Forecast
    from calling.views.funnel import Funnel

PANEL = "Calls"
BAR = 24


def register(app: typer.Typer) -> None:
    """Add these commands."""
    add(app, funnel, PANEL)
    add(app, forecast, PANEL)


def funnel(
    segment: Annotated[
        str | None, typer.Option(metavar="SEGMENT", help="Only this segment, by name, key or id.")
    ] = None,
    crm: CrmName = None,
    assignment: AssignmentName = None,
    as_json: AsJson = False,
) -> None:
    """Where do the customers of a list stop? Each is counted once, at the first gate; it adds up.

    The gates stand in the order in which they are asked; `ringeliste explain` asks them of one customer.

    \b
    Examples:
      ringeliste funnel
      ringeliste funnel --segment loans
      ringeliste funnel --json
    """
    from calling.views.funnel import funnel as ask
    from ringeliste.cli.doors import reading
    from ringeliste.cli.finding import find
    from ringeliste.cli.output import answer

    with reading(crm, assignment) as (work, assignment_id):
        segment_id = find(work, "segment", segment, assignment_id=assignment_id) if segment else None
        found = ask(work, assignment_id, segment_id)
    answer(found, lambda console: _draw(console, found), as_json=as_json)


def forecast(crm: CrmName = None, assignment: AssignmentName = None, as_json: AsJson = False) -> None:
    """When does a list run dry, if it is worked as in the last hour? The next 24 hours, by quarters.

    Who is rung meanwhile and comes back is not reckoned with: it may last longer.

    \b
    Examples:
      ringeliste forecast
      ringeliste forecast --assignment Spring --json
    """
    from calling.views.forecast import forecast as ask
    from ringeliste.cli.doors import reading
    from ringeliste.cli.output import answer

    with reading(crm, assignment) as (work, assignment_id):
        found = ask(work, assignment_id)
    answer(found, lambda console: _draw_course(console, found), as_json=as_json)


def _draw_course(console: "Console", found: "Forecast") -> None:
    from ringeliste.cli.output import instant
    from ringeliste.drawing import count, counted, sparkline

    console.print(
        f"[bold]{counted(found.callable_now, 'customer')}[/bold] may be rung now; "
        f"{count(found.rings_an_hour)} an hour are."
    )
    console.print(f"[cyan]{sparkline([point.callable for point in found.course])}[/cyan]")
    console.print(f"[dim]{instant(found.course[0].at)} to {instant(found.course[-1].at)}[/dim]")
    if found.dry_at is None:
        console.print("[green]It lasts for all of that time.[/green]")
    elif found.refused and found.refused >= found.waiting:
        stopped = counted(found.refused, "customer")
        console.print(
            f"[red]From {instant(found.dry_at)} on nobody may be rung: the register of {stopped} is too old "
            "to call by; load a newer version.[/red]"
        )
    elif found.waiting:
        waiting = counted(found.waiting, "customer")
        console.print(f"[yellow]From {instant(found.dry_at)} on hours are shut; {waiting} wait.[/yellow]")
    else:
        console.print(f"[red]It runs dry at {instant(found.dry_at)}.[/red]")


def _draw(console: "Console", found: "Funnel") -> None:
    from calling.views.funnel import why_dry
    from ringeliste.cli.output import instant, plain_table, shown
    from ringeliste.drawing import count, counted

    table = plain_table("", "customers", "", "next", "", right=("customers",))
    table.add_row("all", count(found.total), _bar(found.total, found), "", "", style="bold")
    for step in found.steps:
        table.add_row(
            step.gate, f"-{count(step.customers)}", f"[red]{_bar(step.customers, found)}[/red]",
            instant(step.next_at) if step.next_at else "", f"[dim]{shown(step.meaning)}[/dim]",
        )  # fmt: skip
    free = f"[green]{_bar(found.callable_now, found)}[/green]"
    table.add_row("callable now", count(found.callable_now), free, "", "", style="bold")
    console.print(table)
    most = why_dry(found)
    if found.total and not found.callable_now:
        waits = f"{counted(most.customers, 'customer')} stop at {most.gate}: {most.meaning}" if most else (
            "everybody is finished"
        )  # fmt: skip
        console.print(f"[yellow]Nobody may be rung now; {shown(waits)}.[/yellow]")


def _bar(customers: int, found: "Funnel") -> str:
    from ringeliste.drawing import bar

    return bar(customers / (found.total or 1), BAR)
