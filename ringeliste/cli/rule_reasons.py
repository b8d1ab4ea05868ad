"""Why a customer is in their segment: a tree of ticks and crosses."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from models.errors import BadInput
from ringeliste.cli.options import AsJson, AssignmentName, CrmName

if TYPE_CHECKING:
    from datetime import datetime

    from rich.console import Console
    from rich.tree import Tree

    from segmentation.catalogue import OwnFields
    from segmentation.explanation import Reason, RuleAnswer, SegmentExplanation

Customer = Annotated[str, typer.Argument(metavar="CUSTOMER", help="The customer's external id.")]
Suppose = Annotated[
    list[str] | None,
    typer.Option("--if", metavar="FIELD=VALUE", help="What if? As often as you like; no VALUE: it has none."),
]
Draft = Annotated[
    Path | None, typer.Option("--draft", metavar="FILE", help="By the rules of this file instead.")
]
All = Annotated[bool, typer.Option("--all", help="Also the rules that an earlier segment keeps unreached.")]


def explain(
    customer: Customer,
    crm: CrmName = None,
    assignment: AssignmentName = None,
    suppose: Suppose = None,
    draft: Draft = None,
    every: All = False,
    as_json: AsJson = False,
) -> None:
    """Why is this customer in their segment? Every question of every rule, and when time alone changes it.

    With --if you see where other facts would place them, with --draft where other rules would. Nothing is
    changed.

    \b
    Examples:
      ringeliste rules explain 17
      ringeliste rules explain 17 --if attempts=4 --if status=busy
      ringeliste rules explain 17 --draft rules.txt --json
    """
    from calling.segments.explaining import explain_segment
    from ringeliste.cli.doors import reading
    from ringeliste.cli.output import answer
    from ringeliste.cli.rule_files import fields_of, read_file
    from ringeliste.cli.suppression import customer_id

    with reading(crm, assignment, snapshot=True) as (work, assignment_id):
        fields = fields_of(work)
        explanation = explain_segment(
            work, assignment_id, customer_id(work, customer),
            supposed=_facts(suppose or [], fields), draft=read_file(draft, fields) if draft else None,
        )  # fmt: skip
    answer(explanation, lambda console: _draw(console, explanation, every=every), as_json=as_json)


def _facts(given: list[str], fields: "OwnFields") -> dict[str, Any]:
    """attempts=4, tags=vip,lead, vip=yes, email= as JSON has them."""
    from segmentation.catalogue import catalogue

    known = catalogue(fields)
    facts: dict[str, Any] = {}
    for one in given:
        key, sign, written = one.partition("=")
        if not sign:
            raise BadInput(f"--if {one}: write a field and its value, as in attempts=4")
        facts[key] = _value(known[key].type, written) if key in known and written else written or None
    return facts


def _value(kind: str, written: str) -> Any:
    if kind == "tags":
        return [tag.strip() for tag in written.split(",")]
    if kind == "yes_no":
        return {"yes": True, "true": True, "no": False, "false": False}.get(written.lower(), written)
    if kind == "number":
        try:
            return float(written) if not written.lstrip("-").isdecimal() else int(written)
        except ValueError:
            return written  # told with all that is wrong
    return written


def _draw(console: "Console", explanation: "SegmentExplanation", *, every: bool) -> None:
    from ringeliste.cli.output import shown

    name = explanation.name or explanation.external_id
    console.print(f"[bold]{shown(name)}[/bold] in [bold]{shown(explanation.segment)}[/bold]")
    console.print(f"[dim]{shown(explanation.why)}[/dim]")
    console.print(_tree("segments, the first that is met wins", explanation.segments, every=every))
    if explanation.labels:
        console.print(_tree("labels", explanation.labels, every=True))
    if explanation.looked_to:
        console.print(f"[dim]What time changes after {_at(explanation.looked_to)} was not looked at.[/dim]")


def _tree(title: str, rules: "tuple[RuleAnswer, ...]", *, every: bool) -> "Tree":
    from rich.tree import Tree

    from ringeliste.cli.output import shown

    tree = Tree(f"[dim]{title}[/dim]", guide_style="dim")
    for one in rules:
        broken = " [red](cannot be read any more: an earlier form is in force)[/red]" if one.is_broken else ""
        name = f"[bold]{shown(one.name)}[/bold]" if one.places else shown(one.name)
        if not one.is_reached and not every:
            tree.add(f"[dim]· {shown(one.name)}: not reached[/dim]")
            continue
        unreached = "" if one.is_reached else " [dim](not reached)[/dim]"
        branch = tree.add(f"{_mark(one.is_true)} {name}{unreached}{broken}{_when(one.is_true, one.flips_at)}")
        _add(branch, one.reason)
    return tree


def _add(branch: "Tree", reason: "Reason") -> None:
    from ringeliste.cli.output import shown

    value = f" [dim]is[/dim] {shown(reason.shown)}" if reason.shown is not None else ""
    flips = _when(reason.is_true, reason.flips_at) if reason.kind in ("question", "rule") else ""
    grown = branch.add(f"{_mark(reason.is_true)} {shown(reason.text)}{value}{flips}")
    for part in reason.parts:
        _add(grown, part)


def _mark(is_true: bool) -> str:
    return "[green]✓[/green]" if is_true else "[red]✗[/red]"


def _when(is_true: bool, flips_at: "datetime | None") -> str:
    if flips_at is None:
        return ""
    return f" [yellow]{'until' if is_true else 'from'} {_at(flips_at)}[/yellow]"


def _at(instant: "datetime") -> str:
    from segmentation.explanation.readable import instant as told

    return told(instant)
