"""A customer's numbers: which is good and which is not, where each rings, and which is rung when."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringeliste.cli import number_plans
from ringeliste.cli.front import add as add_command
from ringeliste.cli.options import AsJson, AssignmentName, Author, CrmName, DryRun, whoever

if TYPE_CHECKING:
    from rich.console import Console

NUMBERS = """A customer's numbers: which is good, and which is rung first.

\b
Examples:
  ringeliste numbers list 17
  ringeliste numbers set 17 "912 345 678" --state disconnected
  ringeliste numbers why 17
  ringeliste numbers plan
  ringeliste numbers prefer --row "work mon-fri 09:00-16:00" --row "home,mobile 17:00-24:00"
"""

_WHOSE = {"crm": "suppressed", "owner": "suppressed by its owner", "everyone": "suppressed for everyone"}

Customer = Annotated[str, typer.Argument(metavar="CUSTOMER", help="By external id.")]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    group = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")
    add_command(group, list_numbers, name="list")
    add_command(group, set_one, name="set")
    add_command(group, why)
    number_plans.register(group)
    app.add_typer(group, name="numbers", rich_help_panel="Calls", help=NUMBERS)


def list_numbers(customer: Customer, crm: CrmName = None, as_json: AsJson = False) -> None:
    """List the numbers of a customer in their order, with the state and the kind of each.

    \b
    Examples:
      ringeliste numbers list 17
      ringeliste numbers list 17 --json
    """
    from calling.views.browse import customers
    from models.errors import NotFound
    from ringeliste.cli.doors import application
    from ringeliste.cli.finding import find_crm
    from ringeliste.cli.output import answer

    with application() as app, app.work(find_crm(app, crm)) as work:
        found = customers(work, 0, 1, external_id=customer)
    if not found:
        raise NotFound("customer with the external id", customer)
    numbers: list[dict[str, Any]] = found[0].numbers
    answer(numbers, lambda console: _draw(console, numbers), as_json=as_json)


def set_one(
    customer: Customer,
    number: Annotated[str, typer.Argument(metavar="NUMBER", help="As people of the CRM's country write it.")],
    state: Annotated[
        str | None,
        typer.Option(help="unverified, good, disconnected or wrong_person: the last two are not rung."),
    ] = None,
    kind: Annotated[str | None, typer.Option(help="Where it rings: home, work, mobile or other.")] = None,
    place: Annotated[int | None, typer.Option(help="Its place in the order; 1 is rung first.")] = None,
    crm: CrmName = None,
    author: Author = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Say what a number of a customer is, where it rings, or its place in their order.

    What is offered with another number comes back. No list that is imported changes what was said here.

    \b
    Examples:
      ringeliste numbers set 17 "912 345 678" --state disconnected
      ringeliste numbers set 17 "212 345 678" --kind work
      ringeliste numbers set 17 +351912345678 --place 1 --dry-run
    """
    from calling.customers.numbers import set_number
    from ringeliste.cli.doors import writing
    from ringeliste.cli.output import answer, would
    from ringeliste.cli.suppression import customer_id, e164_of

    with writing(crm, dry_run=dry_run) as (_, open_work):
        with open_work() as work:
            key, e164 = customer_id(work, customer), e164_of(work, number)
        done = set_number(open_work, key, e164, author=whoever(author), state=state, kind=kind, place=place)
    numbers = [one._asdict() for one in done.numbers]
    document = {"changed": list(done.changed), "moved": done.moved, "dry_run": dry_run, "numbers": numbers}
    head = would(dry_run) + ("" if done.changed else "Nothing changed.\n")
    answer(document, lambda console: _draw(console, numbers, head), as_json=as_json)


def why(
    customer: Customer, crm: CrmName = None, assignment: AssignmentName = None, as_json: AsJson = False
) -> None:
    """Say which number of a customer would be rung now, and why that one before the others.

    \b
    Examples:
      ringeliste numbers why 17
      ringeliste numbers why 17 --assignment Loans --json
    """
    from calling.views.number_choice import why_this_number
    from ringeliste.cli.doors import reading
    from ringeliste.cli.output import answer, instant, plain_table, shown
    from ringeliste.cli.suppression import customer_id

    with reading(crm, assignment) as (work, assignment_id):
        found = why_this_number(work, assignment_id, customer_id(work, customer))

    def draw(console: "Console") -> None:
        console.print(shown(found.why))
        table = plain_table("", "number", "kind", "state", "unanswered", "free", right=("", "unanswered"))
        for place, one in enumerate(found.numbers, 1):
            free = f"from {instant(one.until)}" if one.until else "now"
            table.add_row(
                str(place), one.e164, one.kind or "unknown", one.state, str(one.unanswered), free
            )  # fmt: skip
        console.print(table)
        for left in found.left_out:
            console.print(f"[dim]not rung: {left.e164} ({left.kind or 'kind unknown'}): {left.why}[/dim]")

    answer(
        {
            "e164": found.e164,
            "why": found.why,
            "numbers": list(found.numbers),
            "left_out": list(found.left_out),
        },
        draw,
        as_json=as_json,
    )


def _draw(console: "Console", numbers: Sequence[Mapping[str, Any]], head: str = "") -> None:
    from ringeliste.cli.output import plain_table

    table = plain_table("", "number", "state", "kind", "do not call", right=("",))
    for place, one in enumerate(numbers, 1):
        table.add_row(
            str(place), one["e164"], one["state"].replace("_", " "), one["kind"] or "unknown",
            ", ".join(filter(None, [_WHOSE.get(one.get("suppressed", "")), *one.get("registers", ())])),
        )  # fmt: skip
    console.print(head, end="")
    console.print(table)
