"""Try before you ring: the demo world, a simulated day, and how fast this machine is."""

from pathlib import Path
from typing import Annotated, Any

import typer

from models.errors import BadInput
from ringeliste.cli.front import VIOLATIONS, add
from ringeliste.cli.options import AsJson, DryRun

PANEL = "Try it"
SELLERS = 20


def register(app: typer.Typer) -> None:
    """Add these commands."""
    add(app, demo, PANEL)
    add(app, simulate, PANEL)
    add(app, bench, PANEL)


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


def simulate(
    days: Annotated[
        float, typer.Option(min=0.01, max=366, help="How many days, from a Monday at 08:00.")
    ] = 1,
    seed: Annotated[int, typer.Option(help="The same seed gives the same report, to the digit.")] = 1,
    data: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A list of the demo's shape; else the bank's.")
    ] = None,
    sellers: Annotated[
        int | None, typer.Option(min=1, help="How many sellers work.", show_default="20; 4 with --faults")
    ] = None,
    faults: Annotated[
        bool, typer.Option("--faults", help="Play half hours of a small world in which everything fails.")
    ] = False,
    seeds: Annotated[int, typer.Option(min=1, help="With --faults: so many seeds, the first is --seed.")] = 1,
    until_step: Annotated[
        int | None, typer.Option(min=1, metavar="STEP", help="With --faults: one seed, up to this step.")
    ] = None,
    customers: Annotated[
        int | None,
        typer.Option(min=20, max=100_000, help="With --faults: customers.", show_default="300"),
    ] = None,
    minutes: Annotated[
        float | None,
        typer.Option(min=1, max=600, help="With --faults: business time.", show_default="30"),
    ] = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Play days of calling in a minute or two, by the very functions that real days run on.

    How far does this list last with these sellers? No real list is touched. The days stay in
    DATA/simulation, a data directory of its own below yours (a day: 260 MB; servers stopped), until the next
    run makes it anew: look at it with RINGELISTE_DATA=DATA/simulation, or remove it. Exit code 3 if the audit
    afterwards finds a broken promise.

    With --faults processes die, messages are lost, repeated and late, the queue burns, time jumps, and a
    manager pauses, moves, suppresses, imports and publishes meanwhile: afterwards every promise has to stand.
    A seed that breaks one tells its step, and comes to the same step again. One seed stays in DATA/faults.

    \b
    Examples:
      ringeliste simulate --days 1 --seed 7
      ringeliste simulate --days 5 --dry-run
      ringeliste simulate --days 5 --sellers 40 --json
      ringeliste simulate --faults --seeds 200
      ringeliste simulate --faults --seed 17 --until-step 900
    """
    from ringeliste.cli.output import answer

    if faults:
        _with_faults(
            seed, seeds, customers, sellers, minutes, until_step, dry_run=dry_run, as_json=as_json
        )  # fmt: skip
        return
    if seeds != 1 or (until_step, customers, minutes) != (None, None, None):
        raise BadInput("--seeds, --until-step, --customers and --minutes: only with --faults")
    sellers = sellers or SELLERS
    from ringeliste.cli.playing import draw_report, plan, play

    if dry_run:
        document = plan(days=days, data=data, sellers=sellers)
        answer(document, lambda console: _draw_plan(console, document), as_json=as_json)
        return
    report = play(days=days, seed=seed, data=data, sellers=sellers)
    answer(report.to_json(), lambda console: draw_report(console, report), as_json=as_json)
    if any(report.check.values()):
        raise typer.Exit(VIOLATIONS)


def _with_faults(
    seed: int, seeds: int, customers: int | None, sellers: int | None, minutes: float | None,
    until_step: int | None, *, dry_run: bool, as_json: bool,
) -> None:  # fmt: skip
    from ringeliste.cli import faults
    from ringeliste.cli.output import answer

    faults.check(seeds, until_step)
    size = faults.sized(customers, sellers, minutes)
    if dry_run:
        document = faults.plan(seed, seeds, size)
        answer(document, lambda console: _draw_plan(console, document), as_json=as_json)
        return
    verdicts = faults.run(seed, seeds, size, until_step)
    answer(
        faults.document(verdicts, size),
        lambda console: faults.draw(console, verdicts, steps=until_step is not None),
        as_json=as_json,
    )
    if any(one.broken for one in verdicts):
        raise typer.Exit(VIOLATIONS)


def bench(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="import, rebuild, allocate, next, outcomes, pause, facets, sweep, bulk, preview, flood, "
            "clocks or funnel.",
        ),
    ],
    rows: Annotated[int, typer.Option(min=1000, help="Customers.")] = 100_000,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Measure how fast this machine does it, beside the best that it could do, in the same run.

    Works in DATA/bench on servers of its own with an empty database, and removes them. A ratio is our cost
    divided by the limit's: 1 is perfect, larger is slower.

    \b
    Examples:
      ringeliste bench next
      ringeliste bench import --rows 1000000 --json
      ringeliste bench rebuild --dry-run
    """
    from ringeliste.cli.measuring import draw_figures, measure, plan
    from ringeliste.cli.output import answer

    if dry_run:
        document = plan(name, rows)
        answer(document, lambda console: _draw_plan(console, document), as_json=as_json)
        return
    figures = measure(name, rows)
    answer(figures, lambda console: draw_figures(console, figures), as_json=as_json)


def _draw_plan(console: Any, document: dict[str, Any]) -> None:
    from ringeliste.cli.output import plain_table, shown, would

    console.print(f"{would(True)}It would work in {shown(document['directory'])}.")
    table = plain_table("", "")
    for name, value in document.items():
        table.add_row(f"[dim]{name.replace('_', ' ')}[/dim]", shown(value))
    console.print(table)


def _draw(console: Any, document: dict[str, Any], *, dry_run: bool) -> None:
    from ringeliste.cli.output import plain_table, shown, would

    console.print(
        f"{would(dry_run)}The demo {'would be' if dry_run else 'is'} in {shown(document['directory'])}."
    )
    table = plain_table("", "")
    for name, value in document.items():
        table.add_row(f"[dim]{name.replace('_', ' ')}[/dim]", shown(value))
    console.print(table)
    if not dry_run:
        console.print("Work it with [bold]ringeliste up --demo[/bold].")
