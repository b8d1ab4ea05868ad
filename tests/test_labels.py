"""Labels are written in the same pass as segments; who only gains or loses one has not moved."""

import json
from typing import Any

import pytest
from rebuild_scene import OLD, TIRED, Scene
from sqlalchemy import text
from world import NOON, World

from models.tables import Label
from segmentation.in_force import rules_in_force
from segmentation.resegment import resegment


@pytest.fixture
def scene(world: World) -> Scene:
    return Scene(world)


def label(scene: Scene, key: str, rule: dict[str, Any], position: int = 1) -> int:
    made = scene.world.add(
        Label(
            crm_id=scene.world.crm_id,
            assignment_id=scene.assignment,
            key=key,
            name=key,
            position=position,
            rule=rule,
            created_at=NOON,
        )
    )
    scene.change("update assignment set rule_version = rule_version + 1 where id = :a")
    return int(made.id)


def labels(scene: Scene) -> dict[int, list[int]]:
    rows = scene.all("select customer_id, labels from placement where assignment_id = :a")
    return {row.customer_id: row.labels for row in rows}


def test_everybody_gets_their_labels_sorted_and_a_second_rebuild_writes_nobody(scene: Scene) -> None:
    """Planted: labels in the order of their positions; movers by segment alone. Both found."""
    late = label(scene, "late", {"f": "age", "op": "ge", "v": 50}, position=2)
    named = label(scene, "named", {"f": "label", "op": "all", "v": ["late"]}, position=1)
    report = scene.rebuild()
    assert late < named
    assert labels(scene) == {c: [late, named] if i >= 5 else [] for i, c in enumerate(scene.customers)}
    went = scene.one("select customers from segment_move where assignment_id = :a and cause = 'rule'")
    assert (went.customers, report.moved) == (scene.customers[6:], 4)
    assert scene.differing() == 0
    with scene.world.work() as work:
        assert rules_in_force(work, scene.assignment).rules.labels[0].key == "named"


def test_who_only_gains_a_label_is_written_and_has_not_moved(scene: Scene) -> None:
    scene.rebuild()
    young = label(scene, "young", {"f": "age", "op": "lt", "v": 30})
    assert scene.differing() == 3
    versions = "select customer_id, rule_version from placement where assignment_id = :a order by customer_id"
    before = scene.all(versions)
    with scene.world.work() as work:
        assert resegment(work, scene.assignment, scene.customers, "event") == []
    assert [bool(found) for found in labels(scene).values()].count(True) == 3
    assert labels(scene)[scene.customers[0]] == [young]
    assert scene.all(versions) == before
    assert scene.differing() == 0


def test_a_label_goes_when_its_rule_ends_and_a_held_customer_has_labels(scene: Scene) -> None:
    tired = label(scene, "worn", TIRED)
    customer = scene.customers[0]
    hold = """
        insert into hold (crm_id, assignment_id, customer_id, segment_id, author, reason, created_at)
        values (:crm_id, :a, :c, :s, 'Ann', 'why not', :now)
    """
    scene.change(hold, c=customer, s=scene.old)
    scene.tire(customer)
    assert (labels(scene)[customer], scene.placed()[customer]) == ([tired], scene.old)
    with scene.world.work() as work:
        work.run(text("update placement set attempts = 0 where customer_id = :c"), c=customer)
        resegment(work, scene.assignment, [customer], "event")
    assert labels(scene)[customer] == []


def test_a_retired_label_is_taken_from_everybody(scene: Scene) -> None:
    label(scene, "old-ones", OLD)
    scene.rebuild()
    scene.change("update label set retired_at = :now where assignment_id = :a")
    scene.change("update assignment set rule_version = rule_version + 1 where id = :a")
    assert scene.differing() == 4
    with scene.world.work() as work:
        resegment(work, scene.assignment, scene.customers, "event")
    assert not any(labels(scene).values())


def test_who_meets_a_label_that_names_what_is_not_there(scene: Scene) -> None:
    """Nobody; it is told, and the others go on. Planted: the error let through; no rebuild, no outcome."""
    label(scene, "lost", {"f": "in_segment", "op": "any", "v": ["nowhere"]})
    named = label(scene, "fifty", {"f": "age", "op": "ge", "v": 50})
    scene.rebuild()
    assert {tuple(found) for found in labels(scene).values()} == {(), (named,)}
    scene.tire(scene.customers[0])
    assert scene.placed()[scene.customers[0]] == scene.tired
    with scene.world.work() as work:
        assert [one.key for one in rules_in_force(work, scene.assignment).broken] == ["lost"]


def test_a_rule_that_cannot_be_read_keeps_its_last_good_form(scene: Scene) -> None:
    """A field's type was changed under it. Planted: the earlier versions not asked; the old went back."""
    scene.rebuild()
    assert scene.old in scene.placed().values()
    odd = {"f": "age", "op": "starts_with", "v": "6"}
    scene.change(
        "update segment set rule = cast(:odd as jsonb) where id = :s", s=scene.old, odd=json.dumps(odd)
    )
    scene.change("update assignment set rule_version = rule_version + 1 where id = :a")
    with scene.world.work() as work:
        assert [one.key for one in rules_in_force(work, scene.assignment).broken] == ["old"]
    assert scene.differing() == 0
