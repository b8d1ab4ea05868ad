"""The catalogue drives rules, facets, the sweep and lists while everything runs: no restart, no rewriting."""

from pathlib import Path

import pytest
from sqlalchemy import text
from world import NOON, World

from calling.catalogue.changing import add, change
from calling.catalogue.field import Field
from calling.catalogue.retiring import retire, revive
from calling.customers.editing import edit_customer
from calling.intake.importing import import_file
from calling.segments.editing import rename
from calling.segments.publishing import own_fields, publish
from calling.segments.resegmenting import rebuilds_to_do, run_rebuild
from models.errors import BadRule
from segmentation.catalogue import KnownField, OwnFields, catalogue
from segmentation.facets import Facets, board_of, facets
from segmentation.facets.dimensions import TOP
from segmentation.in_force import rules_in_force
from segmentation.language import read_rules
from segmentation.resegment import differing
from segmentation.text.reading import read_text
from segmentation.warning import warnings_of

OLD = {"key": "old", "name": "Old", "when": {"f": "age", "op": "ge", "v": 60}}
GREY = {"key": "grey", "name": "Grey", "when": {"f": "age", "op": "ge", "v": 80}}


@pytest.fixture(params=[10**9, 0], ids=["sql", "cache"])
def border(request: pytest.FixtureRequest) -> int:
    """Facets by SQL, and out of the cache."""
    return int(request.param)


def asked(world: World, assignment: int, border: int) -> Facets:
    with world.work() as work:
        return facets(work, assignment, {}, border=border)


def bars(found: Facets, dimension: str) -> dict[str, int]:
    return {str(bar.value): bar.total for bar in found.dimensions[dimension] if isinstance(bar.value, str)}


def segments(world: World, assignment: int) -> list[str]:
    sql = """select s.key from placement p join segment s on s.id = p.segment_id
              where p.assignment_id = :a order by p.customer_id"""
    with world.work() as work:
        return list(work.run(text(sql), a=assignment).scalars())


def rebuilt(world: World) -> None:
    for rebuild in rebuilds_to_do(world.opener()):
        run_rebuild(world.opener(), rebuild)


# --- facets ---------------------------------------------------------------------------------------


def test_a_field_added_while_running_is_a_dimension_in_its_place(world: World, border: int) -> None:
    """Planted: frames compared without their order; a field that was moved stayed where it was; seen."""
    add(world.opener(), Field("age", "number", "Age"))
    assignment = world.assignment()
    world.customers(3, assignment, fields=lambda i: {"age": i, "colour": "red"})
    before = list(asked(world, assignment, border).dimensions)
    add(world.opener(), Field("colour", "choice", "Colour"))
    found = asked(world, assignment, border)
    assert list(found.dimensions) == [*before, "colour"]
    assert bars(found, "colour") == {"red": 3}
    change(world.opener(), "colour", {}, position=1)
    assert list(asked(world, assignment, border).dimensions)[-2:] == ["colour", "age"]
    retire(world.opener(), "age", author="Kari")
    assert list(asked(world, assignment, border).dimensions)[-2:] == ["tags", "colour"]
    revive(world.opener(), "age")
    assert list(asked(world, assignment, border).dimensions)[-2:] == ["colour", "age"]


def test_choices_come_in_the_declared_order(world: World, border: int) -> None:
    """Whoever has them; what is declared no more comes behind, by how many have it.

    Planted: by how many have each; seen to fail.
    """
    add(world.opener(), Field("size", "choice", "Size", choices=("small", "medium", "large")))
    assignment = world.assignment()
    world.customers(
        9, assignment, fields=lambda i: {"size": ["large", "huge", "small", "tiny"][min(i // 3, 3)]}
    )
    with world.work() as work:
        work.run(
            text(
                'update customer set fields = \'{"size": "tiny"}\' where id in (select max(id) from customer)'
            )
        )
    found = asked(world, assignment, border)
    assert list(bars(found, "size").items()) == [
        ("small", 2), ("medium", 0), ("large", 3), ("huge", 3), ("tiny", 1),
    ]  # fmt: skip
    change(world.opener(), "size", {"choices": ("large", "small")})
    assert list(bars(asked(world, assignment, border), "size")) == ["large", "small", "huge", "tiny"]


def test_of_more_choices_than_bars_those_that_somebody_has_are_shown(world: World) -> None:
    choices = tuple(f"c{i:03}" for i in range(TOP * 2))
    add(world.opener(), Field("code", "choice", "Code", choices=choices))
    assignment = world.assignment()
    world.customers(TOP, assignment, fields=lambda i: {"code": choices[-1 - i]})
    with world.work() as work:
        (dimension,) = [one for one in board_of(work, assignment).frame(work).dimensions if one.key == "code"]
    assert dimension.listed == choices[TOP:]


# --- rules ----------------------------------------------------------------------------------------


def test_a_field_added_while_running_is_asked_at_once(world: World, tmp_path: Path) -> None:
    """By a rule, by an edit, by a list."""
    assignment = world.assignment()
    one, other = world.customers(2, assignment)
    with pytest.raises(BadRule, match="is not a field"):
        publish(world.opener(), assignment, {"segments": [OLD]}, author="me")
    add(world.opener(), Field("age", "number", "Age"))
    publish(world.opener(), assignment, {"segments": [OLD]}, author="me")
    rebuilt(world)
    assert edit_customer(world.opener(), one, {"fields": {"age": 61}}, author="Kari").moved == 1
    with world.work() as work:
        known = work.run(text("select external_id from customer where id = :id"), id=other).scalar_one()
    path = tmp_path / "list.csv"
    path.write_text(f"id,phone,age\n{known},,70\n", encoding="utf-8")
    import_file(world.opener(), path, region="PT")
    rebuilt(world)
    assert segments(world, assignment) == ["old", "old"]


def test_rules_in_force_go_on_when_their_field_is_retired(world: World) -> None:
    """In every use of them, also in a process that reads them anew. Planted: fields in force without the
    retired ones, so that the rule was broken; seen to fail."""
    add(world.opener(), Field("age", "number", "Age"))
    assignment = world.assignment()
    body = {"segments": [OLD], "labels": [GREY]}
    publish(world.opener(), assignment, body, author="me")
    ids = world.customers(3, assignment, fields=lambda i: {"age": 50 + 10 * i})
    rebuilt(world)
    assert segments(world, assignment) == ["unsegmented", "old", "old"]
    retire(world.opener(), "age", author="Kari")
    with world.work() as work:
        work.run(text("update assignment set name = 'read anew'"))  # another version of the row: no cache
        assert rules_in_force(work, assignment).broken == ()
        assert differing(work, assignment) == 0
        work.run(text("update customer set fields = '{\"age\": 81}' where id = :id"), id=ids[0])
    with world.work() as work:
        assert differing(work, assignment) == 1
    revive(world.opener(), "age")
    edit_customer(world.opener(), ids[0], {"fields": {"age": 82}}, author="Kari")
    assert segments(world, assignment) == ["old", "old", "old"]


def test_a_new_rule_may_not_ask_a_retired_field(world: World) -> None:
    """What was published before may stay and be renamed; the refusal of a new one says who retired it."""
    add(world.opener(), Field("age", "number", "Age"))
    add(world.opener(), Field("page", "number", "Page"))
    assignment = world.assignment()
    publish(world.opener(), assignment, {"segments": [OLD]}, author="me")
    retire(world.opener(), "age", author="Kari")
    why = '"age" is no longer in use: it was retired by Kari on 2026-03-02'
    with pytest.raises(BadRule, match=why) as refused:
        publish(world.opener(), assignment, {"segments": [OLD, GREY]}, author="me")
    assert [path for path, _ in refused.value.problems] == ["segments[1].when.f"]
    assert rename(world.opener(), assignment, "old", "Elder", author="me") == 2
    with world.work() as work:
        known = own_fields(work)
    with pytest.raises(BadRule, match=why):
        read_text("segment old: age >= 60", known)
    with pytest.raises(BadRule) as misspelt:
        read_text("segment old: agee >= 60", known)
    assert 'did you mean "page"' in str(misspelt.value)  # never a retired one
    revive(world.opener(), "age")
    assert publish(world.opener(), assignment, {"segments": [OLD, GREY]}, author="me") == 3


def test_a_value_that_is_no_choice_is_a_warning_and_no_mistake(world: World) -> None:
    """It may stand in old rows. Planted: nothing said of lists; seen to fail."""
    known: OwnFields = {"size": KnownField("size", "choice", declared=("small", "large")), "note": "choice"}
    trees = [
        {"f": "size", "op": "eq", "v": "smal"},
        {"f": "size", "op": "in", "v": ["small", "huge", "Large"]},
        {"f": "size", "op": "contains", "v": "mal"},
        {"f": "size", "op": "empty"},
        {"f": "note", "op": "eq", "v": "anything"},
    ]
    body = {"segments": [{"key": f"s{i}", "when": tree} for i, tree in enumerate(trees)]}
    warnings = warnings_of(read_rules(body, known), catalogue(known))
    assert warnings == [
        ("segments[0].when", 'size has no choice "smal" - did you mean "small"?'),
        ("segments[1].when", 'size has no choice "Large" - did you mean "large"?'),
        ("segments[1].when", 'size has no choice "huge"'),
    ]


def test_a_date_field_added_while_running_is_swept(world: World) -> None:
    """Its days are kept as typed columns from the first value on."""
    add(world.opener(), Field("renewal", "date", "Renewal"))
    (one,) = world.customers(1)
    edit_customer(world.opener(), one, {"fields": {"renewal": NOON.date().isoformat()}}, author="Kari")
    with world.work() as work:
        assert work.run(text("select field from customer_day")).scalars().all() == ["renewal"]
