"""An assignment's own gap and attempts: changed with a reason, and who changed them."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringeliste.cli.front import add as add_command
from ringeliste.cli.options import AsJson, AssignmentName, Author, CrmName, DryRun, whoever

if TYPE_CHECKING:
    from rich.console import Console

    from calling.limits.own import Changed
    from models.work import OpenWork

MINUTE = 60
_LAST = 200

Why = Annotated[str, typer.Option(help="Why; shown to whoever asks why a customer is not called.")]


def register(group: typer.Typer) -> None:
    """Add these commands to `limits`."""
    add_command(group, gap)
    add_command(group, attempts)
    add_command(group, changes)


def gap(
    minutes: Annotated[
        int, typer.Argument(metavar="MINUTES", min=0, max=43_200, help="Between any two rings to a person.")
    ],
    reason: Why,
    crm: CrmName = None,
    assignment: AssignmentName = None,
    author: Author = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Say how long whoever an assignment rings is left in peace, before its ring and after it.

    Of two assignments the longer one counts, whichever rang. Promised calls are exempt. When it answers,
    nobody is rung inside it.

    \b
    Examples:
      ringeliste limits gap 90 --assignment Loans --reason "complaints"
      ringeliste limits gap 0 --assignment Survey --reason "one call each" --dry-run
    """
    from calling.limits.own import set_gap

    def verb(open_work: "OpenWork", assignment_id: int) -> "Changed":
        return set_gap(open_work, assignment_id, minutes * MINUTE, reason=reason, author=whoever(author))

    _change(verb, _in_minutes, crm, assignment, dry_run=dry_run, as_json=as_json)


def attempts(
    most: Annotated[int, typer.Argument(metavar="MOST", min=1, max=255, help="Of a customer, in all.")],
    reason: Why,
    crm: CrmName = None,
    assignment: AssignmentName = None,
    author: Author = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Say how many attempts a customer has in an assignment.

    Who has had them is called no more, but for promised calls. Nobody is closed or opened by it: who was
    closed by the last of fewer attempts stays closed.

    \b
    Examples:
      ringeliste limits attempts 5 --assignment Loans --reason "they do not want more"
      ringeliste limits attempts 12 --assignment Loans --reason "few answer" --dry-run
    """
    from calling.limits.own import set_attempts

    def verb(open_work: "OpenWork", assignment_id: int) -> "Changed":
        return set_attempts(open_work, assignment_id, most, reason=reason, author=whoever(author))

    _change(verb, _in_attempts, crm, assignment, dry_run=dry_run, as_json=as_json)


def changes(crm: CrmName = None, assignment: AssignmentName = None, as_json: AsJson = False) -> None:
    """List who changed the gap and the attempts of an assignment, from what to what and why.

    \b
    Examples:
      ringeliste limits changes --assignment Loans
      ringeliste limits changes --json
    """
    from calling.limits.own import own_changes
    from ringeliste.cli.doors import reading
    from ringeliste.cli.output import answer

    with reading(crm, assignment) as (work, assignment_id):
        found = [dict(row._mapping) for row in own_changes(work, assignment_id, _LAST)]
    answer(found, lambda console: _draw(console, found), as_json=as_json)


def _change(
    verb: "Callable[[OpenWork, int], Changed]", in_words: Callable[[int], str], crm: str | None,
    assignment: str | None, *, dry_run: bool, as_json: bool,
) -> None:  # fmt: skip
    from calling.limits.following import follow_change
    from ringeliste.cli.doors import somebody_works, writing_in
    from ringeliste.cli.limits import later
    from ringeliste.cli.output import answer, would

    with writing_in(crm, assignment, dry_run=dry_run) as (app, open_work, assignment_id):
        done = verb(open_work, assignment_id)
        new = done.change_id is not None
        restamped = follow_change(open_work, done.change_id) if dry_run and done.change_id else None
        worked = somebody_works(app)
    said = f"{in_words(done.after)}, {f'{in_words(done.before)} before' if new else 'as before'}."
    if restamped is not None:
        said += f" {restamped} places in assignments would get another stamp."
    document = {
        "assignment_id": assignment_id, "before": done.before, "after": done.after, "changed": new,
        "restamped": restamped, "dry_run": dry_run,
    }  # fmt: skip
    answer(
        document,
        lambda console: console.print(would(dry_run) + said + (later(worked, dry_run) if new else "")),
        as_json=as_json,
    )


def _in_minutes(seconds: int) -> str:
    from calling.limits.limit import span

    return f"{span(seconds, None)} between two rings" if seconds else "no gap between two rings"


def _in_attempts(most: int) -> str:
    return f"at most {most} attempt{'' if most == 1 else 's'}"


def _draw(console: "Console", found: Sequence[dict[str, Any]]) -> None:
    from ringeliste.cli.output import instant, plain_table, shown

    if not found:
        console.print("Nobody has changed its gap or its attempts.")
        return
    table = plain_table("when", "what", "before", "why", "by")
    for row in found:
        in_words = _in_minutes if row["deed"] == "gap" else _in_attempts
        table.add_row(
            instant(row["changed_at"]), in_words(row["after"]), in_words(row["before"]),
            shown(row["reason"]), shown(row["author"]),
        )  # fmt: skip
    console.print(table)
