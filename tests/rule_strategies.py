"""Random rule sets and random customers for property tests; their values meet often."""

from collections.abc import Collection
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from segmentation.calendar import WEEKDAYS, WORDS
from segmentation.catalogue import (
    OPERATORS,
    PART_OF_TEXT,
    REFERENCES,
    STATUSES,
    WITH_DURATION,
    WITH_LIST,
    WITHOUT_VALUE,
    KnownField,
    catalogue,
)
from segmentation.nodes import instant_text

ODD_KEY = """o'clock" %(crm_id)s :now \\ {}--"""
OWN = {"age": "number", "job": "choice", "note": "text", "born": "date", "vip": "yes_no", ODD_KEY: "text"}
KNOWN = catalogue(OWN)

NOWS = (
    datetime(2026, 3, 2, 12, tzinfo=UTC),
    datetime(2026, 3, 29, 0, 59, 59, 999_999, tzinfo=UTC),  # a second later Europe's clocks go forward
    datetime(2026, 10, 25, 1, 0, tzinfo=UTC),  # they went back
    datetime(2027, 2, 28, 23, 30, tzinfo=UTC),  # the last of February, in a common year and in UTC
    datetime(2028, 2, 29, 10, 0, tzinfo=UTC),
    datetime(2026, 12, 31, 11, 0, tzinfo=UTC),  # 2027 has begun on Kiritimati
)
"""Instants at which rules are asked."""

ZONES = (
    "Europe/Lisbon", "Atlantic/Azores", "Europe/Oslo", "Etc/UTC", "America/New_York", "Asia/Kolkata",
    "Asia/Calcutta", "Pacific/Kiritimati", "Pacific/Pago_Pago", "America/Santiago", "Australia/Lord_Howe",
    "Nowhere/Land",
)  # fmt: skip
TAGS = ("vip", "lead", "o'clock", "ærlig, {ja}")
_SECOND = timedelta(seconds=1)

_CHARACTERS = st.characters(codec="utf-8", exclude_characters="\x00")
_WORDS = ("a", "A", "ab", "İ", "ß", "ẞ", "ΑΣ", "ας", "%", "a_b", "'", '"', "\\", "é", "e\u0301", "3", "true")
_DAYS = (
    "2026-03-01", "2026-03-02", "2026-03-03", "1999-12-31", "0001-01-01", "2024-02-29", "2025-02-28",
    "1988-03-01", "2027-01-01", "2026-12-31",
)  # fmt: skip
_NUMBERS = (0, 1, 2, 3, -1, 0.1, 2.5, 3.0, 1e-7, 10**15, -(10**15))
_LENGTHS = ("0d", "30m", "1h", "12h", "1d", "2d", "3d", "1w", "31d", "365d")
_DAY_LENGTHS = ("0d", "1d", "2d", "3d", "1w", "31d", "364d")

texts = st.one_of(st.sampled_from(_WORDS), st.text(_CHARACTERS, min_size=1, max_size=5))
days = st.one_of(st.sampled_from(_DAYS), st.dates(date(2025, 12, 1), date(2028, 4, 1)).map(date.isoformat))
numbers = st.one_of(
    st.sampled_from(_NUMBERS),
    st.integers(-5, 5),
    st.floats(-(10**15), 10**15, allow_nan=False, allow_infinity=False),
)
instants = st.one_of(
    # On an edge as often as not: exactly a length, or whole hours, from an instant at which rules are asked.
    st.builds(
        lambda now, length, hair: now + length + hair,
        st.sampled_from(NOWS),
        st.sampled_from([0, 1 / 48, 1 / 24, 1 / 2, 1, 2, 3, 7, 31, 365]).flatmap(
            lambda length: st.sampled_from([timedelta(days=length), timedelta(days=-length)])
        ),
        st.sampled_from([0 * _SECOND, _SECOND, -_SECOND, timedelta(microseconds=1)]),
    ),
    st.builds(
        lambda now, hours: now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=hours),
        st.sampled_from(NOWS),
        st.integers(-48, 48),
    ),
    st.datetimes(datetime(2002, 1, 1), datetime(2048, 1, 1)).map(lambda one: one.replace(tzinfo=UTC)),  # noqa: DTZ001 - until the next word
)


def values_of(field: KnownField) -> st.SearchStrategy[Any]:
    """A value that a rule may compare `field` with, as JSON."""
    if field.choices:
        return st.sampled_from(field.choices)
    match field.key, field.type:
        case "zone", _:
            return st.sampled_from(ZONES)
        case "local_offset", _:
            return st.sampled_from([-11, -3, -1, 0, 1, 2, 5.5, 10.5, 14])
        case "country", _:
            return st.sampled_from(["PT", "US", "a"])
        case _, "number":
            return st.integers(0, 9) if field.whole else numbers
        case _, "instant":
            return instants.map(instant_text)
        case _, "tags":
            return st.sampled_from(TAGS)
    return days if field.type == "date" else texts


def _lengths(field: KnownField, op: str) -> st.SearchStrategy[str]:
    lengths = st.sampled_from(_DAY_LENGTHS if field.type == "date" else _LENGTHS)
    needs_some = op == "within_last" or (op == "due_within" and field.type == "instant")
    return lengths.filter(lambda length: not (needs_some and length == "0d"))


@st.composite
def leaves(draw: st.DrawFn, keys: Collection[str] = ()) -> dict[str, Any]:
    """One question of a field, of one of `keys` if there are any; right in every way."""
    field = KNOWN[draw(st.sampled_from(sorted(keys or KNOWN.keys() - REFERENCES)))]
    op = draw(st.sampled_from(OPERATORS[field.type]))
    leaf: dict[str, Any] = {"f": field.key, "op": op}
    if op in WITHOUT_VALUE:
        return leaf
    return leaf | {"v": draw(_beside(field, op))}


def _beside(field: KnownField, op: str) -> st.SearchStrategy[Any]:
    if op in WITH_DURATION:
        return _lengths(field, op)
    if op == "on":
        return st.sampled_from(WORDS)
    if op == "weekday_in":
        return st.lists(st.sampled_from(WEEKDAYS), min_size=1, max_size=3)
    if op == "count_ge":
        return st.integers(1, 3)
    value = texts if op in PART_OF_TEXT else values_of(field)
    if op == "between":
        return st.tuples(value, value).map(lambda pair: sorted(pair, key=_order))
    return st.lists(value, min_size=1, max_size=4) if op in WITH_LIST else value


def _order(value: Any) -> Any:
    is_instant = isinstance(value, str) and "T" in value
    return datetime.fromisoformat(value) if is_instant else value


def trees_of(some_leaves: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """Trees over such leaves, at most 6 deep."""
    return st.recursive(
        some_leaves,
        lambda node: st.one_of(
            st.lists(node, max_size=3).map(lambda parts: {"all": parts}),
            st.lists(node, min_size=1, max_size=3).map(lambda parts: {"any": parts}),
            node.map(lambda part: {"not": part}),
        ),
        max_leaves=6,
    ).filter(lambda tree: depth(tree) <= 6)


trees = trees_of(leaves())


def depth(tree: dict[str, Any]) -> int:
    """How deep a tree goes; a leaf alone is 1 deep."""
    parts = [tree["not"]] if "not" in tree else tree.get("all", tree.get("any", []))
    return 1 + max(map(depth, parts), default=0)


def _references(segments: int, labels: int) -> st.SearchStrategy[dict[str, Any]]:
    """A question of one of the first so many segments or labels: those before never make a circle."""
    named = [("in_segment", "segment", op) for op in OPERATORS["segments"] if segments]
    named += [("label", "label", op) for op in OPERATORS["labels"] if labels]
    most = {"in_segment": segments, "label": labels}
    return st.sampled_from(named).flatmap(
        lambda one: st.lists(st.integers(0, most[one[0]] - 1), min_size=1, max_size=2).map(
            lambda numbers: {"f": one[0], "op": one[2], "v": [f"{one[1]}-{i}" for i in numbers]}
        )
    )


@st.composite
def rule_sets(
    draw: st.DrawFn, most: int = 4, some: st.SearchStrategy[dict[str, Any]] | None = None
) -> dict[str, Any]:
    """A whole rule set over `some` leaves, with rules that name others."""
    plain = leaves() if some is None else some
    labels: list[dict[str, Any]] = []
    for i in range(draw(st.integers(0, 2))):
        asked = st.one_of(plain, _references(0, i)) if i else plain
        labels.append({"key": f"label-{i}", "name": f"Label {i}", "when": draw(trees_of(asked))})
    segments: list[dict[str, Any]] = []
    for i in range(draw(st.integers(0, most))):
        asked = st.one_of(plain, _references(i, len(labels))) if i or labels else plain
        segments.append({"key": f"segment-{i}", "name": f"Segment {i}", "when": draw(trees_of(asked))})
    return {"segments": segments, "labels": labels}


_anything = st.one_of(
    st.none(),
    st.booleans(),
    numbers,
    texts,
    days,
    st.just(""),
    st.just([]),
    st.just({"a": 1}),
    st.sampled_from(["2026-3-2", "2026-02-29", "2026-13-01", "0000-01-01", "1900-02-29", "2000-02-29"]),
)
_right: dict[str, st.SearchStrategy[Any]] = {
    "number": st.one_of(numbers, st.integers(-(10**20), 10**20)),
    "choice": texts,
    "text": texts,
    "date": days,
    "yes_no": st.booleans(),
}

customers = st.fixed_dictionaries(
    {
        "status": st.sampled_from(STATUSES),
        "attempts": st.integers(0, 9),
        "last_outcome": st.one_of(st.none(), st.sampled_from(STATUSES[1:])),
        "name": st.one_of(st.just(""), texts),
        "email": st.one_of(st.none(), st.just(""), texts),
        "place": st.one_of(st.none(), texts, st.sampled_from(["PT", "US-FL", "-", ""])),
        "state": st.sampled_from(["ready", "resting", "follow_up", "closed"]),
        "due_at": instants,
        "last_call": st.one_of(st.none(), instants),
        "entered": instants,
        "customer_since": instants,
        "zone": st.sampled_from(ZONES),
        "places": st.sampled_from([(), ("PT",), ("US-FL",)]),
        "numbers": st.lists(st.sampled_from(["good", "unverified", "disconnected"]), max_size=2),
        "tags": st.lists(st.sampled_from(TAGS), max_size=3, unique=True),
        "fields": st.fixed_dictionaries(
            {}, optional={key: st.one_of(_right[kind], _anything) for key, kind in OWN.items()}
        ),
    }
)
"""A customer in an assignment; own fields may be missing, null or of the wrong JSON type."""


def row_of(person: dict[str, Any], external_id: str = "1") -> dict[str, Any]:
    """What the evaluator takes: the facts of such a customer as values of the built-in fields."""
    place = person["place"] or (person["places"] or [None])[0]
    return {
        **person,
        "external_id": external_id,
        "due": person["due_at"] if person["state"] in ("resting", "follow_up") else None,
        "last_seller": None,  # nobody has called: of whoever was, tests/test_last_seller.py
        "has_email": bool(person["email"]),
        "has_phone": any(state in ("good", "unverified") for state in person["numbers"]),
        "country": None if place is None else place.split("-")[0],
    }
