"""A field's values: what the one checker lets through is what every reader of the type takes for a value."""

import json
import unicodedata
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from world import NOON

from calling.catalogue.checking import REQUIRED, Checker
from calling.catalogue.field import Field
from calling.catalogue.keys import KEY, LONGEST, RESERVED, key_of, problem_of
from calling.catalogue.values import MOST, TYPES, infer, read_json, read_text
from models.tags import read_tag
from segmentation.catalogue import KnownField
from segmentation.evaluate import value_of

of_any_type = st.sampled_from(TYPES)
json_values = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(),
        st.dates().map(date.isoformat), st.sampled_from(["2026-02-30", "01.02.2026", "1,234", "0150", " x "]),
    ),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=3,
)  # fmt: skip
cells = st.one_of(
    st.text(), st.integers().map(str), st.floats().map(str), st.dates().map(date.isoformat),
    st.sampled_from(["yes", "NEI", "1", "0", "3,5", "1,234", "31.12.2025", "31.02.2025", "0150", "٣"]),
)  # fmt: skip


def as_rules_see_it(kind: str, kept: object) -> Any:
    """The value of a field as rules read it out of what is stored; None: missing, or of the wrong type."""
    row = {"fields": {"x": json.loads(json.dumps(kept))}}
    return value_of(KnownField("x", kind), row, NOON)


def refusal(read: Callable[..., object], *given_values: Any) -> str | None:
    """What a reader says is wrong; None: nothing."""
    try:
        read(*given_values)
    except ValueError as error:
        return str(error)
    return None


@settings(max_examples=500)
@given(of_any_type, json_values)
@example("number", True)
@example("date", "01.02.2026")
def test_what_is_kept_of_json_is_a_value_of_its_type(kind: str, given_value: Any) -> None:
    """Planted: true kept as a number, a date in its German spelling kept as written; each seen to fail."""
    with suppress(ValueError):
        kept = read_json(kind, given_value)
        assert kept is None or as_rules_see_it(kind, kept) is not None
        assert read_json(kind, kept) == kept


@settings(max_examples=500)
@given(of_any_type, json_values)
def test_what_is_refused_of_json_was_no_value_of_its_type(kind: str, given_value: Any) -> None:
    """Or one that is out of bounds; never one that rules would have read."""
    why = refusal(read_json, kind, given_value)
    if why and not any(word in why for word in ("too large", "longer", "cannot be kept")):
        assert as_rules_see_it(kind, given_value) is None


@given(of_any_type, cells)
def test_what_is_kept_of_a_cell_is_a_value_of_its_type(kind: str, cell: str) -> None:
    check = Checker(Field("x", kind, "X"))
    with suppress(ValueError):
        kept = check.of_text(cell)
        assert as_rules_see_it(kind, kept) is not None if cell.strip() else kept is None
        assert check.of_json(kept) == kept


@given(st.lists(cells.filter(str.strip).map(str.strip), min_size=1, max_size=8))
def test_the_type_that_is_told_by_cells_reads_all_of_them(some: list[str]) -> None:
    kind = infer(some)
    for cell in some:
        if len(cell) <= 100 and "\x00" not in cell and not any("\ud800" <= c <= "\udfff" for c in cell):
            read_text(kind, cell)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("number", True), ("number", "5"), ("number", float("nan")), ("number", float("inf")),
        ("number", MOST * 10), ("yes_no", 1), ("yes_no", "yes"), ("date", 20260302), ("date", "2026-02-30"),
        ("text", 5), ("text", ["a"]), ("text", {"a": 1}), ("text", "a\x00"), ("text", "\ud800"),
        ("choice", True), ("text", "x" * 2_001), ("number", 10**400),
    ],
)  # fmt: skip
def test_json_of_another_type_is_refused(kind: str, value: Any) -> None:
    with pytest.raises(ValueError, match=r"takes|is |holds"):
        read_json(kind, value)


def test_a_number_of_many_digits_is_refused_in_words() -> None:
    """Python refuses to read so many; what it says of itself helps nobody."""
    for text in ("9" * 5_000, "9" * 101, "1" * 400 + ".5"):
        with pytest.raises(ValueError, match="number") as refused:
            read_text("number", text)
        assert "limit" not in str(refused.value)


# --- demands --------------------------------------------------------------------------------------


def test_a_required_field_takes_no_empty_value() -> None:
    check = Checker(Field("x", "text", "X", required=True))
    for take in (check.of_text, check.of_json):
        for empty in ("", "  "):
            with pytest.raises(ValueError, match=REQUIRED):
                take(empty)
    with pytest.raises(ValueError, match=REQUIRED):
        check.of_json(None)
    assert Checker(Field("x", "text", "X")).of_json(None) is None


def test_a_pattern_has_to_match_whole() -> None:
    check = Checker(Field("x", "text", "X", pattern=r"[A-Z]{2}\d{4}"))
    assert check.of_text(" AB1234 ") == "AB1234"
    for wrong in ("AB12345", "xAB1234", "ab1234", "AB123٣"):
        with pytest.raises(ValueError, match=r"does not match the pattern \[A-Z\]"):
            check.of_json(wrong)


def test_a_choice_is_kept_as_it_was_declared_and_a_wrong_one_gets_a_hint() -> None:
    colours = ("Red", "light blue", "Grün")
    check = Checker(Field("x", "choice", "X", choices=colours))
    assert [check.of_text(text) for text in ("red", " LIGHT BLUE", "GRÜN")] == ["Red", "light blue", "Grün"]
    assert check.of_json("rED") == "Red"
    with pytest.raises(ValueError, match='none of the choices - did you mean "light blue"'):
        check.of_text("lite blue")
    with pytest.raises(ValueError, match="it is one of Red, light blue, Grün"):
        check.of_text("4711")
    many = Checker(Field("x", "choice", "X", choices=tuple(f"c{i}" for i in range(13))))
    with pytest.raises(ValueError, match="c9 and 3 more"):
        many.of_text("?")
    assert Checker(Field("x", "choice", "X")).of_text("anything") == "anything"


def test_a_unique_text_fits_an_index() -> None:
    check = Checker(Field("x", "text", "X", unique=True))
    assert check.of_text("x" * 200)
    with pytest.raises(ValueError, match="200 characters"):
        check.of_text("x" * 201)


# --- keys and tags --------------------------------------------------------------------------------


@given(st.text(max_size=80))
@example("a" * 59 + " b")
@example("1" + "a" * 54 + " bc")
def test_every_header_comes_to_a_key_that_may_be_used(header: str) -> None:
    """Planted: cut off after "own_" was put before it, so that it ended in "_"; seen to fail."""
    key = key_of(header)
    assert KEY.fullmatch(key)
    assert len(key) <= LONGEST
    assert problem_of(key) is None
    assert problem_of(header) is None or header != key


@pytest.mark.parametrize("key", sorted(RESERVED))
def test_what_is_reserved_has_another_key(key: str) -> None:
    assert key_of(key) == f"own_{key}"


@given(st.text(max_size=70))
def test_a_tag_is_read_once_and_for_all(text: str) -> None:
    with suppress(ValueError):
        tag = read_tag(text)
        assert read_tag(tag) == tag == read_tag(f" {tag} ")
        assert not set(tag) & set(' ,;|/"\n\t{}')


@pytest.mark.parametrize(
    ("text", "tag"), [("VIP", "vip"), (" Ærlig ", "ærlig"), ("2026", "2026"), ("a.b-c_d", "a.b-c_d")]
)
def test_capitals_of_tags_become_small(text: str, tag: str) -> None:
    assert read_tag(text) == tag


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "is empty"), ("gold customer", 'write "gold-customer"'), ("a,b", 'write "a-b"'),
        ("-x", 'write "x"'), ("x" * 51, "at most 50"), ("💥", "is no tag"), ("a/b", 'write "a-b"'),
    ],
)  # fmt: skip
def test_what_is_no_tag_is_told_what_to_write(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        read_tag(text)


@given(st.text(alphabet="e\u0301éE", min_size=1, max_size=4))
def test_one_tag_however_its_accents_are_coded(text: str) -> None:
    one, other = (unicodedata.normalize(form, text) for form in ("NFC", "NFD"))
    assert refusal(read_tag, one) == refusal(read_tag, other)
    if refusal(read_tag, one) is None:
        assert read_tag(one) == read_tag(other)
