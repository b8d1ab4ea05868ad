"""Rules: see those in force, try a file, publish it."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringeliste.cli.front import add
from ringeliste.cli.options import AsJson, AssignmentName, Author, CrmName, DryRun, whoever
from ringeliste.cli.rule_previews import preview
from ringeliste.cli.rule_reasons import explain
from ringeliste.cli.rule_texts import RuleFile, check, translate

if TYPE_CHECKING:
    from rich.console import Console

    from models.work import OpenWork

AsText = Annotated[bool, typer.Option("--text", help="In the textual form, which people read and edit.")]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    group = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")
    for command in (show, check, preview, publish, explain, translate):
        add(group, command)
    app.add_typer(group, name="rules", rich_help_panel="Lists", help=RULES)


RULES = """See, check, preview, publish and explain the rules that cut an assignment into segments.

\b
Examples:
  ringeliste rules show --text > rules.txt
  ringeliste rules check rules.txt
  ringeliste rules preview rules.txt
  ringeliste rules publish rules.txt
  ringeliste rules explain 17
"""


def show(
    crm: CrmName = None,
    assignment: AssignmentName = None,
    as_text: AsText = False,
    as_json: AsJson = False,
) -> None:
    """Show the rules in force, as JSON or as text: what is shown can be edited and published.

    \b
    Examples:
      ringeliste rules show
      ringeliste rules show --text > rules.txt
      ringeliste rules show --assignment Spring --json > rules.json
    """
    from calling.segments.publishing import current
    from ringeliste.cli.doors import reading
    from ringeliste.cli.output import answer

    with reading(crm, assignment) as (work, assignment_id):
        body = current(work, assignment_id)
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
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Put a rule set in force; the workers then move every customer to the segment it says.

    The file is text or JSON; which of the two is told by its content. With --dry-run you see how many
    would move where. Every mistake in the file is named at once.

    \b
    Examples:
      ringeliste rules publish rules.json --dry-run
      ringeliste rules publish rules.txt --author Kari
    """
    from calling.segments.publishing import publish as put_in_force
    from ringeliste.cli.doors import somebody_works, writing
    from ringeliste.cli.finding import find
    from ringeliste.cli.output import answer
    from ringeliste.cli.rule_files import fields_of, read_file

    with writing(crm, dry_run=dry_run) as (app, open_work):
        with open_work() as work:
            assignment_id = find(work, "assignment", assignment)
            body = read_file(file, fields_of(work))
        version = put_in_force(open_work, assignment_id, body, author=whoever(author))
        moves = _moves(open_work, assignment_id) if dry_run else []
        worked = somebody_works(app)
    document = {"version": version, "dry_run": dry_run, "moves": moves, "somebody_works": worked}
    answer(document, lambda console: _draw_published(console, document), as_json=as_json)


def _moves(open_work: "OpenWork", assignment_id: int) -> list[dict[str, Any]]:
    """From where to where, and how many: the rebuild itself, in the transaction that is rolled back."""
    from calling.segments.resegmenting import rebuilds_to_do, run_rebuild

    before = _sizes(open_work, assignment_id)
    for rebuild_id in rebuilds_to_do(open_work):
        run_rebuild(open_work, rebuild_id)
    after = _sizes(open_work, assignment_id)
    return [
        {"segment": key, "before": before.get(key, 0), "after": after.get(key, 0)}
        for key in {**after, **before}
    ]


def _sizes(open_work: "OpenWork", assignment_id: int) -> dict[str, int]:
    from calling.views.report import segments

    with open_work() as work:
        return {one.key: one.size for one in segments(work, assignment_id)}


def _draw_rules(console: "Console", body: Any) -> None:
    from rich.syntax import Syntax

    from ringeliste.cli.output import print_json

    if not console.is_terminal:
        print_json(body)
        return
    import json

    console.print(Syntax(json.dumps(body, indent=2, ensure_ascii=False), "json", background_color="default"))


def _draw_published(console: "Console", document: dict[str, Any]) -> None:
    from ringeliste.cli.output import moving, plain_table, shown, would
    from ringeliste.drawing import count

    console.print(f"{would(document['dry_run'])}Version {document['version']} of the rules.")
    if not document["dry_run"]:
        console.print(moving(document["somebody_works"]))
        return
    table = plain_table("segment", "before", "after", "change", right=("before", "after", "change"))
    for move in document["moves"]:
        before, after = move["before"], move["after"]
        table.add_row(shown(move["segment"]), count(before), count(after), f"{after - before:+,}")
    console.print(table)
