"""Random SQL predicates over a few columns, rows for them, and what PostgreSQL says of each."""

import json
import re
from datetime import datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from sqlalchemy import text

from models.work import Work

FROM_NOW = (-8, -3, -1, 0, 1, 3, 8)
"""Days from now that predicates and rows speak of."""

OWN = {"n": "number", "s": "text", "d": "date", "b": "yes_no"}

_NUMBERS = ("0", "1", "2", "-1", "2.5", "1e1", ".5")
_TEXTS = ("'a'", "'A'", "'ab'", "'it''s'", "'é'", "'%'", "'a_b'", "'b\\n'", "'2'")
_DAYS = ("'2026-03-02'", "'2026-03-03'", "'1999-12-31'")
_PATTERNS = ("'a%'", "'%a'", "'%a%'", "'%É%'", "'%'", "'%%'", "'%it''s'", "'%2%'")
_SIGNS = ("=", "<>", "!=", "<", "<=", ">", ">=")


def _ordered(column: str, literals: tuple[str, ...]) -> st.SearchStrategy[str]:
    one, sign = st.sampled_from(literals), st.sampled_from(_SIGNS)
    return st.one_of(
        st.builds(f"{column} {{}} {{}}".format, sign, one),
        st.builds(f"{{}} {{}} {column}".format, one, sign),
        st.builds(f"{column} {{}}between {{}} and {{}}".format, st.sampled_from(("", "not ")), one, one),
        _listed(column, one),
    )


def _listed(column: str, one: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    several = st.lists(one, min_size=1, max_size=3).map(", ".join)
    return st.builds(f"{column} {{}}in ({{}})".format, st.sampled_from(("", "not ")), several)


_texts = st.sampled_from(_TEXTS)
_text_questions = st.one_of(
    st.builds("s {} {}".format, st.sampled_from(("=", "<>", "!=")), _texts),
    st.builds("s {}ilike {}".format, st.sampled_from(("", "not ")), st.sampled_from(_PATTERNS)),
    st.builds("s {}like {}".format, st.sampled_from(("", "not ")), st.sampled_from(("'a'", "'%2%'", "'%'"))),
    _listed("s", _texts),
)
_yes_no = st.sampled_from(
    ("b", "b = true", "b <> false", "true = b", "b is true", "b is not true", "b is false", "b is not false")
)
_null = st.builds("{} is {}null".format, st.sampled_from((*OWN, "last_call")), st.sampled_from(("", "not ")))


def _moments(start: str) -> tuple[str, ...]:
    lengths = ("1 day", "3 days", "1 week", "8 days")
    return (start, *(f"{start} {sign} interval '{length}'" for sign in "+-" for length in lengths))


_of_instants = (
    "last_call",
    (*_moments("now()"), *_moments("current_timestamp"), "now() + interval '90 minutes'"),
)
_of_days = ("d", (*_moments("current_date"), "current_date - 3", "current_date + 1"))

leaves = st.one_of(
    _ordered("n", _NUMBERS),
    _ordered("d", _DAYS),
    _ordered(*_of_days).filter(lambda sql: "in (" not in sql),
    _ordered(*_of_instants).filter(lambda sql: not re.search(r" (in|=|<>|!=) |^.* (=|<>|!=) ", sql)),
    _text_questions,
    _yes_no,
    _null,
    st.sampled_from(("true", "false")),
)


def whole(questions: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Predicates made of these questions, bracketed or not as PostgreSQL's own precedence has it."""
    return st.recursive(
        questions,
        lambda part: st.one_of(
            st.builds("{} and {}".format, part, part),
            st.builds("{} or {}".format, part, part),
            st.builds("({} or {}) and not {}".format, part, part, part),
            part.map("not {}".format),
            part.map("not ({})".format),
            part.map("({})".format),
        ),
        max_leaves=5,
    )


rows = st.fixed_dictionaries(
    {
        "n": st.one_of(st.none(), st.sampled_from((0, 1, 2, 3, -1, 2.5, 10, 0.5))),
        "s": st.one_of(
            st.none(), st.just(""), st.sampled_from(("a", "A", "ab", "ba", "it's", "É", "é2", "%", "b\\n"))
        ),
        "d": st.sampled_from((None, "2026-03-01", "2026-03-02", "2026-03-03", "1999-12-31", *FROM_NOW)),
        "last_call": st.sampled_from((None, *FROM_NOW)),
        "b": st.one_of(st.none(), st.booleans()),
    }
)


def people_now(work: Work, given: list[dict[str, Any]]) -> tuple[datetime, list[dict[str, Any]]]:
    """PostgreSQL's now() in this transaction, and the rows with the days and instants that theirs become.

    Instants lie a second off the days: whether the very instant counts is not told apart.
    """
    work.run(text("set local timezone = 'UTC'"))
    now: datetime = work.run(text("select now()")).scalar_one()
    return now, [
        {**row, "d": _day(row["d"], now), "last_call": _instant(row["last_call"], now)} for row in given
    ]


def answers(work: Work, predicates: list[str], people: list[dict[str, Any]]) -> list[tuple[bool, ...]]:
    """For each row, whether PostgreSQL's own WHERE would let it through, predicate by predicate.

    An empty text counts as no value here as everywhere in rules.
    """
    work.run(
        text("""
            create temp table asked on commit drop as
            select i, n, nullif(s, '') as s, d, b, last_call
              from jsonb_to_recordset(cast(:rows as jsonb))
                   as t(i int, n numeric, s text, d date, b boolean, last_call timestamptz)
        """),
        rows=json.dumps([row | {"i": i} for i, row in enumerate(people)], default=str),
    )
    columns = ", ".join(f"({predicate}) is true" for predicate in predicates)
    statement = f"select {columns} from asked order by i".replace("%", "%%")  # the driver's own sign
    return [tuple(row) for row in work.session.connection().exec_driver_sql(statement)]


def _day(given: str | int | None, now: datetime) -> str | None:
    return (now + timedelta(days=given)).date().isoformat() if isinstance(given, int) else given


def _instant(given: int | None, now: datetime) -> datetime | None:
    return None if given is None else now + timedelta(days=given, seconds=1)
