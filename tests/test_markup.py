"""What somebody wrote in a list, a segment or a reason is shown as it is: it is never markup."""

import json
from dataclasses import replace
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from shell import Shell, run
from sqlalchemy import text
from test_live import drawn, segment, view
from world import NOON, World

from benchmarks import Figure
from calling.intake.importing import Progress
from calling.views.audit import Finding
from calling.views.report import Hour
from ringeliste.cli import database, measuring, playing, reports, trials
from ringeliste.cli.output import shown
from ringeliste.progress import import_bar
from ringeliste.screen import Screen
from ringeliste.simulation import SimulationReport
from ringeliste.simulation.results import SegmentResult

NASTY = "[/x]:x:[red]\\"
"""A closing tag that nobody opened, an emoji's name, a style, and what would escape the tag behind it."""

HOLD = text("""
    insert into hold (crm_id, assignment_id, customer_id, segment_id, author, reason, created_at)
    select crm_id, assignment_id, customer_id, :segment, :author, :author, :now from placement
     where crm_id = :crm_id
""")


@pytest.fixture
def shell(world: World, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """A CRM in which every text that people write is nasty."""
    monkeypatch.setenv("COLUMNS", "300")
    world.field("note", "text")
    made = world.assignment(NASTY)
    tail = world.segment(made, "tail", name=NASTY)
    ids = world.customers(3, made, segment_id=tail, fields=lambda _: {"note": NASTY})
    world.seller(made, NASTY)
    world.dialer(made, "robot " + NASTY)
    with world.work() as work:
        work.run(text("update customer set name = :name where crm_id = :crm_id"), name=NASTY)
        work.run(text("update placement set status = :name where crm_id = :crm_id"), name=NASTY)
        work.run(HOLD, segment=tail, author=NASTY, now=NOON)
        for number, customer_id in enumerate(ids):
            values = {"id": customer_id, "external_id": f"{number}{NASTY}"}
            work.run(
                text("update customer set external_id = :external_id where crm_id = :crm_id and id = :id"),
                **values,
            )
    return Shell(world, monkeypatch)


def test_every_command_shows_what_people_wrote(shell: Shell) -> None:
    """Planted and seen: `shown` that gives its text back; each of its calls taken away."""
    assert NASTY in shell.ok("segments").out
    said = shell.ok("next", NASTY).out
    assert NASTY in said.splitlines()[0]  # the name
    assert said.count(NASTY) == 4  # and the external id, the status and the field
    lease = shell.ok("next", NASTY, "--json").document["lease_id"]
    shell.ok("outcome", lease, "busy", "--dry-run")
    assert NASTY in shell.ok("pause", "segment", NASTY, "--reason", NASTY, "--author", NASTY).out
    said = shell.ok("explain", f"0{NASTY}").out
    assert f"\nsegment {NASTY}, held by {NASTY}; ready, status {NASTY}, 0 attempts" in said
    assert said.splitlines()[0].startswith(f"{NASTY} not ")
    assert NASTY in shell.ok("segments").out  # with its mark
    shell.ok("resume", "segment", NASTY)
    said = shell.ok("suppress", "--customer", f"0{NASTY}", "--reason", NASTY).out
    assert NASTY in said
    assert NASTY in shell.ok("explain", f"0{NASTY}").out
    shell.ok("suppress", "--customer", f"0{NASTY}", "--lift")


def test_an_import_shows_columns_values_and_its_file(shell: Shell) -> None:
    file = Path("[x]list[.csv")
    shell.world.field("age", "number")
    file.write_text(f"id,phone,age,{NASTY}\n1,,a,{NASTY}\n2,912345678;[x],b,\n", encoding="utf-8")
    said = shell.ok("import", str(file), "--map", f"{NASTY}=age", "--map", "age=class").out
    assert f"{NASTY} → age" in said
    assert f"line 2, {NASTY}: {NASTY!r}: is no number (number field age) (row rejected)" in said
    assert "line 3, phone: '[x]': not a telephone number (number dropped)" in said
    assert "1 row rejected, 1 number dropped; " in said
    assert "all in [x]list[.csv.rejects.csv" in said


def test_a_dry_run_of_rules_shows_keys(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "rules.json"
    body = {"segments": [{"key": "tail", "name": NASTY, "when": {"f": "note", "op": "eq", "v": NASTY}}]}
    file.write_text(json.dumps(body), encoding="utf-8")
    assert "tail" in shell.ok("rules", "publish", str(file), "--dry-run").out
    shell.ok("rules", "publish", str(file))
    assert NASTY in json.dumps(shell.ok("rules", "show").document, ensure_ascii=False).replace("\\\\", "\\")


@pytest.mark.parametrize(
    "words",
    [
        ["pause", NASTY],
        ["pause", "segment", NASTY + "y"],
        ["explain", NASTY],
        ["outcome", NASTY, "sale"],
        ["import", NASTY],
        ["segments", "--crm", NASTY],
        ["suppress", NASTY],
        ["bench", NASTY],
    ],
    ids=lambda words: words[0],
)
def test_an_error_says_what_it_was_given(shell: Shell, words: list[str]) -> None:
    said = run(*words)
    assert said.code in (1, 2)
    assert "[/x]" in said.err


def printed(draw: Any, *arguments: Any, **options: Any) -> str:
    """What one of the functions that draw puts on a terminal of our own making."""
    out = StringIO()
    draw(Console(file=out, width=300, highlight=False, emoji=False), *arguments, **options)
    return out.getvalue()


HOUR = Hour(NOON, 10, 5, 1)
SIMULATED = SimulationReport(
    days=1, seed=1, sellers=1, begins=NOON, ends=NOON + timedelta(days=1), seconds=86_400, attempts=10,
    contacts=5, sales=1, refused={}, hours=[HOUR], check={"P1": 0},
    segments=[SegmentResult("tail", NASTY, 4, 1, 0, 0, 1, 1, 1, 10, 5, 1, NOON)],
)  # fmt: skip
STATUS = {
    "postgres": "running", "redis": "stopped", "postgres_pid": 1, "redis_pid": None, "directory": NASTY,
    "parts": {"redis": {"verdict": "down", "detail": NASTY}},
}  # fmt: skip


@pytest.mark.parametrize(
    ("draw", "arguments"),
    [
        (playing.draw_report, [SIMULATED]),
        (reports._draw_check, [{"P1": 1}, [Finding("P1", NASTY, 1)]]),
        (database._draw_status, [STATUS]),
        (measuring.draw_figures, [[Figure(NASTY, 1.0, "ms", 1.0, "the limit", 1.0)]]),
        (measuring.draw_figures, [[Figure("ours", 1.0, "ms", 1.0, NASTY, 1.0)]]),
    ],
)
def test_what_is_drawn_from_figures_is_shown_too(draw: Any, arguments: list[Any]) -> None:
    assert NASTY in printed(draw, *arguments)


def test_the_demo_may_be_in_any_directory() -> None:
    assert printed(trials._draw, {"directory": NASTY}, dry_run=False).count(NASTY) == 2


def test_the_live_table_shows_names() -> None:
    shown_before = view().figures
    assert shown_before
    figures = replace(shown_before, segments=[segment(NASTY), segment(NASTY, paused=True)])
    lines = "\n".join(drawn(replace(view(problem=NASTY), figures=figures, address=NASTY), 200))
    assert lines.count(NASTY) == 4


def test_the_bar_of_an_import_shows_its_file() -> None:
    now = Progress(10, 1, 0.5, 1.0)
    for terminal in (False, True):
        out = StringIO()
        console = Console(file=out, width=200, force_terminal=terminal, color_system=None)
        with import_bar(console, NASTY) as tell, pytest.MonkeyPatch.context() as patch:
            patch.setattr("ringeliste.progress.monotonic", lambda: 1e9)
            tell(now)
        assert NASTY in out.getvalue()


def test_whatever_is_done_is_said_as_it_is() -> None:
    out = StringIO()
    screen = Screen(console=Console(file=out, width=200, force_terminal=True, color_system=None))
    screen.say(NASTY)
    with screen.busy(NASTY):
        pass
    assert out.getvalue().count(NASTY) >= 2


def test_no_value_moves_the_cursor() -> None:
    """Planted and seen: an escape sequence out of a list that clears the screen of whoever looks at it."""
    assert shown("a\x1b[2Jb\nc\x9bd") == "a\N{REPLACEMENT CHARACTER}[2Jb\N{REPLACEMENT CHARACTER}c\ufffdd"
