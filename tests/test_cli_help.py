"""Every command explains itself: with examples that work, the same options everywhere, and at once."""

import os
import re
import resource
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from shell import run

from ringeliste.cli import app
from ringeliste.demo_rules import RULES

pytestmark = pytest.mark.once

README = Path(__file__).parents[1] / "README.md"

READING = {
    "hot list",
    "bench", "best-times", "causes history", "causes show", "check", "db status", "dnc list",
    "explain", "facets", "fields handbook",
    "fields list",
    "followups list",
    "forecast", "funnel", "holders", "hours base", "hours show", "laws", "lease-times",
    "limits changes", "limits list", "numbers list",
    "numbers plan",
    "numbers why", "pauses", "people list", "portrait", "registers exemptions", "registers list",
    "registers versions", "report", "retries changes", "retries show", "rules check", "rules explain",
    "rules preview", "rules show",
    "rules translate", "rules versions", "rules watch", "segments", "segments deleted", "segments history",
    "segments holds", "segments list", "segments rule", "sellers history",
    "sellers list", "set-aside list", "simulate", "skipped", "tags list", "templates list",
    "templates show", "unconfirmed", "versions", "zones history", "zones unknown",
}  # fmt: skip
WRITING = {
    "hot cool", "hot make",
    "bench", "causes set", "db start", "db stop", "db upgrade", "demo", "dnc import", "dnc outcomes",
    "fields add",
    "fields change", "fields retire", "fields revive", "followups cancel", "followups grace",
    "followups hand-over", "followups promise", "hours base", "hours bind", "hours end", "hours exempt",
    "hours set",
    "import", "lease-times",
    "limits attempts", "limits debts", "limits end", "limits gap", "limits set", "next",
    "numbers prefer", "numbers set",
    "order-by-hour", "outcome", "pause", "people add", "people revoke", "registers end-exemption",
    "registers exempt", "registers leave", "registers load", "registers use", "release",
    "resume", "retries set",
    "rules publish", "rules roll-back", "segments delete",
    "segments free",
    "segments move", "segments new", "segments release", "segments rename", "segments reorder",
    "segments wake", "sellers away", "set-aside again", "set-aside seen", "sellers back",
    "simulate", "suppress", "tags add", "tags remove", "templates apply", "templates turnover", "up",
    "zones places", "zones verify", "zones verify-list", "zones withdraw",
}  # fmt: skip
NEITHER = {"db psql"}  # hands the terminal over
HEAVY = (
    "sqlalchemy",
    "fastapi",
    "nicegui",
    "dramatiq",
    "phonenumbers",
    "psycopg",
    "redis",
    "wiring",
    "calling",
)


def commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        if not hasattr(command, "commands") or command.invoke_without_command:
            yield " ".join((*path, name)), command


ALL = dict(commands(typer.main.get_command(app)))
every = pytest.mark.parametrize("name", sorted(ALL))


def examples(name: str) -> list[list[str]]:
    """The words of each example in the help of `name`."""
    lines = str(ALL[name].help).partition("Examples:\n")[2].splitlines()
    return [shlex.split(line.split(" && ")[0].split(" > ")[0]) for line in lines if line.strip()]


@every
def test_every_command_has_examples_that_its_own_options_allow(name: str) -> None:
    """Plant the bug: an example with --dryrun instead of --dry-run."""
    assert examples(name)
    for words in examples(name):
        assert words[: len(name.split()) + 1] == ["ringeliste", *name.split()]
        ALL[name].make_context(name, words[len(name.split()) + 1 :])


def test_the_tour_of_the_readme_is_made_of_commands_that_there_are() -> None:
    """Plant the bug: pause a segment whose turn comes hours later; it says 0, 0, 0 to every newcomer."""
    tour = re.findall(r"^ringeliste .*$", README.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(tour) >= 7
    for line in tour:
        words = shlex.split(line, comments=True)[1:]
        depth = next(n for n in (2, 1) if " ".join(words[:n]) in ALL)
        ALL[" ".join(words[:depth])].make_context(" ".join(words), words[depth:])
    paused = {
        shlex.split(line)[3] for line in tour if line.startswith(("ringeliste pause", "ringeliste resume"))
    }
    first_with_anybody = RULES["segments"][1]  # nobody was tried three times yet
    assert paused == {first_with_anybody["key"]}


def test_what_reads_speaks_json_and_what_writes_can_be_tried_dry() -> None:
    """A command added without either, or without saying which it is, is found here."""
    options = {
        name: {option for param in command.params for option in param.opts} for name, command in ALL.items()
    }
    assert set(ALL) == READING | WRITING | NEITHER
    assert [name for name in READING if "--json" not in options[name]] == []
    assert [name for name in WRITING if "--dry-run" not in options[name]] == []


@every
def test_help_fits_a_terminal_of_80_columns_and_names_no_python(name: str) -> None:
    said = run(*name.split(), "--help")
    assert said.code == 0
    assert "Examples:" in said.out
    assert max(map(len, said.out.splitlines())) <= 80


def test_the_exit_codes_stand_in_the_help() -> None:
    said = run("--help")
    assert "Exit codes:" in said.out
    assert all(f"  {code}  " in said.out for code in range(4))


def test_help_loads_nothing_heavy_and_is_there_at_once() -> None:
    """Processor time, not wall time: other tests run beside this one."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    said = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "ringeliste", "--help"],
        capture_output=True, text=True, check=True, env={**os.environ, "COLUMNS": "80"},
    )  # fmt: skip
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in said.stderr.splitlines()}
    assert "typer" in loaded
    assert [name for name in HEAVY if name in loaded] == []
    assert after.ru_utime - before.ru_utime < 1.0
