"""Rules before they are published: look for mistakes, translate."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from models.errors import BadInput, BadRule
from ringeliste.cli.front import USED_WRONGLY
from ringeliste.cli.options import AsJson, CrmName

if TYPE_CHECKING:
    from segmentation.catalogue import OwnFields

RuleFile = Annotated[
    Path, typer.Argument(metavar="FILE", help="Text or JSON, as `ringeliste rules show` prints it.")
]
MaybeFile = Annotated[
    Path | None, typer.Argument(metavar="FILE", help="A rule set as text or JSON.", show_default=False)
]
Sql = Annotated[str | None, typer.Option("--sql", metavar="PREDICATE", help="An SQL predicate.")]
RuleText = Annotated[str | None, typer.Option("--text", metavar="RULE", help="One rule, without a heading.")]


def check(file: RuleFile, crm: CrmName = None, as_json: AsJson = False) -> None:
    """Look for mistakes in a file of rules, and name all of them. Nothing is changed.

    Exit code 2 if there are any. What is allowed and most likely not meant comes as a warning.

    \b
    Examples:
      ringeliste rules check rules.txt
      ringeliste rules check rules.json --json
    """
    from ringeliste.cli.output import answer
    from ringeliste.cli.rule_files import places, read_file
    from segmentation.catalogue import catalogue
    from segmentation.language import read_rules
    from segmentation.warning import warnings_of

    with _fields(crm) as fields:
        try:
            rules = read_rules(read_file(file, fields), fields)
        except BadRule as bad:
            if not as_json:
                raise
            answer({"ok": False, "problems": places(bad), "warnings": []}, lambda _: None, as_json=True)
            raise typer.Exit(USED_WRONGLY) from None
        warnings = [f"{path}: {message}" for path, message in warnings_of(rules, catalogue(fields))]
    counts = {"segments": len(rules.segments), "labels": len(rules.labels)}
    said = f"No mistakes: {counts['segments']} segments, {counts['labels']} labels."
    lines = "\n".join([said, *(f"Warning: {warning}" for warning in warnings)])
    document = {"ok": True, "problems": [], "warnings": warnings, **counts}
    answer(document, lambda _: typer.echo(lines), as_json=as_json)


def translate(
    file: MaybeFile = None,
    sql: Sql = None,
    text: RuleText = None,
    crm: CrmName = None,
    as_json: AsJson = False,
) -> None:
    """Show rules in their textual form: those of a file, one rule, or what an SQL predicate means.

    With --json you get the JSON form as well. What an SQL predicate may ask stands in docs/rule-text.md.

    \b
    Examples:
      ringeliste rules translate rules.json
      ringeliste rules translate --sql "status <> 'sale' and attempts >= 2"
      ringeliste rules translate --text "attempts >= 2 or vip" --json
    """
    if sum(given is not None for given in (file, sql, text)) != 1:
        raise BadInput("give one of the three: a FILE, --sql or --text")
    with _fields(crm) as fields:
        document = _rule(sql, text, fields) if file is None else _rule_set(file, fields)
    from ringeliste.cli.output import answer

    answer(document, lambda _: typer.echo(_drawn(document), nl=False), as_json=as_json)


def _rule_set(file: Path, fields: "OwnFields") -> dict[str, Any]:
    from ringeliste.cli.rule_files import read_file
    from segmentation.language import read_rules
    from segmentation.nodes import dump
    from segmentation.text.writing import write_text

    rules = read_rules(read_file(file, fields), fields)
    return {"rules": dump(rules), "text": write_text(rules), "notes": []}


def _rule(sql: str | None, text: str | None, fields: "OwnFields") -> dict[str, Any]:
    from segmentation.catalogue import catalogue
    from segmentation.expert.reading import read_predicate
    from segmentation.language import read_rule
    from segmentation.nodes import dump_node
    from segmentation.text.reading import read_rule_text
    from segmentation.text.writing import write_rule

    known = catalogue(fields)
    notes: tuple[str, ...] = ()
    if sql is not None:
        predicate = read_predicate(sql, known)
        when, notes = predicate.when, predicate.notes
    else:
        when = read_rule_text(text or "", known)
    node = read_rule(when, known)
    return {"when": dump_node(node), "text": f"{write_rule(node)}\n", "notes": list(notes)}


def _drawn(document: dict[str, Any]) -> str:
    """Notes come as comments: the whole stays a text of rules."""
    return "".join(f"# {note}\n" for note in document["notes"]) + str(document["text"])


@contextmanager
def _fields(crm: str | None) -> Iterator["OwnFields"]:
    from ringeliste.cli.doors import application
    from ringeliste.cli.finding import find_crm
    from ringeliste.cli.rule_files import fields_of

    with application() as app, app.work(find_crm(app, crm)) as work:
        yield fields_of(work)
