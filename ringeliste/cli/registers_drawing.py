"""Registers, their versions and what a load did, for the screen."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console

from calling.registers.coming import Loaded
from calling.registers.following import Followed
from calling.views.registers import RegisterState
from ringeliste.cli.output import instant, number, plain_table, shown, would
from ringeliste.drawing import count, counted

SHOWN = 5


def draw_list(console: Console, found: Sequence[RegisterState]) -> None:
    """Each register, how long its version may still be called by, and where the days stand written."""
    table = plain_table(
        "name", "binds", "version", "numbers", "age", "days left", "policy", "used",
        right=("numbers", "days left"),
    )  # fmt: skip
    for one in found:
        style = {"stale": "red", "never loaded": "red", "old": "yellow"}.get(one.age, "")
        used = f"by {shown(one.used_by)}" if one.used_since else ("no" if one.binds_us else "[dim]no[/dim]")
        table.add_row(
            one.name, " ".join(one.binds), str(one.dated or "—"), number(one.numbers), one.age,
            "—" if one.days_left is None else f"{one.days_left} of {one.refuse_after}", one.policy, used,
            style=style if one.used_since else "",
        )  # fmt: skip
    console.print(table)
    for one in found:
        console.print(f"[dim]{one.name} ({one.title}): {shown(one.source)}[/dim]")
    for one in found:
        if one.warning:
            console.print(one.warning, style="yellow", markup=False)


def draw_load(console: Console, told: Loaded, followed: Followed | None, *, dry_run: bool) -> None:
    """What a file held and changed, its first bad lines, and what was in the air."""
    pace = told.lines / told.seconds if told.seconds else 0
    console.print(
        f"{would(dry_run)}{told.register} of {told.dated}: {counted(told.lines, 'line')} in "
        f"{told.seconds:.1f} s ({count(pace)}/s)"
    )
    table = plain_table("what", "numbers", right=("numbers",))
    for what, numbers in (
        ("before", told.before), ("added", told.added), ("removed", told.removed), ("now", told.numbers),
        ("bad lines", told.bad_lines),
    ):  # fmt: skip
        table.add_row(what, count(numbers), style="red" if what == "bad lines" and numbers else "")
    console.print(table)
    for bad in told.bad[:SHOWN]:
        console.print(f"[red]line {bad.line}[/red]: {shown(repr(bad.text))}: {shown(bad.reason)}")
    if followed is not None:
        air = followed.in_the_air
        console.print(
            f"{counted(air.crms, 'CRM')} obeyed at once: {air.recalled} taken back unrung, {air.rung} ring "
            f"or talk, {air.unknown} not answered yet; {counted(followed.stamped, 'placement')} stamped."
        )


def draw_versions(console: Console, rows: Sequence[Mapping[str, Any]]) -> None:
    """The versions, the one in force set off; why one came to nothing."""
    table = plain_table(
        "id", "dated", "file", "by", "in force", "numbers", "added", "removed", "bad lines",
        right=("id", "numbers", "added", "removed", "bad lines"),
    )  # fmt: skip
    for row in rows:
        since = instant(row["in_force_at"]) if row["in_force_at"] else shown(row["why"] or "not yet")
        table.add_row(
            str(row["id"]), str(row["dated"]), shown(row["file"]), shown(row["author"]), since,
            *(number(row[name]) for name in ("numbers", "added", "removed", "bad_lines")),
            style="bold" if row["in_force"] else "",
        )  # fmt: skip
    console.print(table if rows else "It was never loaded.")
