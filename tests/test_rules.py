"""The rule language: one form, every problem at once, limits."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rule_strategies import OWN, rule_sets

from models.errors import BadRule
from segmentation.language import MAX_DEPTH, MAX_LEAVES, MAX_SEGMENTS, read_rules
from segmentation.nodes import AllOf, AnyOf, Leaf, Not, Rules, dump
from segmentation.values import MAX_LIST, MAX_TEXT


def rule(when: object) -> dict[str, Any]:
    return {"segments": [{"key": "a", "name": "A", "when": when}]}


def leaf(f: object, op: object, *v: object) -> dict[str, Any]:
    return {"f": f, "op": op} | ({"v": v[0]} if v else {})


def read(when: object) -> Any:
    (segment,) = read_rules(rule(when), OWN).segments
    return segment.when


def problems(body: object) -> list[tuple[str, str]]:
    with pytest.raises(BadRule) as caught:
        read_rules(body, OWN)
    return caught.value.problems


def problem(when: object) -> tuple[str, str]:
    """The only problem of one rule; the path from its `when` on."""
    ((path, message),) = problems(rule(when))
    return path.removeprefix("segments[0]."), message


def test_a_rule_set_becomes_a_tree() -> None:
    when = {"all": [leaf("attempts", "ge", 3), {"any": [{"not": leaf("vip", "is_true")}]}]}
    assert read(when) == AllOf((Leaf("attempts", "ge", 3), AnyOf((Not(Leaf("vip", "is_true")),))))


def test_nothing_published_is_a_rule_set_too() -> None:
    assert read_rules({"segments": []}, {}) == Rules()


@given(rule_sets())
def test_the_canonical_form_is_read_back_as_the_same_rules(body: dict[str, Any]) -> None:
    rules = read_rules(body, OWN)
    canonical = dump(rules)
    assert read_rules(canonical, OWN) == rules
    assert dump(read_rules(canonical, OWN)) == canonical
    assert json.loads(json.dumps(canonical)) == canonical


def test_two_spellings_of_one_rule_have_one_form() -> None:
    first = dump(read_rules(rule(leaf("age", "in", [3.0, 1, 3, 2.5])), OWN))
    assert first["segments"][0]["when"] == leaf("age", "in", [1, 2.5, 3])
    unnamed = {"segments": [{"key": "a", "when": {"all": []}}]}
    assert dump(read_rules(unnamed, OWN))["segments"][0]["name"] == "a"


def test_all_problems_come_at_once_with_their_paths() -> None:
    body = {
        "segments": [
            {"key": "Bad Key", "when": leaf("statuss", "eq", "new")},
            {
                "key": "unsegmented",
                "when": {"all": [leaf("attempts", "gte", 2), leaf("status", "in", ["buzy"])]},
            },
            {"key": "a", "nam": "x", "when": {"any": []}},
            {"key": "a", "when": {"not": leaf("age", "lt", "three")}},
            {"key": "b"},
            5,
        ]
    }
    assert problems(body) == [
        ("segments[0].key", 'is "Bad Key": at most 60 small letters and digits, parted by "-" or "_"'),
        ("segments[0].when.f", '"statuss" is not a field - did you mean "status"?'),
        ("segments[1].key", '"unsegmented" is the segment of whoever matches no rule'),
        ("segments[1].when.all[0].op", '"gte" does not go with attempts, a number - did you mean "ge"?'),
        ("segments[1].when.all[1].v[0]", 'status has no value "buzy" - did you mean "busy"?'),
        ("segments[2]", '"nam" is not known here - did you mean "name"?'),
        ("segments[2].when.any", "is empty, so it is never true"),
        ("segments[3].when.not.v", 'age is a number; "three" is not'),
        ("segments[4]", '"when" is missing: the rule that says who belongs here'),
        ("segments[5]", 'is 5: a segment is {"key": .., "name": .., "when": ..}'),
        ("segments[3].key", '"a" is the key of segments[2] already'),
    ]


@pytest.mark.parametrize(
    ("when", "path", "message"),
    [
        (leaf("stat", "eq", "new"), "when.f", 'did you mean "status"?'),
        (leaf(None, "eq", "new"), "when.f", "null is not a field"),
        (leaf("vip", "eq", True), "when.op", "takes is_true, is_false, empty, not_empty"),
        (leaf("age", "=>", 3), "when.op", "it takes eq, ne, lt"),
        (leaf("age", ["ge"], 3), "when.op", "a list does not go with age"),
        (leaf("job", "containz", "x"), "when.op", 'did you mean "contains"?'),
        (leaf("last_outcome", "eq", "no_anwser"), "when.v", 'did you mean "no_answer"?'),
        (leaf("last_outcome", "eq", "zzz"), "when.v", "it is one of answered, no_answer"),
        (leaf("born", "older_than", "3d"), "when.op", "time operator"),
        (leaf("born", "lt", {"ago": "3d"}), "when.v", "not known yet"),
        (leaf("born", "lt", "2026-02-30"), "when.v", "no day of the calendar"),
        (leaf("born", "lt", "20260302"), "when.v", 'write "2026-03-02"'),
        (leaf("attempts", "eq", 2.5), "when.v", "whole number"),
        (leaf("age", "eq", True), "when.v", "true is not"),
        (leaf("age", "eq", float("nan")), "when.v", "out of range"),
        (leaf("age", "eq", 10**400), "when.v", "out of range"),
        (leaf("age", "between", [5, 1]), "when.v", "never true: 5 is above 1"),
        (leaf("age", "between", [5]), "when.v", "list of two values"),
        (leaf("age", "in", []), "when.v", "at least one value"),
        (leaf("age", "in", 3), "when.v", "at least one value"),
        (leaf("job", "empty", 1), "when.v", "takes no value"),
        (leaf("job", "eq"), "when", "needs a value"),
        (leaf("job", "eq", ""), "when.v", 'ask with "empty"'),
        (leaf("job", "eq", 3), "when.v", "put it in quotes"),
        (leaf("job", "eq", "a\x00b"), "when.v", "cannot be stored"),
        (leaf("job", "eq", "\ud800"), "when.v", "cannot be stored"),
        ({"all": 3}, "when.all", "give a list"),
        ({"all": [], "any": []}, "when", '"any" is not known here'),
        ({"al": []}, "when", '"al" is not known here'),
        ("attempts > 3", "when", "a rule has"),
    ],
)
def test_a_problem_says_where_and_what_instead(when: object, path: str, message: str) -> None:
    found = problems(rule(when))
    assert any(where == f"segments[0].{path}" and message in what for where, what in found), found


@pytest.mark.parametrize("body", [None, [], "x", {}, {"segments": {}}, {"segment": []}])
def test_what_is_no_rule_set_is_refused(body: object) -> None:
    assert problems(body)[0][0] == "rules"


def test_part_of_a_choice_may_be_asked_for() -> None:
    assert read(leaf("status", "contains", "answer")) == Leaf("status", "contains", "answer")


@pytest.mark.parametrize(
    ("within", "beyond", "message"),
    [
        (
            [{"key": f"s{i}", "when": {"all": []}} for i in range(MAX_SEGMENTS)],
            [{"key": "one-more", "when": {"all": []}}],
            "at most 200",
        ),
        ([{"key": "a" * 60, "when": {"all": []}}], [{"key": "a" * 61, "when": {"all": []}}], "at most 60"),
        (
            [{"key": "a", "name": "n" * MAX_TEXT, "when": {"all": []}}],
            [{"key": "b", "name": "n" * (MAX_TEXT + 1), "when": {"all": []}}],
            "at most 200",
        ),
    ],
)
def test_limits_of_a_rule_set(within: list[Any], beyond: list[Any], message: str) -> None:
    read_rules({"segments": within}, OWN)
    assert any(message in what for _, what in problems({"segments": within + beyond}))


def nested(deep: int) -> dict[str, Any]:
    tree = leaf("age", "eq", 1)
    for _ in range(deep - 1):
        tree = {"not": tree}
    return tree


@pytest.mark.parametrize(
    ("within", "beyond", "message"),
    [
        (nested(MAX_DEPTH), nested(MAX_DEPTH + 1), "deeper than 6"),
        (nested(MAX_DEPTH), nested(900), "deeper than 6"),
        (
            {"any": [leaf("age", "eq", i) for i in range(MAX_LEAVES)]},
            {"any": [leaf("age", "eq", i) for i in range(MAX_LEAVES + 1)]},
            "asks 61 questions; at most 60",
        ),
        (
            leaf("age", "in", list(range(MAX_LIST))),
            leaf("age", "in", list(range(MAX_LIST + 1))),
            "at most 1000",
        ),
        (leaf("job", "eq", "x" * MAX_TEXT), leaf("job", "eq", "x" * (MAX_TEXT + 1)), "at most 200"),
        (leaf("age", "eq", 10**15), leaf("age", "eq", 10**15 + 1), "out of range"),
    ],
)
def test_limits_of_a_rule(within: dict[str, Any], beyond: dict[str, Any], message: str) -> None:
    read(within)
    assert message in problem(beyond)[1]


def test_a_built_in_field_wins_over_an_own_one_of_its_name() -> None:
    assert read_rules(rule(leaf("attempts", "ge", 3)), {"attempts": "yes_no"}).segments[0].when


_json = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["segments", "key", "name", "when", "all", "any", "not", "f", "op", "v", "x"]),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=12,
)


@given(st.one_of(_json, st.lists(_json, max_size=2).map(lambda some: {"segments": some})))
def test_whatever_is_given_is_read_or_refused(body: object) -> None:
    """No input makes it fail in any other way."""
    with suppress(BadRule):
        read_rules(body, OWN)
