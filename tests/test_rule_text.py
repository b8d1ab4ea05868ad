"""The textual form of rules: what it says, the way back, and mistakes told with their places."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rule_strategies import KNOWN, OWN, rule_sets, trees

from models.errors import BadInput, BadRuleText
from segmentation.language import read_rule, read_rules
from segmentation.text.reading import MAX_CHARACTERS, read_rule_text, read_text
from segmentation.text.writing import WIDTH, write_rule, write_text

UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
SLUG = 'at most 60 small letters and digits, parted by "-" or "_"'


def leaf(f: str, op: str, *v: object) -> dict[str, Any]:
    return {"f": f, "op": op} | ({"v": v[0]} if v else {})


def problems(text: str, fields: Mapping[str, str] = OWN) -> list[tuple[int, int, str, str, str]]:
    """(line, column, piece, path, message) of everything wrong with a rule set's text."""
    with pytest.raises(BadRuleText) as caught:
        read_text(text, fields)
    found = caught.value
    return [(*place, *problem) for place, problem in zip(found.places, found.problems, strict=True)]


def problem(rule: str) -> tuple[str, str]:
    """(piece, message) of the only mistake in one rule."""
    with pytest.raises(BadRuleText) as caught:
        read_rule_text(rule, KNOWN)
    ((_, message),), ((_, _, piece),) = caught.value.problems, caught.value.places
    return piece, message


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("attempts >= 2", leaf("attempts", "ge", 2)),
        ("attempts = 2", leaf("attempts", "eq", 2)),
        ("attempts is 2", leaf("attempts", "eq", 2)),
        ("attempts != 2", leaf("attempts", "ne", 2)),
        ("attempts <> 2", leaf("attempts", "ne", 2)),
        ("attempts is not 2", leaf("attempts", "ne", 2)),
        ("age < -1.5", leaf("age", "lt", -1.5)),
        ("age <= 1e3", leaf("age", "le", 1000)),
        ("age > 2", leaf("age", "gt", 2)),
        ("age between 1 and 2", leaf("age", "between", [1, 2])),
        ("age not between 1 and 2", {"not": leaf("age", "between", [1, 2])}),
        ("born < 2026-03-02", leaf("born", "lt", "2026-03-02")),
        ("born before 2026-03-02", leaf("born", "lt", "2026-03-02")),
        ('born after "2026-03-02"', leaf("born", "gt", "2026-03-02")),
        ("status in (busy, no_answer)", leaf("status", "in", ["busy", "no_answer"])),
        ("status NOT IN (busy)", leaf("status", "not_in", ["busy"])),
        ("place in (IS, IN, by)", leaf("place", "in", ["IS", "IN", "by"])),
        ("job contains manager", leaf("job", "contains", "manager")),
        ("job not contains x", {"not": leaf("job", "contains", "x")}),
        ("""name starts with 'O\\'Brien "x"' """, leaf("name", "starts_with", """O'Brien "x\"""")),
        ('note = "a\\n\\u00e9\\\\"', leaf("note", "eq", "a\né\\")),
        ("external_id = 007", leaf("external_id", "eq", "007")),
        ("email is empty", leaf("email", "empty")),
        ("born never", leaf("born", "empty")),
        ("born is never", leaf("born", "empty")),
        ("email is not empty", leaf("email", "not_empty")),
        ("vip", leaf("vip", "is_true")),
        ("vip is true", leaf("vip", "is_true")),
        ("vip is false", leaf("vip", "is_false")),
        ("vip = true", leaf("vip", "is_true")),
        ("vip = FALSE", leaf("vip", "is_false")),
        ("vip != true", {"not": leaf("vip", "is_true")}),
        ("born on next year", leaf("born", "on", "next_year")),
        ("vip is not true", {"not": leaf("vip", "is_true")}),
        ("not vip", {"not": leaf("vip", "is_true")}),
        ('"vip"', leaf("vip", "is_true")),
        ("last_call older than 3 days", leaf("last_call", "older_than", "3d")),
        ("last_call older than 1 Week", leaf("last_call", "older_than", "1w")),
        ("last_call within last 90 min", leaf("last_call", "within_last", "90m")),
        ("last_call within last 12h", leaf("last_call", "within_last", "12h")),
        ("due within 2 hours", leaf("due", "due_within", "2h")),
        ("due due within 2 hours", leaf("due", "due_within", "2h")),
        ("due within next 2 hours", leaf("due", "due_within", "2h")),
        ("born due within 2 days", leaf("born", "due_within", "2d")),
        ("overdue by 1 day", leaf("due", "overdue_by", "1d")),
        ("born overdue by 1 day", leaf("born", "overdue_by", "1d")),
        ("born anniversary within 7 days", leaf("born", "anniversary_within", "7d")),
        ("last_call on last week", leaf("last_call", "on", "last_week")),
        ("last_call on Today", leaf("last_call", "on", "today")),
        ("last_call on this_quarter", leaf("last_call", "on", "this_quarter")),
        ("last_call weekday in (mon, tue)", leaf("last_call", "weekday_in", ["mon", "tue"])),
        ("last_call never", leaf("last_call", "empty")),
        ("last_call before 2026-03-02T12:00+01:00", leaf("last_call", "before", "2026-03-02T12:00+01:00")),
        ("last_call > 2026-03-02T12:00Z", leaf("last_call", "after", "2026-03-02T12:00Z")),
        ("entered between 2026-03-02T12:00Z and 2026-03-03T12:00Z",
            leaf("entered", "between", ["2026-03-02T12:00Z", "2026-03-03T12:00Z"])),
        ("name ends with son", leaf("name", "ends_with", "son")),
        ("tags any (dnc, 'o x')", leaf("tags", "any", ["dnc", "o x"])),
        ("not tags all of (dnc)", {"not": leaf("tags", "all", ["dnc"])}),
        ("tags none (dnc)", leaf("tags", "none", ["dnc"])),
        ("tags count >= 2", leaf("tags", "count_ge", 2)),
        ("has_email and not has_phone", {"all": [
            leaf("has_email", "is_true"), {"not": leaf("has_phone", "is_true")}]}),
        ("local_offset between -3 and 5.5", leaf("local_offset", "between", [-3, 5.5])),
        ("country in (NO, IS)", leaf("country", "in", ["NO", "IS"])),
        ("in segment (a, b)", leaf("in_segment", "any", ["a", "b"])),
        ("outside segment (a)", leaf("in_segment", "none", ["a"])),
        ("not in segment (a)", {"not": leaf("in_segment", "any", ["a"])}),
        ("label any (gold)", leaf("label", "any", ["gold"])),
        ("label all (gold, vip)", leaf("label", "all", ["gold", "vip"])),
        ("everybody", {"all": []}),
        ("vip and age > 2 and age < 3", {"all": [
            leaf("vip", "is_true"), leaf("age", "gt", 2), leaf("age", "lt", 3)]}),
        ("age > 2 or vip and not vip", {"any": [
            leaf("age", "gt", 2), {"all": [leaf("vip", "is_true"), {"not": leaf("vip", "is_true")}]}]}),
        ("(vip or vip) and vip", {"all": [{"any": [leaf("vip", "is_true")] * 2}, leaf("vip", "is_true")]}),
        ("(vip and vip) and vip", {"all": [{"all": [leaf("vip", "is_true")] * 2}, leaf("vip", "is_true")]}),
        ("((vip))", leaf("vip", "is_true")),
        ("all of (vip)", {"all": [leaf("vip", "is_true")]}),
        ("any of (vip, age > 2)", {"any": [leaf("vip", "is_true"), leaf("age", "gt", 2)]}),
        ("vip # age > 2\n  and\tvip", {"all": [leaf("vip", "is_true")] * 2}),
    ],
)  # fmt: skip
def test_what_a_rule_says(text: str, tree: dict[str, Any]) -> None:
    assert read_rule_text(text, KNOWN) == tree


def test_a_whole_rule_set_in_order_of_priority() -> None:
    text = """
        # Those who asked first
        segment callback "Call back, please": status = sale
        SEGMENT tired:
            attempts >= 5
            and not vip
        segment "2nd-try" "Once more": everybody
    """
    assert read_text(text, OWN) == {
        "segments": [
            {"key": "callback", "name": "Call back, please", "when": leaf("status", "eq", "sale")},
            {"key": "tired", "when": {"all": [leaf("attempts", "ge", 5), {"not": leaf("vip", "is_true")}]}},
            {"key": "2nd-try", "name": "Once more", "when": {"all": []}},
        ]
    }


def test_labels_stand_among_the_segments_and_after_them_in_the_json() -> None:
    text = """
        label gold "Gold": attempts >= 3
        segment best: label any (gold)
            and not in segment (rest)
        segment rest: everybody
    """
    body = read_text(text, OWN)
    assert body == {
        "segments": [
            {"key": "best", "when": {"all": [
                leaf("label", "any", ["gold"]), {"not": leaf("in_segment", "any", ["rest"])}]}},
            {"key": "rest", "when": {"all": []}},
        ],
        "labels": [{"key": "gold", "name": "Gold", "when": leaf("attempts", "ge", 3)}],
    }  # fmt: skip
    assert write_text(read_rules(body, OWN)) == (
        "segment best: label any (gold) and not in segment (rest)\n"
        "\n"
        "segment rest: everybody\n"
        "\n"
        'label gold "Gold": attempts >= 3\n'
    )


def test_a_reference_that_leads_nowhere_or_round_is_told_in_its_place() -> None:
    text = "segment a: label any (b)\nlabel b: in segment (c)\nsegment d: vip"
    ((line, column, piece, path, message),) = problems(text)
    assert (line, column, piece, path) == (2, 22, "c", "labels[0].when.v[0]")
    ((line, column, _, _, message),) = problems(text.replace("(c)", "(a)").partition("\nsegment d")[0])
    assert "circle" in message


def test_no_text_is_a_rule_set_without_segments() -> None:
    assert read_text("  # nothing yet\n", OWN) == {"segments": []}


def test_fields_may_bear_words_of_the_language() -> None:
    own = dict.fromkeys(("on", "last", "count", "segment", "older", "and", "in", "all"), "number")
    body = read_text("segment a:\n on > 1 and last < 2\n or segment = 3 and count = 1\n and older = 4", own)
    assert len(read_rules(body, own).segments) == 1
    assert read_text('segment a: "and" > 1 and "in" < 2', own)["segments"][0]["when"] == {
        "all": [leaf("and", "gt", 1), leaf("in", "lt", 2)]
    }


@UNHURRIED
@given(rule_sets())
def test_written_and_read_again_a_rule_set_is_the_same(body: dict[str, Any]) -> None:
    """Planted, each found: brackets left out round any in all, groups of one melted into their parent,
    texts unquoted, keywords unquoted as values, `not` before a group without brackets."""
    rules = read_rules(body, OWN)
    assert read_rules(read_text(write_text(rules), OWN), OWN) == rules


@UNHURRIED
@given(trees)
def test_written_and_read_again_a_rule_is_the_same(tree: dict[str, Any]) -> None:
    node = read_rule(tree, KNOWN)
    assert read_rule(read_rule_text(write_rule(node), KNOWN), KNOWN) == node


def test_the_canonical_text() -> None:
    tree = {
        "any": [
            leaf("job", "in", ["b", "a b", "in"]),
            {"all": [leaf("vip", "is_true"), leaf("born", "empty")]},
        ]
    }
    body = {"segments": [
        {"key": "a", "name": "A \"1\"", "when": {"not": tree}},
        {"key": "long", "when": {"all": [tree, tree, leaf("attempts", "ge", 3)]}},
    ]}  # fmt: skip
    assert write_text(read_rules(body, OWN)) == (
        'segment a "A \\"1\\"": not (job in ("a b", b, "in") or vip and born is empty)\n'
        "\n"
        "segment long:\n"
        '    (job in ("a b", b, "in") or vip and born is empty)\n'
        '    and (job in ("a b", b, "in") or vip and born is empty)\n'
        "    and attempts >= 3\n"
    )


def test_a_line_that_is_too_long_is_broken() -> None:
    body = {
        "segments": [
            {"key": "a", "when": {"any": [leaf("note", "eq", "x" * 45), leaf("note", "eq", "y" * 45)]}}
        ]
    }
    assert max(map(len, write_text(read_rules(body, OWN)).splitlines())) <= WIDTH


def test_all_mistakes_of_a_text_come_at_once_in_their_places() -> None:
    text = (
        'segmnt a "A": statuss = new\n'
        '   and attempts > "three"\n'
        'segment b "B" vip\n'
        "segment c: age oldr 3\n"
        "   and vip = = 3\n"
        "   and (age > 2\n"
        'segment d: note = "x\n'
        "segment:\n"
        "  vip\n"
        "segment e:\n"
        "segment Ful: status in (new, buzy)\n"
        "segment b: everybody\n"
    )
    assert problems(text) == [
        (1, 1, "segmnt", "rules", '"segmnt" begins neither a segment nor a label - did you mean "segment"?'),
        (1, 15, "statuss", "segments[0].when.all[0].f", '"statuss" is not a field - did you mean "status"?'),
        (2, 19, '"three"', "segments[0].when.all[1].v", 'attempts is a number; "three" is not'),
        (3, 1, 'segment b "B"', "rules", 'a ":" is wanted between the heading and the rule'),
        (4, 16, "oldr", "segments[2].when", '"oldr" is not known here - did you mean "older"?'),
        (5, 14, "=", "segments[2].when", '"=" stands where a value is wanted'),
        (6, 16, "", "segments[2].when", 'the rule ends here; ")" is wanted'),
        (7, 19, '"x', "segments[3].when", "the quote is not closed on its line"),
        (8, 1, "segment:", "rules", 'the segment has no key, as in segment callback "Call back":'),
        (10, 1, "segment e:", "segments[5].when", "has no rule: say who belongs here, or everybody"),
        (11, 9, "Ful", "segments[6].key", f'is "Ful": {SLUG}'),
        (11, 30, "buzy", "segments[6].when.v[1]", 'status has no value "buzy" - did you mean "busy"?'),
        (12, 9, "b", "segments[7].key", '"b" is the key of segments[1] already'),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "piece", "message"),
    [
        ("", "", "a condition"),
        ("age >", "", "a value is wanted"),
        ("age", "age", '"is true" does not go with age, a number: it takes =, !=, <'),
        ("age contains 3", "contains", '"contains" does not go with age, a number: it takes =, !=, <'),
        ("vip = yes", "=", '"=" does not go with vip, a yes or no: it takes is true, is false'),
        ("age 3", "3", "an operator"),
        ("age in 3", "3", '"(" is wanted'),
        ("age in (1 2)", "2", '"," or ")" is wanted'),
        ("age in (1, 2", "", '"," or ")" is wanted'),
        ("age > 2)", ")", '")" stands where "and", "or" or the end of the rule is wanted'),
        ("age > 2 adn vip", "adn", 'did you mean "and"?'),
        ("age > 2 && vip", "&&", 'did you mean "and"?'),
        ("age => 2", "=>", 'did you mean ">="?'),
        ("job contians x", "contians", 'did you mean "contains"?'),
        ("email = a@b.no", "@", "needs quotes"),
        ("age = 007", "007", 'age is a number; "007" is not'),
        ("age = " + "9" * 5000, "9" * 5000, "out of range"),
        ("age between 5 and 1", "5 and 1", "never true"),
        ("born < 2026-02-30", "2026-02-30", "no day of the calendar"),
        ("(" * 5000 + "vip" + ")" * 5000, "(" * 5000 + "vip" + ")" * 5000, ""),
        ("last_call older than 3 dayz", "3 dayz", 'did you mean "day"?'),
        ("last_call older than 2 months", "2 months", "no fixed length"),
        ("last_call older than three days", "three", "a length of time"),
        ("last_call older then 3 days", "then", 'did you mean "than"?'),
        ("last call older than 3 days", "call", 'did you mean "last_call"?'),
        ("last_call on lastweek", "lastweek", 'did you mean "last week"?'),
        ("born on nxt year", "nxt year", 'did you mean "next year"?'),
        ("last_call weekday in (mon, tus)", "tus", 'did you mean "tue"?'),
        ("tags count > 2", "count >", "count >= 2"),
        ("last_call = 2026-03-02T12:00Z", "=", "it takes before, after, between, older than, within last"),
        ("vip and " * 61 + "vip", "vip and " * 61 + "vip", "asks 62 questions; at most 60"),
        ("not " * 8 + "vip", "not not vip", "deeper than 6"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_in_words_of_the_text(rule: str, piece: str, message: str) -> None:
    told = problem(rule)
    assert message in told[1], told
    if len(piece) < 5000:
        assert told[0] == piece


def test_a_field_of_two_words_is_recognised() -> None:
    assert problem("external id = x") == ("id", '"external id" is not a field - did you mean "external_id"?')


def test_rules_before_any_heading_are_named() -> None:
    ((line, column, piece, path, message),) = problems("vip\nand vip")
    assert (line, column, piece, path) == (1, 1, "vip", "rules")
    assert "heading" in message


@pytest.mark.parametrize(
    ("heading", "piece", "message"),
    [
        ("segment callback prio 10:", "prio 10", "the order of the segments is their priority"),
        (
            "segment callback Call back:",
            "Call back",
            'a name stands in quotes: segment callback "Call back":',
        ),
        ('label gold "Gold" priority 1 :', "priority 1", "the order of the segments is their priority"),
    ],
)
def test_what_a_heading_may_not_say_is_named_and_its_rule_is_read(
    heading: str, piece: str, message: str
) -> None:
    first, second = problems(f"{heading} agee > 3")
    assert (first[2], message in first[4]) == (piece, True), first
    assert second[2] == "agee"


def test_an_error_carries_plain_data() -> None:
    with pytest.raises(BadRuleText) as caught:
        read_text("segment a: agee > 1", OWN)
    assert caught.value.data["problems"] == [
        {
            "path": "segments[0].when.f", "message": '"agee" is not a field - did you mean "age"?',
            "line": 1, "column": 12, "piece": "agee",
        }
    ]  # fmt: skip


def test_a_text_of_any_length_is_refused_before_it_is_read() -> None:
    with pytest.raises(BadInput, match="at most 1000000"):
        read_text("#" * (MAX_CHARACTERS + 1), OWN)


_words = st.sampled_from(
    [
        "segment",
        "label",
        "a",
        '"A"',
        ":",
        "age",
        "vip",
        "status",
        "in",
        "(",
        ")",
        ",",
        "and",
        "or",
        "not",
        ">",
        "=",
        "3",
        "3d",
        "is",
        "empty",
        "any",
        "all",
        "of",
        "last",
        '"',
        "#",
        "\\",
        "\n",
        "on",
        "@",
        "\x00",
        "é",
        "older",
        "than",
        "within",
        "due",
        "between",
        "everybody",
        "2026-03-02",
    ]
)


@UNHURRIED
@given(st.one_of(st.text(), st.lists(_words, max_size=25).map(" ".join)))
def test_whatever_is_written_is_read_or_refused_with_places_that_exist(text: str) -> None:
    readings: list[Callable[[], object]] = [
        partial(read_text, text, OWN),
        partial(read_rule_text, text, KNOWN),
    ]
    lines = text.split("\n")
    for read in readings:
        try:
            read()
        except BadRuleText as bad:
            for line, column, piece in bad.places:
                assert lines[line - 1][column - 1 :].startswith(piece)
