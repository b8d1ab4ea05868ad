"""The handbook of the catalogue: true of every field, and of what was added a moment ago."""

import re

from world import World

from calling.catalogue.changing import add
from calling.catalogue.field import Field
from calling.catalogue.handbook import handbook
from calling.catalogue.retiring import retire
from calling.catalogue.values import TYPES, read_text
from segmentation.catalogue import BUILT_IN, OPERATORS, REFERENCES, KnownField, catalogue
from segmentation.examples import examples
from segmentation.language import read_rules
from segmentation.nodes import leaves
from segmentation.text.reading import read_text as read_rules_text


def page(world: World) -> str:
    with world.work() as work:
        return handbook(work)


def test_every_operator_of_every_field_has_an_example_that_reads() -> None:
    """Planted: no example for the operators that take no value; found."""
    own = {f"of_{kind}": KnownField(f"of_{kind}", kind) for kind in TYPES}
    known = catalogue(own)
    for field in known.values():
        text = examples(field, known)
        if field.key in REFERENCES:
            assert text == []
            continue
        body = read_rules_text("\n".join(f"segment s{i}: {one}" for i, one in enumerate(text)), own)
        rules = read_rules(body, own)
        asked = [leaf for segment in rules.segments for leaf in leaves(segment.when)]
        assert {leaf.op for leaf in asked} == set(OPERATORS[field.type])
        assert {leaf.field for leaf in asked} == {field.key}


def test_a_field_stands_in_it_at_once_and_a_retired_one_no_more(world: World) -> None:
    add(world.opener(), Field("policy", "text", "Policy | no.", unique=True, pattern="[A-Z]{2}|x"))
    add(world.opener(), Field("size", "choice", "Size", choices=("tiny", "huge")))
    written = page(world)
    assert r"| `policy` | Policy \| no. | text | unique; `[A-Z]{2}\|x` | what matches |" in written
    assert "| `size` | Size | choice | one of tiny, huge | `tiny` |" in written
    assert "size in (huge, tiny)" in written
    assert "policy contains ada" in written
    retire(world.opener(), "size", author="Kari")
    assert "size" not in page(world)


def test_every_cell_it_shows_can_be_read(world: World) -> None:
    for kind in TYPES:
        choices = ("tiny", "huge") if kind == "choice" else ()
        add(world.opener(), Field(f"of_{kind}", kind, kind, choices=choices))
    rows = re.findall(r"^\| `of_(\w+)` .*\| `([^`]+)` \|$", page(world), re.M)
    assert sorted(kind for kind, _ in rows) == sorted(TYPES)
    for kind, cell in rows:
        assert read_text(kind, cell) is not None


def test_of_a_choice_that_declares_none_no_word_is_made_up(world: World) -> None:
    add(world.opener(), Field("size", "choice", "Size"))
    assert "| `size` | Size | choice |  | any word |" in page(world)


def test_what_is_built_in_is_named(world: World) -> None:
    written = page(world)
    assert all(f"`{key}`" in written for key in BUILT_IN if key not in REFERENCES)


def test_a_field_that_a_built_in_one_shadows_is_told_and_asked_by_nobody(world: World) -> None:
    """They are older than the built-in ones. Seen to fail: no handbook at all, or questions to the other."""
    world.field("country", "number", label="Country no.")
    world.field("attempts", "date", label="Attempts of old")
    world.field("name", "text", label="Full name", choices=["x"], required=True)
    world.field("age", "number", label="Age")
    written = page(world)
    told = "shadowed by the built-in"
    assert f"| `country` | Country no. | number | {told} | `3,5` |" in written
    assert f"| `attempts` | Attempts of old | date | {told} | `2026-03-01` |" in written
    assert f"| `name` | Full name | text | {told}; required; one of x | `x` |" in written
    assert "| `age` | Age | number |  | `3,5` |" in written
    assert "### Number: `age`, `attempts`, `local_offset`" in written
    assert "### Date" not in written
    assert written.count("`name`") == 2  # its row, and the built-in one


def test_its_questions_are_of_the_fields_that_rules_ask(world: World) -> None:
    """Each is read as it stands, beside whatever the CRM calls its own."""
    world.field("status", "number")
    for kind in TYPES:
        world.field(f"of_{kind}", kind)
    own = {f"of_{kind}": kind for kind in TYPES} | {"status": "number"}
    asked = [
        line for block in re.findall(r"```\n(.*?)\n```", page(world), re.S) for line in block.split("\n")
    ]
    rules = "\n".join(f"segment s{i}: {one}" for i, one in enumerate(asked))
    assert len(read_rules(read_rules_text(rules, own), own).segments) == len(asked) > 20


def test_a_pattern_or_a_word_with_a_backtick_stays_one_piece(world: World) -> None:
    """Seen to fail: the piece ended at the backtick."""
    world.field("p", "text", label="P", pattern="[`]+")
    world.field("c", "choice", label="C", choices=["``a`", "b"])
    written = page(world)
    assert "| `p` | P | text | `` [`]+ `` | what matches |" in written
    assert "| `c` | C | choice | one of ``a`, b | ``` ``a` ``` |" in written
