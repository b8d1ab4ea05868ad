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
