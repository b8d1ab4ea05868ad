"""docs/fields.md says what is so: its commands are taken, its tables hold."""

import json
import re
import shlex
from pathlib import Path

import pytest
import typer

from calling.catalogue.checking import Checker
from calling.catalogue.defining import MOST_CHOICES, MOST_FIELDS
from calling.catalogue.field import Field
from calling.catalogue.keys import LONGEST, RESERVED
from calling.catalogue.patterns import BadPattern, compiled
from calling.catalogue.values import LONGEST as LONGEST_TEXT
from calling.catalogue.values import TYPES
from models.tags import LONGEST as LONGEST_TAG
from models.tags import read_tag
from ringeliste.cli import app
from web.api import PARTS

PAGE = (Path(__file__).parent.parent / "docs" / "fields.md").read_text(encoding="utf-8")
_PARTS = re.split(r"^## (.*)$", PAGE, flags=re.M)[1:]
SECTIONS = dict(zip(_PARTS[::2], _PARTS[1::2], strict=True))
CHOICES = ("small", "medium", "large")


def tables(section: str) -> list[list[list[str]]]:
    """The cells of each of a section's tables, without their heads; code without its signs."""
    found = re.findall(r"(?:^\|.*\n)+", SECTIONS[section], re.M)
    return [[_cells(line) for line in table.splitlines()[2:]] for table in found]


def _cells(line: str) -> list[str]:
    cells = re.split(r"(?<!\\)\|", line.strip().strip("|"))
    return [cell.strip().strip("`").replace(r"\|", "|") for cell in cells]


def test_the_commands_are_ones_that_there_are() -> None:
    """Planted: --uniqe; seen to fail."""
    group = typer.main.get_command(app)
    lines = re.findall(r"ringeliste (?:fields|tags) [^`\n]+", PAGE)
    assert len(lines) >= 9
    for line in lines:
        words = shlex.split(line)[1:]
        command = group.commands[words[0]].commands[words[1]]  # type: ignore[attr-defined]
        command.make_context(line, words[2:])


@pytest.mark.parametrize(("kind", "cell", "kept", "refused"), tables("Types")[0])
def test_a_cell_of_a_type_is_kept_as_it_says(kind: str, cell: str, kept: str, refused: str) -> None:
    check = Checker(Field("x", kind, "X", choices=CHOICES if kind == "choice" else ()))
    assert check.of_text(cell) == json.loads(kept)
    with pytest.raises(ValueError, match=r"."):
        check.of_text("x" * (LONGEST_TEXT + 1) if refused.startswith("longer") else refused)


def test_every_type_stands_there() -> None:
    assert {row[0] for row in tables("Types")[0]} == set(TYPES)
    assert f"longer than {LONGEST_TEXT:,}" in PAGE


def test_the_keys_that_are_taken_are_these() -> None:
    """Planted: one left out of the page; seen to fail."""
    listed = re.search(r"^`attempts`.*?\n\n", SECTIONS["Keys"], re.M | re.S)
    assert listed
    assert set(re.findall("`(.*?)`", listed[0])) == RESERVED
    assert f"at most {LONGEST} small letters" in PAGE
    assert f"at most {MOST_FIELDS} fields in use, and {MOST_CHOICES} choices" in PAGE


PATTERNS, REFUSED = tables("Patterns")


@pytest.mark.parametrize(("pattern", "matches", "does_not"), PATTERNS)
def test_a_pattern_matches_what_it_says(pattern: str, matches: str, does_not: str) -> None:
    assert compiled(pattern)(matches)
    assert not compiled(pattern)(does_not)


@pytest.mark.parametrize(("pattern", "why"), REFUSED)
def test_a_pattern_is_refused_for_what_it_says(pattern: str, why: str) -> None:
    with pytest.raises(BadPattern, match=re.escape(why)):
        compiled(pattern)


@pytest.mark.parametrize(("written", "kept"), tables("Tags")[0])
def test_a_tag_is_kept_as_it_says(written: str, kept: str) -> None:
    if not kept.startswith("refused"):
        assert read_tag(written) == kept
        return
    with pytest.raises(ValueError, match=f'write "{kept.split("`")[1]}"'):
        read_tag(written)


def test_the_longest_tag_is_as_long_as_it_says() -> None:
    assert f"1 to {LONGEST_TAG} letters" in PAGE
    assert read_tag("x" * LONGEST_TAG)
    with pytest.raises(ValueError, match="at most"):
        read_tag("x" * (LONGEST_TAG + 1))


def test_the_endpoints_named_are_there() -> None:
    there = {
        (method, re.sub(r"{.*?}", "{id}", route.path))
        for part in PARTS
        for route in part.router.routes
        for method in route.methods
    }
    named = re.findall(r"`(GET|PATCH|POST|PUT|DELETE) (/[^`]+)`", PAGE)
    assert len(named) >= 3
    assert set(named) <= there
