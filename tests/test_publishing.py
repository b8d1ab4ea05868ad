"""Publishing: a version is in force when the call returns, whole or not at all."""

import pytest
from sqlalchemy import text
from world import NOON, World

from calling.segments.holding import hold
from calling.segments.publishing import current, publish
from calling.segments.resegmenting import rebuilds_to_do, run_rebuild
from models.errors import BadRule, NotFound

OLD = {"key": "old", "name": "Older", "when": {"f": "age", "op": "ge", "v": 60}}
YOUNG = {"key": "young", "name": "Young", "when": {"f": "age", "op": "lt", "v": 30}}


def rules(*segments: object) -> dict[str, object]:
    return {"segments": list(segments)}


def names(world: World) -> list[str]:
    """The segment of each customer, by id."""
    with world.work() as work:
        sql = "select s.key from placement p join segment s on s.id = p.segment_id order by p.customer_id"
        return list(work.run(text(sql)).scalars())


def rebuilt(world: World) -> None:
    for rebuild in rebuilds_to_do(world.opener()):
        run_rebuild(world.opener(), rebuild)


def aged(world: World, *ages: int) -> tuple[int, list[int]]:
    world.field("age")
    assignment = world.assignment()
    return assignment, world.customers(len(ages), assignment, fields=lambda i: {"age": ages[i]})


def test_published_rules_cut_the_customers(world: World) -> None:
    assignment, _ = aged(world, 70, 20, 40)
    assert publish(world.opener(), assignment, rules(OLD, YOUNG), author="me") == 1
    rebuilt(world)
    assert names(world) == ["old", "young", "unsegmented"]
    assert publish(world.opener(), assignment, rules(YOUNG), author="me") == 2
    rebuilt(world)
    assert names(world) == ["unsegmented", "young", "unsegmented"]
    with world.work() as work:
        assert current(work, assignment) == {"language": 2, **rules(YOUNG)}


def test_wrong_rules_change_nothing_and_name_every_problem(world: World) -> None:
    assignment, _ = aged(world, 70)
    wrong = {
        "key": "w",
        "name": "W",
        "when": {"all": [{"f": "agee", "op": "ge", "v": 1}, {"f": "age", "op": "gee"}]},
    }
    with pytest.raises(BadRule) as refused:
        publish(world.opener(), assignment, rules(OLD, wrong), author="me")
    assert len(refused.value.problems) >= 2
    with world.work() as work:
        assert current(work, assignment) == rules()
    with pytest.raises(NotFound):
        publish(world.opener(), 10**9, rules(OLD), author="me")


def test_a_hold_in_a_segment_that_is_retired_is_let_go(world: World) -> None:
    """Seen to fail: with the release left out of `publish`; the customer stayed in a segment nobody works."""
    assignment, (customer, _) = aged(world, 20, 70)
    publish(world.opener(), assignment, rules(OLD, YOUNG), author="me")
    rebuilt(world)
    with world.work() as work:
        old = work.run(text("select id from segment where key = 'old'")).scalar_one()
    hold(world.opener(NOON), assignment, [customer], old, author="me", reason="asked for it")
    assert names(world) == ["old", "old"]
    publish(world.opener(), assignment, rules(YOUNG), author="me")
    rebuilt(world)
    assert names(world) == ["young", "unsegmented"]


def test_labels_are_published_with_the_segments(world: World) -> None:
    """A segment may name a label; both are there at once, and a label that is left out is taken from all.

    Planted: the label rows not written, nobody was golden; none of them retired, all kept theirs.
    """
    assignment, customers = aged(world, 70, 20, 65)
    gold = {"key": "gold", "name": "Gold", "when": {"f": "age", "op": "ge", "v": 65}}
    golden = {"key": "golden", "name": "Golden", "when": {"f": "label", "op": "any", "v": ["gold"]}}
    publish(world.opener(), assignment, {"segments": [golden], "labels": [gold]}, author="me")
    rebuilt(world)
    assert names(world) == ["golden", "unsegmented", "golden"]
    assert labelled(world) == [True, False, True]
    publish(world.opener(), assignment, rules(OLD), author="me")
    rebuilt(world)
    assert (names(world), labelled(world)) == (["old", "unsegmented", "old"], [False, False, False])
    assert len(customers) == 3


def labelled(world: World) -> list[bool]:
    """Whether each customer has a label, by id."""
    with world.work() as work:
        sql = "select labels <> '{}' from placement order by customer_id"
        return list(work.run(text(sql)).scalars())
