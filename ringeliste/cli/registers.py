"""National registers: load them, obey them, and see how old they are."""

from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

from models.errors import BadInput
from ringeliste.cli import register_exemptions
from ringeliste.cli.front import add as add_command
from ringeliste.cli.options import AsJson, Author, CrmName, DryRun, whoever
from ringeliste.cli.register_options import Name, changing

REGISTERS = """National registers of those who may not be called.

\b
Examples:
  ringeliste registers list
  ringeliste registers load NO-RESERVASJON reservasjon.txt --dated 2026-11-01
  ringeliste registers use NO-RESERVASJON
"""


def register(app: typer.Typer) -> None:
    """Add these commands."""
    group = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")
    add_command(group, list_registers, name="list")
    add_command(group, load)
    add_command(group, versions)
    add_command(group, use)
    add_command(group, leave)
    register_exemptions.register(group)
    app.add_typer(group, name="registers", rich_help_panel="Calls", help=REGISTERS)


def list_registers(crm: CrmName = None, as_json: AsJson = False) -> None:
    """List every register that is known: its version in force, how old that is, and whether the CRM uses it.

    \b
    Examples:
      ringeliste registers list
      ringeliste registers list --json
    """
    from calling.views.registers import register_states
    from ringeliste.cli.doors import application
    from ringeliste.cli.finding import find_crm
    from ringeliste.cli.output import answer
    from ringeliste.cli.registers_drawing import draw_list

    with application() as app, app.work(find_crm(app, crm)) as work:
        found = register_states(work)
    answer(found, lambda console: draw_list(console, found), as_json=as_json)


def load(
    name: Name,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Text, a number a line, or columns.")],
    dated: Annotated[str, typer.Option(metavar="YYYY-MM-DD", help="The day on which the file was fetched.")],
    column: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="The number's column by header or place; 1+2 joins two."),
    ] = None,
    force: Annotated[
        bool,
        typer.Option("--force", help="Take a file that lacks a fifth of the last one, or is of elsewhere."),
    ] = False,
    author: Author = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Load a register as it was on a day. When it answers, nobody rings whom it names.

    Its numbers are read as people of its country write them, compared with the version in force, and take
    their place in one moment, in every CRM that uses the register.

    \b
    Examples:
      ringeliste registers load NO-RESERVASJON reservasjon.txt --dated 2026-11-01 --dry-run
      ringeliste registers load US-DNC 2026-11-01.csv --column 1+2 --dated 2026-11-01
    """
    from calling.registers.following import follow_everywhere
    from calling.registers.loading import load_register
    from ringeliste.cli.doors import application
    from ringeliste.cli.output import answer
    from ringeliste.cli.registers_drawing import draw_load
    from ringeliste.cli.walls import patience
    from ringeliste.progress import share_bar

    day = _day(dated)
    followed = None
    with application(publishing=not dry_run) as app:
        with share_bar(f"Reading {file.name}") as progress:
            told = load_register(
                app.shared, name, file, dated=day, author=whoever(author), now=app.now(), column=column,
                force=force, dry_run=dry_run, progress=progress,
            )  # fmt: skip
        if not dry_run:
            openers = {crm: app.opener(crm) for crm in app.crms()}
            followed = follow_everywhere(
                app.shared, openers, now=app.now(), patience=patience(app, dry_run=False)
            )
    document = {"dry_run": dry_run, "loaded": told, "followed": followed}
    answer(document, lambda console: draw_load(console, told, followed, dry_run=dry_run), as_json=as_json)


def versions(name: Name, crm: CrmName = None, as_json: AsJson = False) -> None:
    """List the versions of a register that were loaded, by whom, and what each changed.

    \b
    Examples:
      ringeliste registers versions NO-RESERVASJON
    """
    from calling.views.registers import versions as versions_of
    from ringeliste.cli.doors import application
    from ringeliste.cli.finding import find_crm
    from ringeliste.cli.output import answer
    from ringeliste.cli.registers_drawing import draw_versions

    with application() as app, app.work(find_crm(app, crm)) as work:
        rows = [dict(row._mapping) for row in versions_of(work, name, 0, 1_000)]
    answer(rows, lambda console: draw_versions(console, rows), as_json=as_json)


def use(
    name: Name, crm: CrmName = None, author: Author = None, dry_run: DryRun = False, as_json: AsJson = False
) -> None:
    """Let the CRM obey a register. When it answers, nobody of it rings whom the register names.

    While the register is not loaded, or too old, nobody in its country is called at all: what was offered
    there comes back, and the answer says so.

    \b
    Examples:
      ringeliste registers use NO-RESERVASJON
      ringeliste registers use NO-RESERVASJON --dry-run
    """
    from calling.registers import using
    from calling.registers.law import register_named
    from calling.views.registers import warning_of
    from ringeliste.cli.walls import patience, tell

    with changing(crm, dry_run=dry_run) as (app, open_work):
        caught = using.use(open_work, name, author=whoever(author), patience=patience(app, dry_run=dry_run))
        with open_work() as work:
            warning = warning_of(work, name)
    done = f"{register_named(name).name} is obeyed"
    tell(caught, done, dry_run=dry_run, as_json=as_json, warning=warning)


def leave(
    name: Name, crm: CrmName = None, author: Author = None, dry_run: DryRun = False, as_json: AsJson = False
) -> None:
    """Let the CRM obey a register no longer. It stays written who decided that.

    \b
    Examples:
      ringeliste registers leave SE-NIX
    """
    from calling.registers import using
    from calling.registers.law import register_named
    from ringeliste.cli.output import answer, would

    with changing(crm, dry_run=dry_run) as (_, open_work):
        using.use_no_more(open_work, name, author=whoever(author))
    said = f"{register_named(name).name} is obeyed no longer."
    document = {"register": register_named(name).name, "used": False, "dry_run": dry_run}
    answer(document, lambda console: console.print(would(dry_run) + said), as_json=as_json)


def _day(text: str) -> date:
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007 - a day has no zone
    except ValueError:
        raise BadInput(f"--dated {text}: write a day as 2026-11-01") from None
