"""Who is held where by hand: by whom, why, until when, and where the rules alone would put them."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringeliste.cli.options import AsJson, AssignmentName, CrmName
from ringeliste.cli.segment_options import MaybeSegment

if TYPE_CHECKING:
    from rich.console import Console

    from calling.segments.holding import Held


def holds(
    segment: MaybeSegment = None,
    most: Annotated[int, typer.Option(min=1, max=100_000, help="So many at most.")] = 50,
    crm: CrmName = None,
    assignment: AssignmentName = None,
    as_json: AsJson = False,
) -> None:
    """Show who is held in a segment by hand, by whom, why and until when, and where the rules would put them.

    \b
    Examples:
      ringeliste segments holds
      ringeliste segments holds loans --most 1000 --json
    """
    from dataclasses import asdict

    from calling.segments.holding import holds as held
    from ringeliste.cli.doors import reading
    from ringeliste.cli.finding import find
    from ringeliste.cli.output import answer

    with reading(crm, assignment) as (work, assignment_id):
        of = segment and find(work, "segment", segment, assignment_id=assignment_id)
        found = held(work, assignment_id, 0, most + 1, segment_id=of or None)
    document: list[dict[str, Any]] = []
    for one in found[:most]:
        plain = asdict(one)
        document.append({"customer_id": plain.pop("id"), **plain})
    answer(document, lambda console: _draw(console, found[:most], more=len(found) > most), as_json=as_json)


def _draw(console: "Console", found: "list[Held]", *, more: bool) -> None:
    from ringeliste.cli.output import instant, plain_table, shown

    if not found:
        console.print("Nobody is held by hand.")
        return
    table = plain_table("customer", "held in", "by rule", "until", "by", "why")
    for one in found:
        until = instant(one.expires_at) if one.expires_at else "released"
        by_rule = "[dim]the same[/dim]" if one.by_rule_id == one.segment_id else shown(one.by_rule)
        table.add_row(
            shown(one.external_id), shown(one.segment), by_rule, until, shown(one.author), shown(one.reason)
        )
    console.print(table)
    if more:
        console.print("[dim]There are more: ask for them with --most.[/dim]")
