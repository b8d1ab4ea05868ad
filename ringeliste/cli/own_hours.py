"""A CRM's own hours: shown with who changed them, and changed."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from models.errors import BadInput
from ringeliste.cli.options import AsJson, Author, CrmName, DryRun, whoever
from ringeliste.cli.walls import patience, tell

if TYPE_CHECKING:
    from rich.console import Console

_LAST = 200


def base(
    week: Annotated[
        str | None,
        typer.Option(
            metavar="HOURS", help='Such as "mon-fri 09:00-20:00; sat 10:00-14:00". Else: show them.'
        ),
    ] = None,
    manager: Annotated[
        str | None, typer.Option(metavar="NAME", help="The manager who answers for hours that open.")
    ] = None,
    reason: Annotated[str | None, typer.Option(help="Why; shown to whoever asks.")] = None,
    crm: CrmName = None,
    author: Author = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Change the CRM's own hours, or show them and who changed them.

    Days that HOURS do not name are shut. The law binds within them as before. When it answers, nothing rings
    in hours that are shut now, but what it names; hours that open need a manager's name.

    \b
    Examples:
      ringeliste hours base
      ringeliste hours base --week "mon-fri 09:00-20:00; sat 10:00-14:00" --manager Kari --reason "Saturdays"
      ringeliste hours base --week "mon-fri 10:00-18:00" --reason "fewer people" --dry-run
    """
    if week is None:
        if manager is not None or reason is not None:
            raise BadInput('--week: say which hours, such as "mon-fri 09:00-20:00"')
        _show(crm, as_json=as_json)
        return
    if reason is None:
        raise BadInput("--reason: say why; whoever asks why nobody is called wants to know")
    from calling.hours.week import week_from_text
    from calling.walls.own_hours import set_own_hours
    from ringeliste.cli.doors import writing

    with writing(crm, dry_run=dry_run) as (app, open_work):
        done = set_own_hours(
            open_work, week_from_text(week), reason=reason, author=whoever(author), manager=manager,
            patience=patience(app, dry_run=dry_run),
        )  # fmt: skip
    said = f"{done.before} before, {done.after} now" if done.change_id else f"{done.after}, as before"
    tell(done.in_the_air, f"the CRM's own hours: {said}", dry_run=dry_run, as_json=as_json)


def _show(crm: str | None, *, as_json: bool) -> None:
    from calling.views.hours import own_hours
    from calling.walls.own_hours import own_hours_changes
    from ringeliste.cli.doors import application
    from ringeliste.cli.finding import find_crm
    from ringeliste.cli.output import answer

    with application() as app, app.work(find_crm(app, crm)) as work:
        hours = own_hours(work)
        changes = [dict(row._mapping) for row in own_hours_changes(work, _LAST)]
    document = {"own": hours, "changes": changes}
    answer(document, lambda console: _draw(console, hours, changes), as_json=as_json)


def _draw(console: "Console", hours: str, changes: Sequence[dict[str, Any]]) -> None:
    from calling.hours.stricter import signed
    from calling.hours.week import read_week, week_as_text
    from ringeliste.cli.output import instant, plain_table, shown

    console.print(f"The CRM's own hours: [bold]{shown(hours)}[/bold]")
    if not changes:
        console.print("Nobody has changed them since it was made.")
        return
    table = plain_table("when", "hours", "before", "why", "by")
    for row in changes:
        now, was = (shown(week_as_text(read_week(row[name]))) for name in ("after", "before"))
        who = signed(row["manager"], row["author"]) if row["manager"] else row["author"]
        table.add_row(instant(row["changed_at"]), now, was, shown(row["reason"]), shown(who))
    console.print(table)
