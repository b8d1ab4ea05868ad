"""Limits: how often somebody may be rung, by law and by an owner's own wish."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringeliste.cli import own_limits
from ringeliste.cli.front import add as add_command
from ringeliste.cli.options import AsJson, AssignmentName, Author, CrmName, DryRun, seconds_of, whoever
from ringeliste.cli.walls import draw_wall, in_the_air, patience

if TYPE_CHECKING:
    from rich.console import Console

    from calling.views.limit_list import LawRow

LIMITS = """How often somebody may be rung: the law's limits, and your own.

\b
Examples:
  ringeliste limits list
  ringeliste limits set --most 3 --hours 24 --reason "complaints"
  ringeliste limits end 4
"""
HOUR = 3600
_EVERY = 10_000

Binds = Annotated[
    str | None,
    typer.Option("--assignment", metavar="NAME", help="It binds this assignment only; else the whole CRM."),
]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    group = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")
    add_command(group, list_limits, name="list")
    add_command(group, set_one, name="set")
    add_command(group, end)
    add_command(group, debts)
    own_limits.register(group)
    app.add_typer(group, name="limits", rich_help_panel="Calls", help=LIMITS)


def list_limits(
    ended: Annotated[bool, typer.Option("--ended", help="Your own that ended, and by whom.")] = False,
    crm: CrmName = None,
    as_json: AsJson = False,
) -> None:
    """List your own limits, and those of the law with where they stand written.

    \b
    Examples:
      ringeliste limits list
      ringeliste limits list --ended --json
    """
    from calling.views.limit_list import debt_assignments, law_limits, own_limits
    from ringeliste.cli.doors import application
    from ringeliste.cli.finding import find_crm
    from ringeliste.cli.output import answer

    with application() as app, app.work(find_crm(app, crm)) as work:
        own = [dict(row._mapping) for row in own_limits(work, 0, _EVERY, ended=ended)]
        about_debts = [dict(row._mapping) for row in debt_assignments(work)]
    law = [] if ended else law_limits()
    document = {"own": own, "law": law, "about_debts": about_debts}
    answer(document, lambda console: _draw(console, own, law, about_debts), as_json=as_json)


def set_one(
    most: Annotated[int, typer.Option(min=1, max=1000, help="So many rings, and no more.")],
    hours: Annotated[float | None, typer.Option(help="Within so many hours, whenever they begin.")] = None,
    days: Annotated[
        int | None, typer.Option(help="Or within so many days of the customer's calendar, today included.")
    ] = None,
    scope: Annotated[
        str, typer.Option(help="What is counted: rings to the number, the customer, or in an assignment.")
    ] = "customer",
    after: Annotated[
        list[str] | None,
        typer.Option(metavar="OUTCOME", help="Count these outcomes instead of rings; once for each."),
    ] = None,
    reason: Annotated[str, typer.Option(help="Why.")] = "set by hand",
    assignment: Binds = None,
    crm: CrmName = None,
    author: Author = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Set a limit beside those that stand. When it answers, nobody is rung beyond it; the strictest wins.

    Scopes: number counts rings to one number, whoever it is rung for; customer counts rings to any number of
    theirs, in all assignments; assignment counts those in the one assignment.

    \b
    Examples:
      ringeliste limits set --most 3 --hours 24 --reason "Maryland"
      ringeliste limits set --most 1 --days 1 --scope number
      ringeliste limits set --most 1 --days 90 --after no_sale --dry-run
    """
    from calling.limits.changing import NewLimit, set_limit
    from calling.limits.following import changes_to_follow, follow_change
    from calling.views.limit_list import in_words
    from ringeliste.cli.doors import somebody_works, writing
    from ringeliste.cli.finding import find
    from ringeliste.cli.output import answer, shown, would

    seconds = seconds_of("--hours", hours, HOUR)
    with writing(crm, dry_run=dry_run) as (app, open_work):
        with open_work() as work:
            assignment_id = find(work, "assignment", assignment) if assignment else None
        wish = NewLimit(most, scope, reason, seconds, days, after or (), assignment_id)
        limit_id = set_limit(open_work, wish, whoever(author))
        stopped = follow_change(open_work, changes_to_follow(open_work)[-1]) if dry_run else None
        worked = somebody_works(app)
    what = in_words(most, scope, seconds, days, after or ())
    where = f", in {shown(assignment)}" if assignment else ""
    told = f"{what}{where}: limit {limit_id}." if not dry_run else f"{what}{where}."
    so_many = f" {stopped} places in assignments would get another stamp." if stopped is not None else ""
    document = {
        "id": None if dry_run else limit_id, "in_words": what, "restamped": stopped, "dry_run": dry_run,
    }  # fmt: skip
    answer(
        document,
        lambda console: console.print(would(dry_run) + told + so_many + later(worked, dry_run)),
        as_json=as_json,
    )


def end(
    limit: Annotated[int, typer.Argument(metavar="ID", help="Its id; `limits list` shows it.")],
    crm: CrmName = None,
    author: Author = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """End a limit of your own. The law's stay.

    \b
    Examples:
      ringeliste limits end 4
      ringeliste limits end 4 --dry-run
    """
    from calling.limits.changing import end_limit
    from ringeliste.cli.doors import somebody_works, writing
    from ringeliste.cli.output import answer, would

    with writing(crm, dry_run=dry_run) as (app, open_work):
        stood = end_limit(open_work, limit, whoever(author))
        worked = somebody_works(app)
    said = f"Limit {limit} {'is ended' if stood else 'had ended already'}."
    answer(
        {"id": limit, "ended": stood, "dry_run": dry_run},
        lambda console: console.print(would(dry_run) + said + (later(worked, dry_run) if stood else "")),
        as_json=as_json,
    )


def debts(
    assignment: AssignmentName = None,
    none: Annotated[bool, typer.Option("--not", help="It is not about debts.")] = False,
    crm: CrmName = None,
    author: Author = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Say that an assignment is about debts, so that the law's limits and hours for debts bind its rings.

    \b
    Examples:
      ringeliste limits debts --assignment Collections
      ringeliste limits debts --assignment Collections --not
    """
    from calling.limits.changing import say_of_debts
    from ringeliste.cli.doors import somebody_works, writing_in
    from ringeliste.cli.output import answer, would

    with writing_in(crm, assignment, dry_run=dry_run) as (app, open_work, assignment_id):
        air = say_of_debts(
            open_work, assignment_id, about_debts=not none, author=whoever(author),
            patience=patience(app, dry_run=dry_run),
        )  # fmt: skip
        changed = air is not None
        worked = somebody_works(app)
    said = f"The assignment {'is not' if none else 'is'} about debts{'' if changed else ', as before'}"
    document = {
        "assignment_id": assignment_id, "about_debts": not none, "changed": changed, "dry_run": dry_run,
        **(in_the_air(air) if air else {}),
    }  # fmt: skip

    def draw(console: "Console") -> None:
        if air is None:
            console.print(f"{would(dry_run)}{said}.")
            return
        draw_wall(console, air, said, dry_run=dry_run)
        console.print(later(worked, dry_run).strip())

    answer(document, draw, as_json=as_json)


def later(worked: bool, dry_run: bool) -> str:
    """Rings obey at once; lists and figures follow."""
    if dry_run:
        return ""
    if worked:
        return "\nEvery ring obeys it now; lists and figures follow within moments."
    return "\nEvery ring obeys it now; lists and figures follow once `ringeliste up` runs."


def _draw(
    console: "Console", own: Sequence[dict[str, Any]], law: Sequence["LawRow"],
    about_debts: Sequence[dict[str, Any]],
) -> None:  # fmt: skip
    from calling.views.limit_list import in_words
    from ringeliste.cli.output import instant, plain_table, shown

    if own:
        table = plain_table("id", "your own", "binds", "set by", "when", "why", "ended", right=("id",))
        for row in own:
            what = in_words(row["most"], row["scope"], row["seconds"], row["days"], row["after"])
            ended = f"{instant(row['ended_at'])} by {shown(row['ended_by'])}" if row["ended_at"] else ""
            table.add_row(
                str(row["id"]), what, shown(row["assignment"] or "all"), shown(row["author"]),
                instant(row["created_at"]), shown(row["reason"]), ended,
            )  # fmt: skip
        console.print(table)
    else:
        console.print("No limits of your own; `ringeliste limits set` sets one.")
    if law:
        table = plain_table("law", "places", "limit", "source")
        for one in law:
            what = " and ".join(
                in_words(one.most, scope, one.seconds, one.days, one.after) for scope in one.scopes
            )
            table.add_row(one.name, " ".join(one.places), what + _of_debts(one.debts), one.source)
        console.print(table)
        names = ", ".join(shown(row["name"]) for row in about_debts) or "none"
        console.print(f"Assignments about debts: {names}.")


def _of_debts(debts: bool) -> str:
    return ", about debts" if debts else ""
