"""What the sweep has to look at: nothing that time flips is missed."""

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rule_strategies import KNOWN, NOWS, OWN, customers, instants, leaves, row_of

from segmentation.catalogue import MOVING
from segmentation.evaluate import meets
from segmentation.language import read_rule, read_rules
from segmentation.nodes import Rules, SegmentRule
from segmentation.timed import Timed, can_flip, flipping_days, flipping_year_days, timed

_MICROSECOND = timedelta(microseconds=1)
TIMED = frozenset({"last_call", "entered", "due", "customer_since", "born", "local_offset"})
timed_leaves = leaves(TIMED)
moving_leaves = leaves(["entered", "customer_since"]).filter(lambda leaf: leaf["op"] in MOVING)
word_leaves = st.builds(
    lambda key, word: {"f": key, "op": "on", "v": word},
    st.sampled_from(["entered", "born"]),
    st.sampled_from(["today", "yesterday", "tomorrow", "this_week", "next_month"]),
)
steps = st.one_of(
    st.sampled_from([timedelta(microseconds=1), timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)]),
    st.timedeltas(timedelta(seconds=1), timedelta(days=40)),
)


def rules_of(*trees: dict[str, Any]) -> Rules:
    return Rules(tuple(SegmentRule(f"s{i}", "", read_rule(tree, KNOWN)) for i, tree in enumerate(trees)))


@settings(deadline=None, max_examples=400)
@given(
    st.lists(st.one_of(timed_leaves, word_leaves), min_size=1, max_size=8),
    st.lists(customers, min_size=1, max_size=4),
    st.one_of(st.sampled_from(NOWS), instants),
    steps,
    st.sampled_from([0, 1]),
    st.fractions(0, 1),
)
def test_whoever_time_flips_is_found(
    trees: list[dict[str, Any]], people: list[dict[str, Any]], edge: datetime, step: timedelta, after: int,
    part: Fraction,
) -> None:  # fmt: skip
    """Whoever was placed at any instant since the last sweep, and would stand elsewhere now.

    Planted, each found: one end of a window forgotten; offsets without their sign; words only as they are
    meant now.
    """
    start = edge - step * after
    end = start + step
    for tree in trees:
        rules = rules_of(tree)
        node, asked = rules.segments[0].when, timed(rules)
        for person in map(row_of, people):
            placed = start + timedelta(microseconds=int(step / _MICROSECOND * part))
            if meets(node, person, KNOWN, placed) is not meets(node, person, KNOWN, end):
                assert can_flip(asked, person, start, end), (tree, person, start, end)


@settings(deadline=None, max_examples=400)
@given(moving_leaves, customers, st.sampled_from([0, 1]), steps, st.integers(0, 9))
def test_whoever_comes_to_an_edge_is_found(
    tree: dict[str, Any], person: dict[str, Any], after: int, step: timedelta, which: int
) -> None:
    """The same where it is decided: the sweep begins or ends at the very instant of a flip.

    Planted: its first instant included and its last one not; found.
    """
    rules, row = rules_of(tree), row_of(person)
    asked = timed(rules)
    edges = [row[key] + timedelta(seconds=seconds) for key, seconds in sorted(asked.instants)]
    start = edges[which % len(edges)] - step * after
    node = rules.segments[0].when
    differs = meets(node, row, KNOWN, start) is not meets(node, row, KNOWN, start + step)
    assert not differs or can_flip(asked, row, start, start + step)


def test_the_pairs_are_distinct_and_come_from_segments_and_labels() -> None:
    def asks(f: str, op: str, v: object) -> dict[str, Any]:
        return {"f": f, "op": op, "v": v}

    several = {
        "any": [
            asks("last_call", "older_than", "3d"),
            {"not": asks("last_call", "within_last", "72h")},
            asks("due", "due_within", "2h"),
            asks("born", "due_within", "1w"),
            asks("entered", "on", "today"),
            asks("attempts", "ge", 2),
            asks("entered", "before", "2026-03-02T12:00:00Z"),
            asks("entered", "weekday_in", ["mon"]),
        ]
    }
    labels = {
        "any": [
            {"f": "in_segment", "op": "any", "v": ["a"]},
            asks("born", "anniversary_within", "1w"),
            asks("born", "overdue_by", "2d"),
            asks("local_offset", "ge", 2),
        ]
    }
    rules = read_rules(
        {"segments": [{"key": "a", "when": several}], "labels": [{"key": "l", "when": labels}]}, OWN
    )
    day = 86_400
    assert timed(rules) == Timed(
        instants=frozenset({("last_call", 3 * day), ("last_call", 0), ("due", 0), ("due", -7200)}),
        days=frozenset({("born", 1), ("born", -7), ("born", 2)}),
        words=frozenset({("entered", "today")}),
        anniversaries=frozenset({("born", 7)}),
        local_offset=True,
    )
    assert not timed(Rules())


@pytest.mark.parametrize(
    ("word", "spans"),
    [
        ("today", [("2026-03-01", "2026-03-02"), ("2026-03-02", "2026-03-03")]),
        ("this_week", [("2026-02-23", "2026-03-02"), ("2026-03-02", "2026-03-09")]),
        ("this_month", []),
        ("this_quarter", []),
    ],
)
def test_only_what_a_word_no_longer_or_newly_means_flips(word: str, spans: list[tuple[str, str]]) -> None:
    sunday, monday = date(2026, 3, 1), date(2026, 3, 2)
    found = [(first.isoformat(), last.isoformat()) for first, last in flipping_days(word, sunday, monday)]
    assert found == spans


def test_what_was_meant_on_a_day_between_flips_as_well() -> None:
    """The sweep was away for two days. Planted: only the two ends compared; both seen to fail."""
    monday, wednesday = date(2026, 3, 2), date(2026, 3, 4)
    spans = flipping_days("today", monday, wednesday)
    assert any(first <= date(2026, 3, 3) < last for first, last in spans)
    assert flipping_year_days(0, monday, wednesday) == {302, 303, 304}
    assert len(flipping_year_days(0, monday, monday + timedelta(days=1000))) == 366


def test_29_february_comes_round_with_the_28th() -> None:
    """Planted: windows that end on the 28th of a common year without it; found."""
    assert flipping_year_days(0, date(2027, 2, 27), date(2027, 2, 28)) == {227, 228, 229}
    assert flipping_year_days(0, date(2028, 2, 27), date(2028, 2, 28)) == {227, 228}
    assert flipping_year_days(7, date(2026, 12, 24), date(2026, 12, 25)) == {1224, 101}


def test_a_row_without_values_never_flips() -> None:
    asked = timed(rules_of({"f": "last_call", "op": "older_than", "v": "3d"}))
    row: dict[str, Any] = {"last_call": None, "zone": "Etc/UTC", "fields": {}}
    assert not can_flip(asked, row, datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
