"""Bars with names, filters as JSON spells them, and rare values that are found by a piece of their text."""

import json
from collections import Counter
from datetime import date
from random import Random
from typing import Any

import pytest
from facet_scene import FacetScene, meets, random_filters, values_of
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from world import NOON, World

from calling.views.bar_names import BarNames
from calling.views.bars import bars, in_words, read_selection, search_bars
from models.errors import BadInput, NotFound
from segmentation.catalogue import BUILT_IN, KnownField
from segmentation.facets import EMPTY, Others, Range
from segmentation.facets.dimensions import ATTEMPTS, LABELS, SEGMENT, STATE, TAGS, Dimension, Frame
from segmentation.facets.learn import learn
from segmentation.facets.spelling import read_filters, spelled_filters

FRAME = Frame(
    (
        Dimension("segment", "listed", SEGMENT, (1, 2), grows=True),
        Dimension("state", "listed", STATE, ("ready", "closed")),
        Dimension("status", "listed", BUILT_IN["status"], ("new", "sale", "lost")),
        Dimension("attempts", "ranges", ATTEMPTS, bounds=(1, 2)),
        Dimension("labels", "many", LABELS, (7,), grows=True),
        Dimension("tags", "many", TAGS, ("vip",)),
        Dimension("loan", "yes_no", KnownField("loan", "yes_no")),
        Dimension("age", "ranges", KnownField("age", "number"), bounds=(20, 40)),
        Dimension("since", "ranges", KnownField("since", "date"), bounds=(date(2026, 1, 1),)),
        Dimension("job", "listed", KnownField("job", "text"), ("a", "b")),
    ),
    (), 10, NOON,
)  # fmt: skip
IDS = {"segment": {"old": 2}, "labels": {"gold": 7}}

numbers = st.one_of(
    st.integers(-(10**9), 10**9), st.floats(-1e6, 1e6).map(lambda n: int(n) if n == int(n) else n)
)
words = st.text("abÅ'\"%\\{}😀 :", min_size=1, max_size=12)


def ranges(ends: Any) -> Any:
    both = st.lists(ends, min_size=2, max_size=2, unique=True).map(lambda two: Range(*sorted(two)))
    return both | ends.map(lambda end: Range(None, end)) | ends.map(lambda end: Range(end, None))


VALUES = {
    "segment": st.sampled_from([1, 2]),
    "state": st.sampled_from(["ready", "closed"]),
    "status": st.sampled_from(["new", "sale", "lost"]),
    "attempts": st.integers(0, 300) | ranges(st.integers(0, 300)),
    "labels": st.just(7),
    "tags": words | st.lists(words, max_size=3).map(lambda known: Others(tuple(known))),
    "loan": st.booleans(),
    "age": numbers | ranges(numbers),
    "since": st.dates() | ranges(st.dates()),
    "job": words | st.lists(words, max_size=3).map(lambda known: Others(tuple(known))),
}


def unlike(values: list[Any]) -> list[Any]:
    """Each once: true is not 1 here, but no dimension has both."""
    return [one for i, one in enumerate(values) if one not in values[:i]]


filters_of = st.fixed_dictionaries(
    {}, optional={key: st.lists(one | st.just(EMPTY), max_size=4).map(unlike) for key, one in VALUES.items()}
)


@given(filters_of)
def test_what_is_spelled_is_read_back(filters: dict[str, list[Any]]) -> None:
    """Planted: days spelled as text and read as text; seen to fail."""
    assert read_filters(json.loads(json.dumps(spelled_filters(filters))), FRAME, IDS) == filters


def test_every_problem_is_told_with_its_path_and_what_was_meant() -> None:
    wrong: dict[str, Any] = {
        "jobb": ["a"], "age": ["old", {"from": 40, "to": 20}, {"from": True}, {"form": 1}],
        "state": ["redy"], "segment": ["olt", 9, True], "loan": ["yes"],
        "attempts": [1.5, {"other_than": [1]}],
        "since": ["2026-02-30"], "job": ["", "x" * 300, None, "nul\x00", "half \ud800"], "status": "new",
        "labels": ["silver"], "tags": [{"empty": False}],
    }  # fmt: skip
    with pytest.raises(BadInput) as refused:
        read_filters(wrong, FRAME, IDS)
    told = {one["path"]: one["message"] for one in refused.value.data["problems"]}
    assert set(told) == {
        "filters.jobb", *(f"filters.age[{i}]" for i in range(4)), "filters.state[0]",
        *(f"filters.segment[{i}]" for i in range(3)), "filters.loan[0]", "filters.attempts[0]",
        "filters.attempts[1]", "filters.since[0]", *(f"filters.job[{i}]" for i in range(5)),
        "filters.status", "filters.labels[0]", "filters.tags[0]",
    }  # fmt: skip
    assert 'did you mean "job"?' in told["filters.jobb"]
    assert 'did you mean "ready"?' in told["filters.state[0]"]
    assert 'did you mean "old"?' in told["filters.segment[0]"]
    assert "no day" in told["filters.since[0]"]
    with pytest.raises(BadInput, match="an object of dimensions"):
        read_filters(["job"], FRAME, IDS)


def test_ids_are_written_as_keys_as_well() -> None:
    read = read_filters({"segment": ["old", 1, 2], "labels": ["gold"]}, FRAME, IDS)
    assert read == {"segment": [2, 1], "labels": [7]}


@pytest.mark.parametrize(
    ("key", "value", "name"),
    [
        ("age", Range(20, 40), "20 to 40"), ("age", Range(None, 20), "below 20"),
        ("age", Range(12_000, None), "12\u202f000 and more"), ("age", Range(-5, 0), "\u22125 to 0"),
        ("age", EMPTY, "No value"), ("attempts", 3, "3"), ("loan", True, "Yes"), ("loan", False, "No"),
        ("status", "no_answer", "No answer"), ("job", "blue-collar", "blue-collar"),
        ("job", Others(("a",)), "Others"), ("tags", EMPTY, "No tag"),
        ("since", Range(date(2026, 3, 1), date(2026, 4, 1)), "Mar 2026"),
        ("since", Range(date(2025, 1, 1), date(2026, 1, 1)), "2025"),
        ("since", Range(date(2020, 1, 1), date(2025, 1, 1)), "2020 to 2024"),
        ("since", Range(date(2026, 3, 2), date(2026, 3, 9)), "2 Mar 2026 to 8 Mar 2026"),
        ("since", Range(None, date(2026, 3, 2)), "before 2 Mar 2026"),
        ("since", Range(date(2026, 3, 2), None), "2 Mar 2026 and later"),
    ],
)  # fmt: skip
def test_bars_have_names_that_people_read(world: World, key: str, value: Any, name: str) -> None:
    with world.work() as work:
        names = BarNames(work, world.assignment())
    one = FRAME.dimension(key)
    assert one is not None
    assert names.value(one, value) == name


@pytest.fixture
def scene(world: World) -> FacetScene:
    return FacetScene(world, customers=60, seed=3)


def test_all_dimensions_are_named_and_in_order(world: World, scene: FacetScene) -> None:
    with world.work() as work:
        work.run(
            text("update segment set retired_at = :now, name = 'Bygone' where id = :s"), s=scene.segments[2]
        )
        filters = read_selection(work, scene.assignment, {"state": ["ready"], "job": ["retired"]})
        found = bars(work, scene.assignment, filters)
    assert [one.name for one in found.dimensions][:8] == [
        "Segment", "Status", "State", "Attempts", "Last outcome", "Has telephone", "Has e-mail", "Place",
    ]  # fmt: skip
    state, job = found.dimension("state"), found.dimension("job")
    assert state is not None
    assert job is not None
    assert [bar.name for bar in state.bars if bar.chosen] == ["Ready"]
    (ready,) = (bar for bar in state.bars if bar.chosen)
    assert (ready.selected, found.total) == (found.total, found.total)
    assert [bar.name for bar in job.bars][-1] == "No value"
    rows = [row for row in scene.rows() if row["state"] == "ready" and row["fields"].get("job") == "retired"]
    assert (found.total, found.of) == (len(rows), len(scene.rows()))
    segment = found.dimension("segment")
    assert segment is not None
    assert "Bygone (deleted)" in [bar.name for bar in segment.bars]
    assert segment.bars[-1].name == "Unsegmented"


def test_few_bars_are_the_most_frequent_and_those_that_filter(world: World, scene: FacetScene) -> None:
    with world.work() as work:
        rare = min((bar for bar in full(work, scene, "age").bars if bar.total), key=lambda bar: bar.total)
        found = bars(work, scene.assignment, {"age": [rare.value]}, most=2).dimension("age")
    assert found is not None
    assert len(found.bars) in (2, 3)
    assert rare.value in [bar.value for bar in found.bars]
    assert found.more > 0


def full(work: Any, scene: FacetScene, key: str) -> Any:
    return bars(work, scene.assignment, {}).dimension(key)


def test_a_value_without_a_bar_that_filters_is_a_bar_with_its_counts(world: World, scene: FacetScene) -> None:
    """Planted: shown as nobody; seen to fail."""
    with world.work() as work:
        bars(work, scene.assignment, {})  # chosen before there is such a value
        work.run(
            text('update customer set fields = \'{"note": "once"}\' where id = :c'), c=scene.customers[0]
        )
        work.run(
            text("update placement set state = 'ready', gone_at = null where customer_id = :c"),
            c=scene.customers[0],
        )
        found = bars(work, scene.assignment, {"note": ["once"], "state": ["closed"]}).dimension("note")
    assert found is not None
    assert [(bar.selected, bar.total) for bar in found.bars if bar.chosen] == [(0, 1)]


@pytest.mark.parametrize("key", ["job", "note", "tags", "zone", "state", "segment"])
def test_values_are_found_by_a_piece_of_their_text(world: World, scene: FacetScene, key: str) -> None:
    """As a naive count has it, under the filters of every other dimension."""
    dice = Random(key)
    with world.work() as work:
        frame = learn(work, scene.assignment)
    one = frame.dimension(key)
    assert one is not None
    for piece in ("", "E", "ir", "%", "\\", "'", "{}"):
        filters = random_filters(frame, dice)
        with world.work() as work:
            found = search_bars(work, scene.assignment, key, filters, piece)
            names = BarNames(work, scene.assignment)
        chosen: Counter[Any] = Counter()
        every: Counter[Any] = Counter()
        for row in scene.rows():
            has = {dim.key: values_of(dim, row) for dim in frame.dimensions}
            for value in has[key]:
                name = str(value) if key in ("job", "note", "tags", "zone") else names.value(one, value)
                if value != EMPTY and not isinstance(value, Others) and piece.casefold() in name.casefold():
                    every[value] += 1
                    others = (meets(has, k, wanted) for k, wanted in filters.items() if k != key)
                    chosen[value] += all(others)
        counted = {bar.value: (bar.selected, bar.total) for bar in found if bar.total}
        assert counted == {value: (chosen[value], every[value]) for value in every}, (piece, filters)


def test_a_selection_in_words(world: World, scene: FacetScene) -> None:
    with world.work() as work:
        said = in_words(work, scene.assignment, {"job": ["retired", EMPTY], "age": [Range(20, 40)]})
        assert said == "job: retired, No value; age: 20 to 40"
        with pytest.raises(NotFound):
            search_bars(work, scene.assignment, "shoe size", {}, "4")
