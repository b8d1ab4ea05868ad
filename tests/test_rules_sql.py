"""What PostgreSQL makes of a rule, held equal to the plain evaluator; and what never reaches it."""

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rule_strategies import KNOWN, NOWS, ODD_KEY, OWN, customers, leaves, row_of, rule_sets, trees
from sqlalchemy import select, text
from world import NOON, World

from models.work import Work
from segmentation.calendar import WEEKDAYS
from segmentation.catalogue import MOVING, OPERATORS
from segmentation.compiler import condition
from segmentation.direct import LONGEST_LIST
from segmentation.evaluate import labels_of, meets, segment_of
from segmentation.language import read_rule, read_rules
from segmentation.nodes import Node, Rules
from segmentation.references import inlined
from segmentation.rows import rows_of
from segmentation.statements import Statement, Statements
from segmentation.time_sql import local_values

_FILL = text("""
    with given as (
        select * from jsonb_to_recordset(cast(:rows as jsonb)) as t(
            i int, status text, attempts int, last_outcome text, name text, email text, place text,
            state text, due_at timestamptz, last_call timestamptz, entered timestamptz,
            customer_since timestamptz, zone text, clock bigint, numbers jsonb, tags jsonb, fields jsonb)
    ), people as (
        insert into customer (crm_id, external_id, name, email, place, clock_id, reckoning_zone, fields,
                              created_at, updated_at)
        select :crm_id, i, name, email, place, clock, zone, fields, customer_since, :now from given
        returning id, external_id, clock_id
    ), numbers as (
        insert into customer_number (crm_id, customer_id, e164, position, state, zones)
        select :crm_id, id, '+35191' || i * 10 + n.nth, n.nth, n.state, '{}'
          from given join people on external_id = i::text,
               jsonb_array_elements_text(numbers) with ordinality as n(state, nth)
    ), tags as (
        insert into customer_tag (crm_id, customer_id, tag, source, author, tagged_at)
        select :crm_id, id, tag, 'hand', 'Ann', :now
          from given join people on external_id = i::text, jsonb_array_elements_text(tags) as t(tag)
    )
    insert into placement (crm_id, assignment_id, customer_id, state, status, attempts, last_outcome, due_at,
                           last_attempt_at, segment_id, clock_id, rank, entered_at)
    select :crm_id, :assignment, id, state, status, attempts, last_outcome, due_at,
           last_call, 0, clock_id, 0, entered
      from given join people on external_id = i::text
    returning customer_id
""")
_IDS = text("""
    select c.external_id, c.id from placement p join customer c on c.id = p.customer_id
     where p.assignment_id = :assignment
""")

FASTER = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


NOBODY: dict[str, Any] = {
    "status": "new", "attempts": 0, "last_outcome": None, "name": "", "email": None, "place": None,
    "state": "ready", "due_at": None, "last_call": None, "entered": NOON, "customer_since": NOON,
    "zone": "Etc/UTC", "places": (), "numbers": [], "tags": [], "fields": {},
}  # fmt: skip
"""A customer of whom next to nothing is known."""


def fill(work: Work, world: World, assignment: int, people: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Put people into an assignment; their rows as the evaluator takes them."""
    clocks = {places: world.clock(["Etc/UTC"], places) for places in {person["places"] for person in people}}
    rows = [{**person, "i": i, "clock": clocks[person["places"]]} for i, person in enumerate(people)]
    work.run(_FILL, rows=json.dumps(rows, default=str), assignment=assignment)
    ids = {row.external_id: row.id for row in work.run(_IDS, assignment=assignment)}
    numbered = ((str(i), person) for i, person in enumerate(people))
    return [row_of(person, i) | {"customer_id": ids[i]} for i, person in numbered]


def placed_by_sql(
    work: Work, assignment: int, rules: Rules
) -> tuple[dict[int, int], dict[int, tuple[int, ...]]]:
    """customer -> number of its segment (from 1; 99: none), and of its labels, as a rebuild moves them."""
    arms = tuple((i, segment.when) for i, segment in enumerate(rules.segments, 1))
    labels = tuple((i, label.when) for i, label in enumerate(rules.labels, 1))
    statements = Statements(arms, 99, KNOWN, labels)
    pairs = statements.scan.run(work, assignment_id=assignment)
    scanned = {customer: pair.to_segment for pair in pairs for customer in pair.movers}
    ids = list(scanned)
    moved = statements.move.run(work, assignment_id=assignment, customer_ids=ids, version=1, cause="rule")
    assert {row.customer_id: row.to_segment for row in moved} == scanned
    assert statements.differing.run(work, assignment_id=assignment).scalar_one() == 0
    written = text("select customer_id, labels from placement where assignment_id = :a")
    return scanned, {row.customer_id: tuple(row.labels) for row in work.run(written, a=assignment)}


def answers(work: Work, assignment: int, trees: Sequence[Node]) -> dict[int, tuple[bool, ...]]:
    """customer -> what PostgreSQL says of each tree: of values taken out, as of values where they lie."""
    taken_out = _answers(work, assignment, trees, seldom=())
    where_they_lie = _answers(work, assignment, trees, seldom=OWN)
    assert taken_out == where_they_lie
    return taken_out


def _answers(
    work: Work, assignment: int, trees: Sequence[Node], seldom: Collection[str]
) -> dict[int, tuple[bool, ...]]:
    fields = [field for field in KNOWN.values() if field.table != "rules"]
    rows = rows_of(fields, some=False, local=local_values(trees, KNOWN), seldom=seldom)
    asked = (condition(tree, rows.columns, KNOWN) for tree in trees)
    found = Statement.of(select(rows.table.c.customer_id, *asked)).run(work, assignment_id=assignment)
    return {row[0]: tuple(row[1:]) for row in found}


@pytest.fixture
def assignment(world: World) -> int:
    return world.assignment()


@FASTER
@given(
    st.lists(st.one_of(leaves(), trees), min_size=15, max_size=30),
    st.lists(customers, min_size=15, max_size=30),
    st.sampled_from(NOWS),
)
def test_sql_and_python_say_the_same_of_everybody(
    world: World,
    assignment: int,
    given_trees: list[dict[str, Any]],
    people: list[dict[str, Any]],
    now: datetime,
) -> None:
    """Planted, each found: `ne` as <>, `not_in` as not any, no look at the JSON type, days compared
    unchecked, contains by ILIKE, `between` without its lower end, `empty` blind to "", paths in lax mode."""
    asked = [read_rule(tree, KNOWN) for tree in given_trees]
    with world.work(now) as work:
        people = fill(work, world, assignment, people)
        by_sql = answers(work, assignment, asked)
        work.session.rollback()
    for person in people:
        said = by_sql[person["customer_id"]]
        for tree, said_of_it in zip(asked, said, strict=True):
            assert said_of_it is meets(tree, person, KNOWN, now), (tree, person)


@FASTER
@given(rule_sets(), st.lists(customers, min_size=10, max_size=25), st.sampled_from(NOWS))
def test_sql_and_python_give_everybody_the_same_segment_and_labels(
    world: World, assignment: int, body: dict[str, Any], people: list[dict[str, Any]], now: datetime
) -> None:
    """First match wins, labels overlap, references are followed; the scan and the move agree.

    Planted: the arms in reverse; found.
    """
    rules = inlined(read_rules(body, OWN))
    keys = [None, *(segment.key for segment in rules.segments)]
    labels = [None, *(label.key for label in rules.labels)]
    with world.work(now) as work:
        people = fill(work, world, assignment, people)
        placed, labelled = placed_by_sql(work, assignment, rules)
        work.session.rollback()
    for person in people:
        key, earned = segment_of(rules, person, KNOWN, now), labels_of(rules, person, KNOWN, now)
        customer = person["customer_id"]
        assert placed[customer] == (keys.index(key) if key else 99), person
        assert tuple(labels[i] for i in labelled[customer]) == earned, person


_COMPARISONS = ("eq", "ne", "lt", "le", "gt", "ge")
_DAYS = ["2026-03-02", "2026-03-03"]
_TEXTS: dict[str, Any] = {
    "eq": "a", "ne": "a", "in": ["a"], "not_in": ["a"], "contains": "a", "starts_with": "a", "ends_with": "a",
}  # fmt: skip
_TIMES: dict[str, Any] = {**dict.fromkeys(MOVING, "1d"), "on": "today", "weekday_in": list(WEEKDAYS)}
_INSTANTS = ["2026-03-01T12:00:00Z", "2026-03-03T12:00:00Z"]
_EXAMPLES: dict[str, dict[str, Any]] = {
    "text": _TEXTS,
    "choice": _TEXTS,
    "number": {**dict.fromkeys(_COMPARISONS, 1), "between": [1, 2], "in": [1], "not_in": [1]},
    "date": {
        **dict.fromkeys(_COMPARISONS, _DAYS[0]),
        "between": _DAYS,
        "in": _DAYS,
        "not_in": _DAYS,
        **_TIMES,
        "anniversary_within": "1d",
    },
    "instant": {"before": _INSTANTS[0], "after": _INSTANTS[0], "between": _INSTANTS, **_TIMES},
    "tags": {"any": ["vip"], "all": ["vip"], "none": ["vip"], "count_ge": 1},
    "yes_no": {},
}


def test_every_leaf_is_true_or_false_of_a_missing_value(world: World, assignment: int) -> None:
    """True for ne, not_in, none and empty, false for the rest; never null: it would spoil an explanation."""
    asked_of = {
        **OWN, "email": "text", "last_outcome": "choice", "last_call": "instant", "due": "instant",
        "tags": "tags", "country": "text",
    }  # fmt: skip
    given_leaves = [
        {"f": key, "op": op} | ({"v": _EXAMPLES[kind][op]} if op in _EXAMPLES[kind] else {})
        for key, kind in asked_of.items()
        for op in OPERATORS[kind]
        if not (key == "last_outcome" and op in ("eq", "ne", "in", "not_in"))
    ]
    asked = [read_rule(leaf, KNOWN) for leaf in given_leaves]
    with world.work() as work:
        nobody = [NOBODY | {"fields": fields} for fields in ({}, {"age": None})]
        people = fill(work, world, assignment, nobody)
        by_sql = answers(work, assignment, asked)
    expected = tuple(leaf["op"] in ("ne", "not_in", "none", "empty") for leaf in given_leaves)
    assert list(by_sql.values()) == [expected, expected]
    assert all(tuple(meets(tree, person, KNOWN, NOON) for tree in asked) == expected for person in people)


@pytest.mark.parametrize(
    ("leaf", "value", "meets_it"),
    [
        ({"op": "ge", "v": 3}, 3, True),
        ({"op": "ge", "v": 3}, "3", False),
        ({"op": "lt", "v": 3}, "three", False),
        ({"op": "lt", "v": 3}, True, False),
        ({"op": "ne", "v": 3}, [3], True),
        ({"op": "empty"}, "three", True),
        ({"op": "eq", "v": 0.1}, 0.1, True),
        ({"op": "eq", "v": 10**15}, 1e15, True),
    ],
)
def test_a_value_of_the_wrong_type_is_no_value_and_no_error(
    world: World, assignment: int, leaf: dict[str, Any], value: object, meets_it: bool
) -> None:
    tree = read_rule({"f": "age", **leaf}, KNOWN)
    with world.work() as work:
        (row,) = fill(work, world, assignment, [NOBODY | {"fields": {"age": value}}])
        by_sql = answers(work, assignment, [tree])[row["customer_id"]]
    assert by_sql == (meets(tree, row, KNOWN, NOON),) == (meets_it,)


@pytest.mark.parametrize(
    ("name", "op", "wanted", "meets_it"),
    [
        ("Åse Hansen", "contains", "ÅSE H", True),
        ("Åse Hansen", "starts_with", "åse", True),
        ("Åse Hansen", "starts_with", "hansen", False),
        ("Åse Hansen", "ends_with", "SEN", True),
        ("Åse Hansen", "ends_with", "åse", False),
        ("Åse Hansen", "eq", "åse hansen", False),
        ("Åse Hansen", "contains", "%", False),
        ("100 % sure", "contains", "0 % S", True),
        ("ΟΔΟΣ", "contains", "Σ", True),
        ("ΟΔΟΣ", "contains", "ς", False),
        ("İzmir", "starts_with", "i", True),
        ("Straße", "contains", "SS", False),
    ],
)
def test_upper_and_lower_case_are_one_in_parts_of_texts(
    world: World, assignment: int, name: str, op: str, wanted: str, meets_it: bool
) -> None:
    """Letter by letter, as PostgreSQL does. Planted: Python's lower() of whole words; sigma found it."""
    tree = read_rule({"f": "name", "op": op, "v": wanted}, KNOWN)
    with world.work() as work:
        (row,) = fill(work, world, assignment, [NOBODY | {"name": name}])
        by_sql = answers(work, assignment, [tree])[row["customer_id"]]
    assert by_sql == (meets(tree, row, KNOWN, NOON),) == (meets_it,)


def test_nothing_that_a_user_wrote_becomes_sql() -> None:
    """Neither values nor the names of own fields: both are bound."""
    nasty = ["'; drop table customer; --", "%(crm_id)s", "$1", ":now", "\\"]
    trees = [
        read_rule({"f": ODD_KEY, "op": "in", "v": nasty}, KNOWN),
        read_rule({"f": "name", "op": "contains", "v": nasty[0]}, KNOWN),
        read_rule({"f": "age", "op": "ge", "v": 4711}, KNOWN),
    ]
    statements = Statements(tuple(enumerate(trees, 1)), 99, KNOWN)
    for statement in (statements.scan, statements.differing, statements.move):
        assert not any(word in statement.sql for word in [*nasty[:1], "4711", ODD_KEY])
        paths = [value for value in statement.constants.values() if str(value).startswith("strict ")]
        assert len(paths) == 2  # the age as well
        assert any(all(json.dumps(word) in path for word in [ODD_KEY, *nasty]) for path in paths)


def test_every_table_is_asked_for_its_crm() -> None:
    """Row-level security would hide the lack of it here, and a cluster would refuse the statement."""
    statements = Statements((), 99, KNOWN)
    for statement, tables in ((statements.scan, 3), (statements.differing, 3), (statements.move, 4)):
        assert statement.sql.count("crm_id = %(crm_id)s") == tables


def test_a_list_is_one_bind_however_long(world: World) -> None:
    def sql(values: list[int]) -> str:
        tree = read_rule({"f": "age", "op": "in", "v": values}, KNOWN)
        return Statements(((1, tree),), 99, KNOWN).move.sql

    assert sql([1]) == sql(list(range(LONGEST_LIST)))
    assert sql(list(range(LONGEST_LIST + 1))) == sql(list(range(1000)))


def test_the_same_text_is_prepared_and_planned_once(world: World, assignment: int) -> None:
    """psycopg has a statement prepared that it sees again; PostgreSQL then keeps one plan for all ids."""
    world.customers(3, assignment)
    tree = read_rule({"f": "age", "op": "ge", "v": 3}, KNOWN)
    move = Statements(((1, tree),), world.unsegmented(assignment), KNOWN).move
    with world.work(NOON) as work:
        for i in range(20):
            move.run(work, assignment_id=assignment, customer_ids=[i], version=1, cause="event")
        seen = "select generic_plans, custom_plans from pg_prepared_statements where statement ~ :begins"
        found = work.run(text(seen), begins="^WITH moved").one()
    assert (found.generic_plans, found.custom_plans) == (10, 5)
