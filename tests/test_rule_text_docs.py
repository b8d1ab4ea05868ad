"""docs/rule-text.md says what is so: its examples are read, its SQL translated, its mistakes told."""

import re
from pathlib import Path

import pytest

from models.errors import BadRuleText
from ringeliste.cli.rule_files import drawn
from segmentation.catalogue import catalogue
from segmentation.expert.reading import read_predicate
from segmentation.language import read_rule, read_rules
from segmentation.text.reading import read_rule_text, read_text
from segmentation.text.writing import write_rule, write_text

OWN = {
    "vip": "yes_no", "birthday": "date", "born": "date", "renewal": "date", "revenue": "number",
    "job": "text", "last order": "number",
}  # fmt: skip
KNOWN = catalogue(OWN)
PAGE = (Path(__file__).parent.parent / "docs" / "rule-text.md").read_text(encoding="utf-8")
_PARTS = re.split(r"^## (.*)$", PAGE, flags=re.M)[1:]
SECTIONS = dict(zip(_PARTS[::2], _PARTS[1::2], strict=True))
BLOCKS = re.findall(r"^```\n(.*?)^```$", PAGE, re.M | re.S)


def rows(section: str) -> list[list[str]]:
    """The cells of a section's table, without its head."""
    lines = [line for line in SECTIONS[section].splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_the_rule_set_at_the_top_is_one() -> None:
    rules = read_rules(read_text(BLOCKS[0], OWN), OWN)
    assert (len(rules.segments), len(rules.labels)) == (3, 1)
    assert read_rules(read_text(write_text(rules), OWN), OWN) == rules


QUESTIONS = [one for row in rows("Questions") for one in re.findall("`(.*?)`", row[0])]
PREDICATES = [[cell.strip("`") for cell in row] for row in rows("SQL predicates")]


@pytest.mark.parametrize("question", QUESTIONS)
def test_every_question_of_the_table_is_one(question: str) -> None:
    assert read_rule(read_rule_text(question, KNOWN), KNOWN)


@pytest.mark.parametrize(("sql", "becomes"), PREDICATES)
def test_a_predicate_becomes_what_the_table_says(sql: str, becomes: str) -> None:
    assert write_rule(read_rule(read_predicate(sql, KNOWN).when, KNOWN)) == becomes


def test_the_mistakes_shown_are_told_so() -> None:
    shown = next(block for block in BLOCKS if block.startswith("line 1"))
    text = "\n".join(line.strip() for line in shown.splitlines() if line.startswith("  segment"))
    with pytest.raises(BadRuleText) as caught:
        read_text(text, OWN)
    assert "\n".join(drawn(caught.value)) + "\n" == shown
