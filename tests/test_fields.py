"""The field catalogue: added, changed, retired and revived while in use, without rewriting a customer."""

from collections.abc import Mapping
from typing import Any

import pytest
from interleaving import acting_before
from sqlalchemy import text
from world import NOON, World

from calling.catalogue import changing
from calling.catalogue.changing import Changed, add, change
from calling.catalogue.defining import MOST_CHOICES, MOST_FIELDS
from calling.catalogue.field import Field
from calling.catalogue.reading import all_fields, askers, in_use, one_field
from calling.catalogue.retiring import retire, revive
from calling.segments.publishing import publish
from models.errors import BadInput, BadValues, Conflict, NotFound
from segmentation.catalogue import BUILT_IN


def made(world: World, key: str, type: str = "text", **demands: Any) -> Field:  # noqa: A002 - the column's name
    return add(world.opener(), Field(key, type, demands.pop("label", key), **demands))


def keys(world: World) -> list[str]:
    with world.work() as work:
        return [field.key for field in in_use(work)]


def whole(world: World) -> dict[str, Field]:
    with world.work() as work:
        return {field.key: field for field in all_fields(work)}


def written(world: World) -> list[Any]:
    """Every customer's row with the transaction that wrote it last: whoever rewrites one is seen."""
    with world.work() as work:
        return list(work.run(text("select id, xmin::text, ctid::text from customer order by id")).all())


def values(*given: Any, key: str = "policy") -> Any:
    """Of the i-th customer the i-th value; None: none."""
    return lambda i: {} if given[i] is None else {key: given[i]}


def problems(refused: pytest.ExceptionInfo[BadValues]) -> Mapping[str, str]:
    return dict(refused.value.problems)


def test_a_field_is_added_and_read_back(world: World) -> None:
    made(world, "age", "number", label="Age in years")
    made(world, "policy", unique=True, required=True, pattern=r"[A-Z]{2}\d{4}")
    made(world, "colour", "choice", choices=(" red ", "green"))
    assert whole(world) == {
        "age": Field("age", "number", "Age in years"),
        "policy": Field("policy", "text", "policy", required=True, unique=True, pattern=r"[A-Z]{2}\d{4}"),
        "colour": Field("colour", "choice", "colour", choices=("red", "green")),
    }
    assert keys(world) == ["age", "policy", "colour"]
    assert keys(world.neighbour()) == []


def test_every_problem_of_a_definition_is_told_at_once(world: World) -> None:
    with pytest.raises(BadValues) as refused:
        made(world, "Saldo €", "nummer", label=" ", pattern="a**", choices=("a", "A", ""), unique=True)
    told = problems(refused)
    assert told["key"].endswith('write "saldo"')
    assert 'did you mean "number"' in told["type"]
    assert {"label", "pattern", "unique", "choices", "choices[1]", "choices[2]"} < told.keys()
    assert '"A" is "a" once more' in told["choices[1]"]
    assert whole(world) == {}


@pytest.mark.parametrize("key", [*BUILT_IN, "segment", "state", "labels", "phone", "first_name"])
def test_a_built_in_key_is_refused_with_another_one(world: World, key: str) -> None:
    with pytest.raises(BadValues, match=rf'"{key}" is built in.*write "own_{key}"'):
        made(world, key)


@pytest.mark.parametrize(
    ("demands", "of"),
    [
        ({"type": "number", "pattern": "a"}, "pattern"),
        ({"type": "number", "choices": ("1",)}, "choices"),
        ({"type": "text", "choices": ("1",)}, "choices"),
        ({"type": "yes_no", "unique": True}, "unique"),
        ({"type": "choice", "unique": True}, "unique"),
        ({"type": "choice", "choices": tuple(map(str, range(MOST_CHOICES + 1)))}, "choices"),
        ({"label": "two\nlines"}, "label"),
    ],
)
def test_what_does_not_go_with_a_type(world: World, demands: dict[str, Any], of: str) -> None:
    with pytest.raises(BadValues) as refused:
        made(world, "x", **demands)
    assert problems(refused).keys() == {of}


def test_a_second_field_of_one_key_is_refused(world: World) -> None:
    made(world, "age", "number")
    with pytest.raises(Conflict, match="a field age already, a number"):
        made(world, "age", "text")
    retire(world.opener(), "age", author="Kari")
    with pytest.raises(Conflict, match=r"retired by Kari on 2026-03-02.*revive it"):
        made(world, "age", "text")


def test_there_is_an_end_to_fields(world: World) -> None:
    with world.work() as work:
        work.run(
            text("""insert into field (crm_id, key, type, label, ordinal)
                    select :crm_id, 'f' || n, 'text', 'F', n from generate_series(1, :most) n"""),
            most=MOST_FIELDS,
        )
    with pytest.raises(BadInput, match="retire one"):
        made(world, "one_more")
    retire(world.opener(), "f1", author="Kari")
    made(world, "one_more")


def test_a_type_never_changes_and_the_answer_says_what_to_do(world: World) -> None:
    made(world, "age", "number")
    with pytest.raises(BadValues, match=r"add another field.*retire this one"):
        change(world.opener(), "age", {"type": "text"})
    assert change(world.opener(), "age", {"type": "number", "label": "Age"}).field.label == "Age"
    with pytest.raises(BadValues, match="lable: is nothing of a field"):
        change(world.opener(), "age", {"lable": "Age"})
    with pytest.raises(NotFound, match='did you mean "age"'):
        change(world.opener(), "aeg", {"label": "Age"})


def test_a_change_of_one_thing_leaves_the_others(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody changes the label after we read the field. Planted: written as it was read; seen to fail."""
    made(world, "policy")
    before = acting_before(monkeypatch)
    before(changing._LOCK, lambda: change(world.opener(), "policy", {"label": "Policy", "required": True}))
    change(world.opener(), "policy", {"pattern": "a*"})
    assert whole(world)["policy"] == Field("policy", "text", "Policy", required=True, pattern="a*")
    change(world.opener(), "policy", {"pattern": None})
    assert whole(world)["policy"].pattern is None


def test_the_order_is_changed_by_a_position(world: World) -> None:
    for key in ("a", "b", "c"):
        made(world, key)
    change(world.opener(), "c", {}, position=1)
    assert keys(world) == ["c", "a", "b"]
    add(world.opener(), Field("d", "text", "d"), position=2)
    assert keys(world) == ["c", "d", "a", "b"]
    for position in (0, 5):
        with pytest.raises(BadValues, match="there are 4 places"):
            change(world.opener(), "c", {}, position=position)


# --- what is there already breaks what is demanded ------------------------------------------------


def broken(changed: Changed) -> dict[str, int]:
    return {one.demand: one.customers for one in changed.broken}


def test_old_values_that_break_a_demand_are_counted_and_stay(world: World) -> None:
    """Planted: the empty text taken for a value; an anonymised customer counted; each seen to fail."""
    made(world, "policy")
    ids = world.customers(7, fields=values("AB1234", "x", None, "", "AB1", "AB1235", "y"))
    with world.work() as work:
        work.run(text("update customer set anonymised_at = :now where id = :id"), id=ids[6])
    before = written(world)
    wanted = {"required": True, "pattern": r"[A-Z]{2}\d{4}"}
    tried = change(world.opener(), "policy", wanted, dry_run=True)
    assert (tried.dry_run, broken(tried)) == (True, {"required": 2, "pattern": 2})
    assert [sample.value for sample in tried.broken[1].samples] == ["x", "AB1"]
    assert whole(world)["policy"] == Field("policy", "text", "policy")
    done = change(world.opener(), "policy", wanted)
    assert (done.dry_run, broken(done)) == (False, broken(tried))
    assert whole(world)["policy"].required
    assert written(world) == before


def test_what_was_demanded_before_is_not_counted_again(world: World) -> None:
    made(world, "policy", required=True, pattern="a*")
    world.customers(2, fields=values("b", None))
    assert change(world.opener(), "policy", {"label": "P"}).broken == ()
    assert broken(change(world.opener(), "policy", {"pattern": "c*"})) == {"pattern": 1}


def test_a_value_that_is_no_choice_any_more_is_counted(world: World) -> None:
    made(world, "colour", "choice")
    world.customers(4, fields=values("red", "blue", "Red", None, key="colour"))
    changed = change(world.opener(), "colour", {"choices": ("red", "green")})
    assert broken(changed) == {"choices": 2}
    assert {sample.value for sample in changed.broken[0].samples} == {"blue", "Red"}


def test_every_slice_of_customers_is_looked_at(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: the last slice left out, the end of a slice left out; each seen to fail."""
    monkeypatch.setattr("calling.catalogue.scanning.SLICE", 3)
    made(world, "policy")
    world.customers(7, fields=lambda _: {"policy": "x"})
    assert broken(change(world.opener(), "policy", {"pattern": "y"}, dry_run=True)) == {"pattern": 7}
    with world.work() as work:
        work.run(text("update customer set fields = jsonb_build_object('policy', id::text)"))
    change(world.opener(), "policy", {"unique": True})
    assert len(unique_values(world)) == 7


def test_unique_is_refused_while_two_share_a_value_and_names_some(world: World) -> None:
    made(world, "policy")
    made(world, "number", "number")
    world.customers(4, fields=lambda i: {"policy": "AB1" if i < 3 else "AB2", "number": [1, 1.0, 2, 3][i]})
    for key, count, shown in (("policy", 3, "AB1"), ("number", 2, "1")):
        with pytest.raises(
            Conflict, match=f'{count} customers share a value with another, such as "{shown}"'
        ):
            change(world.opener(), key, {"unique": True})
        tried = change(world.opener(), key, {"unique": True}, dry_run=True)
        assert broken(tried) == {"unique": count}
        assert len(tried.broken[0].samples[0].customers) == count
    assert unique_values(world) == []
    assert not whole(world)["policy"].unique


def test_unique_is_refused_for_texts_too_long_for_an_index(world: World) -> None:
    made(world, "policy")
    world.customers(1, fields=values("x" * 201))
    with pytest.raises(Conflict, match="1 customers have one longer than 200"):
        change(world.opener(), "policy", {"unique": True})


def unique_values(world: World) -> list[tuple[str, str, int]]:
    with world.work() as work:
        sql = "select field, value, customer_id from unique_value where crm_id = :crm_id order by 1, 2"
        return [tuple(row) for row in work.run(text(sql))]


def test_unique_gathers_the_values_that_are_there(world: World) -> None:
    """Planted: the empty text gathered, so that two without a value stood in each other's way."""
    made(world, "policy")
    ids = world.customers(4, fields=values("AB1", "AB2", "", ""))
    before = written(world)
    change(world.opener(), "policy", {"unique": True})
    assert unique_values(world) == [("policy", "AB1", ids[0]), ("policy", "AB2", ids[1])]
    assert written(world) == before
    change(world.opener(), "policy", {"unique": False})
    assert unique_values(world) == []


# --- out of use, and back -------------------------------------------------------------------------


def test_a_retired_field_keeps_its_values_and_frees_its_unique_ones(world: World) -> None:
    made(world, "policy", unique=True)
    ids = world.customers(1, fields=values("AB1"))
    before = written(world)
    gone = retire(world.opener(), "policy", author="Kari")
    assert (gone.field.retired_at, gone.field.retired_by, gone.askers) == (NOON, "Kari", ())
    assert (keys(world), unique_values(world)) == ([], [])
    with pytest.raises(Conflict, match="retired by Kari"):
        retire(world.opener(), "policy", author="Bo")
    assert revive(world.opener(), "policy") == Field("policy", "text", "policy", unique=True)
    assert whole(world)["policy"].retired_by is None
    assert unique_values(world) == [("policy", "AB1", ids[0])]
    assert written(world) == before
    with pytest.raises(Conflict, match="is in use"):
        revive(world.opener(), "policy")


def test_a_field_that_lost_its_uniqueness_while_retired_is_not_revived_so(world: World) -> None:
    """Planted: revived without a look, so that the refusal named nobody; seen to fail."""
    made(world, "policy", unique=True)
    retire(world.opener(), "policy", author="Kari")
    world.customers(2, fields=values("AB1", "AB1"))
    with pytest.raises(Conflict, match="2 customers share"):
        revive(world.opener(), "policy")
    assert keys(world) == []
    change(world.opener(), "policy", {"unique": False})
    revive(world.opener(), "policy")
    assert keys(world) == ["policy"]


def test_retiring_names_who_goes_on_asking(world: World) -> None:
    made(world, "age", "number")
    made(world, "vip", "yes_no")
    assignment = world.assignment("Spring", order_field="age")
    world.assignment("Autumn")
    body = {
        "segments": [
            {"key": "old", "name": "Old", "when": {"not": {"any": [{"f": "age", "op": "lt", "v": 60}]}}},
            {"key": "dear", "name": "Dear", "when": {"f": "label", "op": "any", "v": ["gold"]}},
        ],
        "labels": [
            {"key": "gold", "name": "Gold", "when": {"f": "vip", "op": "is_true"}},
            {"key": "grey", "name": "Grey", "when": {"all": [{"f": "age", "op": "ge", "v": 80}]}},
        ],
    }
    publish(world.opener(), assignment, body, author="me")
    asked = retire(world.opener(), "age", author="Kari").askers
    assert [(one.assignment, one.kind, one.key) for one in asked] == [
        ("Spring", "segment", "old"), ("Spring", "label", "grey"), ("Spring", "order", "age"),
    ]  # fmt: skip
    with world.work() as work:
        assert [one.key for one in askers(work, "vip")] == ["gold"]  # not "dear": it asks the label
        assert askers(work, "nothing") == []
        assert one_field(work, "age").retired_by == "Kari"
