"""National registers: load them, use them, let somebody off, and see how old they are."""

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from models.errors import BadInput
from ringeliste.cli.front import add as add_command
from ringeliste.cli.options import AsJson, AssignmentName, Author, CrmName, DryRun, whoever

if TYPE_CHECKING:
    from rich.console import Console

    from calling.registers.coming import Loaded
    from calling.registers.following import Followed
    from calling.views.registers import RegisterState

REGISTERS = """National registers of those who may not be called.

\b
Examples:
  ringeliste registers list
  ringeliste registers load NO-RESERVASJON reservasjon.txt --dated 2026-11-01
  ringeliste registers use NO-RESERVASJON
"""
SHOWN = 5

Name = Annotated[str, typer.Argument(metavar="NAME", help="The register, such as NO-RESERVASJON.")]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    group = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")
    add_command(group, list_registers, name="list")
    add_command(group, load)
    add_command(group, versions)
    add_command(group, use)
    add_command(group, leave)
    add_command(group, exempt)
    add_command(group, exemptions)
    add_command(group, end_exemption, name="end-exemption")
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

    with application() as app, app.work(find_crm(app, crm)) as work:
        found = register_states(work)
    answer(found, lambda console: _draw_list(console, found), as_json=as_json)


def load(
    name: Name,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Text, a number a line, or columns.")],
    dated: Annotated[str, typer.Option(metavar="YYYY-MM-DD", help="The day on which the file was fetched.")],
    column: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="The number's column by header or place; 1+2 joins two."),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Take a file that lacks more than a fifth of the last one.")
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
    answer(document, lambda console: _draw_load(console, told, followed, dry_run=dry_run), as_json=as_json)


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

    with application() as app, app.work(find_crm(app, crm)) as work:
        rows = [dict(row._mapping) for row in versions_of(work, name, 0, 1_000)]
    answer(rows, lambda console: _draw_versions(console, rows), as_json=as_json)


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
    from calling.registers.stamping import stamp
    from calling.views.registers import warning_of
    from ringeliste.cli.doors import writing
    from ringeliste.cli.walls import patience, tell

    with writing(crm, dry_run=dry_run) as (app, open_work):
        caught = using.use(open_work, name, author=whoever(author), patience=patience(app, dry_run=dry_run))
        with open_work() as work:
            warning = warning_of(work, name)
        if not dry_run:
            stamp(open_work)
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
    from calling.registers.stamping import stamp
    from ringeliste.cli.doors import writing
    from ringeliste.cli.output import answer, would

    with writing(crm, dry_run=dry_run) as (_, open_work):
        using.use_no_more(open_work, name, author=whoever(author))
        if not dry_run:
            stamp(open_work)
    said = f"{register_named(name).name} is obeyed no longer."
    document = {"register": register_named(name).name, "used": False, "dry_run": dry_run}
    answer(document, lambda console: console.print(would(dry_run) + said), as_json=as_json)


def exempt(
    name: Name,
    reason: Annotated[str, typer.Option(help="By whose consent, or since when they are customers.")],
    manager: Annotated[str, typer.Option(help="The manager who answers for it, by name.")],
    tag: Annotated[str | None, typer.Option(metavar="TAG", help="Customers who have this tag.")] = None,
    assignment: AssignmentName = None,
    crm: CrmName = None,
    author: Author = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Let customers with a tag, or a whole assignment, be called although a register names them.

    \b
    Examples:
      ringeliste registers exempt NO-RESERVASJON --tag customer --reason "our customers" --manager "Kari Nord"
    """
    from calling.registers import using
    from calling.registers.stamping import stamp
    from ringeliste.cli.doors import writing
    from ringeliste.cli.finding import find
    from ringeliste.cli.output import answer, shown, would

    with writing(crm, dry_run=dry_run) as (_, open_work):
        assignment_id = None
        if assignment is not None:
            with open_work() as work:
                assignment_id = find(work, "assignment", assignment)
        key = using.exempt(
            open_work, name, assignment_id=assignment_id, tag=tag, reason=reason, manager=manager,
            author=whoever(author),
        )  # fmt: skip
        if not dry_run:
            stamp(open_work)
    said = f"Exemption {key}: {shown(manager)} answers for it."
    document = {"exemption_id": key, "dry_run": dry_run}
    answer(document, lambda console: console.print(would(dry_run) + said), as_json=as_json)


def exemptions(
    ended: Annotated[bool, typer.Option("--ended", help="Those that ended, and by whom.")] = False,
    crm: CrmName = None,
    as_json: AsJson = False,
) -> None:
    """List who is let off a register, by whose name and why.

    \b
    Examples:
      ringeliste registers exemptions
      ringeliste registers exemptions --ended --json
    """
    from calling.views.registers import exemptions as exemptions_of
    from ringeliste.cli.doors import application
    from ringeliste.cli.finding import find_crm
    from ringeliste.cli.output import answer

    with application() as app, app.work(find_crm(app, crm)) as work:
        rows = [dict(row._mapping) for row in exemptions_of(work, 0, 1_000, ended=ended)]
    answer(rows, lambda console: _draw_exemptions(console, rows), as_json=as_json)


def end_exemption(
    exemption: Annotated[int, typer.Argument(metavar="ID", help="As `registers exemptions` lists it.")],
    crm: CrmName = None,
    author: Author = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """End an exemption. When it answers, the register binds them again.

    \b
    Examples:
      ringeliste registers end-exemption 4
    """
    from calling.registers import using
    from calling.registers.stamping import stamp
    from ringeliste.cli.doors import writing
    from ringeliste.cli.walls import patience, tell

    with writing(crm, dry_run=dry_run) as (app, open_work):
        caught = using.end_exemption(
            open_work, exemption, author=whoever(author), patience=patience(app, dry_run=dry_run)
        )
        if not dry_run:
            stamp(open_work)
    tell(caught, f"Exemption {exemption} has ended", dry_run=dry_run, as_json=as_json)


def _day(text: str) -> date:
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007 - a day has no zone
    except ValueError:
        raise BadInput(f"--dated {text}: write a day as 2026-11-01") from None


def _draw_list(console: "Console", found: "list[RegisterState]") -> None:
    from ringeliste.cli.output import number, plain_table, shown

    table = plain_table("name", "register", "binds", "version", "numbers", "age", "used", right=("numbers",))
    for one in found:
        style = {"stale": "red", "never loaded": "red", "old": "yellow"}.get(one.age, "")
        used = f"by {shown(one.used_by)}" if one.used_since else ("no" if one.binds_us else "[dim]no[/dim]")
        table.add_row(
            one.name, one.title, " ".join(one.binds), str(one.dated or "—"), number(one.numbers), one.age,
            used,
            style=style if one.used_since else "",
        )  # fmt: skip
    console.print(table)
    for one in found:
        if one.warning:
            console.print(one.warning, style="yellow", markup=False)


def _draw_load(console: "Console", told: "Loaded", followed: "Followed | None", *, dry_run: bool) -> None:
    from ringeliste.cli.output import plain_table, shown, would
    from ringeliste.drawing import count, counted

    pace = told.lines / told.seconds if told.seconds else 0
    console.print(
        f"{would(dry_run)}{told.register} of {told.dated}: {counted(told.lines, 'line')} in "
        f"{told.seconds:.1f} s ({count(pace)}/s)"
    )
    table = plain_table("what", "numbers", right=("numbers",))
    for what, numbers in (
        ("before", told.before), ("added", told.added), ("removed", told.removed), ("now", told.numbers),
        ("bad lines", told.bad_lines),
    ):  # fmt: skip
        table.add_row(what, count(numbers), style="red" if what == "bad lines" and numbers else "")
    console.print(table)
    for bad in told.bad[:SHOWN]:
        console.print(f"[red]line {bad.line}[/red]: {shown(repr(bad.text))}: {shown(bad.reason)}")
    if followed is not None:
        air = followed.in_the_air
        console.print(
            f"{counted(air.crms, 'CRM')} obeyed at once: {air.recalled} taken back unrung, {air.rung} ring "
            f"or talk, {air.unknown} not answered yet; {counted(followed.stamped, 'placement')} stamped."
        )


def _draw_versions(console: "Console", rows: list[dict[str, Any]]) -> None:
    from ringeliste.cli.output import instant, number, plain_table, shown

    table = plain_table(
        "id", "dated", "file", "by", "in force", "numbers", "added", "removed", "bad lines",
        right=("id", "numbers", "added", "removed", "bad lines"),
    )  # fmt: skip
    for row in rows:
        since = instant(row["in_force_at"]) if row["in_force_at"] else shown(row["why"] or "not yet")
        table.add_row(
            str(row["id"]), str(row["dated"]), shown(row["file"]), shown(row["author"]), since,
            *(number(row[name]) for name in ("numbers", "added", "removed", "bad_lines")),
            style="bold" if row["in_force"] else "",
        )  # fmt: skip
    console.print(table if rows else "It was never loaded.")


def _draw_exemptions(console: "Console", rows: list[dict[str, Any]]) -> None:
    from calling.hours.stricter import signed
    from ringeliste.cli.output import instant, plain_table, shown

    table = plain_table("id", "register", "whom", "why", "manager", "given", "ended", right=("id",))
    for row in rows:
        whom = f"tag {shown(row['tag'])}" if row["tag"] else f"assignment {shown(row['assignment'])}"
        ended = f"{instant(row['ended_at'])} by {shown(row['ended_by'])}" if row["ended_at"] else ""
        table.add_row(
            str(row["id"]), row["register"], whom, shown(row["reason"]),
            shown(signed(row["manager"], row["author"])), instant(row["given_at"]), ended,
        )  # fmt: skip
    console.print(table if rows else "Nobody is let off a register.")
