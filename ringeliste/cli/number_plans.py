"""Number plans: which kinds of number an assignment rings first at which hours, and when the next one."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from models.errors import BadInput
from ringeliste.cli.front import add as add_command
from ringeliste.cli.options import AsJson, AssignmentName, Author, CrmName, DryRun, whoever

if TYPE_CHECKING:
    from rich.console import Console

    from calling.numbers.plans import StandingPlan


def register(group: typer.Typer) -> None:
    """Add these commands to `numbers`."""
    add_command(group, show, name="plan")
    add_command(group, prefer)


def show(crm: CrmName = None, assignment: AssignmentName = None, as_json: AsJson = False) -> None:
    """Show which numbers an assignment rings first at which hours, and after how many calls the next.

    \b
    Examples:
      ringeliste numbers plan
      ringeliste numbers plan --assignment Loans --json
    """
    from calling.numbers.plans import number_plan
    from ringeliste.cli.doors import reading
    from ringeliste.cli.output import answer

    with reading(crm, assignment) as (work, assignment_id):
        found = number_plan(work, assignment_id)
    answer(_document(found), lambda console: _draw(console, found), as_json=as_json)


def prefer(
    rows: Annotated[
        list[str] | None,
        typer.Option(
            "--row", metavar="ROW", help='As "work mon-fri 09:00-16:00"; the first that holds decides.'
        ),
    ] = None,
    next_after: Annotated[
        int | None, typer.Option(help="So many calls in a row without an answer, then the next number.")
    ] = None,
    never_next: Annotated[bool, typer.Option("--never-next", help="However many calls there are.")] = False,
    default: Annotated[bool, typer.Option("--default", help="As it was before anybody changed it.")] = False,
    crm: CrmName = None,
    assignment: AssignmentName = None,
    author: Author = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Say all of an assignment's number plan. It holds from the next customer who is dealt.

    A row names kinds (home, work, mobile, other, unknown), then days and hours on the customer's own clock.
    What is not named comes after what is; nothing is forbidden.

    \b
    Examples:
      ringeliste numbers prefer --row "work mon-fri 09:00-16:00" --row "home,mobile"
      ringeliste numbers prefer --next-after 2 --dry-run
      ringeliste numbers prefer --default
    """
    from calling.numbers.plans import number_plan, set_number_plan
    from ringeliste.cli.doors import writing_in
    from ringeliste.cli.output import answer, would

    wanted: dict[str, Any] = {"hours": [_row(row) for row in rows]} if rows else {}
    if next_after is not None or never_next:
        wanted["next_after"] = None if never_next else next_after
    if bool(wanted) == default or (next_after is not None and never_next):
        raise BadInput("say the plan, as --row or --next-after 3, or --default alone")
    with (
        writing_in(crm, assignment, dry_run=dry_run) as (_, open_work, assignment_id),
        open_work() as work,
    ):
        changed = set_number_plan(work, assignment_id, wanted, whoever(author))
        found = number_plan(work, assignment_id)
    head = would(dry_run) + ("" if changed else "Nothing changed.\n")
    document = {**_document(found), "changed": changed, "dry_run": dry_run}
    answer(document, lambda console: _draw(console, found, head), as_json=as_json)


def _row(text: str) -> dict[str, Any]:
    """ "work,mobile mon-fri 09:00-16:00" as a row of a plan; what is in it is checked with the plan."""
    kinds, *rest = text.split() or [""]
    row: dict[str, Any] = {"kinds": kinds.split(",")}
    for word in rest:
        if word[0].isdigit():
            row["from"], _, row["to"] = word.partition("-")
        else:
            row["days"] = [day for part in word.split(",") for day in _days(part)]
    return row


def _days(part: str) -> list[str]:
    """ "mon-fri" as days; what is no span stays as it is written."""
    from calling.numbers.plan import DAYS

    first, dash, last = part.partition("-")
    if not dash or first not in DAYS or last not in DAYS or DAYS.index(first) > DAYS.index(last):
        return [part]
    return list(DAYS[DAYS.index(first) : DAYS.index(last) + 1])


def _document(found: "StandingPlan") -> dict[str, Any]:
    from calling.numbers.plans import told

    who = {"own": bool(found.own), "author": found.author, "changed_at": found.changed_at}
    return {**told(found.plan), **who}


def _draw(console: "Console", found: "StandingPlan", head: str = "") -> None:
    from calling.numbers.plans import told
    from ringeliste.cli.output import instant, plain_table, shown

    console.print(head, end="")
    table = plain_table("first come", "days", "hours")
    for row in told(found.plan)["hours"]:
        days = "every day" if len(row["days"]) == 7 else ", ".join(row["days"])
        table.add_row(", ".join(row["kinds"]), days, f"{row['from']}-{row['to']}")
    if table.row_count:
        console.print(table)
    else:
        console.print("No kind comes first at any hour.")
    after = found.plan.next_after
    calls = f"After {after} calls in a row without an answer the next number is rung." if after else ""
    console.print(calls or "However many calls are not answered, no other number is rung for that.")
    if found.author:
        console.print(f"[dim]Set by {shown(found.author)}, {instant(found.changed_at)}.[/dim]")
