"""Rules put in force from the command line: what it would do, what it did, and watching until it is done."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from calling.segments.alarms import Alarm
    from calling.views.rebuilds import Rebuild
    from models.work import OpenWork, Work

Watch = Annotated[
    bool, typer.Option("--watch", help="Wait until the customers are moved; show how far it is.")
]

Publish = Callable[["OpenWork", "Work", int], Callable[[], int]]
"""Looks at an assignment within a transaction, and gives what publishes; that gives the new version."""


def put_in_force(
    crm: str | None, assignment: str | None, prepare: Publish, *, dry_run: bool, watch: bool, as_json: bool
) -> None:
    """Publish rules and answer for it. A dry run moves everybody in a transaction that is rolled back."""
    from calling.segments.previewing import warnings_in_force
    from ringeliste.cli.doors import somebody_works, writing
    from ringeliste.cli.finding import find
    from ringeliste.cli.output import answer
    from ringeliste.cli.watching import last_ended, watched

    with writing(crm, dry_run=dry_run) as (app, open_work):
        with open_work() as work:
            assignment_id = find(work, "assignment", assignment)
            after = last_ended(work, assignment_id)
            publish = prepare(open_work, work, assignment_id)
        before = _sizes(open_work, assignment_id) if dry_run else {}
        version = publish()
        moves = _moves(open_work, assignment_id, before) if dry_run else {"moves": [], "labels": []}
        warned = [f"{path}: {message}" for path, message in warnings_in_force(open_work, assignment_id)]
        worked = somebody_works(app)
        seen: list[Rebuild] = []
        if watch and not dry_run:
            seen = watched(open_work, assignment_id, after, goes_on=lambda: somebody_works(app))
    document = {
        "version": version, "dry_run": dry_run, **moves, "warnings": warned, "somebody_works": worked,
        "rebuilds": seen,
    }  # fmt: skip
    answer(document, lambda console: _draw(console, document), as_json=as_json)


_Sizes = dict[str, dict[str, int]]  # "segment" or "label" -> key -> how many


def _moves(open_work: "OpenWork", assignment_id: int, before: _Sizes) -> dict[str, list[dict[str, Any]]]:
    """From how many to how many: by the rebuild itself, in the transaction that is rolled back."""
    from calling.segments.resegmenting import rebuilds_to_do, run_rebuild

    for rebuild_id in rebuilds_to_do(open_work):
        run_rebuild(open_work, rebuild_id)
    after = _sizes(open_work, assignment_id)
    listed = {
        kind: [
            {kind: key, "before": before[kind].get(key, 0), "after": after[kind].get(key, 0)}
            for key in {**after[kind], **before[kind]}
        ]
        for kind in after
    }
    return {"moves": listed["segment"], "labels": listed["label"]}


def _sizes(open_work: "OpenWork", assignment_id: int) -> _Sizes:
    from calling.views.report import labels, segments

    with open_work() as work:
        return {
            "segment": {one.key: one.size for one in segments(work, assignment_id)},
            "label": {one.key: one.size for one in labels(work, assignment_id)},
        }


def _draw(console: "Console", document: dict[str, Any]) -> None:
    from ringeliste.cli.output import moving, plain_table, shown, would
    from ringeliste.cli.watching import draw_rebuilds
    from ringeliste.drawing import count

    console.print(f"{would(document['dry_run'])}Version {document['version']} of the rules.")
    for warning in document["warnings"]:
        console.print(f"[yellow]Warning: {shown(warning)}[/yellow]")
    if not document["dry_run"]:
        if document["rebuilds"]:
            draw_rebuilds(console, document["rebuilds"])
        if not document["rebuilds"] or not all(one.finished_at for one in document["rebuilds"]):
            console.print(moving(document["somebody_works"]))
        return
    for kind, moves in (("segment", document["moves"]), ("label", document["labels"])):
        if kind == "label" and not moves:
            continue
        table = plain_table(kind, "before", "after", "change", right=("before", "after", "change"))
        for move in moves:
            before, after = move["before"], move["after"]
            table.add_row(shown(move[kind]), count(before), count(after), f"{after - before:+,}")
        console.print(table)


def told_of(alarms: "list[Alarm]") -> Iterator[str]:
    """A line for each rule that cannot be read, and one of what to do."""
    from ringeliste.cli.output import instant

    for one in alarms:
        since = instant(one.found_at)
        yield f"{one.kind} {one.key} cannot be read since {since}: {one.why}; {one.instead}"
    if alarms:
        yield "mend them, or take them away: `ringeliste rules show --text > rules.txt`, then publish it"
