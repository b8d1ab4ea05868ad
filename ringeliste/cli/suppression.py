"""Do-not-call: nobody rings them any more, from the answer on."""

from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from models.ends import LONGEST_SUPPRESSION
from models.errors import BadInput
from ringeliste.cli.front import add
from ringeliste.cli.options import AsJson, Author, CrmName, DryRun, whoever
from ringeliste.cli.walls import patience, tell

if TYPE_CHECKING:
    from models.work import OpenWork, Work


class Scope(StrEnum):
    """Whose calls an entry stops."""

    CRM = "crm"
    OWNER = "owner"
    EVERYONE = "everyone"


class OutcomeScope(StrEnum):
    """How far the do-not-call of an outcome may reach."""

    CRM = "crm"
    OWNER = "owner"


def register(app: typer.Typer) -> None:
    """Add this command."""
    add(app, suppress, "Calls")


def suppress(
    number: Annotated[
        str | None,
        typer.Argument(metavar="NUMBER", help="A number, as people of the CRM's country write it."),
    ] = None,
    customer: Annotated[str | None, typer.Option(metavar="ID", help="A customer, by external id.")] = None,
    reason: Annotated[str, typer.Option(help="Why.")] = "asked not to be called",
    days: Annotated[
        int | None, typer.Option(min=1, max=LONGEST_SUPPRESSION.days, help="For so many days; else for ever.")
    ] = None,
    scope: Annotated[
        Scope, typer.Option(help="Whose calls it stops: this CRM's, all of the data owner's, everyone's.")
    ] = Scope.CRM,
    lift: Annotated[bool, typer.Option("--lift", help="Take it off the list instead.")] = False,
    crm: CrmName = None,
    author: Author = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Put a number or a customer on the do-not-call list. When it answers, nobody rings them any more.

    \b
    Examples:
      ringeliste suppress "912 345 678" --reason "asked by letter"
      ringeliste suppress --customer 17 --days 365
      ringeliste suppress +351912345678 --scope owner
      ringeliste suppress +351912345678 --lift
    """
    from calling.walls import suppress as list_of
    from ringeliste.cli.doors import writing
    from ringeliste.cli.output import answer, shown, would
    from ringeliste.drawing import counted

    if (number is None) == (customer is None):
        raise BadInput("suppress: give a number or --customer, one of the two")
    with writing(crm, dry_run=dry_run) as (app, open_work):
        subject = _subject(open_work, number, customer)
        if lift:
            lifted_by = whoever(author)
            lifted = list_of.lift(open_work, **subject, author=lifted_by, scope=scope.value)
            with open_work() as work:
                standing = list_of.scopes_of(work, **subject)
            told = f"{counted(lifted, 'entry', 'entries')} lifted by {shown(lifted_by)}."
            said = told if lifted else f"It was not on the list of scope {scope.value}."
            if standing:
                said += f" It still stands for {', '.join(standing)}: --scope {standing[0]} --lift"
            document = {
                "lifted": lifted, "lifted_by": lifted_by, "still_standing": standing, "dry_run": dry_run,
            }  # fmt: skip
            answer(document, lambda console: console.print(would(dry_run) + said), as_json=as_json)
            return
        expires_at = app.now() + timedelta(days=days) if days else None
        caught = list_of.suppress(
            open_work, **subject, reason=reason, author=whoever(author), expires_at=expires_at,
            scope=scope.value, patience=patience(app, dry_run=dry_run),
        )  # fmt: skip
    tell(caught, f"{number or customer} is on the do-not-call list", dry_run=dry_run, as_json=as_json)


def _subject(open_work: "OpenWork", number: str | None, customer: str | None) -> dict[str, Any]:
    with open_work() as work:
        if customer is not None:
            return {"customer_id": customer_id(work, customer)}
        return {"e164": e164_of(work, number or "")}


def e164_of(work: "Work", number: str) -> str:
    """The number as it is kept. Raises BadInput with the reason why it is none."""
    from calling.intake.numbers import Number, read_number

    region = _region(work)
    read = read_number(number, region)
    if isinstance(read, Number):
        return read.e164
    raise BadInput(f"{number}: {read}; write it as in {region}, or with + and the country's code")


def customer_id(work: "Work", external_id: str) -> int:
    """The customer of that external id. Raises NotFound."""
    from calling.views.browse import customers
    from models.errors import NotFound

    found = customers(work, 0, 1, external_id=external_id)
    if not found:
        raise NotFound("customer with the external id", external_id)
    return int(found[0].id)


def _region(work: "Work") -> str:
    from sqlalchemy import text

    return str(work.run(text("select region from crm where id = :crm_id")).scalar_one())
