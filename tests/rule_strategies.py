"""Random rule sets and random customers for property tests; their values meet often."""

from typing import Any

from hypothesis import strategies as st

from segmentation.catalogue import OPERATORS, STATUSES, WITH_LIST, WITHOUT_VALUE, KnownField, catalogue

ODD_KEY = """o'clock" %(crm_id)s :now \\ {}--"""
OWN = {"age": "number", "job": "choice", "note": "text", "born": "date", "vip": "yes_no", ODD_KEY: "text"}
KNOWN = catalogue(OWN)

_CHARACTERS = st.characters(codec="utf-8", exclude_characters="\x00")
_WORDS = ("a", "A", "ab", "İ", "ß", "ẞ", "ΑΣ", "ας", "%", "a_b", "'", '"', "\\", "é", "e\u0301", "3", "true")
_DAYS = ("2026-03-02", "2026-03-03", "1999-12-31", "0001-01-01")
_NUMBERS = (0, 1, 2, 3, -1, 0.1, 2.5, 3.0, 1e-7, 10**15, -(10**15))

texts = st.one_of(st.sampled_from(_WORDS), st.text(_CHARACTERS, min_size=1, max_size=5))
days = st.sampled_from(_DAYS)
numbers = st.one_of(
    st.sampled_from(_NUMBERS),
    st.integers(-5, 5),
    st.floats(-(10**15), 10**15, allow_nan=False, allow_infinity=False),
)


def values_of(field: KnownField) -> st.SearchStrategy[Any]:
    """A value that a rule may compare `field` with, as JSON."""
    if field.choices:
        return st.sampled_from(field.choices)
    if field.type == "number":
        return st.integers(0, 9) if field.whole else numbers
    return days if field.type == "date" else texts


@st.composite
def leaves(draw: st.DrawFn) -> dict[str, Any]:
    """One question, right in every way."""
    field = KNOWN[draw(st.sampled_from(sorted(KNOWN)))]
    op = draw(st.sampled_from(OPERATORS[field.type]))
    leaf: dict[str, Any] = {"f": field.key, "op": op}
    if op in WITHOUT_VALUE:
        return leaf
    value = texts if op in ("contains", "starts_with") else values_of(field)
    if op == "between":
        low, high = draw(value), draw(value)
        return leaf | {"v": [low, high] if low <= high else [high, low]}
    return leaf | {"v": draw(st.lists(value, min_size=1, max_size=4) if op in WITH_LIST else value)}


trees: st.SearchStrategy[dict[str, Any]] = st.recursive(
    leaves(),
    lambda node: st.one_of(
        st.lists(node, max_size=3).map(lambda parts: {"all": parts}),
        st.lists(node, min_size=1, max_size=3).map(lambda parts: {"any": parts}),
        node.map(lambda part: {"not": part}),
    ),
    max_leaves=6,
).filter(lambda tree: depth(tree) <= 6)


def depth(tree: dict[str, Any]) -> int:
    """How deep a tree goes; a leaf alone is 1 deep."""
    parts = [tree["not"]] if "not" in tree else tree.get("all", tree.get("any", []))
    return 1 + max(map(depth, parts), default=0)


@st.composite
def rule_sets(draw: st.DrawFn, most: int = 4) -> dict[str, Any]:
    """A whole rule set."""
    return {
        "segments": [
            {"key": f"segment-{i}", "name": f"Segment {i}", "when": tree}
            for i, tree in enumerate(draw(st.lists(trees, max_size=most)))
        ]
    }


_anything = st.one_of(
    st.none(),
    st.booleans(),
    numbers,
    texts,
    days,
    st.just(""),
    st.just([]),
    st.just({"a": 1}),
    st.just("2026-3-2"),
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
        "place": st.one_of(st.none(), texts),
        "fields": st.fixed_dictionaries(
            {}, optional={key: st.one_of(_right[kind], _anything) for key, kind in OWN.items()}
        ),
    }
)
"""A customer in an assignment; own fields may be missing, null or of the wrong JSON type."""
