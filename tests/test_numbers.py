"""Numbers as people write them: E.164, zones and country exactly as phonenumbers says, or a reason."""

from random import Random
from typing import Any

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phonenumbers.timezone import UNKNOWN_TIMEZONE, time_zones_for_number
from phonenumbers.tzdata import TIMEZONE_DATA

from calling.hours.number_zones import presumed_place, zones_of
from calling.hours.zones import ALIASES, canonical, zone, zone_names
from calling.intake.numbers import Number, check_region, place_of, read_number, read_numbers
from models.errors import BadInput

REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)


def straight(text: str, region: str | None) -> Number | None:
    """What phonenumbers itself says, with our corrections, but for numbers longer than E.164 has them."""
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    zones = tuple(name for name in time_zones_for_number(number) if name != UNKNOWN_TIMEZONE)
    country = phonenumbers.region_code_for_number(number)
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    if len(e164) > 16:
        return None
    mobile = phonenumbers.number_type(number) == phonenumbers.PhoneNumberType.MOBILE
    return Number(
        e164, zones_of(e164, zones), presumed_place(e164, None if country == "001" else country),
        "mobile" if mobile else None,
    )  # fmt: skip


def agrees(text: str, region: str | None) -> None:
    """`read_number` and phonenumbers say the same."""
    read = read_number(text, region)
    assert (read if isinstance(read, Number) else None) == straight(text, region), (text, region, read)


def _digits(region: str, dice: Random) -> str:
    """Digits near the region's own plan: an example number with some of its digits thrown anew."""
    kind = dice.choice(list(range(11)))
    number = phonenumbers.example_number_for_type(region, kind) or phonenumbers.example_number(region)
    if number is None:
        return str(dice.randrange(10**8))
    text = list(phonenumbers.national_significant_number(number))
    for _ in range(dice.randrange(len(text))):
        text[dice.randrange(len(text))] = str(dice.randrange(10))
    how = dice.randrange(4)
    code = str(phonenumbers.country_code_for_region(region))
    return ["".join(text), f"+{code}{''.join(text)}", f"00{code}{''.join(text)}", f"0{''.join(text)}"][how]


@settings(max_examples=400, deadline=None)
@given(region=st.sampled_from(REGIONS), seed=st.integers(0, 2**32))
def test_a_number_is_what_phonenumbers_says(region: str, seed: int) -> None:
    """Planted and found: the geographical variant of the zones, which is sure where it should not be."""
    dice = Random(seed)
    for _ in range(20):
        agrees(_digits(region, dice), region)


def _written(region: str, dice: Random) -> list[str]:
    """Numbers that share all but their tail, in one of the ways people write them."""
    text = _digits(region, dice)
    cut = dice.randrange(len(text))
    text = text[:cut] + dice.choice(["", "", " ", "-", ".", "(", ") "]) + text[cut:]
    return [f"{text[:-3]}{tail:03}" for tail in dice.sample(range(1000), 12)]


@settings(max_examples=400, deadline=None)
@given(region=st.sampled_from(REGIONS), seed=st.integers(0, 2**32))
def test_what_is_remembered_is_what_phonenumbers_says(region: str, seed: int) -> None:
    """Planted and found: tails taken for free in plans whose patterns name their last digits."""
    dice = Random(seed)
    for _ in range(10):
        for text in _written(region, dice):
            agrees(text, region)


@pytest.mark.full
def test_what_is_remembered_everywhere() -> None:
    """The long form: every region, hundreds of heads each."""
    dice = Random(5)
    for region in REGIONS:
        for _ in range(400):
            for text in _written(region, dice):
                agrees(text, region)


@settings(max_examples=300, deadline=None)
@given(text=st.text("+0123456789 ()-x", max_size=25), region=st.sampled_from(REGIONS))
def test_noise_is_what_phonenumbers_says(text: str, region: str) -> None:
    agrees(text, region)


@pytest.mark.parametrize(
    ("text", "region", "e164"),
    [
        ("22 33 44 55", "NO", "+4722334455"),
        ("0047 22334455", "NO", "+4722334455"),
        ("(212) 555-0142", "US", "+12125550142"),
        ("22334455 ext. 12", "NO", "+4722334455"),  # the main number rings
        ("22334455,,12", "NO", "+4722334455"),
        ("tel:+47 22 33 44 55;ext=4", "NO", "+4722334455"),
        ("22334455.0", "NO", "+4722334455"),  # what Excel and pandas make of it
        ("030/1234567", "DE", "+49301234567"),  # the stroke is a part of the number
        ("１２-３４ ５６ ７８ ９", "PT", None),
        ("+351 912 345 678", "NO", "+351912345678"),
    ],
)
def test_one_number(text: str, region: str, e164: str | None) -> None:
    numbers, refused = read_numbers(text, region)
    assert [number.e164 for number in numbers] == ([e164] if e164 else [])
    assert bool(refused) == (e164 is None)


@pytest.mark.parametrize(
    ("cell", "region", "several"),
    [
        ("22334455; 22334456|22334457\n22334458", "NO", [f"+472233445{n}" for n in (5, 6, 7, 8)]),
        ("22334455 / 22334456", "NO", ["+4722334455", "+4722334456"]),
        ("22334455, +46 8 123 456 78", "NO", ["+4722334455", "+46812345678"]),
        ("030 1234567, 030 5678912", "DE", ["+49301234567", "+49305678912"]),
        ("0301234567/0305678912", "DE", ["+49301234567", "+49305678912"]),
        ("22334455; 22 33 44 55", "NO", ["+4722334455"]),  # each once
        (" ; ", "NO", []),
    ],
)  # fmt: skip
def test_several_numbers_in_a_cell(cell: str, region: str, several: list[str]) -> None:
    """Planted and found: every stroke a separator, which takes German numbers apart."""
    numbers, refused = read_numbers(cell, region)
    assert [number.e164 for number in numbers] == several
    assert not refused


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("123", "too short"),
        ("4722334455667788", "too long"),
        ("+999 1234567", "no country has this code"),
        ("ukjent", "not a telephone number"),
        ("4.79E+10", "rounded by a spreadsheet; format the column as text and export it again"),
        ("11 11 11 11", "not in use in the numbering plan of +47"),
    ],
)
def test_why_not(text: str, reason: str) -> None:
    assert read_numbers(text, "NO") == ([], [(text, reason)])


def test_one_bad_part_is_told_beside_the_good_one() -> None:
    numbers, refused = read_numbers("22334455/56", "NO")
    assert [number.e164 for number in numbers] == ["+4722334455"]
    assert refused == [("56", "too short")]


@pytest.mark.parametrize(
    ("e164", "zones", "country", "kind"),
    [
        # a mobile may be on the islands
        ("+351912345678", ("Atlantic/Azores", "Europe/Lisbon"), "PT", "mobile"),
        ("+351212345678", ("Europe/Lisbon",), "PT", None),  # at home, or at work
        ("+351295212345", ("Atlantic/Azores",), "PT", None),
        ("+351291212345", ("Europe/Lisbon",), "PT", None),
        ("+919876543210", ("Asia/Kolkata",), "IN", "mobile"),  # not the old Asia/Calcutta
        ("+12125550142", ("America/New_York",), "US-NY", None),  # may be a mobile, or not
        ("+80012345678", (), None, None),  # no country, no zone
    ],
)
def test_zones_and_country(e164: str, zones: tuple[str, ...], country: str | None, kind: str | None) -> None:
    assert read_number(e164, None) == Number(e164, zones, country, kind)
    assert place_of(e164) == country


def test_every_zone_that_can_come_back_is_todays_name() -> None:
    """An alias of a new release of phonenumbers is noticed here."""
    files = (zone("Europe/Oslo"), zone_names())  # the package is there
    assert files
    names = {name for zones in TIMEZONE_DATA.values() for name in canonical(zones)}
    table = __import__("importlib.resources", fromlist=["files"]).files("tzdata") / "zoneinfo" / "zone.tab"
    current = {line.split("\t")[2] for line in table.read_text().splitlines() if not line.startswith("#")}
    assert names <= current
    assert set(ALIASES) <= zone_names()


def test_a_region_is_a_country() -> None:
    assert check_region("no") == "NO"
    with pytest.raises(BadInput, match="two letters"):
        check_region("Norway")


def test_a_plan_is_asked_once_for_all_numbers_that_it_does_not_tell_apart(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Three thousand numbers that differ in their last digits are parsed a few times. Planted: no memory."""
    parsed: list[str] = []

    def counting(text: str, *rest: Any, **more: Any) -> Any:
        parsed.append(text)
        return phonenumbers.parse(text, *rest, **more)

    monkeypatch.setattr("calling.intake.numbers.parse", counting)
    for tail in range(3_000):
        read = read_number(f"+351961{tail:06}", "US")
        assert isinstance(read, Number)
        assert read.e164 == f"+351961{tail:06}"
    assert 0 < len(parsed) < 100
