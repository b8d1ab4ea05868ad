"""As time passes and nothing else happens: each part of a rule changes when it is said to; segments too."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from rule_strategies import KNOWN, NOWS, OWN, customers, row_of
from timed_strategies import born, timed_sets
from world import NOON

from segmentation.catalogue import REFERENCES
from segmentation.evaluate import meets, value_of
from segmentation.explanation.course import MOST_STEPS, Course, Stay
from segmentation.explanation.parts import Part, combined
from segmentation.language import read_rules
from segmentation.nodes import Leaf, Rules
from segmentation.nodes import leaves as leaves_of
from segmentation.probe import Facts
from segmentation.references import inlined

HAIR, DAY = timedelta(microseconds=1), timedelta(days=1)


def facts_of(rules: Rules, row: dict[str, Any], now: datetime) -> Facts:
    plain = inlined(rules)
    trees = [one.when for one in plain.segments] + [one.when for one in plain.labels]
    asked = {leaf for tree in trees for leaf in leaves_of(tree)}
    values = {leaf.field: value_of(KNOWN[leaf.field], row, now) for leaf in asked} | {"zone": row["zone"]}
    return Facts({leaf: meets(leaf, row, KNOWN, now) for leaf in asked}, values)


def answer_at(part: Part, row: dict[str, Any], at: datetime) -> bool:
    """What the part answers at an instant, by the plain evaluator."""
    if isinstance(part.node, Leaf) and part.node.field not in REFERENCES:
        return meets(part.node, row, KNOWN, at)
    return combined(part.node, (answer_at(one, row, at) for one in part.parts))


def parts_of(part: Part) -> Iterator[Part]:
    yield part
    for one in part.parts:
        yield from parts_of(one)


@settings(deadline=None, max_examples=500)
@given(
    timed_sets, st.one_of(customers, born), st.sampled_from(NOWS), st.integers(0, 2**32),
    st.one_of(st.none(), st.builds(Stay, st.sampled_from(["segment-0", "unsegmented"]),
                                   st.one_of(st.none(), st.sampled_from([NOWS[0] + 40 * DAY])))),
)  # fmt: skip
def test_parts_and_segments_change_when_it_is_said_and_not_before(
    body: dict[str, Any], person: dict[str, Any], now: datetime, seed: int, stay: Stay | None
) -> None:
    """Planted, each found: a group reckoned before all its parts were; the first flip overwritten by the
    next; the hold's end forgotten.
    """
    rules, row, dice = read_rules(body, OWN), row_of(person), Random(seed)
    if stay and stay.until and stay.until <= now:
        stay = None
    course = Course(rules, facts_of(rules, row, now), KNOWN, now)
    outlook = course.run(stay)
    last = outlook.looked_to or now + 3653 * DAY
    probes = sorted(
        [now + (last - now) * dice.random() for _ in range(30)]
        + [now + 400 * DAY * dice.random() for _ in range(30)]
    )

    def is_as_said(flips_at: datetime | None, answer: Any, ours: object) -> None:
        end = flips_at or last
        assert all(answer(probe) == ours for probe in probes if now <= probe < end)
        assert answer(now) == ours
        if flips_at is not None:
            assert answer(flips_at - HAIR) == ours
            assert answer(flips_at) != ours

    for root in (*course.segments.values(), *course.labels.values()):
        for part in parts_of(root):
            is_as_said(part.flips_at, lambda at, part=part: answer_at(part, row, at), part.was)

    def place(at: datetime) -> str:
        if stay and (stay.until is None or at < stay.until):
            return stay.key
        met = (key for key, root in course.segments.items() if answer_at(root, row, at))
        return next(met, "unsegmented")

    is_as_said(outlook.change and outlook.change[0], place, outlook.belongs)
    assert outlook.change is None or place(outlook.change[0]) == outlook.change[1]


def test_a_group_may_flip_when_its_questions_flip_back() -> None:
    """Planted: a group settled by any part that is; it was said never to be true."""
    soon = {"f": "born", "op": "due_within", "v": "1d"}
    parts = [
        {"f": "attempts", "op": "lt", "v": 5},
        {"not": soon},
        {"f": "born", "op": "within_last", "v": "3d"},
    ]
    rules = read_rules({"segments": [{"key": "a", "when": {"all": parts}}]}, OWN)
    row = {"zone": "Etc/UTC", "attempts": 0, "fields": {"born": "2026-03-10"}}
    course = Course(rules, facts_of(rules, row, NOON), KNOWN, NOON)
    outlook = course.run(None)
    assert course.segments["a"].flips_at == datetime(2026, 3, 11, tzinfo=UTC)
    assert outlook.change == (datetime(2026, 3, 11, tzinfo=UTC), "a")


def test_what_comes_round_for_ever_is_looked_at_for_a_while() -> None:
    """Never both at once: after so many instants nothing more is said, and up to when it was looked."""
    birthday = {"f": "born", "op": "anniversary_within", "v": "1d"}
    both = {"all": [birthday, {"f": "local_offset", "op": "eq", "v": 1}]}
    rules = read_rules({"segments": [{"key": "a", "when": both}]}, OWN)
    row = {"zone": "Europe/Lisbon", "fields": {"born": "1980-01-15"}}
    course = Course(rules, facts_of(rules, row, NOON), KNOWN, NOON)
    outlook = course.run(None)
    assert course.segments["a"].flips_at is None
    assert outlook.looked_to is not None
    assert outlook.looked_to > NOON + MOST_STEPS / 4 * 300 * DAY
