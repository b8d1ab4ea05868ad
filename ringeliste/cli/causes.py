"""Causes: what the words of a dialer come to."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from models.errors import BadInput
from ringeliste.cli.front import add as add_command
from ringeliste.cli.options import AsJson, Author, CrmName, DryRun, whoever

if TYPE_CHECKING:
    from rich.console import Console

    from calling.dialers.causes import Causes, Change

CAUSES = """What the causes of a dialer come to: why a call ended, in its own words.

Shipped rows are reviewed; a row of your own goes before them, and what lay aside for want of it is counted.

\b
Examples:
  ringeliste causes show
  ringeliste causes set "hangup 21" no_sale --reason "the new trunk says so"
  ringeliste causes set "hangup 21" --default --reason "it does not any more"
  ringeliste causes history
"""

DialerName = Annotated[
    str | None,
    typer.Option("--dialer", metavar="NAME", help="The dialer by name or id, if there are several."),
]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    group = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")
    add_command(group, show)
    add_command(group, set_one, name="set")
    add_command(group, history)
    app.add_typer(group, name="causes", rich_help_panel="Calls", help=CAUSES)


def show(
    own: Annotated[bool, typer.Option("--own", help="Only what somebody has said here.")] = False,
    dialer: DialerName = None,
    crm: CrmName = None,
    as_json: AsJson = False,
) -> None:
    """Show what every cause of a dialer comes to, and from where we know it.

    \b
    Examples:
      ringeliste causes show
      ringeliste causes show --own --dialer robot --json
    """
    from calling.dialers.causes import causes
    from ringeliste.cli.doors import application
    from ringeliste.cli.finding import find, find_crm
    from ringeliste.cli.output import answer

    with application() as app, app.work(find_crm(app, crm)) as work:
        found = causes(work, find(work, "dialer", dialer))
    kept = [one for one in found.causes if one.own or not own]
    document = {
        "dialer": found.dialer, "adapter": found.adapter, "version": found.version, "causes": kept,
    }  # fmt: skip
    answer(document, lambda console: _draw(console, found, own=own), as_json=as_json)


def set_one(
    cause: Annotated[str, typer.Argument(metavar="CAUSE", help='As the dialer tells it: "hangup 21".')],
    outcome: Annotated[
        str | None, typer.Argument(metavar="[OUTCOME]", help="What it comes to, as no_answer.")
    ] = None,
    reason: Annotated[str, typer.Option(help="Why, for who reads the history.")] = "",
    default: Annotated[bool, typer.Option("--default", help="What is shipped again.")] = False,
    base: Annotated[
        int | None,
        typer.Option(
            min=0, help="Only if it is still this version (see `history`): theirs is not overwritten."
        ),
    ] = None,
    dialer: DialerName = None,
    author: Author = None,
    crm: CrmName = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Say what a cause of a dialer comes to. What lay aside for want of it is counted: late, and once.

    \b
    Examples:
      ringeliste causes set "hangup 21" no_sale --reason "the new trunk says so" --dry-run
      ringeliste causes set "hangup 21" --default --reason "it does not any more"
    """
    from calling.dialers.editing_causes import set_causes
    from ringeliste.cli.doors import writing
    from ringeliste.cli.finding import find
    from ringeliste.cli.output import answer, shown, would

    if (outcome is None) != default:
        raise BadInput("say what it comes to, as no_answer, or --default")
    with writing(crm, dry_run=dry_run) as (_, open_work):
        with open_work() as work:
            dialer_id = find(work, "dialer", dialer)
        done = set_causes(
            open_work, dialer_id, {cause: outcome}, author=whoever(author), reason=reason, base=base
        )
    document: dict[str, Any] = {
        "cause": cause, "outcome": outcome, "version": done.version, "counted": done.back, "dry_run": dry_run,
    }  # fmt: skip
    comes = f"{shown(cause)} comes to {outcome or 'what is shipped'}, version {done.version}"
    counted = (
        f"; {done.back:,} that lay aside {'is' if done.back == 1 else 'are'} counted" if done.back else ""
    )
    answer(document, lambda console: console.print(f"{would(dry_run)}{comes}{counted}."), as_json=as_json)


def history(
    most: Annotated[int, typer.Option("--last", min=1, max=1000, help="So many of them.")] = 20,
    dialer: DialerName = None,
    crm: CrmName = None,
    as_json: AsJson = False,
) -> None:
    """Who changed what causes come to, when, why, from what to what: the last change first.

    \b
    Examples:
      ringeliste causes history
      ringeliste causes history --last 100 --json
    """
    from calling.dialers.causes import cause_changes
    from ringeliste.cli.doors import application
    from ringeliste.cli.finding import find, find_crm
    from ringeliste.cli.output import answer

    with application() as app, app.work(find_crm(app, crm)) as work:
        found = cause_changes(work, find(work, "dialer", dialer), most)
    answer(
        [
            {"version": one.version, "changed_at": one.changed_at, "author": one.author,
             "reason": one.reason, "before": one.before, "after": one.after, "lines": one.lines}
            for one in found
        ],
        lambda console: _draw_changes(console, found), as_json=as_json,
    )  # fmt: skip


def _draw(console: "Console", found: "Causes", *, own: bool) -> None:
    from ringeliste.cli.output import plain_table, shown

    rows = [one for one in found.causes if one.own or not own]
    table = plain_table("cause", "comes to", "", "how we know")
    for one in rows:
        shipped = one.shipped
        said = f"own, shipped: {shipped.outcome}" if shipped else "own"
        known = f"{shipped.evidence}: {shipped.source}" if shipped and not one.own else ""
        table.add_row(shown(one.cause), one.outcome, said if one.own else "", known)
    console.print(f"[dim]{shown(found.dialer)} ({found.adapter}), version {found.version}[/dim]")
    console.print(table if rows else "Nothing of your own: all are as shipped.")


def _draw_changes(console: "Console", found: "list[Change]") -> None:
    from ringeliste.cli.output import instant, plain_table, shown

    table = plain_table("version", "when", "who", "why", "what")
    for one in found:
        table.add_row(
            str(one.version), instant(one.changed_at), shown(one.author), shown(one.reason),
            "\n".join(map(shown, one.lines)),
        )  # fmt: skip
    console.print(table if found else "Nobody has changed them: all are as shipped.")
