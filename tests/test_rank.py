"""The rank: the same number in SQL and in Python, and the order that a manager asked for."""

import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text
from world import World

from calling.handout.rank import LARGEST, MISSING, SMALLEST, rank, rank_sql

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
EDGES = [sign * n for n in (0.0, 1.0, 1e-40, SMALLEST, LARGEST, 1e300, 2.0**24 + 1) for sign in (1, -1)]
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
values = st.sampled_from(EDGES) | FLOATS | st.integers(-(10**9), 10**9)
cases = st.tuples(
    st.integers(-1, 300),
    st.none() | values,
    st.none() | st.datetimes(datetime(2019, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.booleans(),
)

QUERY = text(
    f"""
    select {rank_sql()} from unnest(
        cast(:fields as jsonb[]), cast(:attempts as smallint[]), cast(:at as timestamptz[]),
        cast(:down as bool[])
    ) with ordinality as t(fields, attempts, last_attempt_at, down, place)
    cross join lateral (select 'f'::text as order_field, t.down as order_descending) a
    cross join lateral (select t.fields) c
    cross join lateral (select t.attempts, t.last_attempt_at) p
    order by t.place
    """
)


def in_sql(engine: Engine, rows: list[tuple[int, object, datetime | None, bool]]) -> list[int]:
    """The ranks as PostgreSQL works them out."""
    with engine.begin() as connection:
        return list(
            connection.execute(
                QUERY,
                {
                    "fields": [json.dumps({} if v is None else {"f": v}) for _, v, _, _ in rows],
                    "attempts": [attempts for attempts, _, _, _ in rows],
                    "at": [at for _, _, at, _ in rows],
                    "down": [down for _, _, _, down in rows],
                },
            ).scalars()
        )


def test_sql_and_python_give_the_same_rank(engine: Engine) -> None:
    """Planted and found: minutes rounded instead of cut; a negative number's bits not flipped."""

    @settings(max_examples=60, deadline=None)
    @given(st.lists(cases, min_size=1, max_size=60))
    def check(rows: list[tuple[int, float | None, datetime | None, bool]]) -> None:
        expected = [rank(attempts, v, at, descending=down) for attempts, v, at, down in rows]
        assert in_sql(engine, list(rows)) == expected

    check()


def test_what_is_no_number_comes_last(engine: Engine) -> None:
    rows = [(0, value, None, False) for value in ("12", True, [1], 12)]
    ranks = in_sql(engine, rows)  # type: ignore[arg-type]
    assert ranks[:3] == [rank(0, None, None)] * 3
    assert ranks[3] < ranks[0]


@settings(max_examples=300, deadline=None)
@given(values, values)
def test_a_larger_value_never_comes_before_a_smaller_one(one: float, two: float) -> None:
    low, high = sorted((one, two))
    assert rank(0, low, None) <= rank(0, high, None)
    assert rank(0, low, None, descending=True) >= rank(0, high, None, descending=True)


def test_values_that_people_use_are_told_apart() -> None:
    """Amounts to the euro, probabilities to four digits."""
    for scale in (range(-10_000, 200_000), [n / 10_000 for n in range(10_000)]):
        assert all(rank(0, a, None) < rank(0, b, None) for a, b in pairwise(scale))


def test_the_order() -> None:
    """Fewer attempts, then the field, then the longest rest; a missing value last in both directions."""
    hour = timedelta(hours=1)
    order = [
        rank(0, 1, NOON - hour), rank(0, 1, NOON), rank(0, 2, NOON - hour), rank(0, None, None),
        rank(1, 1, NOON - hour), rank(255, None, NOON), rank(255, None, NOON + 10**6 * hour),
    ]  # fmt: skip
    assert order == sorted(order)
    down = [rank(0, value, None, descending=True) for value in (2, 1, None)]
    assert down == sorted(down)
    assert all(0 <= one < 1 << 60 for one in order)


def test_no_value_is_taken_for_a_missing_one() -> None:
    for value in (LARGEST, -LARGEST, 1e308, -1e308):
        for descending in (False, True):
            assert rank(0, value, None, descending=descending) >> 25 < MISSING


def test_the_fragment_stands_on_other_aliases(world: World) -> None:
    """An outcome ranks with what it is about to write."""
    sql = rank_sql("w.attempts", "w.at")
    assert "p.attempts" not in sql
    assert sql.count("w.attempts") == 1
