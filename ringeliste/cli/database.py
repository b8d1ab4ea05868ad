"""The servers and the schema."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringeliste.cli.front import REFUSED, add
from ringeliste.cli.options import AsJson, DryRun

if TYPE_CHECKING:
    from rich.console import Console

DB = """PostgreSQL and Redis: start, stop, look, bring the schema up to date.

\b
Examples:
  ringeliste db status
  ringeliste db upgrade --dry-run
  ringeliste db psql
"""


def register(app: typer.Typer) -> None:
    """Add these commands."""
    group = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")
    for command in (status, start, stop, upgrade, psql):
        add(group, command)
    app.add_typer(group, name="db", rich_help_panel="Servers", help=DB)


def start(dry_run: DryRun = False, as_json: AsJson = False) -> None:
    """Start the embedded PostgreSQL and Redis, unless they run; servers of your own are left alone.

    \b
    Examples:
      ringeliste db start
      ringeliste db start --dry-run
    """
    from ringeliste import embedded
    from ringeliste.cli import servers
    from ringeliste.cli.output import answer

    if not dry_run:
        embedded.start(servers.folder())
    document = servers.standing()
    answer(document, lambda console: _draw_servers(console, document, dry_run=dry_run), as_json=as_json)


def stop(dry_run: DryRun = False, as_json: AsJson = False) -> None:
    """Stop the embedded PostgreSQL and Redis cleanly. The data stays.

    \b
    Examples:
      ringeliste db stop
      ringeliste db stop --dry-run
    """
    from ringeliste import embedded
    from ringeliste.cli import servers
    from ringeliste.cli.output import answer

    servers.refuse_while_up()
    if not dry_run:
        embedded.stop(servers.folder())
    document = servers.standing()
    answer(document, lambda console: _draw_servers(console, document, dry_run=dry_run), as_json=as_json)


def status(as_json: AsJson = False) -> None:
    """Whether the servers run and the schema is today's; exit code 1 if work cannot be done.

    \b
    Examples:
      ringeliste db status
      ringeliste db status --json
    """
    from ringeliste.cli import servers
    from ringeliste.cli.output import answer

    document = {**servers.standing(), **servers.readiness()}
    answer(document, lambda console: _draw_status(console, document), as_json=as_json)
    if not document["ready"]:
        raise typer.Exit(REFUSED)


def upgrade(dry_run: DryRun = False, as_json: AsJson = False) -> None:
    """Bring the schema up to date. Safe to repeat; two at once wait for each other.

    Starts the embedded servers if they are ours and do not run. Logs in as the owner: DATABASE_OWNER_URL.

    \b
    Examples:
      ringeliste db upgrade
      ringeliste db upgrade --dry-run
    """
    from ringeliste.cli import servers
    from ringeliste.cli.output import answer

    document = servers.upgrade(dry_run=dry_run)
    answer(document, lambda console: _draw_upgrade(console, document), as_json=as_json)


def psql(
    print_: Annotated[bool, typer.Option("--print", help="Print the command instead of running it.")] = False,
) -> None:
    """Open PostgreSQL's own terminal on the database, as its owner. Say `set app.crm_id = '1';` to see a CRM.

    \b
    Examples:
      ringeliste db psql
      ringeliste db psql --print
    """
    import os
    import shlex

    from ringeliste.cli import servers

    command = servers.psql()
    if print_:
        typer.echo(shlex.join(command))
        return
    os.execv(command[0], command)  # noqa: S606 - psql takes over this terminal


def _draw_servers(console: "Console", document: dict[str, Any], *, dry_run: bool = False) -> None:
    from ringeliste.cli.output import plain_table, shown, would

    if dry_run:
        console.print(would(dry_run) + "It stands so:")
    table = plain_table("", "", "process", right=("process",))
    for name in ("postgres", "redis"):
        state = document[name]
        style = {"running": "green", "stopped": "red"}.get(state, "yellow")
        table.add_row(name, f"[{style}]{state}[/{style}]", str(document[f"{name}_pid"] or ""))
    console.print(table)
    console.print(f"[dim]{shown(document['directory'])}[/dim]")


def _draw_status(console: "Console", document: dict[str, Any]) -> None:
    from ringeliste.cli.output import shown

    _draw_servers(console, document)
    for name, part in document["parts"].items():
        style = {"ok": "green", "degraded": "yellow"}.get(part["verdict"], "red")
        console.print(
            f"[{style}]{part['verdict']:<9}[/{style}] {name} [dim]{shown(part['detail'])}[/dim]",
            soft_wrap=True,
        )


def _draw_upgrade(console: "Console", document: dict[str, Any]) -> None:
    from ringeliste.cli.output import would

    if document["from"] == document["to"]:
        console.print(f"The schema is up to date: {document['to']}.")
        return
    console.print(f"{would(document['dry_run'])}From {document['from'] or 'nothing'} to {document['to']}.")
