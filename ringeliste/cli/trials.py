"""Try before you ring: the demo world, a simulated day, and how fast this machine is."""

from pathlib import Path
from typing import Annotated, Any

import typer

from ringeliste.cli.front import add
from ringeliste.cli.options import AsJson, DryRun

PANEL = "Try it"


def register(app: typer.Typer) -> None:
    """Add these commands."""
    add(app, demo, PANEL)


def demo(
    data: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A list of the same shape; else the bank's.")
    ] = None,
    sellers: Annotated[int, typer.Option(min=1, help="How many sellers are employed.")] = 20,
    seed: Annotated[int, typer.Option(help="Makes the telephone numbers.")] = 1,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Build the demo world: a bank's list of 45,211 customers in a CRM of its own, with segments and sellers.

    Built once; a second time it says where everything is. `ringeliste up --demo` builds it too, and works it.

    \b
    Examples:
      ringeliste demo
      ringeliste demo --dry-run
      ringeliste demo --json
    """
    from ringeliste.cli.building import build, planned
    from ringeliste.cli.output import answer

    document: dict[str, Any] = planned(data, sellers) if dry_run else build(data, sellers=sellers, seed=seed)
    answer(document, lambda console: _draw(console, document, dry_run=dry_run), as_json=as_json)


def _draw(console: Any, document: dict[str, Any], *, dry_run: bool) -> None:
    from ringeliste.cli.output import plain_table, would

    console.print(f"{would(dry_run)}The demo {'would be' if dry_run else 'is'} in {document['directory']}.")
    table = plain_table("", "")
    for name, value in document.items():
        table.add_row(f"[dim]{name.replace('_', ' ')}[/dim]", str(value))
    console.print(table)
    if not dry_run:
        console.print("Work it with [bold]ringeliste up --demo[/bold].")
