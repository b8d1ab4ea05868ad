"""Who is let off a national register: given, listed, ended."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringeliste.cli.front import add as add_command
from ringeliste.cli.options import AsJson, AssignmentName, Author, CrmName, DryRun, whoever
from ringeliste.cli.register_options import Name, changing

if TYPE_CHECKING:
    from rich.console import Console


def register(group: typer.Typer) -> None:
    """Add these commands."""
    add_command(group, exempt)
    add_command(group, exemptions)
    add_command(group, end_exemption, name="end-exemption")


def exempt(
    name: Name,
    reason: Annotated[str, typer.Option(help="By whose consent, or since when they are customers.")],
    manager: Annotated[str, typer.Option(help="The manager who answers for it, by name.")],
    tag: Annotated[str | None, typer.Option(metavar="TAG", help="Customers who have this tag.")] = None,
    assignment: AssignmentName = None,
    crm: CrmName = None,
    author: Author = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Let customers with a tag, or a whole assignment, be called although a register names them.

    \b
    Examples:
      ringeliste registers exempt NO-RESERVASJON --tag customer --reason "our customers" --manager "Kari Nord"
    """
    from calling.registers import using
    from ringeliste.cli.finding import find
    from ringeliste.cli.output import answer, shown, would

    with changing(crm, dry_run=dry_run) as (_, open_work):
        assignment_id = None
        if assignment is not None:
            with open_work() as work:
                assignment_id = find(work, "assignment", assignment)
        key = using.exempt(
            open_work, name, assignment_id=assignment_id, tag=tag, reason=reason, manager=manager,
            author=whoever(author),
        )  # fmt: skip
    said = f"Exemption {key}: {shown(manager)} answers for it."
    document = {"exemption_id": key, "dry_run": dry_run}
    answer(document, lambda console: console.print(would(dry_run) + said), as_json=as_json)


def exemptions(
    ended: Annotated[bool, typer.Option("--ended", help="Those that ended, and by whom.")] = False,
    crm: CrmName = None,
    as_json: AsJson = False,
) -> None:
    """List who is let off a register, by whose name and why.

    \b
    Examples:
      ringeliste registers exemptions
      ringeliste registers exemptions --ended --json
    """
    from calling.views.registers import exemptions as exemptions_of
    from ringeliste.cli.doors import application
    from ringeliste.cli.finding import find_crm
    from ringeliste.cli.output import answer

    with application() as app, app.work(find_crm(app, crm)) as work:
        rows = [dict(row._mapping) for row in exemptions_of(work, 0, 1_000, ended=ended)]
    answer(rows, lambda console: _draw_exemptions(console, rows), as_json=as_json)


def end_exemption(
    exemption: Annotated[int, typer.Argument(metavar="ID", help="As `registers exemptions` lists it.")],
    crm: CrmName = None,
    author: Author = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """End an exemption. When it answers, the register binds them again.

    \b
    Examples:
      ringeliste registers end-exemption 4
    """
    from calling.registers import using
    from ringeliste.cli.walls import patience, tell

    with changing(crm, dry_run=dry_run) as (app, open_work):
        caught = using.end_exemption(
            open_work, exemption, author=whoever(author), patience=patience(app, dry_run=dry_run)
        )
    tell(caught, f"Exemption {exemption} has ended", dry_run=dry_run, as_json=as_json)


def _draw_exemptions(console: "Console", rows: list[dict[str, Any]]) -> None:
    from calling.hours.stricter import signed
    from ringeliste.cli.output import instant, plain_table, shown

    table = plain_table("id", "register", "whom", "why", "manager", "given", "ended", right=("id",))
    for row in rows:
        whom = f"tag {shown(row['tag'])}" if row["tag"] else f"assignment {shown(row['assignment'])}"
        ended = f"{instant(row['ended_at'])} by {shown(row['ended_by'])}" if row["ended_at"] else ""
        table.add_row(
            str(row["id"]), row["register"], whom, shown(row["reason"]),
            shown(signed(row["manager"], row["author"])), instant(row["given_at"]), ended,
        )  # fmt: skip
    console.print(table if rows else "Nobody is let off a register.")
