"""The rule language: one form, every problem at once, limits."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rule_strategies import OWN, rule_sets

from models.errors import BadRule
from segmentation.language import MAX_DEPTH, MAX_LABELS, MAX_LEAVES, MAX_SEGMENTS, read_rules
from segmentation.nodes import AllOf, AnyOf, Leaf, Not, Rules, dump
from segmentation.references import MAX_CHAIN, inlined
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
        (leaf("born", "older_than", "12h"), "when.v", "not whole days"),
        (leaf("born", "older_than", 3), "when.v", 'write "30m", "12h", "3d", "2w"'),
        (leaf("entered", "older_than", "40000d"), "when.v", "at most 36500 days"),
        (leaf("entered", "within_last", "0d"), "when.v", "no time at all"),
        (leaf("born", "within_last", "0d"), "when.v", "no time at all"),
        (leaf("due", "due_within", "0d"), "when.v", "no time at all"),
        (leaf("entered", "before", "2026-03-02"), "when.v", "with its offset from UTC"),
        (leaf("entered", "before", "2026-03-02T12:00"), "when.v", "with its offset from UTC"),
        (leaf("entered", "before", "2026-02-30T12:00Z"), "when.v", "no instant of the calendar"),
        (leaf("entered", "before", "0001-01-01T00:00+14:00"), "when.v", "no instant of the calendar"),
        (leaf("entered", "lt", "2026-03-02T12:00Z"), "when.op", 'did you mean "before"?'),
        (leaf("entered", "on", "this_weak"), "when.v", 'did you mean "this_week"?'),
        (leaf("entered", "on", "zzz"), "when.v", "it is one of today, yesterday"),
        (leaf("entered", "weekday_in", ["monday"]), "when.v[0]", 'did you mean "mon"?'),
        (leaf("entered", "weekday_in", []), "when.v", "at least one value"),
        (leaf("entered", "anniversary_within", "7d"), "when.op", "does not go with entered, an instant"),
        (leaf("born", "anniversary_within", "53w"), "when.v", "every day of the year"),
        (leaf("born", "lt", {"ahead": "3d"}), "when.v", "not known here"),
        (leaf("born", "eq", {"ago": "3d"}), "when.v", "not known here"),
        (leaf("tags", "in", ["vip"]), "when.op", 'did you mean "any"?'),
        (leaf("tags", "count_ge", 0), "when.v", "whole number from 1"),
        (leaf("tags", "any", [""]), "when.v[0]", 'ask with "empty"'),
        (leaf("label", "any", ["vip"]), "when.v[0]", 'there is no label "vip" in this rule set'),
        (
            leaf("in_segment", "none", ["A"]),
            "when.v[0]",
            'there is no segment "A" in this rule set - did you',
        ),
        ({"in_seg": "aa"}, "when.v[0]", 'did you mean "a"?'),
        (leaf("in_segment", "all", ["a"]), "when.op", "it takes any, none"),
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


@pytest.mark.parametrize(
    ("when", "kept"),
    [
        (leaf("entered", "older_than", "72h"), leaf("entered", "older_than", "3d")),
        (leaf("entered", "older_than", "14d"), leaf("entered", "older_than", "2w")),
        (leaf("entered", "older_than", "90m"), leaf("entered", "older_than", "90m")),
        (leaf("entered", "overdue_by", "0w"), leaf("entered", "overdue_by", "0d")),
        (
            leaf("entered", "before", "2026-03-02T13:00:00.5+01:00"),
            leaf("entered", "before", "2026-03-02T12:00:00.500000Z"),
        ),
        (leaf("due", "never"), leaf("due", "empty")),
        (leaf("entered", "weekday_in", ["sun", "mon", "sun"]), leaf("entered", "weekday_in", ["mon", "sun"])),
        (leaf("tags", "all", ["b", "a", "b"]), leaf("tags", "all", ["a", "b"])),
        (leaf("name", "starts", "x"), leaf("name", "starts_with", "x")),
        (leaf("name", "ends", "x"), leaf("name", "ends_with", "x")),
        (leaf("born", "before", "2026-03-02"), leaf("born", "lt", "2026-03-02")),
        (leaf("born", "after", "2026-03-02"), leaf("born", "gt", "2026-03-02")),
        (leaf("entered", "lt", {"ago": "3d"}), leaf("entered", "older_than", "3d")),
        (leaf("born", "le", {"ago": "3d"}), leaf("born", "older_than", "3d")),
        (leaf("entered", "gt", {"ago": "3h"}), leaf("entered", "within_last", "3h")),
        (leaf("born", "ge", {"ago": "1w"}), leaf("born", "within_last", "1w")),
    ],
)
def test_other_spellings_are_kept_in_the_one_form(when: Any, kept: Any) -> None:
    rules = read_rules(rule(when), OWN)
    assert dump(rules) == {"language": 2, "segments": [{"key": "a", "name": "A", "when": kept}]}


def test_segments_may_be_sorted_by_prio_and_say_more_that_is_not_kept() -> None:
    def segment(key: str, prio: object) -> dict[str, Any]:
        return {"key": key, "when": {"all": []}, "prio": prio}

    body = {
        "language": 2,
        "version": 17,
        "default": "unsegmented",
        "segments": [segment("c", 30), segment("a", 10), segment("d", 30), segment("b", 20)],
    }
    kept = dump(read_rules(body, OWN))
    assert [one["key"] for one in kept["segments"]] == ["a", "b", "c", "d"]
    assert kept.keys() == {"language", "segments"}
    assert kept["segments"][0].keys() == {"key", "name", "when"}
    body["segments"][1] = {"key": "a", "when": {"all": []}}  # type: ignore[index]  # a list it is
    assert problems(body | {"language": 3, "default": "new"}) == [
        ("language", "is 3: versions 1 to 2 are read here"),
        ("default", 'is "new": whoever matches no rule is "unsegmented"'),
        ("segments[1].prio", "is null: a whole number, of every segment or of none"),
    ]


def named(**rules: object) -> list[dict[str, Any]]:
    return [{"key": key, "name": key, "when": when} for key, when in rules.items()]


def test_a_rule_that_names_others_stands_for_theirs() -> None:
    tired, vip = leaf("attempts", "ge", 3), leaf("tags", "any", ["vip"])
    body = {
        "segments": named(
            worn={"all": [leaf("in_segment", "any", ["late"]), {"in_seg": "late"}]},
            late=tired,
            other=leaf("in_segment", "none", ["late", "worn"]),
        ),
        "labels": named(
            dear=leaf("label", "all", ["rich", "vip"]), rich=vip, vip=leaf("label", "any", ["rich"])
        ),
    }
    rules = inlined(read_rules(body, OWN))
    ge, any_ = Leaf("attempts", "ge", 3), Leaf("tags", "any", ("vip",))
    worn = AllOf((ge, ge))
    assert [one.when for one in rules.segments] == [worn, ge, Not(AnyOf((ge, worn)))]
    assert [one.when for one in rules.labels] == [AllOf((any_, any_)), any_, any_]


def test_rules_that_go_round_in_a_circle_are_named_with_the_whole_path() -> None:
    body = {
        "segments": named(
            a=leaf("in_segment", "any", ["b"]),
            b={"not": leaf("label", "any", ["c"])},
            alone=leaf("in_segment", "none", ["alone"]),
            fine=leaf("in_segment", "any", ["a"]),
        ),
        "labels": named(c=leaf("in_segment", "any", ["a"])),
    }
    assert sorted(problems(body)) == [
        ("segments[0].when", 'goes round in a circle: segment "a" → segment "b" → label "c" → segment "a"'),
        ("segments[2].when", 'goes round in a circle: segment "alone" → segment "alone"'),
    ]


def test_limits_hold_with_the_rules_that_are_named() -> None:
    fifty = {"any": [leaf("age", "eq", i) for i in range(50)]}
    four, five = [f"s{i}" for i in range(4)], [f"s{i}" for i in range(5)]
    named_fifties = named(**dict.fromkeys(five, fifty))
    asks = leaf("in_segment", "any", four)
    read_rules({"segments": [*named_fifties, *named(most=asks)]}, OWN)
    more = named(more={"any": [asks, leaf("age", "eq", 99)]})
    message = "asks 201 questions with the rules it names; at most 200 are allowed"
    assert problems({"segments": [*named_fifties, *more]}) == [("segments[5].when", message)]


def test_a_chain_of_rules_has_an_end() -> None:
    def chain(links: int) -> dict[str, Any]:
        later = {f"s{i}": leaf("in_segment", "any", [f"s{i - 1}"]) for i in range(1, links + 1)}
        return {"segments": named(s0=leaf("age", "eq", 1), **later)}

    read_rules(chain(MAX_CHAIN), OWN)
    assert "names rules that name others 9 deep" in problems(chain(MAX_CHAIN + 1))[0][1]
    assert len(problems(chain(90))) == 90 - MAX_CHAIN


def test_labels_have_problems_of_their_own() -> None:
    body = {
        "segments": [],
        "labels": [
            *named(a={"all": []}, b=leaf("statuss", "eq", 1)),
            {"key": "a", "when": {"all": []}},
            {"key": "c"},
        ],
    }
    assert problems(body) == [
        ("labels[1].when.f", '"statuss" is not a field - did you mean "status"?'),
        ("labels[3]", '"when" is missing: the rule that says who has it'),
        ("labels[2].key", '"a" is the key of labels[0] already'),
    ]
    many = named(**{f"l{i}": {"all": []} for i in range(MAX_LABELS + 1)})
    assert problems({"segments": [], "labels": many}) == [("labels", "101 labels; at most 100 are allowed")]


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
            st.sampled_from(
                [
                    "segments",
                    "labels",
                    "prio",
                    "in_seg",
                    "key",
                    "name",
                    "when",
                    "all",
                    "any",
                    "not",
                    "f",
                    "op",
                    "v",
                    "x",
                ]
            ),
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
