"""The expert form: a predicate means what PostgreSQL makes of it; whatever else is written is refused."""

import time
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sql_predicates import OWN, answers, leaves, people_now, rows, whole
from world import World

from models.errors import BadRuleText
from segmentation.catalogue import catalogue
from segmentation.evaluate import meets
from segmentation.expert.gate import MAX_CHARACTERS
from segmentation.expert.reading import NOTE_LIKE, read_predicate
from segmentation.language import read_rule

KNOWN = catalogue(OWN)
SEVERAL = settings(
    deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
OF_OUR_LIMITS = ("is never true", "nested deeper")
"""What the language does not take of SQL that is fine in itself."""


def leaf(f: str, op: str, *v: object) -> dict[str, Any]:
    return {"f": f, "op": op} | ({"v": v[0]} if v else {})


def read(sql: str) -> dict[str, Any]:
    return read_predicate(sql, KNOWN).when


def refusals(sql: str) -> list[tuple[str, str]]:
    """(piece, message) of everything that is refused."""
    with pytest.raises(BadRuleText) as caught:
        read(sql)
    bad = caught.value
    return [(place[2], message) for place, (_, message) in zip(bad.places, bad.problems, strict=True)]


def taken(sql: str) -> bool:
    """Whether it is taken; our own limits are the only reasons why not."""
    try:
        read(sql)
    except BadRuleText as bad:
        refused = bad.problems
    else:
        return True
    assert all(any(one in message for one in OF_OUR_LIMITS) for _, message in refused), (sql, refused)
    return False


@SEVERAL
@given(
    st.lists(st.one_of(leaves, whole(leaves)), min_size=8, max_size=20),  # more than that overruns too often
    st.lists(rows, min_size=6, max_size=12),
)
def test_a_predicate_means_what_postgresql_makes_of_it(
    world: World, predicates: list[str], people: list[dict[str, Any]]
) -> None:
    """Planted, each found: `<>` without not_empty, the opposite of `<` by `not`, `not in` true of NULL,
    `is not true` as is_false, `not ilike` true of NULL, `between`'s opposite with `all`, a literal on the
    left unturned."""
    predicates = [sql for sql in predicates if taken(sql)] or ["true"]
    with world.work() as work:
        now, people = people_now(work, people)
        by_sql = answers(work, predicates, people)
        work.session.rollback()
    trees = [read_rule(read(sql), KNOWN) for sql in predicates]
    for person, said in zip(people, by_sql, strict=True):
        for sql, tree, said_of_it in zip(predicates, trees, said, strict=True):
            row = {"fields": person, "last_call": person["last_call"], "zone": "Etc/UTC"}
            assert meets(tree, row, KNOWN, now) is said_of_it, (sql, person)


@pytest.mark.parametrize(
    ("sql", "tree"),
    [
        ("s <> 'x'", {"all": [leaf("s", "ne", "x"), leaf("s", "not_empty")]}),
        ("not (n < 5)", leaf("n", "ge", 5)),
        ("not s in ('a', 'b')", {"all": [leaf("s", "not_in", ["a", "b"]), leaf("s", "not_empty")]}),
        ("STATUS = 'sale' AND n >= 2", {"all": [leaf("status", "eq", "sale"), leaf("n", "ge", 2)]}),
        ("n = 1 and (n = 2 and b)", {"all": [leaf("n", "eq", 1), leaf("n", "eq", 2), leaf("b", "is_true")]}),
        ("s ilike '%x%'", leaf("s", "contains", "x")),
        ("s ilike 'x%'", leaf("s", "starts_with", "x")),
        ("s like 'x'", leaf("s", "eq", "x")),
        ("not b", leaf("b", "is_false")),
        ("b is not true", {"not": leaf("b", "is_true")}),
        ("n not between 1 and 3", {"any": [leaf("n", "lt", 1), leaf("n", "gt", 3)]}),
        ("not (n < 5 or b)", {"all": [leaf("n", "ge", 5), leaf("b", "is_false")]}),
        ("n is not null", leaf("n", "not_empty")),
        ("5 > n", leaf("n", "lt", 5)),
        ("-1 < n", leaf("n", "gt", -1)),
        ('"n" is null', leaf("n", "empty")),
        ("s = 'it''s'", leaf("s", "eq", "it's")),
        ("d < '2026-03-02'", leaf("d", "lt", "2026-03-02")),
        ("last_call < now() - interval '3 days'", leaf("last_call", "older_than", "3d")),
        ("now() > last_call", leaf("last_call", "older_than", "0d")),
        ("last_call >= current_timestamp - interval '36 hours'", {"all": [
            {"not": leaf("last_call", "older_than", "36h")}, leaf("last_call", "not_empty")]}),
        ("due < now() + interval '2' hour", {"any": [
            leaf("due", "older_than", "0d"), leaf("due", "due_within", "2h")]}),
        ("d <= current_date - 14", leaf("d", "older_than", "2w")),
        ("d < current_date - 14", leaf("d", "older_than", "15d")),
        ("last_call < '2026-03-02T12:00:00Z'", leaf("last_call", "before", "2026-03-02T12:00:00Z")),
        ("country in ('PT', 'NO')", leaf("country", "in", ["PT", "NO"])),
        ("true", {"all": []}),
    ],
)  # fmt: skip
def test_what_becomes_of_a_predicate(sql: str, tree: dict[str, Any]) -> None:
    assert read(sql) == tree


def test_like_is_taken_with_a_note() -> None:
    assert read_predicate("s like '%x'", KNOWN).notes == (NOTE_LIKE,)
    assert read_predicate("s ilike 'x%' and s like '%3%'", KNOWN).notes == ()


@pytest.mark.parametrize(
    ("sql", "piece", "message"),
    [
        ("pg_sleep(10)", "pg_sleep(10", "the function pg_sleep is not taken"),
        ("n = 1 and pg_sleep(10) is null", "pg_sleep(10", "the function pg_sleep is not taken"),
        ("lower(s) = 'x'", "lower(s", "the function lower is not taken"),
        ("n = (select 1)", "1", "a query within the predicate"),
        ("n in (select customer_id from placement)", "", "IN takes a list"),
        ("exists (select 1)", "1", "a query within the predicate"),
        ("n = 1 union select 1", "union", "no SQL predicate"),
        ("n = 1; drop table customer", ";", '";" is not taken'),
        ("n = 1;", ";", '";" is not taken'),
        ("n = 1 -- and n = 2", "-- and n = 2", "comments"),
        ("n = 1 /* x */ or true", "/* x */", "comments"),
        ("n::text = '1'", "n", "casts are not taken"),
        ("cast(n as text) = '1'", "n", "casts are not taken"),
        ("d < date '2026-03-02'", "'2026-03-02'", "casts are not taken"),
        ("n = n", "n", "two columns are not compared"),
        ("1 = 1", "1", "none stands here"),
        ("customer.n = 1", "customer.n", "without a table"),
        ("n = null", "n", "write IS NULL"),
        ("s = ''", "''", "write IS NULL"),
        ("n in (1, null)", "n in (1", "write IS NULL"),
        ("n is distinct from 1", "n is distinct from 1", "write = or <>"),
        ("s ~ '^(a+)+$'", "s ~ '^(a+)+$'", "patterns other than"),
        ("s like 'a%b'", "'a%b'", "at its ends only"),
        ("s like 'a_'", "'a_'", "no _"),
        ("s like '\\%a%'", "'\\%a%'", "no _ and no"),
        ("s like 'a!%' escape '!'", "s like 'a!%' escape '!'", "ESCAPE is not taken"),
        ("s ilike 'a'", "'a'", "write ="),
        ("n between symmetric 3 and 1", "n between symmetric 3 and 1", "BETWEEN is not taken"),
        ("n = :x", "n", "write the value itself"),
        ("n = %s", "n", ""),
        ("case when b then b end", "b then b", "CASE is not taken"),
        ("(n, s) = (1, 'a')", "n, s", "rows and arrays"),
        ("n + 1 = 2", "n + 1", "ADD is not taken"),
        ("n = 0.1234567890123456789", "0.1234567890123456789", "15 digits"),
        ("s = 'a' 'b'", "'a'", "concat"),
        ("s = U&'a'", "U&'a'", "is not taken"),
        ("select 1", "select", "no SQL predicate"),
        ("drop table customer", "drop", "no SQL predicate"),
        ("copy customer to program 'x'", "", "no SQL predicate"),
        ("n = 'x", "", "quote"),
        ("n =", "=", "no SQL predicate"),
        ("", "", "no predicate"),
        ("nn = 1", "nn", '"nn" is not a field'),
        ("n = 'three'", "'three'", 'n is a number; "three" is not'),
        ("n in (1, 'x')", "'x'", 'n is a number; "x" is not'),
        ("s < 'x'", "s < 'x'", '"<" does not go with s, a text'),
        ("status = 'buzy'", "'buzy'", 'did you mean "busy"?'),
        ("last_call < current_timestamp(3)", "current_timestamp", "the function current_timestamp"),
        ("last_call = now()", "now", "nothing is exactly now()"),
        ("last_call < now() - interval '1 month'", "", "whole number of minutes, hours, days or weeks"),
        ("last_call < now() - interval '1 day 2 hours'", "'1 day 2 hours'", "whole number of"),
        ("last_call < now() - 3", "3", "only an interval"),
        ("last_call < current_date", "last_call", "compare it with now()"),
        ("now() - last_call > interval '3 days'", "now() - last_call", "SUB is not taken"),
        ("d < current_date - interval '3 hours'", "d", "whole days"),
        ("tags = 'gold'", "tags", '"=" does not go with tags'),
        ("n < now()", "now", "n is no instant"),
        ("d < now()", "now", "compare it with current_date"),
    ],
)
def test_what_is_refused_says_why_and_where(sql: str, piece: str, message: str) -> None:
    found = refusals(sql)
    assert any(message in why and place.startswith(piece) for place, why in found), found


@pytest.mark.parametrize(
    ("within", "beyond", "message"),
    [
        ("b" + " " * (MAX_CHARACTERS - 1), "b" + " " * MAX_CHARACTERS, "10001 characters long"),
        ("(" * 30 + "b" + ")" * 30, "(" * 31 + "b" + ")" * 31, "more than 30 brackets"),
        (f"n in ({'1, ' * 997}1)", f"n in ({'1, ' * 998}1)", "has 2001 words and signs; at most 2000"),
    ],
)
def test_limits_of_a_predicate(within: str, beyond: str, message: str) -> None:
    assert read(within)
    ((_, why),) = refusals(beyond)
    assert message in why


def test_everything_refused_comes_at_once() -> None:
    assert [piece for piece, _ in refusals("lower(s) = 'x' and nn = 1\n or n::int = 2 and n = 'y'")] == [
        "lower(s", "nn", "n", "'y'",
    ]  # fmt: skip


_HOSTILE = (
    r"""
pg_sleep(10) ¦ (select 1) ¦ n::regclass ¦ ; drop table customer ¦ -- x ¦ /* x ¦ */ ¦ union all select ¦ array[
dblink('a','b',false) ¦ lo_import('/etc/passwd') ¦ case when ¦ }} ¦ row( ¦ $1 ¦ $$ ¦ :x ¦ %s ¦ E'\x00'
version() ¦ interval '1 ¦ over ( ¦ as n ¦ from customer ¦ where ¦ returning * ¦ collate ¦ at time zone ¦ any(
values (1) ¦ with x as ( ¦ do $$ begin ¦ ' ¦ " ¦ \ ¦ ` ¦ # ¦ grant ¦ vacuum ¦ set role ¦ explain ¦ begin ¦ ::
? ¦ && ¦ << ¦ ! ¦ ~ ¦ ^ ¦ @ ¦ is ¦ n ¦ s ¦ = ¦ 1 ¦ and ¦ or ¦ not ¦ ( ¦ ) ¦ , ¦ 'a' ¦ in ¦ between ¦ like
null ¦ now() ¦ - ¦ + ¦ * ¦ / ¦ [ ¦ { ¦ current_user ¦ exists( ¦ || ¦ @>
""".strip()
    .replace("\n", " ¦ ")
    .split(" ¦ ")
)


@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.sampled_from(_HOSTILE), min_size=1, max_size=15).map(" ".join))
def test_hostile_input_is_refused_or_asks_only_fields_and_operators_that_we_know(sql: str) -> None:
    """What is taken is a tree that the validator passed: nothing of the SQL itself is left in it."""
    begun = time.process_time()
    with suppress(BadRuleText):
        assert read_rule(read(sql), KNOWN)
    assert time.process_time() - begun < 1


@pytest.mark.parametrize(
    "sql",
    [
        "(" * 5000 + "n = 1" + ")" * 5000,
        "(" * 25 + "n = 1" + ")" * 31,
        "not " * 1900 + "b",
        "- " * 1900 + "1 = n",
        "case " * 1900,
        "n[" * 900,
        "n = 1 and " * 900 + "b",
        "n = 1 or not " * 600 + "b",
        "interval " * 1900,
        "n in (" + "1," * 900 + "1) or " * 2 + "x",
        "'" * 9_999,
        "/*" * 5000,
        "$" * 9_999,
        "n between " * 900,
        "cast(" * 900,
        "x" * (MAX_CHARACTERS + 1),
        "1e" + "9" * 9_000 + " = n",
        "9" * 9_000 + " = n",
    ],
    ids=lambda sql: sql[:12],
)
def test_the_largest_and_deepest_input_is_refused_quickly(sql: str) -> None:
    begun = time.process_time()
    assert refusals(sql)
    assert time.process_time() - begun < 2
