"""What publishing a file of rules would do: sizes, the move matrix, and some of who would move."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringeliste.cli.front import REFUSED
from ringeliste.cli.options import AsJson, AssignmentName, CrmName
from ringeliste.cli.rule_texts import RuleFile

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from models.work import Work
    from segmentation.preview import Preview

MOST_MOVES, EXAMPLES, ANY_WIDTH = 20, 3, 10_000

WarnAbove = Annotated[
    float, typer.Option("--warn-above", min=0, max=100, metavar="PERCENT", help="How many may move unsaid.")
]
Strict = Annotated[bool, typer.Option("--strict", help="Exit code 1 if there is any warning.")]


def preview(
    file: RuleFile,
    crm: CrmName = None,
    assignment: AssignmentName = None,
    warn_above: WarnAbove = 20,
    strict: Strict = False,
    as_json: AsJson = False,
) -> None:
    """See what publishing a file of rules would do. Nothing is changed.

    How large every segment would be, who would move from where to where, some of them by name, which labels
    would be given and taken, who is held, and what is hardly meant. Exit code 2 if the file has mistakes.

    \b
    Examples:
      ringeliste rules preview rules.txt
      ringeliste rules preview rules.json --assignment Spring --json
      ringeliste rules preview rules.txt --warn-above 5 --strict && ringeliste rules publish rules.txt
    """
    from calling.segments.previewing import preview as look
    from calling.segments.previewing import read_draft, warnings_of
    from ringeliste.cli.doors import reading
    from ringeliste.cli.output import answer
    from ringeliste.cli.rule_files import fields_of, read_file

    with reading(crm, assignment) as (work, assignment_id):
        draft = read_file(file, fields_of(work))
        read = read_draft(work, assignment_id, draft)
    warned = warnings_of(*read)
    with reading(crm, assignment, snapshot=True) as (work, assignment_id):
        seen = look(work, assignment_id, draft, warnings=warned, warn_above=warn_above / 100)
        document = _document(work, seen)
    answer(document, lambda console: _draw(console, document), as_json=as_json)
    if strict and document["warnings"]:
        raise typer.Exit(REFUSED)


def _document(work: "Work", seen: "Preview") -> dict[str, Any]:
    """The preview as plain data; customers go by their external ids, as everywhere on the command line."""
    from dataclasses import asdict

    from calling.segments.previewing import external_ids

    document = asdict(seen)
    samples = [*document["cells"], *document["held_elsewhere"]]
    names = external_ids(work, (customer for one in samples for customer in one["sample"]))
    for one in samples:
        one["sample"] = [names[customer] for customer in one["sample"]]
    document["warnings"] = [f"{path}: {message}" for path, message in seen.warnings]
    return document


def _draw(console: "Console", document: dict[str, Any]) -> None:
    from ringeliste.cli.output import shown
    from ringeliste.drawing import count, counted

    share = f"{document['share']:.1%}"
    console.print(
        f"[bold]{counted(document['customers'], 'customer')}[/bold]: {count(document['stay'])} stay, "
        f"[bold yellow]{count(document['move'])} move[/bold yellow] ({share})"
    )
    console.print(_sizes(document["segments"]))
    for title, table in _tables(console, document):
        console.print(f"\n[dim]{title}[/dim]")
        console.print(table)
    if document["released"]:
        console.print(f"\n{counted(document['released'], 'hold')} let go: their segment goes.")
    for warning in document["warnings"]:
        console.print(f"[yellow]Warning: {shown(warning)}[/yellow]")


def _tables(console: "Console", document: dict[str, Any]) -> "Iterable[tuple[str, Table]]":
    from rich.measure import Measurement

    cells = document["cells"]
    matrix = _matrix(cells, [one["key"] for one in document["segments"]])
    wanted = Measurement.get(console, console.options.update(width=ANY_WIDTH), matrix).maximum
    if cells and wanted <= console.width:
        yield "from (down), to (across)", matrix
    moves = [cell for cell in cells if cell["from_key"] != cell["to_key"]]
    if moves:
        more = f", the {MOST_MOVES} largest of {len(moves)}" if len(moves) > MOST_MOVES else ""
        yield f"who moves{more}", _moves(moves[:MOST_MOVES])
    if document["labels"]:
        yield "labels", _labels(document["labels"])
    if document["held_elsewhere"]:
        yield "held elsewhere than their rule says: holds win", _held(document["held_elsewhere"])


def _sizes(segments: list[dict[str, Any]]) -> "Table":
    from ringeliste.cli.output import number, plain_table, shown

    numbers = ("before", "after", "came", "went")
    table = plain_table("segment", *numbers, "", right=numbers)
    for one in segments:
        mark = "[green]new[/green]" if one["is_new"] else "[red]goes[/red]" if one["goes"] else ""
        table.add_row(shown(one["name"]), *(number(one[key]) for key in numbers), mark)
    return table


def _matrix(cells: list[dict[str, Any]], keys: list[str]) -> "Table":
    """Old segments down, new ones across; those who stay are grey, those who move are not."""
    from ringeliste.cli.output import plain_table, shown
    from ringeliste.drawing import count

    sizes = {(cell["from_key"], cell["to_key"]): cell["size"] for cell in cells}
    froms = [key for key in keys if any(key == one for one, _ in sizes)]
    tos = [key for key in keys if any(key == other for _, other in sizes)]
    table = plain_table("", *map(shown, tos), right=tuple(map(shown, tos)))
    for one in froms:
        row = []
        for other in tos:
            size = sizes.get((one, other), 0)
            style = "dim" if one == other or not size else "bold yellow"
            row.append(f"[{style}]{count(size) if size else '·'}[/{style}]")
        table.add_row(shown(one), *row)
    return table


def _moves(moves: list[dict[str, Any]]) -> "Table":
    from ringeliste.cli.output import plain_table, shown
    from ringeliste.drawing import count

    table = plain_table("from", "to", "customers", "for example", right=("customers",))
    for move in moves:
        some = ", ".join(map(shown, move["sample"][:EXAMPLES]))
        table.add_row(shown(move["from_key"]), shown(move["to_key"]), count(move["size"]), some)
    return table


def _labels(labels: list[dict[str, Any]]) -> "Table":
    from ringeliste.cli.output import number, plain_table, shown

    numbers = ("before", "after", "given", "taken")
    table = plain_table("label", *numbers, right=numbers)
    for one in labels:
        table.add_row(shown(one["name"]), *(number(one[key]) for key in numbers))
    return table


def _held(held: list[dict[str, Any]]) -> "Table":
    from ringeliste.cli.output import plain_table, shown
    from ringeliste.drawing import count

    table = plain_table("by rule", "held in", "customers", "for example", right=("customers",))
    for one in held:
        some = ", ".join(map(shown, one["sample"][:EXAMPLES]))
        table.add_row(shown(one["rule_key"]), shown(one["held_key"]), count(one["size"]), some)
    return table
