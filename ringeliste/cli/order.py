"""Whom to call first among equals: where they answer best at this hour."""

from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from ringeliste.cli.front import add
from ringeliste.cli.options import AsJson, AssignmentName, Author, CrmName, DryRun, whoever

if TYPE_CHECKING:
    from rich.console import Console

PANEL = "Reports"


def register(app: typer.Typer) -> None:
    """Add this command."""
    add(app, order_by_hour, PANEL, "order-by-hour")


def order_by_hour(
    wanted: Annotated[
        Literal["on", "off"] | None, typer.Argument(metavar="[on|off]", help="Left out: say how it is.")
    ] = None,
    crm: CrmName = None,
    assignment: AssignmentName = None,
    author: Author = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Call first where customers answer best at this hour, among those who were tried equally often.

    It is learned of the assignment's own calls of the last weeks, each hour anew; `ringeliste best-times`
    shows the map. Everybody is called at the best hour of their own place.

    \b
    Examples:
      ringeliste order-by-hour
      ringeliste order-by-hour on --assignment Spring
      ringeliste order-by-hour off --dry-run
    """
    from calling.handout import best_hours
    from ringeliste.cli.doors import reading, writing_in
    from ringeliste.cli.output import answer, would

    if wanted is None:
        with reading(crm, assignment) as (work, assignment_id):
            found = best_hours.standing_order(work, assignment_id)
    else:
        with (
            writing_in(crm, assignment, dry_run=dry_run) as (_, open_work, assignment_id),
            open_work() as work,
        ):
            best_hours.order_by_hour(work, assignment_id, ordering=wanted == "on", author=whoever(author))
            found = best_hours.standing_order(work, assignment_id)
    document = {**found, "dry_run": dry_run}
    answer(document, lambda console: _draw(console, found, would(dry_run)), as_json=as_json)


def _draw(console: "Console", found: dict[str, Any], head: str) -> None:
    from ringeliste.cli.output import instant

    if not found["ordering"]:
        console.print(f"{head}The hour has no say in the order.")
        return
    learned = f"; learned {instant(found['learned_at'])}" if found["learned_at"] else ""
    told = f"by {found['changed_by']} since {instant(found['changed_at'])}{learned}"
    console.print(f"{head}Called first where they answer best at the hour [dim]({told})[/dim]")
