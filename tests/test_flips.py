"""When time alone changes an answer: at that instant, not a hair before, and never in between."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rule_strategies import KNOWN, NOWS, customers, days, instants, leaves, row_of

from models.zones import zone_names
from segmentation.calendar import WORDS, local_day
from segmentation.catalogue import MOVING
from segmentation.evaluate import meets, value_of
from segmentation.explanation.flips import _changes, next_flip
from segmentation.language import read_rule
from segmentation.nodes import Leaf

HAIR, DAY = timedelta(microseconds=1), timedelta(days=1)
TIMED = ("last_call", "entered", "due", "customer_since", "born", "local_offset")
timed_leaves = st.one_of(
    leaves(TIMED),
    leaves(["entered", "born"]).filter(lambda leaf: leaf["op"] in MOVING),
    st.builds(lambda key, word: {"f": key, "op": "on", "v": word}, st.sampled_from(["entered", "born"]),
              st.sampled_from(WORDS)),
    st.builds(lambda days: {"f": "born", "op": "anniversary_within", "v": f"{days}d"}, st.integers(0, 364)),
)  # fmt: skip


birthdays = st.one_of(days, st.builds(lambda year: f"{year}-02-29", st.sampled_from([1988, 2024, 2028])))
people = st.builds(
    lambda person, born: {**person, "fields": {**person["fields"], **born}},
    customers,
    st.one_of(st.just({}), birthdays.map(lambda day: {"born": day})),
)
"""Customers who were born more often than not."""


def leaf_of(given_leaf: dict[str, Any]) -> Leaf:
    read = read_rule(given_leaf, KNOWN)
    assert isinstance(read, Leaf)
    return read


def flip_of(leaf: Leaf, row: dict[str, Any], now: datetime) -> datetime | None:
    field = KNOWN[leaf.field]
    return next_flip(leaf, field, value_of(field, row, now), row["zone"], now)


@settings(deadline=None, max_examples=1500)
@given(timed_leaves, people, st.one_of(st.sampled_from(NOWS), instants), st.integers(0, 2**32))
def test_an_answer_changes_at_its_flip_and_not_before(
    given_leaf: dict[str, Any], person: dict[str, Any], now: datetime, seed: int
) -> None:
    """Random instants before it answer as now does, the last microsecond too; without one all of ten years.

    Planted, each found: one end of a window of instants, of days; a word taken as it is meant now; the day
    after an anniversary forgotten; local midnights taken for UTC's; the 29th of February always on the 28th.
    """
    leaf, row, dice = leaf_of(given_leaf), row_of(person), Random(seed)
    flip = flip_of(leaf, row, now)
    ours = meets(leaf, row, KNOWN, now)
    end = min(flip or now + 3653 * DAY, datetime(2049, 1, 1, tzinfo=UTC))
    probes = [now + (end - now) * dice.random() for _ in range(20)]
    probes += [now + DAY * dice.random() * dice.choice([1, 10, 400]) for _ in range(20)]
    for probe in probes:
        if now < probe < (flip or end):
            assert meets(leaf, row, KNOWN, probe) is ours, (probe, flip)
    if flip is not None:
        assert flip > now
        assert flip.utcoffset() == timedelta(0)
        assert meets(leaf, row, KNOWN, flip - HAIR) is ours
        assert meets(leaf, row, KNOWN, flip) is not ours


@settings(deadline=None, max_examples=300)
@given(timed_leaves, people, st.sampled_from(NOWS))
def test_flips_follow_each_other_until_there_are_none(
    given_leaf: dict[str, Any], person: dict[str, Any], now: datetime
) -> None:
    """From each flip on the next one is found the same way; day by day nothing else changes for two years."""
    leaf, row = leaf_of(given_leaf), row_of(person)
    looks = [now + half_days * timedelta(hours=12) for half_days in range(2 * 731)]
    flips, since = [], now
    while (flip := flip_of(leaf, row, since)) is not None and flip <= looks[-1]:
        flips.append(flip)
        since = flip
    answers = [meets(leaf, row, KNOWN, look) for look in looks]
    changed = sum(one is not other for one, other in pairwise(answers))
    assert changed <= len(flips)
    assert (changed - len(flips)) % 2 == 0


@settings(deadline=None, max_examples=200)
@given(leaves(), customers, st.sampled_from(NOWS))
def test_what_asks_nothing_of_time_never_flips(
    given_leaf: dict[str, Any], person: dict[str, Any], now: datetime
) -> None:
    leaf = leaf_of(given_leaf)
    asks_time = leaf.op in MOVING or leaf.op in ("on", "anniversary_within") or leaf.field == "local_offset"
    assert asks_time or flip_of(leaf, row_of(person), now) is None


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def told(f: str, op: str, v: object, zone: str, now: str, **row: object) -> datetime | None:
    return flip_of(leaf_of({"f": f, "op": op, "v": v}), {"zone": zone, "fields": {}, **row}, at(now))


def test_days_flip_at_the_customers_midnight() -> None:
    born: dict[str, Any] = {"fields": {"born": "2026-03-05"}}
    assert told("born", "on", "today", "Europe/Oslo", "2026-03-02T12:00", **born) == at("2026-03-04T23:00")
    assert told("born", "on", "today", "Europe/Oslo", "2026-03-05T12:00", **born) == at("2026-03-05T23:00")
    assert told("born", "on", "today", "Europe/Oslo", "2026-03-06T12:00", **born) is None
    assert told("born", "older_than", "3d", "Asia/Tokyo", "2026-03-02T12:00", **born) == at(
        "2026-03-07T15:00"
    )
    # It is 29 March, and the clocks have gone forward by then.
    later: dict[str, Any] = {"fields": {"born": "2026-03-30"}}
    assert told("born", "on", "today", "Europe/Oslo", "2026-03-02T12:00", **later) == at("2026-03-29T22:00")
    assert told("born", "on", "this_year", "Nowhere/Land", "2026-03-02T12:00", **born) is None


def test_instants_flip_to_the_microsecond() -> None:
    called: dict[str, Any] = {"last_call": at("2026-03-01T12:00:00.000001")}
    asked = ("last_call", "older_than", "3d", "Etc/UTC")
    assert told(*asked, "2026-03-02T12:00", **called) == at("2026-03-04T12:00:00.000001")
    assert told(*asked, "2026-03-05T12:00", **called) is None
    due = ("due", "due_within", "2h", "Etc/UTC")
    assert told(*due, "2026-03-02T12:00", due=at("2026-03-02T15:00")) == at("2026-03-02T13:00")
    assert told(*due, "2026-03-02T14:00", due=at("2026-03-02T15:00")) == at("2026-03-02T15:00")
    assert told(*due, "2026-03-02T14:00", due=None) is None


def test_anniversaries_come_every_year_and_on_28_february_for_the_29th() -> None:
    asked = ("born", "anniversary_within", "0d", "Etc/UTC")
    leapling: dict[str, Any] = {"fields": {"born": "1988-02-29"}}
    assert told(*asked, "2026-03-02T12:00", **leapling) == at("2027-02-28T00:00")
    assert told(*asked, "2027-02-28T12:00", **leapling) == at("2027-03-01T00:00")
    assert told(*asked, "2027-03-01T12:00", **leapling) == at("2028-02-29T00:00")
    every_day_but_one = ("born", "anniversary_within", "364d", "Etc/UTC")
    assert told(*every_day_but_one, "2026-03-02T12:00", **leapling) == at("2027-03-01T00:00")


def test_offsets_flip_when_the_clocks_change() -> None:
    ahead = ("local_offset", "eq", 2, "Europe/Oslo")
    assert told(*ahead, "2026-03-02T12:00") == at("2026-03-29T01:00")
    assert told(*ahead, "2026-06-02T12:00") == at("2026-10-25T01:00")
    assert told("local_offset", "ge", 1, "Europe/Oslo", "2026-03-02T12:00") is None
    assert told("local_offset", "eq", 2, "Nowhere/Land", "2026-03-02T12:00") is None
    assert told("local_offset", "ne", 9, "Asia/Tokyo", "2026-03-02T12:00") is None


@pytest.mark.parametrize("word", WORDS)
def test_the_ends_of_the_calendar_are_no_error(word: str) -> None:
    for day in ("0001-01-01", "9999-12-31", "9999-06-15"):
        told("born", "on", word, "Pacific/Apia", "2026-03-02T12:00", fields={"born": day})
        told("born", "older_than", "36500d", "Pacific/Apia", "2026-03-02T12:00", fields={"born": day})


def test_no_zone_turns_its_calendar_back_any_more() -> None:
    """Flips at midnights take that for granted: when clocks are put back, the day on the wall is the same."""
    for zone_name in sorted(zone_names()):
        for change in _changes(zone_name, NOWS[0]):
            assert local_day(zone_name, change - HAIR) <= local_day(zone_name, change), (zone_name, change)
