"""Who works here, and the keys by which the web knows them."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from models.errors import BadInput
from ringeliste.cli.front import add as add_command
from ringeliste.cli.options import AsJson, CrmName, DryRun

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from calling.people import Added, Person

PEOPLE = """Sellers, dialers and managers: add them, list them, take a key away.

\b
Examples:
  ringeliste people add manager Kari
  ringeliste people list
  ringeliste people revoke rl_1a2b3c4d
"""


class Role(StrEnum):
    """Who a key can belong to."""

    SELLER = "seller"
    DIALER = "dialer"
    MANAGER = "manager"


class Mode(StrEnum):
    """What a dialer does with whoever answers."""

    CONNECT = "connect"
    KEY_PRESS = "key_press"
    VOICE_ROBOT = "voice_robot"
    PREVIEW = "preview"


def register(app: typer.Typer) -> None:
    """Add these commands."""
    group = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")
    add_command(group, add)
    add_command(group, list_people, name="list")
    add_command(group, revoke)
    app.add_typer(group, name="people", rich_help_panel="Lists", help=PEOPLE)


def add(
    role: Annotated[Role, typer.Argument(metavar="ROLE", help="seller, dialer or manager.")],
    name: Annotated[str, typer.Argument(metavar="NAME", help="How people call them.")],
    crm: CrmName = None,
    assignment: Annotated[
        str | None, typer.Option(metavar="NAME", help="What a seller or dialer works; a dialer needs one.")
    ] = None,
    adapter: Annotated[str, typer.Option(help="How a dialer is spoken to.")] = "redis_queue",
    mode: Annotated[
        Mode, typer.Option(metavar="MODE", help="What a dialer does with whoever answers.")
    ] = Mode.CONNECT,
    another_key: Annotated[
        bool, typer.Option("--another-key", help="A further key for somebody who is there.")
    ] = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Add a seller, a dialer or a manager, and print their key. It is shown this once: only its hash is kept.

    Managers sign in on the page with it; programs send it as `Authorization: Bearer KEY` (docs/api.md). MODE
    is connect, key_press, voice_robot or preview; the one adapter is redis_queue.

    \b
    Examples:
      ringeliste people add manager Kari
      ringeliste people add seller Ana --assignment Spring
      ringeliste people add dialer robot --assignment Spring --mode voice_robot
      ringeliste people add seller Ana --another-key --json
    """
    from calling.people import add as add_person
    from ringeliste.cli.doors import writing
    from ringeliste.cli.finding import find
    from ringeliste.cli.output import answer

    if role is Role.MANAGER and assignment is not None:
        raise BadInput("--assignment: a manager has the whole CRM")
    dialer = {"adapter": _known(adapter), "mode": mode.value}
    sought = assignment is not None or (role is Role.DIALER and not another_key)
    with writing(crm, dry_run=dry_run) as (_, open_work), open_work() as work:
        added = add_person(
            work, role.value, name, dialer=dialer, another_key=another_key,
            assignment_id=find(work, "assignment", assignment) if sought else None,
        )  # fmt: skip
    document = _told(work.crm_id, added, dry_run=dry_run)
    answer(document, lambda console: _draw_added(console, added, document), as_json=as_json)


def list_people(crm: CrmName = None, as_json: AsJson = False) -> None:
    """List everybody with the prefixes of their keys; a key itself is never shown again.

    \b
    Examples:
      ringeliste people list
      ringeliste people list --json
    """
    from calling.people import everybody
    from ringeliste.cli.doors import application
    from ringeliste.cli.finding import find_crm
    from ringeliste.cli.output import answer

    with application() as app, app.work(find_crm(app, crm)) as work:
        people = everybody(work)
    answer(people, lambda console: _draw_people(console, people), as_json=as_json)


def revoke(
    key: Annotated[str, typer.Argument(metavar="KEY-PREFIX", help="As `people list` shows it.")],
    crm: CrmName = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Take a key away: two seconds later it opens nothing. Whoever had it stays, and so does what they hold.

    \b
    Examples:
      ringeliste people revoke rl_1a2b3c4d
      ringeliste people revoke 1a2b3c4d --dry-run
    """
    from calling.people import revoke as take_away
    from ringeliste.cli.doors import writing
    from ringeliste.cli.output import answer, shown, would

    with writing(crm, dry_run=dry_run) as (_, open_work), open_work() as work:
        person = take_away(work, key)
    said = f"rl_{person.prefix} of {person.role} {shown(person.name)} is taken away."
    document = {
        "prefix": person.prefix, "role": person.role, "name": person.name,
        "revoked_at": person.revoked_at, "dry_run": dry_run,
    }  # fmt: skip
    answer(document, lambda console: console.print(would(dry_run) + said), as_json=as_json)


def _known(adapter: str) -> str:
    """`adapter`, if links know it. Raises BadInput."""
    from wiring.reading import did_you_mean
    from workers.adapters import ADAPTERS

    if adapter not in ADAPTERS:
        known = ", ".join(ADAPTERS)
        raise BadInput(f"--adapter: {adapter!r} is none of {known}{did_you_mean(adapter, list(ADAPTERS))}")
    return adapter


def _told(crm_id: int, added: "Added", *, dry_run: bool) -> dict[str, Any]:
    """What is said of somebody who was added; a dry run made neither an id nor a key that stays."""
    document: dict[str, Any] = {"role": added.role, "name": added.name, "dry_run": dry_run}
    if dry_run:
        return document
    document |= {"id": added.id, "key": added.key}
    if added.role == Role.DIALER and added.id is not None:
        from workers.adapters import queue_name

        document["queue"] = queue_name(crm_id, added.id)
    return document


def _draw_added(console: "Console", added: "Added", document: dict[str, Any]) -> None:
    from ringeliste.cli.output import shown, would

    further = "gets a further key" if added.known else "is added"
    said = f"{added.role.capitalize()} {shown(added.name)} {further}."
    console.print(would(document["dry_run"]) + said)
    if document["dry_run"]:
        return
    console.print(f"[bold]{added.key}[/bold]", soft_wrap=True)
    console.print("[dim]Keep it: it is shown this once.[/dim]")
    if "queue" in document:
        console.print(f"Its queue in Redis is {document['queue']} (docs/redis-queue.md).")
    if added.role == Role.SELLER:
        console.print("They begin with PUT /api/v1/me/presence (docs/api.md).")


def _draw_people(console: "Console", people: "Sequence[Person]") -> None:
    from ringeliste.cli.output import instant, plain_table, shown

    if not people:
        console.print("Nobody yet; `ringeliste people add manager NAME` adds the first.")
        return
    table = plain_table("role", "id", "name", "assignment", "key", "made", "", right=("id",))
    for one in people:
        state = "[red]taken away[/red]" if one.revoked_at else "" if one.prefix else "[yellow]no key[/yellow]"
        table.add_row(
            one.role, str(one.id or ""), shown(one.name), shown(one.assignment or ""),
            f"rl_{one.prefix}" if one.prefix else "", instant(one.created_at) if one.created_at else "",
            state,
        )  # fmt: skip
    console.print(table)
