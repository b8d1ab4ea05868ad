"""A selection: counted and moved by SQL as it is now, refused when it has changed, saved as a rule."""

from random import Random

import pytest
from facet_scene import FacetScene, naive, random_filters
from sqlalchemy import text
from world import NOON, World

from calling.segments import selection
from calling.segments.selection import Expected
from models.errors import BadInput, Conflict
from segmentation.catalogue import catalogue
from segmentation.evaluate import meets
from segmentation.facets import EMPTY, Others, Range
from segmentation.facets.as_rule import PLAIN_TYPES, as_rule
from segmentation.facets.learn import learn
from segmentation.language import read_rule
from segmentation.nodes import dump_node

KNOWN = catalogue({"age": "number", "job": "choice", "loan": "yes_no", "since": "date", "note": "text"})
ASKED = {key for key, field in KNOWN.items() if field.type in PLAIN_TYPES}
RETIRED = {"job": ["retired"]}


def held(world: World) -> list[tuple[int, int, str]]:
    with world.work() as work:
        rows = work.run(
            text("select customer_id, segment_id, reason from hold where crm_id = :crm_id order by 1")
        )
        return [tuple(row) for row in rows]


def retired(scene: FacetScene) -> list[int]:
    return sorted(row["customer_id"] for row in scene.rows() if row["fields"].get("job") == "retired")


@pytest.mark.parametrize("seed", range(2))
def test_a_selection_is_counted_as_its_bars_are(world: World, seed: int) -> None:
    scene, dice = FacetScene(world, seed=seed), Random(seed)
    with world.work() as work:
        frame = learn(work, scene.assignment)
    for _ in range(20):
        filters = random_filters(frame, dice)
        with world.work() as work:
            assert selection.count(work, scene.assignment, filters) == naive(frame, scene.rows(), filters)[1]


def test_whoever_the_filters_find_now_is_held_in_the_segment(world: World) -> None:
    scene = FacetScene(world, customers=40)
    found, to = retired(scene), scene.segments[1]
    selection.move_selection(
        world.opener(), scene.assignment, RETIRED, to, expected=Expected(len(found), 0),
        author="Ann", reason="campaign",
    )  # fmt: skip
    assert found
    assert held(world) == [(customer, to, "campaign") for customer in found]
    assert {row["segment_id"] for row in scene.rows() if row["customer_id"] in found} == {to}


@pytest.mark.parametrize(("off", "tolerance", "refused"), [(0, 0, False), (1, 0, True), (-1, 0, True),
                                                           (2, 2, False), (-3, 2, True)])  # fmt: skip
def test_a_selection_that_has_changed_is_refused_with_its_new_count(
    world: World, off: int, tolerance: int, refused: bool
) -> None:
    scene = FacetScene(world, customers=40)
    found = retired(scene)

    def move() -> None:
        selection.move_selection(
            world.opener(), scene.assignment, RETIRED, scene.segments[1],
            expected=Expected(len(found) + off, tolerance), author="Ann", reason="campaign",
        )  # fmt: skip

    if not refused:
        move()
        assert len(held(world)) == len(found)
        return
    with pytest.raises(Conflict) as conflict:
        move()
    assert conflict.value.data["count"] == len(found)
    assert held(world) == []


def test_a_cache_that_is_behind_moves_nobody_who_has_left_the_selection(world: World) -> None:
    scene = FacetScene(world, customers=40)
    first, *others = retired(scene)
    with world.work() as work:
        found = selection.count(work, scene.assignment, RETIRED)
        work.run(text("update customer set fields = '{}' where crm_id = :crm_id and id = :c"), c=first)
    selection.move_selection(
        world.opener(), scene.assignment, RETIRED, scene.segments[1], expected=Expected(found, 1),
        author="Ann", reason="campaign",
    )  # fmt: skip
    assert [customer for customer, _, _ in held(world)] == others


@pytest.mark.parametrize("seed", range(4))
def test_a_selection_saved_as_a_rule_selects_the_same_customers(world: World, seed: int) -> None:
    scene, dice = FacetScene(world, seed=seed), Random(seed)
    with world.work() as work:
        frame = learn(work, scene.assignment)
    rows = scene.rows()
    for _ in range(40):
        filters = {
            key: values for key, values in random_filters(frame, dice).items() if key in ASKED and values
        }
        rule = read_rule(dump_node(as_rule(filters, KNOWN)), KNOWN)
        assert sum(meets(rule, row, KNOWN, NOON) for row in rows) == naive(frame, rows, filters)[1], filters
        with world.work() as work:
            assert selection.count(work, scene.assignment, filters) == naive(frame, rows, filters)[1]


def test_a_bucket_becomes_a_range_and_nothing_becomes_empty() -> None:
    rule = as_rule({"age": [Range(20, 40), EMPTY], "job": ["b", "a"]}, KNOWN)
    assert dump_node(rule) == {
        "all": [
            {"any": [
                {"all": [{"f": "age", "op": "ge", "v": 20}, {"f": "age", "op": "lt", "v": 40}]},
                {"f": "age", "op": "empty"},
            ]},
            {"f": "job", "op": "in", "v": ["a", "b"]},
        ]
    }  # fmt: skip


def test_labels_and_tags_are_asked_by_name() -> None:
    asked = as_rule({"labels": [7, 3], "tags": ["vip", "late", EMPTY]}, KNOWN, {3: "silver", 7: "gold"})
    assert dump_node(asked) == {
        "all": [
            {"f": "label", "op": "any", "v": ["gold", "silver"]},
            {"any": [{"f": "tags", "op": "any", "v": ["late", "vip"]}, {"f": "tags", "op": "empty"}]},
        ]
    }


def test_what_no_rule_can_ask_is_told() -> None:
    with pytest.raises(BadInput, match=r"ask for segment.*the rest of tags"):
        as_rule({"tags": [Others(("vip",))], "segment": [1]}, KNOWN)
    with pytest.raises(BadInput, match="the rest of labels"):
        as_rule({"labels": [EMPTY]}, KNOWN)
    with pytest.raises(BadInput, match="status fallen"):
        as_rule({"status": ["fallen"]}, KNOWN)
    with pytest.raises(BadInput, match="no value of job"):
        as_rule({"job": []}, KNOWN)


def test_each_bar_selects_as_many_as_it_shows_also_at_the_ends_of_buckets(world: World) -> None:
    scene = FacetScene(world, customers=80, seed=7)
    with world.work() as work:
        frame = learn(work, scene.assignment)
        bounds = frame.dimension("age").bounds  # type: ignore[union-attr]  # it is there
        at_bound = text("""
            update customer set fields = jsonb_build_object('age', cast(:age as numeric))
             where crm_id = :crm_id and id = :c
        """)
        for customer, age in zip(scene.customers, bounds, strict=False):
            work.run(at_bound, c=customer, age=age)
    bars, _ = naive(frame, scene.rows(), {})
    rows = scene.rows()
    for one in frame.dimensions:
        for value in one.values:
            _, total = bars[one.key].get(value, (0, 0))
            with world.work() as work:
                assert selection.count(work, scene.assignment, {one.key: [value]}) == total, (one.key, value)
            if one.key in ASKED:
                rule = as_rule({one.key: [value]}, KNOWN)
                assert sum(meets(rule, row, KNOWN, NOON) for row in rows) == total, (one.key, value)
