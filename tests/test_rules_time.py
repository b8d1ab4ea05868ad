"""The edges of every question of time (docs/rules.md), in SQL and in Python; what is bound at a run."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from rule_strategies import KNOWN
from test_rules_sql import NOBODY, answers, fill
from world import NOON, World

from segmentation.calendar import days_of, midnight
from segmentation.evaluate import meets
from segmentation.language import read_rule
from segmentation.moments import Moment
from segmentation.offsets import offsets
from segmentation.statements import Statements

HAIR = timedelta(microseconds=1)


def asks(f: str, op: str, v: object = None) -> dict[str, Any]:
    return {"f": f, "op": op} | ({} if v is None else {"v": v})


def check(world: World, leaf: dict[str, Any], person: dict[str, Any], now: datetime, meets_it: bool) -> None:
    tree, assignment = read_rule(leaf, KNOWN), world.assignment()
    with world.work(now) as work:
        (row,) = fill(work, world, assignment, [NOBODY | person])
        by_sql = answers(work, assignment, [tree])[row["customer_id"]]
        work.session.rollback()
    assert (by_sql, meets(tree, row, KNOWN, now)) == ((meets_it,), meets_it), (leaf, person)


DAY3 = timedelta(days=3)


@pytest.mark.parametrize(
    ("op", "away", "meets_it"),
    [
        ("older_than", -DAY3, True),
        ("older_than", -DAY3 + HAIR, False),
        ("within_last", -DAY3, False),
        ("within_last", -DAY3 + HAIR, True),
        ("within_last", 0 * DAY3, True),
        ("within_last", HAIR, False),
        ("due_within", 0 * DAY3, False),
        ("due_within", HAIR, True),
        ("due_within", DAY3, True),
        ("due_within", DAY3 + HAIR, False),
        ("overdue_by", -DAY3, True),
        ("overdue_by", -DAY3 + HAIR, False),
    ],
)
def test_edges_of_moving_windows(world: World, op: str, away: timedelta, meets_it: bool) -> None:
    check(world, asks("due", op, "3d"), {"state": "resting", "due_at": NOON + away}, NOON, meets_it)


def test_what_is_due_at_once_is_overdue_and_a_ready_one_is_never_due(world: World) -> None:
    due = {"state": "follow_up", "due_at": NOON}
    check(world, asks("due", "overdue_by", "0d"), due, NOON, True)
    check(world, asks("due", "overdue_by", "0d"), due | {"state": "ready"}, NOON, False)
    check(world, asks("due", "empty"), due | {"state": "ready"}, NOON, True)


@pytest.mark.parametrize(
    ("op", "v", "born", "meets_it"),
    [
        # It is 2 March in Lisbon, and 3 March on Kiritimati.
        ("older_than", "3d", "2026-02-27", True),
        ("older_than", "3d", "2026-02-28", False),
        ("within_last", "3d", "2026-02-27", False),
        ("within_last", "3d", "2026-02-28", True),
        ("within_last", "3d", "2026-03-02", True),
        ("within_last", "3d", "2026-03-03", False),
        ("due_within", "3d", "2026-03-01", False),
        ("due_within", "3d", "2026-03-02", True),
        ("due_within", "3d", "2026-03-05", True),
        ("due_within", "3d", "2026-03-06", False),
        ("due_within", "0d", "2026-03-02", True),
        ("overdue_by", "1d", "2026-03-01", True),
        ("overdue_by", "1d", "2026-03-02", False),
        ("on", "yesterday", "2026-03-01", True),
        ("on", "this_week", "2026-03-02", True),
        ("on", "this_week", "2026-03-01", False),
        ("on", "this_week", "2026-03-08", True),
        ("weekday_in", ["mon"], "2026-03-02", True),
        ("weekday_in", ["mon"], "2026-03-03", False),
        ("weekday_in", ["tue"], "2028-02-29", True),
        ("weekday_in", ["sun", "mon", "tue", "wed", "thu", "fri", "sat"], "2026-02-29", False),
        ("not_empty", None, "2026-02-29", False),
        ("anniversary_within", "0d", "1988-03-02", True),
        ("anniversary_within", "1d", "1988-03-03", True),
        ("anniversary_within", "1d", "1988-03-04", False),
        ("anniversary_within", "364d", "1988-03-01", True),
        ("anniversary_within", "363d", "1988-03-01", False),
    ],
)
def test_edges_of_days(world: World, op: str, v: object, born: str, meets_it: bool) -> None:
    person = {"zone": "Europe/Lisbon", "fields": {"born": born}}
    check(world, asks("born", op, v), person, NOON, meets_it)


@pytest.mark.parametrize(
    ("now", "meets_it"),
    [
        ("2027-02-27T12:00Z", False),
        ("2027-02-28T12:00Z", True),  # a common year: celebrated on the 28th
        ("2027-03-01T12:00Z", False),
        ("2028-02-28T12:00Z", False),
        ("2028-02-29T12:00Z", True),
    ],
)
def test_who_was_born_on_29_february(world: World, now: str, meets_it: bool) -> None:
    person = {"fields": {"born": "1988-02-29"}}
    check(world, asks("born", "anniversary_within", "0d"), person, datetime.fromisoformat(now), meets_it)


@pytest.mark.parametrize(
    ("zone", "op", "v", "last_call", "meets_it"),
    [
        ("Europe/Lisbon", "on", "today", "2026-03-02T00:00Z", True),
        ("Europe/Lisbon", "on", "today", "2026-03-01T23:59:59.999999Z", False),
        ("Europe/Lisbon", "on", "today", "2026-03-03T00:00Z", False),
        ("Europe/Oslo", "on", "today", "2026-03-01T23:00Z", True),
        ("Pacific/Kiritimati", "on", "today", "2026-03-02T10:00Z", True),
        ("Pacific/Kiritimati", "on", "today", "2026-03-02T09:59Z", False),
        # The months begin on either side of a change of clocks.
        ("Europe/Oslo", "on", "this_month", "2026-03-31T21:59Z", True),
        ("Europe/Oslo", "on", "this_month", "2026-03-31T22:00Z", False),
        ("Europe/Oslo", "on", "this_month", "2026-02-28T23:00Z", True),
        ("Europe/Oslo", "on", "last_year", "2025-12-31T22:59Z", True),
        ("Europe/Oslo", "on", "next_year", "2026-12-31T22:59Z", False),
        ("Europe/Oslo", "on", "next_year", "2026-12-31T23:00Z", True),
        ("Europe/Oslo", "on", "next_year", "2027-12-31T23:00Z", False),
        # By the offset of that day, not of today.
        ("Europe/Oslo", "weekday_in", ["sun"], "2025-07-05T22:30Z", True),
        ("Europe/Oslo", "weekday_in", ["sat"], "2025-01-04T22:30Z", True),
        ("Asia/Calcutta", "weekday_in", ["mon"], "2026-03-01T18:30Z", True),
        ("Nowhere/Land", "on", "today", "2026-03-02T12:00Z", False),
        ("Nowhere/Land", "weekday_in", ["mon"], "2026-03-02T12:00Z", False),
    ],
)
def test_edges_of_local_days(
    world: World, zone: str, op: str, v: object, last_call: str, meets_it: bool
) -> None:
    person = {"zone": zone, "last_call": datetime.fromisoformat(last_call)}
    check(world, asks("last_call", op, v), person, NOON, meets_it)


@pytest.mark.parametrize(
    ("zone", "op", "v", "now", "meets_it"),
    [
        ("Europe/Oslo", "eq", 1, "2026-03-29T00:59:59Z", True),
        ("Europe/Oslo", "eq", 2, "2026-03-29T01:00Z", True),
        ("Asia/Kolkata", "eq", 5.5, "2026-03-02T12:00Z", True),
        ("America/New_York", "lt", 0, "2026-03-02T12:00Z", True),
        ("Nowhere/Land", "ne", 1, "2026-03-02T12:00Z", True),
        ("Nowhere/Land", "empty", None, "2026-03-02T12:00Z", True),
    ],
)
def test_hours_from_utc(world: World, zone: str, op: str, v: object, now: str, meets_it: bool) -> None:
    check(world, asks("local_offset", op, v), {"zone": zone}, datetime.fromisoformat(now), meets_it)


@pytest.mark.parametrize(("now", "meets_it"), [("18:29:59", False), ("18:30:00", True)])
def test_a_day_may_begin_at_half_past(world: World, now: str, meets_it: bool) -> None:
    """Planted: local days kept for an hour; found."""
    person = {"zone": "Asia/Kolkata", "fields": {"born": "2026-03-03"}}
    check(world, asks("born", "on", "today"), person, datetime.fromisoformat(f"2026-03-02T{now}Z"), meets_it)


@pytest.mark.parametrize(
    ("f", "op", "v", "person", "meets_it"),
    [
        ("has_phone", "is_true", None, {"numbers": ["disconnected", "good"]}, True),
        ("has_phone", "is_true", None, {"numbers": ["unverified"]}, True),
        ("has_phone", "is_false", None, {"numbers": ["disconnected"]}, True),
        ("has_phone", "is_false", None, {"numbers": []}, True),
        ("has_email", "is_false", None, {"email": ""}, True),
        ("has_email", "is_true", None, {"email": "a@b"}, True),
        ("country", "eq", "US", {"place": "US-FL", "places": ("PT",)}, True),
        ("country", "eq", "PT", {"place": None, "places": ("PT",)}, True),
        ("country", "empty", None, {"place": None, "places": ()}, True),
        ("tags", "any", ["a", "vip"], {"tags": ["vip", "lead"]}, True),
        ("tags", "all", ["lead", "vip"], {"tags": ["vip"]}, False),
        ("tags", "none", ["lead"], {"tags": []}, True),
        ("tags", "count_ge", 2, {"tags": ["vip", "lead"]}, True),
        ("tags", "count_ge", 2, {"tags": ["vip"]}, False),
        ("tags", "empty", None, {"tags": []}, True),
    ],
)
def test_built_in_fields(
    world: World, f: str, op: str, v: object, person: dict[str, Any], meets_it: bool
) -> None:
    check(world, asks(f, op, v), person, NOON, meets_it)


def test_the_text_stays_the_same_and_only_bound_values_move() -> None:
    trees = [
        read_rule(leaf, KNOWN)
        for leaf in (
            asks("last_call", "older_than", "3d"),
            asks("born", "on", "today"),
            asks("last_call", "on", "this_week"),
            asks("local_offset", "ge", 2),
            asks("entered", "weekday_in", ["mon"]),
        )
    ]
    move = Statements(tuple(enumerate(trees, 1)), 99, KNOWN).move
    assert Moment(-3 * 86_400) in move.reckoned.values()
    assert Moment(-3 * 86_400).at(NOON) == NOON - timedelta(days=3)
    assert "now()" not in move.sql
    assert "current" not in move.sql
    assert replace(move).sql == Statements(tuple(enumerate(trees, 1)), 99, KNOWN).move.sql
    bound = json.dumps([value.at(NOON) for value in move.reckoned.values()], default=str)
    assert "2026-03-02T00:00:00+00:00" in bound


def test_a_day_begins_when_its_midnight_is_skipped_or_comes_twice() -> None:
    first, after = days_of("today", datetime(2026, 9, 6).date())  # noqa: DTZ001 - a day has no zone
    assert midnight("America/Santiago", first).isoformat() == "2026-09-06T04:00:00+00:00"
    assert midnight("America/Santiago", after) - midnight("America/Santiago", first) == timedelta(hours=23)
    samoa = datetime(2011, 12, 30).date()  # noqa: DTZ001 - a day that Samoa never had
    assert midnight("Pacific/Apia", samoa) == midnight("Pacific/Apia", samoa + timedelta(days=1))


def test_zones_that_change_alike_share_a_number_and_changes_are_in_order() -> None:
    table = offsets()
    assert table.behaviours["Asia/Calcutta"] == table.behaviours["Asia/Kolkata"]
    assert table.behaviours["Europe/Lisbon"] != table.behaviours["Europe/Oslo"]
    assert list(table.keys) == sorted(set(table.keys))
    assert len(table.keys) == len(table.ahead)
