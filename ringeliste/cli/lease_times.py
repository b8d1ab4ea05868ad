"""How long a wrap-up may take in an assignment, and how long who was skipped is left out."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from models.errors import BadInput
from ringeliste.cli.front import add
from ringeliste.cli.options import AsJson, AssignmentName, CrmName, DryRun

if TYPE_CHECKING:
    from calling.handout.lease_times import LeaseTimes


def register(app: typer.Typer) -> None:
    """Add this command."""
    add(app, lease_times, "Calls", "lease-times")


def lease_times(
    wrap_up: Annotated[
        str | None,
        typer.Option(metavar="SECONDS|none", help="From the hang-up to the outcome; none: up to an hour."),
    ] = None,
    skip: Annotated[
        int | None, typer.Option(metavar="SECONDS", help="How long who was skipped is left out.")
    ] = None,
    crm: CrmName = None,
    assignment: AssignmentName = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Show, or set, how long a wrap-up may take and who was skipped is left out, in business time.

    It holds for whoever hangs up, or skips, from then on.

    \b
    Examples:
      ringeliste lease-times
      ringeliste lease-times --wrap-up 120 --skip 600
      ringeliste lease-times --wrap-up none --dry-run
    """
    from dataclasses import replace

    from calling.handout.lease_times import lease_times as read
    from calling.handout.lease_times import set_lease_times
    from ringeliste.cli.doors import writing_in
    from ringeliste.cli.output import answer, would

    with writing_in(crm, assignment, dry_run=dry_run) as (_, open_work, assignment_id), open_work() as work:
        before = times = read(work, assignment_id)
        if wrap_up is not None:
            times = replace(times, wrap_up_seconds=_seconds(wrap_up))
        if skip is not None:
            times = replace(times, skip_seconds=skip)
        if times != before:
            set_lease_times(work, assignment_id, times)
    document = {**_told(times), "dry_run": dry_run}
    said = would(dry_run and times != before) + _in_words(times)
    answer(document, lambda console: console.print(said), as_json=as_json)


def _seconds(told: str) -> int | None:
    """Raises BadInput."""
    if told == "none":
        return None
    try:
        return int(told)
    except ValueError:
        raise BadInput(f"--wrap-up: {told!r} is no number of seconds; write 120, or none") from None


def _told(times: "LeaseTimes") -> dict[str, Any]:
    return {"wrap_up_seconds": times.wrap_up_seconds, "skip_seconds": times.skip_seconds}


def _in_words(times: "LeaseTimes") -> str:
    limit = "an hour" if times.wrap_up_seconds is None else f"{times.wrap_up_seconds:,} s"
    return f"A wrap-up may take {limit}; who is skipped is left out for {times.skip_seconds:,} s."
