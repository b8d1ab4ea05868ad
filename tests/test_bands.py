"""Bands are sound: everybody falls in just one, whatever their values; limits are round; people read them."""

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from rule_strategies import KNOWN, NOWS, OWN, customers, row_of, texts
from test_rules_sql import FASTER, fill
from world import World

from models.errors import BadInput
from segmentation.catalogue import KnownField
from segmentation.evaluate import meets
from segmentation.language import read_rule, read_rules
from segmentation.nodes import dump, dump_node, leaves
from segmentation.templates import bands
from segmentation.templates.bands import AGE, INCOME, PLACE, SIZE, Piece, free_keys, slug
from segmentation.templates.catalogue import templates
from segmentation.templates.choices import read_choices
from segmentation.templates.counting import counts
from segmentation.templates.roles import Named, suggested, words
from segmentation.templates.rounding import ascending, roundest
from segmentation.templates.values import Values
from segmentation.text.reading import read_rule_text
from segmentation.text.writing import write_rule

AGED, BORN, JOB = KNOWN["age"], KNOWN["born"], KNOWN["job"]
SLUG = re.compile(r"[a-z0-9]+([_-][a-z0-9]+)*")
TODAY = date(2026, 3, 2)
UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

_numbers = st.one_of(st.sampled_from([0, 1, 2, 3, -1, 0.1, 2.5, 10**15]), st.integers(-(10**15), 10**15))
limits = st.lists(_numbers, min_size=1, max_size=6, unique=True).map(sorted)
years = st.lists(st.integers(1, 99), min_size=1, max_size=8, unique=True).map(sorted)


@st.composite
def groups(draw: st.DrawFn) -> list[list[str]]:
    """Values in groups, none twice."""
    readable = texts.filter(lambda text: text.isprintable() and text.strip() != "")
    values = draw(st.lists(readable, min_size=1, max_size=6, unique=True))
    cuts = sorted({*draw(st.lists(st.integers(1, len(values)), max_size=3)), 0, len(values)})
    return [values[low:high] for low, high in pairwise(cuts)]


cut = st.one_of(
    st.builds(bands.of_number, st.just(AGED), limits, st.sampled_from([AGE, INCOME, SIZE])),
    st.builds(bands.of_birth, st.just(BORN), years, st.just(AGE)),
    st.builds(bands.of_values, st.sampled_from([JOB, KNOWN["place"]]), groups(), st.just(PLACE),
              st.just("Others")),
)  # fmt: skip


# Soundness


@UNHURRIED
@given(cut, st.lists(customers, min_size=1, max_size=10), st.sampled_from(NOWS))
def test_everybody_falls_in_just_one_band(
    pieces: list[Piece], people: list[dict[str, Any]], now: datetime
) -> None:
    """Missing values, wrong types, zones that nobody knows, any instant, and whoever stands on a limit.

    Planted: limits in both bands; `other` without those who have a value; the youngest without `not empty`.
    """
    trees = {piece.key: read_rule(piece.when, KNOWN) for piece in free_keys(pieces, set())}
    edges = {leaf.value for tree in trees.values() for leaf in leaves(tree) if leaf.field == "age"}
    people += [{**people[0], "fields": {"age": edge}} for edge in edges]
    for row in map(row_of, people):
        here = [key for key, tree in trees.items() if meets(tree, row, KNOWN, now)]
        assert len(here) == 1, (here, row)


@FASTER
@given(cut, st.lists(customers, min_size=10, max_size=20), st.sampled_from(NOWS))
def test_the_counts_add_up_and_are_those_of_the_rules(
    world: World, pieces: list[Piece], people: list[dict[str, Any]], now: datetime
) -> None:
    """As PostgreSQL counts, beside the plain evaluator."""
    trees = [read_rule(piece.when, KNOWN) for piece in pieces]
    assignment = world.assignment()
    with world.work(now) as work:
        rows = fill(work, world, assignment, people)
        total, found = counts(work, assignment, trees, KNOWN)
        work.session.rollback()
    assert (sum(found), total) == (len(people), len(people))
    assert found == [sum(meets(tree, row, KNOWN, now) for row in rows) for tree in trees]


@UNHURRIED
@given(cut)
def test_bands_are_published_as_they_are_and_people_can_read_them(pieces: list[Piece]) -> None:
    """Canonical from the start, or a template applied twice would not know its own; text and back."""
    freed = list(free_keys(pieces, set()))
    named = [{"key": one.key, "name": one.name, "when": one.when} for one in freed]
    assert dump(read_rules({"segments": named, "labels": named}, OWN))["segments"] == named
    for piece in pieces:
        written = write_rule(read_rule(piece.when, KNOWN))
        assert dump_node(read_rule(read_rule_text(written, KNOWN), KNOWN)) == piece.when
        assert not re.search(r"older than \d+ weeks", written)


@UNHURRIED
@given(
    st.one_of(cut, st.lists(st.sampled_from(["a", "a-2", "b"]).map(lambda key: Piece(key, key, {})))),
    st.sets(st.sampled_from(["age-unknown", "place-other", "age-under-18", "place-a", "a", "a-3"])),
)
def test_keys_never_collide_and_can_be_keys(pieces: list[Piece], taken: set[str]) -> None:
    """Planted: looked for only once; the third of a name got the key of the second."""
    keys = [piece.key for piece in free_keys(pieces, taken)]
    assert len(set(keys)) == len(keys)
    assert taken.isdisjoint(keys)
    assert all(SLUG.fullmatch(key) and len(key) <= 60 for key in keys)


@pytest.mark.parametrize("year", range(1, 100))
def test_an_age_by_the_date_of_birth_comes_with_the_birthday_and_never_before(year: int) -> None:
    """Two days late at the most, born in any of four years. Planted: days rounded down; 17 were of age."""
    adult = read_rule(bands.of_birth(BORN, [year], AGE)[1].when, KNOWN)
    for born in (date(1900, 3, 1), date(1903, 6, 30), date(1904, 2, 28), date(1905, 12, 31)):
        row = {"zone": "Etc/UTC", "fields": {"born": born.isoformat()}}
        birthday = datetime(born.year + year, born.month, born.day, 12, tzinfo=UTC)
        assert not meets(adult, row, KNOWN, birthday - timedelta(days=1))
        assert meets(adult, row, KNOWN, birthday + timedelta(days=2))


def test_how_bands_are_called() -> None:
    def named(pieces: list[Piece]) -> list[tuple[str, str]]:
        return [(piece.key, piece.name) for piece in pieces]

    assert named(bands.of_number(AGED, [18, 25], AGE)) == [
        ("age-under-18", "Age under 18"), ("age-18-24", "Age 18 to 24"), ("age-25-up", "Age 25 and over"),
        ("age-unknown", "Age unknown"),
    ]  # fmt: skip
    assert named(bands.of_number(AGED, [-2.5, 200_000], INCOME))[:3] == [
        ("income-under-minus-2-5", "Income under -2.5"),
        ("income-minus-2-5-200000", "Income -2.5 to under 200,000"),
        ("income-200000-up", "Income from 200,000"),
    ]
    assert named(bands.of_number(AGED, [1, 2], SIZE))[1] == ("size-1-1", "1 employees")
    places = [["Ål i Hallingdal"], ["東京"], ["Oslo", "OSLO"]]
    assert named(bands.of_values(JOB, places, PLACE, "Others")) == [
        ("place-al-i-hallingdal", "Ål i Hallingdal"), ("place-value", "東京"), ("place-oslo", "Oslo"),
        ("place-other", "Others"), ("place-unknown", "Place unknown"),
    ]  # fmt: skip
    assert slug("Łódź, Østfold & ß") == "lodz-ostfold-ss"


# Round limits


@pytest.mark.parametrize(
    ("low", "high", "round_"),
    [
        ("183", "221", 200), ("1480", "1590", 1500), ("238000", "262000", 250_000), ("7", "7", 7),
        ("-3", "4", 0), ("0.013", "0.017", 0.015), ("1234.5", "1234.5", 1234.5), ("-221", "-183", -200),
        ("11", "13", 12), ("96", "104", 100), ("41", "44", 42), ("30", "31", 30),
    ],
)  # fmt: skip
def test_the_number_that_people_would_say(low: str, high: str, round_: float) -> None:
    assert roundest(Decimal(low), Decimal(high)) == round_


@given(st.decimals(-(10**12), 10**12, places=2), st.decimals(0, 10**9, places=2))
def test_a_round_number_lies_in_its_range(low: Decimal, width: Decimal) -> None:
    found = Decimal(str(roundest(low, low + width)))
    assert low <= found <= low + width


@given(
    st.lists(st.tuples(st.integers(0, 900), st.integers(0, 100)), max_size=6).map(sorted), st.integers(0, 300)
)
def test_limits_go_up_and_leave_nobody_below_the_first_out(
    ranges: list[tuple[int, int]], lowest: int
) -> None:
    found = ascending([(Decimal(low), Decimal(low + width)) for low, width in ranges], Decimal(lowest))
    assert found == sorted(set(found))
    assert all(limit > lowest for limit in found)


# Which field it is


def field(key: str, type_: str = "number", label: str = "") -> Named:
    return Named(KnownField(key, type_), label or key)


AGES = Values(100, 60, Decimal(18), Decimal(41), Decimal(77), whole=True)
MONEY = Values(100, 90, Decimal(150_000), Decimal(420_000), Decimal(900_000), whole=True)
STAFF = Values(100, 40, Decimal(1), Decimal(12), Decimal(400), whole=True)
BIRTHS = Values(100, 90, date(1948, 1, 1), date(1980, 1, 1), date(2004, 1, 1))
VISITS = Values(100, 90, date(2025, 1, 1), date(2025, 6, 1), date(2026, 2, 1))
TO_COME = Values(100, 9, date(2026, 4, 1), date(2027, 1, 1), date(2030, 1, 1))
TOWNS = Values(100, 12)
NOTES = Values(100, 99)
NONE = Values()


@pytest.mark.parametrize(
    ("role", "one", "values"),
    [
        ("age", field("age"), AGES), ("age", field("Alder"), AGES), ("age", field("wiek_klienta"), AGES),
        ("age", field("f7", label="Customer age"), AGES), ("age", field("kundealder"), AGES),
        ("age", field("birth_date", "date"), BIRTHS), ("age", field("fødselsdato", "date"), BIRTHS),
        ("age", field("FodtDato", "date"), BIRTHS), ("age", field("data_urodzenia", "date"), BIRTHS),
        ("age", field("age_group", "choice"), TOWNS),
        ("birth", field("bursdag", "date"), BIRTHS), ("birth", field("dob", "date"), BIRTHS),
        ("income", field("annual_income"), MONEY), ("income", field("årslønn"), MONEY),
        ("income", field("bruttoinntekt"), MONEY), ("income", field("dochód"), MONEY),
        ("income", field("x", label="Miesięczne wynagrodzenie"), MONEY),
        ("size", field("employees"), STAFF), ("size", field("antall_ansatte"), STAFF),
        ("size", field("Liczba pracowników"), STAFF), ("size", field("companySize", "choice"), TOWNS),
        ("place", field("city", "text"), TOWNS), ("place", field("poststed", "text"), TOWNS),
        ("place", field("By", "text"), TOWNS), ("place", field("województwo", "choice"), TOWNS),
        ("place", field("miejscowość", "text"), TOWNS), ("place", field("hjemkommune", "text"), TOWNS),
        ("turnover", field("turnover"), MONEY), ("turnover", field("Omsetning 2025"), MONEY),
        ("turnover", field("roczny_obrót"), MONEY), ("turnover", field("przychody"), MONEY),
    ],
    ids=lambda one: one.field.key if isinstance(one, Named) else "",
)  # fmt: skip
def test_a_field_is_known_by_its_name_in_three_languages(role: Any, one: Named, values: Values) -> None:
    types = ("number", "date", "choice", "text")
    (found,) = suggested(role, types, [one], {one.field.key: values}, TODAY)
    assert (found.field, found.sure) == (one.field.key, True)


@pytest.mark.parametrize(
    ("role", "one", "values"),
    [
        ("age", field("message"), AGES), ("age", field("kalender_uke"), AGES),
        ("age", field("storage"), AGES),
        ("age", field("average"), MONEY), ("age", field("age"), MONEY),  # nobody is 420,000 years old
        ("age", field("birth_date", "date"), TO_COME),
        ("age", field("last_visit", "date"), VISITS), ("birth", field("last_visit", "date"), VISITS),
        ("place", field("paid_by", "text"), TOWNS), ("place", field("state_of_payment", "text"), TOWNS),
        ("place", field("real_estate", "text"), TOWNS), ("place", field("city", "text"), NOTES),
        ("size", field("employees"), Values(100, 90, Decimal("0.1"), Decimal("0.5"), Decimal("0.9"))),
        ("income", field("income"), Values(100, 2, Decimal(-9), Decimal(-5), Decimal(0), whole=True)),
        ("turnover", field("turnover_date", "date"), VISITS), ("income", field("pay_day"), AGES),
    ],
    ids=lambda one: one.field.key if isinstance(one, Named) else "",
)  # fmt: skip
def test_a_field_that_only_sounds_like_it_is_not_suggested(role: Any, one: Named, values: Values) -> None:
    """Planted: names looked for anywhere in a word; values not looked at."""
    types = {"turnover": ("number",), "income": ("number",)}.get(role, ("number", "date", "choice", "text"))
    said = suggested(role, types, [one], {one.field.key: values}, TODAY)
    assert [found for found in said if found.sure or "name" in found.why] == []


def test_values_alone_may_give_it_away_and_come_last() -> None:
    fields = [field("f1"), field("f2", "date"), field("alder"), field("amount")]
    values = {"f1": AGES, "f2": BIRTHS, "alder": AGES, "amount": MONEY}
    found = suggested("age", ("number", "date"), fields, values, TODAY)
    assert [(one.field, one.sure) for one in found] == [("alder", True), ("f1", False), ("f2", False)]
    assert "values look like" in found[1].why


def test_a_field_that_nobody_has_filled_yet_is_named_and_not_sure() -> None:
    (found,) = suggested("age", ("number",), [field("age")], {"age": NONE}, TODAY)
    assert (found.sure, found.why) == (False, "its name says that it is the age; nobody has a value yet")


def test_names_are_taken_apart() -> None:
    assert words("FødselsDato_2") == ["fodsels", "dato", "2"]
    assert words("Łączny obrót (zł)") == ["laczny", "obrot", "zl"]


# What a template is told


FIELDS = {one.field.key: one for one in (field("age"), field("born", "date"), field("city", "text"))}


@pytest.mark.parametrize(
    ("key", "given", "said"),
    [
        ("age", {"feld": "age"}, 'did you mean "field"'),
        ("age", {"field": "agee"}, 'did you mean "age"'),
        ("income", {"field": "born"}, "of type date: give one of number, choice, text"),
        ("age", {"limits": [18, 18]}, "has to go up"),
        ("age", {"limits": []}, "1 to 49 numbers"),
        ("age", {"limits": [18, float("nan")]}, "a number to"),
        ("age", {"limits": [True]}, "a number to"),
        ("income", {"bands": 1}, "from 2 to 20"),
        ("income", {"bands": 2.5}, "a whole number"),
        ("place", {"values": [["Oslo"], ["Oslo"]]}, "names a value twice"),
        ("place", {"values": ["Oslo", ""]}, "each value is a text"),
        ("place", {"values": ["a\x00b"]}, "each value is a text"),
        ("place", {"values": [[]]}, "each value is a text"),
        ("automatic-statuses", {"tries": 0}, "from 1 to 255"),
    ],
    ids=str,
)
def test_what_is_wrong_is_said(key: str, given: dict[str, Any], said: str) -> None:
    with pytest.raises(BadInput, match=re.escape(said)):
        read_choices(templates()[key], given, FIELDS)


def test_everything_wrong_is_said_at_once() -> None:
    with pytest.raises(BadInput) as refused:
        read_choices(templates()["age"], {"field": "x", "limits": "18", "lmits": 3}, FIELDS)
    paths = [one["path"] for one in refused.value.data["problems"]]
    assert paths == ["parameters.field", "parameters.limits", "parameters.lmits"]


@given(limits)
def test_limits_are_taken_as_they_are(given_limits: list[float]) -> None:
    assume(len(given_limits) > 0)
    assert read_choices(templates()["age"], {"limits": given_limits}, FIELDS)["limits"] == tuple(given_limits)
