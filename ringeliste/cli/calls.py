"""One call at a time: the next customer, what came of it, and why somebody is not called."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from models.errors import BadInput
from models.outcomes import Outcome
from ringeliste.cli.front import add
from ringeliste.cli.options import AsJson, AssignmentName, CrmName, DryRun

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from rich.console import Console

    from calling.follow_ups.asking import Wish
    from calling.handout.hand_out import HandOut
    from calling.views.answers import Answer
    from calling.views.explain import Explanation
    from calling.views.holders import Who
    from models.work import OpenWork, Work

PANEL = "Calls"


def register(app: typer.Typer) -> None:
    """Add these commands."""
    add(app, next_customer, PANEL, "next")
    add(app, outcome, PANEL)
    add(app, explain, PANEL)


def next_customer(
    seller: Annotated[str, typer.Argument(metavar="SELLER", help="The seller by name or id.")],
    crm: CrmName = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Hand a seller their next customer, who is theirs from now on. The same again while one is held.

    Prints null, or says so, when nobody may be rung now.

    \b
    Examples:
      ringeliste next Ana
      ringeliste next Ana --dry-run --json
    """
    from calling.handout.hand_out import next_customer as hand_out
    from ringeliste.cli.doors import writing
    from ringeliste.cli.finding import find
    from ringeliste.cli.output import answer

    with writing(crm, dry_run=dry_run) as (_, open_work):
        with open_work() as work:
            seller_id = find(work, "seller", seller)
        card = hand_out(open_work, seller_id)
    answer(card, lambda console: _draw_card(console, card, dry_run=dry_run), as_json=as_json)


def outcome(
    lease: Annotated[str, typer.Argument(metavar="LEASE", help="The lease's id, as `next` told it.")],
    result: Annotated[Outcome, typer.Argument(metavar="OUTCOME", help="What the call came to.")],
    talk_seconds: Annotated[int | None, typer.Option(min=0, help="How long was talked.")] = None,
    promised: Annotated[
        str | None,
        typer.Option(metavar="TIME", help='With follow_up, on the customer\'s wall: "2026-03-05 10:00".'),
    ] = None,
    crm: CrmName = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Report what came of a call, however late. The first report of a lease counts, no other.

    OUTCOME is answered, no_answer, busy, machine, congestion, failed, invalid_number, abandoned, sale,
    no_sale, follow_up, wrong_person, do_not_call, language, key_pressed or intent.

    \b
    Examples:
      ringeliste outcome 019cad9a-2c00-7c3e-9d0a-0c0ffee00001 sale --talk-seconds 412
      ringeliste outcome 019cad9a-2c00-7c3e-9d0a-0c0ffee00001 no_answer --dry-run
      ringeliste outcome 019cad9a-2c00-7c3e-9d0a-0c0ffee00001 follow_up --promised "2026-03-05 10:00"
    """
    from calling.follow_ups.asking import check_promises
    from calling.outcomes.outcome import Report, record_all
    from ringeliste.cli.doors import writing
    from ringeliste.cli.output import answer, instant, shown, would

    key, wish = _lease(lease), _promise(result, promised)
    with writing(crm, dry_run=dry_run) as (_, open_work):
        report = Report(key, result, _held_by(open_work, key), talk_seconds, promise=wish)
        if wish is not None:
            with open_work() as work:
                check_promises(work, {key: wish})
        recorded = record_all(open_work, [report])[0]
    said = {
        "first": f"Counted: the customer is {recorded.state}, status {shown(recorded.status)}.",
        "completion": "The dialer's result is completed by what the seller says.",
        "again": "Known already; nothing changes.",
    }[recorded.kind if recorded.kind != "orphan" else "again"]
    if recorded.promised is not None:
        told = f" ({recorded.promised.told})" if recorded.promised.told else ""
        said += f" The next call will be {instant(recorded.promised.due_at)}{told}."
    answer(recorded, lambda console: console.print(would(dry_run) + said), as_json=as_json)


def explain(
    customer: Annotated[str, typer.Argument(metavar="CUSTOMER", help="The customer's external id.")],
    whom: Annotated[
        tuple[str, str] | None,
        typer.Option(
            "--for",
            metavar="seller|dialer NAME",
            help="May this seller or dialer be given them, and why not?",
        ),
    ] = None,
    crm: CrmName = None,
    assignment: AssignmentName = None,
    as_json: AsJson = False,
) -> None:
    """Why is this customer not called, and when next? Every gate, open or shut, and until when.

    Why they are in their segment is said in one line; `ringeliste rules explain` says all of it.

    \b
    Examples:
      ringeliste explain 17
      ringeliste explain 17 --for dialer robot
      ringeliste explain 17 --for seller Ana --json
    """
    from calling.views.explain import explain as ask
    from ringeliste.cli.doors import reading
    from ringeliste.cli.output import answer
    from ringeliste.cli.suppression import customer_id

    with reading(crm, assignment) as (work, assignment_id):
        who = _who(work, *whom) if whom else None
        explanation = ask(work, assignment_id, customer_id(work, customer), who)
    answer(explanation, lambda console: _draw_explanation(console, explanation), as_json=as_json)


def _who(work: "Work", kind: str, name: str) -> "Who":
    """Whom `--for` names. Raises BadInput."""
    from calling.views.holders import Who
    from ringeliste.cli.finding import find

    if kind == "seller":
        return Who("seller", find(work, "seller", name))
    if kind == "dialer":
        return Who("dialer", find(work, "dialer", name))
    raise BadInput(f"--for: {kind!r} is neither seller nor dialer; write --for dialer NAME")


def _lease(text: str) -> "UUID":
    from uuid import UUID

    try:
        return UUID(text)
    except ValueError:
        raise BadInput(f"{text!r} is no lease: give the id that `ringeliste next` told") from None


def _promise(result: Outcome, promised: str | None) -> "Wish | None":
    """What was promised. Raises BadInput for a follow-up without a time, and a time with anything else."""
    from ringeliste.cli.follow_ups import wish

    if (result is Outcome.FOLLOW_UP) != (promised is not None):
        raise BadInput("--promised: say when with follow_up, and with no other outcome")
    return None if promised is None else wish(promised, None, "")


def _held_by(open_work: "OpenWork", lease: "UUID") -> Any:
    """Whose report it is: the seller's who held it or was put through, else the dialer's. Raises NotFound."""
    from calling.views.browse import leases
    from models.errors import NotFound

    with open_work() as work:
        row = leases(work, [lease]).get(lease)
    if row is None:
        raise NotFound("lease", lease)
    return "dialer" if row.seller_id is None and row.connected_seller_id is None else "seller"


def _draw_card(console: "Console", card: "HandOut | None", *, dry_run: bool) -> None:
    from ringeliste.cli.output import instant, plain_table, shown, would
    from ringeliste.drawing import counted

    if card is None:
        console.print(f"{would(dry_run)}Nobody may be rung now; `ringeliste explain CUSTOMER` says why.")
        return
    console.print(f"{would(dry_run)}[bold]{shown(card.name or card.external_id)}[/bold]  {card.e164}")
    table = plain_table("", "")
    told = {
        "lease": card.lease_id, "customer": card.external_id,
        "status": f"{card.status}, {counted(card.attempts, 'attempt')}",
        **({"promised": instant(card.promised_at)} if card.promised_at else {}),
        "ring by": instant(card.ring_by), "zone": card.zone, **card.fields,
    }  # fmt: skip
    for name, value in told.items():
        table.add_row(f"[dim]{shown(name)}[/dim]", shown(value))
    console.print(table)


def _draw_explanation(console: "Console", explanation: "Explanation") -> None:
    from ringeliste.cli.output import instant, shown
    from ringeliste.drawing import counted

    verdict = "[green]may be called now[/green]" if explanation.callable_now else (
        f"[yellow]not now; earliest {instant(explanation.callable_at)}[/yellow]"
        if explanation.callable_at else "[red]not until somebody acts[/red]"
    )  # fmt: skip
    held = f", held by {shown(explanation.held_by)}" if explanation.held_by else ""
    console.print(f"[bold]{shown(explanation.name or explanation.external_id)}[/bold] {verdict}")
    console.print(
        f"[dim]segment {shown(explanation.segment)}{held}; {explanation.state}, "
        f"status {shown(explanation.status)}, {counted(explanation.attempts, 'attempt')}; "
        f"{', '.join(explanation.zones) or 'zone unknown'}[/dim]"
    )
    console.print(f"[dim]number: {shown(explanation.number_why)}[/dim]")
    console.print(f"[dim]{shown(explanation.segment_why)}; all of it: `ringeliste rules explain`[/dim]")
    _draw_gates(console, explanation.answers)
    holder = explanation.holder
    if holder is not None:
        may = holder.open and explanation.callable_now
        told = "[green]may be given them[/green]" if may else "[red]is not given them now[/red]"
        console.print(f"\n[bold]{holder.kind} {shown(holder.name)}[/bold] {told}")
        _draw_gates(console, holder.answers)


def _draw_gates(console: "Console", answers: "Iterable[Answer]") -> None:
    from ringeliste.cli.output import instant, plain_table, shown

    table = plain_table("", "gate", "until", "fact")
    for gate in answers:
        lamp = "[green]open[/green]" if gate.open else "[red]shut[/red]"
        table.add_row(lamp, gate.gate, "" if gate.open else instant(gate.until), shown(gate.fact))
    console.print(table)
