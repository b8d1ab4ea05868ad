"""Retries: when somebody is tried again after an outcome, and whether at all."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from models.errors import BadInput
from ringeliste.cli.front import add as add_command
from ringeliste.cli.options import AsJson, AssignmentName, Author, CrmName, DryRun, seconds_of, whoever

if TYPE_CHECKING:
    from rich.console import Console

    from calling.outcomes.retry_plans import Change

RETRIES = """When somebody is tried again after an outcome.

\b
Examples:
  ringeliste retries show
  ringeliste retries set no_answer --minutes 240 --other-part
  ringeliste retries set busy --default
  ringeliste retries changes
"""


def register(app: typer.Typer) -> None:
    """Add these commands."""
    group = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")
    add_command(group, show)
    add_command(group, set_one, name="set")
    add_command(group, changes)
    app.add_typer(group, name="retries", rich_help_panel="Calls", help=RETRIES)


def show(crm: CrmName = None, assignment: AssignmentName = None, as_json: AsJson = False) -> None:
    """Show the plan of every outcome after which a customer rests; those of the assignment's own are marked.

    \b
    Examples:
      ringeliste retries show
      ringeliste retries show --assignment Loans --json
    """
    from calling.outcomes.retry_plans import retry_plans, told
    from ringeliste.cli.doors import reading
    from ringeliste.cli.output import answer

    with reading(crm, assignment) as (work, assignment_id):
        found = retry_plans(work, assignment_id)
    document = {name: {**plan, "own": name in found.own} for name, plan in told(found.plans).items()}
    head = f"[dim]version {found.version}[/dim]\n"
    answer(document, lambda console: _draw(console, document, head), as_json=as_json)


def set_one(
    outcome: Annotated[str, typer.Argument(metavar="OUTCOME", help="As no_answer or busy.")],
    minutes: Annotated[float | None, typer.Option(min=0, help="Tried again after so long.")] = None,
    growth: Annotated[
        float | None, typer.Option(help="So many times longer each time the outcome comes.")
    ] = None,
    longest_hours: Annotated[float | None, typer.Option(help="And never longer than that.")] = None,
    jitter: Annotated[
        float | None, typer.Option(help="A share of it, 0 to 1, by which it is longer or shorter.")
    ] = None,
    other_part: Annotated[
        bool | None,
        typer.Option("--other-part/--any-part", help="In another part of the customer's day, or whenever."),
    ] = None,
    final_after: Annotated[int | None, typer.Option(help="So many of this outcome close them.")] = None,
    never_final: Annotated[bool, typer.Option("--never-final", help="However many there are.")] = False,
    default: Annotated[bool, typer.Option("--default", help="As it was before anybody changed it.")] = False,
    base: Annotated[
        int | None,
        typer.Option(
            min=0, help="Only if it is still this version (see `changes`): theirs is not overwritten."
        ),
    ] = None,
    author: Author = None,
    crm: CrmName = None,
    assignment: AssignmentName = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Change the plan of one outcome in an assignment; what is not named stays. It holds from now on.

    Parts of the day are morning (from 6), afternoon (from 12) and evening (17 to 21) on the customer's clock.

    \b
    Examples:
      ringeliste retries set no_answer --minutes 240 --other-part --final-after 6
      ringeliste retries set busy --minutes 10 --growth 2 --longest-hours 24
      ringeliste retries set busy --default --dry-run
    """
    from calling.outcomes.retry_plans import retry_plans, set_retry, told
    from ringeliste.cli.doors import writing_in
    from ringeliste.cli.output import answer, would

    wanted = {
        "delay": seconds_of("--minutes", minutes, 60), "growth": growth,
        "longest": seconds_of("--longest-hours", longest_hours, 3600), "jitter": jitter,
        "other_part": other_part, "final_after": final_after,
    }  # fmt: skip
    said: dict[str, Any] = {name: value for name, value in wanted.items() if value is not None}
    if never_final:
        said["final_after"] = None
    if bool(said) == default:
        raise BadInput("say what changes, as --minutes 30, or --default alone")
    with (
        writing_in(crm, assignment, dry_run=dry_run) as (_, open_work, assignment_id),
        open_work() as work,
    ):
        signed = whoever(author)
        set_retry(work, assignment_id, outcome, None if default else said, author=signed, base=base)
        found = retry_plans(work, assignment_id)
        document = {outcome: {**told(found.plans)[outcome], "own": outcome in found.own}}
    answer(
        {**document, "dry_run": dry_run},
        lambda console: _draw(console, document, would(dry_run)),
        as_json=as_json,
    )


def changes(
    crm: CrmName = None,
    assignment: AssignmentName = None,
    most: Annotated[int, typer.Option("--last", min=1, max=1000, help="So many of them.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Who changed the plans of retries, when, from what to what: the last change first.

    \b
    Examples:
      ringeliste retries changes
      ringeliste retries changes --last 100 --json
    """
    from calling.outcomes.retry_plans import retry_changes
    from ringeliste.cli.doors import reading
    from ringeliste.cli.output import answer

    with reading(crm, assignment) as (work, assignment_id):
        found = retry_changes(work, assignment_id, most)
    answer(
        [
            {"version": one.version, "changed_at": one.changed_at, "author": one.author,
             "before": one.before, "after": one.after, "lines": one.lines}
            for one in found
        ],
        lambda console: _draw_changes(console, found), as_json=as_json,
    )  # fmt: skip


def _draw_changes(console: "Console", found: "list[Change]") -> None:
    from ringeliste.cli.output import instant, plain_table, shown

    if not found:
        console.print("Nobody has changed them: all are the defaults.")
        return
    table = plain_table("version", "when", "who", "what")
    for one in found:
        table.add_row(
            str(one.version), instant(one.changed_at), shown(one.author), "\n".join(map(shown, one.lines))
        )
    console.print(table)


def _draw(console: "Console", plans: dict[str, dict[str, Any]], head: str = "") -> None:
    from calling.limits.limit import span
    from ringeliste.cli.output import plain_table

    table = plain_table("outcome", "again after", "growth", "jitter", "part of the day", "ends", "")
    for name, plan in plans.items():
        grows = f"x {plan['growth']:g}, at most {span(plan['longest'], None)}" if plan["growth"] > 1 else ""
        table.add_row(
            name, span(plan["delay"], None) if plan["delay"] else "at once", grows,
            f"{plan['jitter']:.0%}" if plan["jitter"] else "", "another" if plan["other_part"] else "any",
            f"after {plan['final_after']}" if plan["final_after"] else "", "own" if plan["own"] else "",
        )  # fmt: skip
    console.print(head, end="")
    console.print(table)
