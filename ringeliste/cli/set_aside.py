"""What was told and could not be used: looked at, and worked off again."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from models.errors import BadInput
from ringeliste.cli.front import add as add_command
from ringeliste.cli.options import AsJson, Author, CrmName, DryRun, whoever

if TYPE_CHECKING:
    from rich.console import Console

    from models.work import OpenWork, Work

SET_ASIDE = """What dialers told, or somebody reported, and nothing could be made of: it waits for somebody.

An unknown word for a result, a lease that never was: each may be a sale that is missing. What an unknown word
comes to is said with `ringeliste causes set`: all that lay aside for it is counted then.

\b
Examples:
  ringeliste set-aside list --kind unknown_cause
  ringeliste set-aside again 3
  ringeliste set-aside seen 4 --note "a test call"
"""
_EVERY = 1_000

Keys = Annotated[list[int] | None, typer.Argument(metavar="[ID]...", help="As `set-aside list` lists them.")]
Kind = Annotated[str | None, typer.Option("--kind", help="Only what could not be used for this, as orphan.")]
DialerName = Annotated[str | None, typer.Option("--dialer", metavar="NAME", help="Only what this one told.")]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    group = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")
    add_command(group, list_them, name="list")
    add_command(group, again)
    add_command(group, seen)
    app.add_typer(group, name="set-aside", rich_help_panel="Calls", help=SET_ASIDE)


def list_them(
    seen: Annotated[
        bool, typer.Option("--seen", help="What somebody has looked at, and what came of it.")
    ] = False,
    kind: Kind = None,
    dialer: DialerName = None,
    crm: CrmName = None,
    as_json: AsJson = False,
) -> None:
    """List what could not be used, the oldest first, with what is wrong with it.

    \b
    Examples:
      ringeliste set-aside list
      ringeliste set-aside list --kind unknown_cause --dialer robot
      ringeliste set-aside list --seen --json
    """
    from calling.dialers.set_aside import set_aside
    from ringeliste.cli.doors import application
    from ringeliste.cli.finding import find_crm
    from ringeliste.cli.output import answer

    with application() as app, app.work(find_crm(app, crm)) as work:
        these = _these(work, kind, dialer)
        rows = [dict(row._mapping) for row in set_aside(work, 0, _EVERY, seen=seen, **these)]
    answer(rows, lambda console: _draw(console, rows), as_json=as_json)


def again(
    ids: Keys = None,
    kind: Kind = None,
    dialer: DialerName = None,
    crm: CrmName = None,
    author: Author = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Work events of dialers off again, once what was wrong is mended. In vain, they are set aside anew.

    \b
    Examples:
      ringeliste set-aside again 3
      ringeliste set-aside again --kind flaw --dialer robot --dry-run
    """
    from calling.dialers.clearing import work_off_all_again
    from calling.dialers.set_aside import work_off_again
    from ringeliste.cli.doors import writing

    signed = whoever(author)
    _either(ids, kind, dialer)
    with writing(crm, dry_run=dry_run) as (_, open_work):
        with open_work() as work:
            these = _these(work, kind, dialer)
            for one in ids or []:
                work_off_again(work, one, author=signed)
        done = len(ids) if ids else work_off_all_again(open_work, author=signed, **these)
        _answer(open_work, done, "worked off again", dry_run=dry_run, as_json=as_json)


def seen(
    ids: Keys = None,
    note: Annotated[str, typer.Option(help="What came of it.")] = "",
    kind: Kind = None,
    dialer: DialerName = None,
    crm: CrmName = None,
    author: Author = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Say that somebody has looked at them, and what came of it. They alarm no more.

    \b
    Examples:
      ringeliste set-aside seen 4 5 --note "test calls"
      ringeliste set-aside seen --kind orphan --dialer robot --note "of the old system" --dry-run
    """
    from calling.dialers.clearing import look_at_all
    from calling.dialers.set_aside import look_at
    from ringeliste.cli.doors import writing

    signed = whoever(author)
    _either(ids, kind, dialer)
    with writing(crm, dry_run=dry_run) as (_, open_work):
        with open_work() as work:
            for one in ids or []:
                look_at(work, one, author=signed, note=note)
            these = _these(work, kind, dialer)
            done = len(ids) if ids else look_at_all(work, author=signed, note=note, **these)
        _answer(open_work, done, "looked at", dry_run=dry_run, as_json=as_json)


def _either(ids: list[int] | None, kind: str | None, dialer: str | None) -> None:
    """Some by id, or all of a kind or of a dialer. Raises BadInput."""
    if bool(ids) == (kind is not None or dialer is not None):
        raise BadInput("say which: ids, or all with --kind or --dialer")


def _these(work: "Work", kind: str | None, dialer: str | None) -> dict[str, Any]:
    """What the verbs are told of a kind and a dialer. Raises BadInput."""
    from models.tables.attempts import PROBLEM_KINDS
    from ringeliste.cli.finding import find
    from wiring.reading import did_you_mean

    if kind is not None and kind not in PROBLEM_KINDS:
        hint = did_you_mean(kind, list(PROBLEM_KINDS))
        raise BadInput(f"--kind: {kind!r} is none of {', '.join(PROBLEM_KINDS)}{hint}")
    return {
        "kinds": PROBLEM_KINDS if kind is None else [kind],
        "dialer_id": None if dialer is None else find(work, "dialer", dialer),
    }


def _answer(open_work: "OpenWork", done: int, what: str, *, dry_run: bool, as_json: bool) -> None:
    from calling.dialers.set_aside import unseen
    from ringeliste.cli.output import answer, would

    with open_work() as work:
        waiting = unseen(work).many
    document = {"done": done, "waiting": waiting, "dry_run": dry_run}
    said = f"{done:,} {'is' if done == 1 else 'are'} {what}; {waiting:,} wait."
    answer(document, lambda console: console.print(would(dry_run) + said), as_json=as_json)


def _draw(console: "Console", rows: list[dict[str, Any]]) -> None:
    from ringeliste.cli.output import instant, plain_table, shown

    table = plain_table("id", "who told it", "what", "what is wrong with it", "since", "looked at")
    for row in rows:
        looked = f"{instant(row['seen_at'])}, {row['seen_by']}: {row['note']}" if row["seen_at"] else ""
        said = " ".join(f"{name} {value}" for name, value in row["body"].items() if value is not None)
        who = row["told_by"] or row["dialer"] or "over the API"
        table.add_row(
            str(row["id"]), shown(who), shown(f"{row['kind']} {said}"[:80]),
            shown(row["problem"]), instant(row["set_aside_at"]), shown(looked),
        )  # fmt: skip
    console.print(table if rows else "Nothing was set aside.")
