"""Everything, started by one command."""

from pathlib import Path
from typing import Annotated

import typer

from ringeliste.cli.front import add
from ringeliste.cli.options import DryRun


def register(app: typer.Typer) -> None:
    """Add this command."""
    add(app, up, "Try it")


def up(
    demo: Annotated[bool, typer.Option("--demo", help="Build the demo world, or go on with it.")] = False,
    data: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A list for the demo instead of the bank's.")
    ] = None,
    speed: Annotated[
        float | None,
        typer.Option(
            min=0.1, help="Business seconds a second, in the demo.", show_default="60, or as before"
        ),
    ] = None,
    sellers: Annotated[int, typer.Option(min=1, help="Simulated sellers, when the demo is built.")] = 20,
    lines: Annotated[int, typer.Option(min=1, help="Lines of the simulated dialer.")] = 10,
    seed: Annotated[int, typer.Option(help="The same seed, the same people on the telephone.")] = 1,
    logs: Annotated[
        bool, typer.Option("--logs", help="Show the processes' logs instead of the table.")
    ] = False,
    plain: Annotated[bool, typer.Option("--plain", help="A line now and then instead of the table.")] = False,
    dry_run: DryRun = False,
) -> None:
    """Start everything: PostgreSQL, Redis, migrations, web, workers, scheduler, the links of the dialers.

    Whatever dies is started again. Ctrl-C stops every process and leaves the data; logs are in the data
    directory. With --demo also a simulated dialer and simulated sellers, on a clock where a second is a
    minute.

    \b
    Examples:
      ringeliste up
      ringeliste up --demo
      ringeliste up --demo --speed 600 --plain
      ringeliste up --logs --dry-run
    """
    from ringeliste.screen import Screen
    from ringeliste.up import Wishes, plan
    from ringeliste.up import up as start

    screen = Screen(plain=plain, logs=logs)
    wishes = Wishes(demo=demo, data=data, speed=speed, sellers=sellers, lines=lines, seed=seed)
    if dry_run:
        for line in plan(wishes):
            screen.say(line)
        return
    raise typer.Exit(start(wishes, screen))
