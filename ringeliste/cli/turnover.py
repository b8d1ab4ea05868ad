"""Where the turnover classes begin: shown, and moved in the whole CRM."""

from typing import TYPE_CHECKING, Annotated

import typer

from ringeliste.cli.options import AsJson, Author, CrmName, DryRun, whoever

if TYPE_CHECKING:
    from rich.console import Console

    from calling.segments.turnover import Changed, Turnover


def turnover(
    field: Annotated[str | None, typer.Option(help="The number field that they are cut by.")] = None,
    silver: Annotated[float | None, typer.Option(help="From here on silver.")] = None,
    gold: Annotated[float | None, typer.Option(help="From here on gold.")] = None,
    platinum: Annotated[float | None, typer.Option(help="From here on platinum.")] = None,
    crm: CrmName = None,
    author: Author = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Show where the turnover classes begin in the whole CRM, or move them.

    What is not given stays. Every assignment that uses the classes is published anew, all of them or none.

    \b
    Examples:
      ringeliste templates turnover
      ringeliste templates turnover --gold 60000 --dry-run
      ringeliste templates turnover --field turnover --silver 10000 --gold 50000 --platinum 250000
    """
    from calling.segments.turnover import change
    from calling.segments.turnover import turnover as kept_classes
    from ringeliste.cli.doors import writing
    from ringeliste.cli.output import answer

    given = {"field": field, "silver": silver, "gold": gold, "platinum": platinum}
    wanted = {name: value for name, value in given.items() if value is not None}
    with writing(crm, dry_run=dry_run) as (_, open_work):
        with open_work() as work:
            kept = kept_classes(work)
        if not wanted:
            answer(kept, lambda console: _draw_classes(console, kept), as_json=as_json)
            return
        whole = {**(kept.parameters if kept else {}), **wanted}
        expected = kept.version if kept else None
        done = change(open_work, whole, author=whoever(author), expected=expected)
    document = {"dry_run": dry_run, "turnover": done.turnover, "published": done.published, "left": done.left}
    answer(document, lambda console: _draw_changed(console, done, dry_run=dry_run), as_json=as_json)


def _draw_classes(console: "Console", kept: "Turnover | None") -> None:
    from ringeliste.cli.output import instant, plain_table, shown

    if kept is None:
        console.print("Nobody has said where they begin: apply the template, or say it here.")
        return
    table = plain_table("class", "from", right=("from",))
    for name in ("silver", "gold", "platinum"):
        table.add_row(name, f"{getattr(kept, name):,g}")
    console.print(f"By [bold]{shown(kept.field)}[/bold], version {kept.version}.")
    console.print(table)
    console.print(f"[dim]{shown(kept.author)}, {instant(kept.changed_at)}[/dim]")


def _draw_changed(console: "Console", done: "Changed", *, dry_run: bool) -> None:
    from ringeliste.cli.output import shown, would
    from ringeliste.drawing import counted

    console.print(f"{would(dry_run)}{counted(len(done.published), 'assignment')} published anew.")
    for one in done.left:
        what = f"assignment {one.assignment_id}: {shown(one.key)} was written by hand"
        console.print(f"[yellow]{what}, and is left as it is[/yellow]")
    _draw_classes(console, done.turnover)
