"""Hours, laws and versions for the screen."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console

from calling.hours.stricter import signed
from calling.views.hours import Exempted, HoursSet, LawRow
from calling.views.versions import DataInUse, RezonedPromises
from ringeliste.cli.output import instant, plain_table, shown
from ringeliste.drawing import counted


def draw_hours(console: Console, found: Mapping[str, Any]) -> None:
    """The CRM's own hours, what is stricter, who is exempted."""
    console.print(f"The CRM's own hours: [bold]{shown(found['own'])}[/bold]")
    stricter: Sequence[HoursSet] = found["stricter"]
    if stricter:
        table = plain_table("id", "where", "hours", "time", "why", "who, when", right=("id",))
        for one in stricter:
            who = f"{shown(one.author)}, {instant(one.set_at)}{_ended(one)}"
            table.add_row(
                str(one.id), shown(_place(one)), shown(one.hours), _time(one), shown(one.reason), who,
                style="dim" if one.ended_at else "",
            )  # fmt: skip
        console.print(table)
    else:
        console.print("Nothing was made stricter.")
    _draw_exemptions(console, found["exemptions"])


def _draw_exemptions(console: Console, free: Sequence[Exempted]) -> None:
    if not free:
        console.print("Nobody is exempted from anything.")
        return
    table = plain_table("id", "where", "from what", "until", "why", "who, when", right=("id",))
    for one in free:
        who = f"{shown(signed(one.manager, one.author))}, {instant(one.given_at)}{_ended(one)}"
        what = f"{shown(one.law)}: {shown(one.name)}"
        table.add_row(
            str(one.id), shown(one.assignment or "everywhere"), what, str(one.valid_to), shown(one.reason),
            who, style="dim" if one.ended_at else "yellow",
        )  # fmt: skip
    console.print(table)


def _place(one: HoursSet) -> str:
    return " / ".join(filter(None, (one.assignment, one.segment))) or "everywhere"


def _ended(one: HoursSet | Exempted) -> str:
    return f"; ended by {shown(one.ended_by)}, {instant(one.ended_at)}" if one.ended_at else ""


def _time(one: HoursSet | LawRow) -> str:
    if one.valid_from is None and one.valid_to is None:
        return "always"
    return f"{one.valid_from or ''} – {one.valid_to or ''}".strip()


def draw_laws(console: Console, rows: Sequence[LawRow], *, whole: bool) -> None:
    """A row a line; `whole`: notes as well."""
    table = plain_table("place", "hours", "holidays", "time", "rule", "source", "evidence", "exempted")
    for row in rows:
        own = f", {' '.join(row.own_days)}" if row.own_days else ""
        free = "; ".join(
            f"{e.assignment or 'everywhere'} until {e.valid_to}, {signed(e.manager, e.author)}"
            for e in row.exempted
        )
        style = "yellow" if row.key is None else "" if row.binds else "dim"
        table.add_row(
            row.place, shown(row.hours), shown(f"{row.holidays}{own}" if row.holidays else "as others"),
            _time(row), shown(row.name), shown(row.source), row.evidence, shown(free), style=style,
        )  # fmt: skip
        if whole and row.note:
            table.add_row("", "", "", "", f"[dim]{shown(row.note)}[/dim]", "", "", "")
    console.print(table if rows else "Own hours, no source: nothing was found about this place.")


def draw_versions(console: Console, found: DataInUse) -> None:
    """What is installed; what the changes to it moved."""
    for part, version in found.installed.items():
        console.print(f"{part:<14}{shown(version)}")
    if not found.current:
        console.print(
            "[yellow]This CRM is not under these data yet; the workers' next tick does it.[/yellow]"
        )
    for run in found.rezonings:
        parts = ", ".join(f"{part} {old or '?'} to {new}" for part, (old, new) in run.changed.items())
        state = instant(run.finished_at) if run.finished_at else "under way"
        looked = f"{counted(run.customers, 'customer')} looked at, {run.moved:,} of another clock"
        console.print(f"\n[bold]{state}[/bold] {shown(parts)}: {looked}, {run.recalled:,} offers taken back")
        table = plain_table("customers", "from", "to", "such as", right=("customers",))
        for move in run.moves:
            samples = shown(", ".join(move.samples))
            table.add_row(f"{move.customers:,}", shown(move.from_clock), shown(move.to_clock), samples)
        if run.moves:
            console.print(table)
        _draw_promises(console, run.promises)


def _draw_promises(console: Console, found: RezonedPromises) -> None:
    if not found.moved and not found.stay:
        return
    console.print(
        f"{counted(found.moved, 'promised call')} moved with their wall, {found.stay:,} stay when they were."
    )
    table = plain_table("customer", "promised", "on the wall of", "was due", "is due")
    for one in (*found.that_moved, *found.that_stay):
        wall = one.wall_time.replace("T", " ")
        was = instant(one.was_due_at) if one.was_due_at != one.due_at else ""
        table.add_row(shown(one.external_id), wall, one.to_zone, was, instant(one.due_at))
    console.print(table)
