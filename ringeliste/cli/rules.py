"""Rules: see those in force, try a file, publish it."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringeliste.cli.front import add
from ringeliste.cli.options import AsJson, AssignmentName, Author, CrmName, DryRun, whoever
from ringeliste.cli.publishing import Watch, put_in_force, told_of
from ringeliste.cli.rule_previews import preview
from ringeliste.cli.rule_reasons import explain
from ringeliste.cli.rule_texts import RuleFile, check, translate
from ringeliste.cli.rule_versions import roll_back, versions
from ringeliste.cli.rule_versions import watch as watch_rebuilds

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from models.work import OpenWork, Work

AsText = Annotated[bool, typer.Option("--text", help="In the textual form, which people read and edit.")]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    group = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")
    for command in (show, check, preview, publish, versions, explain, translate):
        add(group, command)
    add(group, roll_back, name="roll-back")
    add(group, watch_rebuilds, name="watch")
    app.add_typer(group, name="rules", rich_help_panel="Lists", help=RULES)


RULES = """See, check, preview, publish and explain the rules that cut an assignment into segments.

\b
Examples:
  ringeliste rules show --text > rules.txt
  ringeliste rules check rules.txt
  ringeliste rules preview rules.txt
  ringeliste rules publish rules.txt --dry-run
  ringeliste rules publish rules.txt --watch
  ringeliste rules versions
  ringeliste rules roll-back 3
  ringeliste rules explain 17
"""


def show(
    crm: CrmName = None,
    assignment: AssignmentName = None,
    as_text: AsText = False,
    as_json: AsJson = False,
) -> None:
    """Show the rules in force, as JSON or as text: what is shown can be edited and published.

    A rule that cannot be read any more is told of on standard error, and what is in force in its place.

    \b
    Examples:
      ringeliste rules show
      ringeliste rules show --text > rules.txt
      ringeliste rules show --assignment Spring --json > rules.json
    """
    from calling.segments.alarms import found_now
    from calling.segments.publishing import current
    from ringeliste.cli.doors import reading
    from ringeliste.cli.output import answer

    with reading(crm, assignment) as (work, assignment_id):
        body, broken = current(work, assignment_id), found_now(work, assignment_id)
    for line in told_of(broken):  # not among the rules: they can be published as they are shown
        typer.echo(f"ringeliste: {line}", err=True)
    if as_text:
        from segmentation.text.writing import write_body

        written = write_body(body)
        answer({"text": written}, lambda _: typer.echo(written, nl=False), as_json=as_json)
        return
    answer(body, lambda console: _draw_rules(console, body), as_json=as_json)


def publish(
    file: RuleFile,
    crm: CrmName = None,
    assignment: AssignmentName = None,
    author: Author = None,
    watch: Watch = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Put a rule set in force; the workers then move every customer to the segment it says.

    The file is text or JSON; which of the two is told by its content. With --dry-run you see how many
    would move where, with --watch how far they are. Every mistake in the file is named at once.

    \b
    Examples:
      ringeliste rules publish rules.json --dry-run
      ringeliste rules publish rules.txt --author Kari --watch
    """
    from calling.segments.publishing import publish as put
    from ringeliste.cli.rule_files import fields_of, read_file

    def prepare(open_work: "OpenWork", work: "Work", assignment_id: int) -> "Callable[[], int]":
        body = read_file(file, fields_of(work))
        return lambda: put(open_work, assignment_id, body, author=whoever(author))

    put_in_force(crm, assignment, prepare, dry_run=dry_run, watch=watch, as_json=as_json)


def _draw_rules(console: "Console", body: Any) -> None:
    from rich.syntax import Syntax

    from ringeliste.cli.output import print_json

    if not console.is_terminal:
        print_json(body)
        return
    import json

    console.print(Syntax(json.dumps(body, indent=2, ensure_ascii=False), "json", background_color="default"))
