"""What becomes of a simulated call: the same for the same call, and in the shares that are written down."""

from collections import Counter
from pathlib import Path
from random import Random
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer_adapter.fate import (
    ANSWER_RATE,
    INVALID,
    LONGEST_TALK,
    OTHER_HOURS,
    OTHER_LANGUAGE,
    UNANSWERED,
    WANTS_NO_CALLS,
    fate,
)
from dialer_adapter.truth import read_truth
from models.errors import BadInput
from models.outcomes import EFFECTS, Outcome

CALLS = 2_500
seeds, hours = st.integers(0, 2**40), st.integers(0, 23)


def calls(seed: int, hour: int, *, buys: bool) -> Counter[Outcome]:
    dice = Random(seed)
    return Counter(
        fate(seed, UUID(int=dice.getrandbits(128)), f"customer {n}", hour, buys).result for n in range(CALLS)
    )


@given(seeds, st.uuids(), st.text(), hours, st.booleans())
def test_the_same_call_has_the_same_fate(seed: int, lease: UUID, ref: str, hour: int, buys: bool) -> None:
    its = fate(seed, lease, ref, hour, buys)
    assert its == fate(seed, lease, ref, hour, buys)
    assert its.reached == (EFFECTS[its.result].contact)
    assert its.rings == EFFECTS[its.result].rang
    assert (its.talk_seconds > 0) == its.reached
    assert 0 <= its.ring_seconds <= 35
    assert its.talk_seconds <= LONGEST_TALK
    assert its.result is not Outcome.SALE or buys


def test_a_fate_is_fixed_for_ever() -> None:
    """A simulation must give the same report on another machine and with another Python."""
    lease = UUID("019cae6b-6600-7651-8317-1ff4a6a3a450")
    told = [fate(seed, lease, "1042", 18, True) for seed in (1, 2, 3, 4)]
    assert [(its.result.value, its.ring_seconds, its.talk_seconds) for its in told] == [
        ("sale", 7, 467),
        ("no_answer", 30, 0),
        ("machine", 16, 0),
        ("machine", 14, 0),
    ]


@given(seeds, st.uuids(), st.uuids(), hours)
def test_a_number_that_does_not_exist_never_does(seed: int, one: UUID, other: UUID, hour: int) -> None:
    refs = [f"c{n}" for n in range(40)]
    wrong = [
        {r for r in refs if fate(seed, lease, r, hour, False).result == "invalid_number"}
        for lease in (one, other)
    ]
    assert wrong[0] == wrong[1]


@pytest.mark.parametrize("hour", [*range(7, 23)])
def test_people_answer_as_the_hour_says(hour: int) -> None:
    """Within five standard deviations of the rate, less the numbers that do not exist."""
    rate = ANSWER_RATE.get(hour, OTHER_HOURS) * (1 - INVALID)
    answered = sum(n for result, n in calls(11, hour, buys=hour % 2 == 0).items() if EFFECTS[result].contact)
    assert abs(answered / CALLS - rate) < 5 * (rate * (1 - rate) / CALLS) ** 0.5


def test_the_evening_is_best_and_the_morning_worst() -> None:
    open_hours = {hour: ANSWER_RATE[hour] for hour in range(9, 21)}
    ranked = sorted(open_hours, key=open_hours.__getitem__)
    assert set(ranked[:2]) == {9, 10}
    assert set(ranked[-3:]) == {17, 18, 19}


def test_the_rest_falls_out_as_written() -> None:
    found = calls(5, 12, buys=False)
    unanswered = sum(found[result] for result in UNANSWERED)
    for result, (share, *_) in UNANSWERED.items():
        assert abs(found[result] / unanswered - share) < 5 * (share * (1 - share) / unanswered) ** 0.5
    assert abs(found[Outcome.INVALID_NUMBER] / CALLS - INVALID) < 0.006
    reached = found[Outcome.NO_SALE] + found[Outcome.DO_NOT_CALL] + found[Outcome.LANGUAGE]
    assert 0 < found[Outcome.DO_NOT_CALL] / reached < 3 * WANTS_NO_CALLS
    assert 0 < found[Outcome.LANGUAGE] / reached < 4 * OTHER_LANGUAGE
    assert sum(share for share, *_ in UNANSWERED.values()) == pytest.approx(1)


def test_seeds_differ() -> None:
    lease = UUID(int=1)
    assert len({fate(seed, lease, "c", 18, True) for seed in range(50)}) > 10


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("t.csv", "external_id,y\n7,yes\n8,no\n"),
        ("t.csv", "\ufeffexternal_id;age;y\n7;30;YES\n8;31; no \n"),
        ("t.jsonl", '{"external_id": 7, "y": true}\n\n{"external_id": "8", "y": "n"}\n'),
    ],
)
def test_the_truth_is_read(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert read_truth(tmp_path / name) == {"7": True, "8": False}


def test_rows_may_name_the_customers(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("age,bought\n30,no\n31,yes\n")
    assert read_truth(tmp_path / "t.csv", "", "bought") == {"1": False, "2": True}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("external_id,Y\n7,yes\n", "no column 'y', did you mean 'Y'"),
        ("id,y\n7,yes\n", "no column 'external_id'"),
        ("external_id,y\n7,perhaps\n", "row 1: 'perhaps' is neither yes nor no"),
    ],
)
def test_a_truth_that_cannot_be_read_says_why(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(BadInput, match=message):
        read_truth(tmp_path / "t.csv")
