"""By which of several zones a customer is reckoned: where most people live, as the file says and why."""

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

import phonenumbers
import pytest
from phonenumbers.tzdata import TIMEZONE_DATA
from sqlalchemy import text
from world import LISBON, World

from calling.customers.rezoning import rezone
from calling.hours import versions
from calling.hours.floor import zone_of
from calling.hours.main_zones import main_zone
from calling.hours.number_zones import zones_of
from calling.hours.whereabouts import RULE
from calling.hours.zones import zone
from calling.intake.numbers import Number, read_number

KINDS = (
    phonenumbers.PhoneNumberType.FIXED_LINE, phonenumbers.PhoneNumberType.MOBILE,
    phonenumbers.PhoneNumberType.TOLL_FREE, phonenumbers.PhoneNumberType.VOIP,
    phonenumbers.PhoneNumberType.SHARED_COST, phonenumbers.PhoneNumberType.PREMIUM_RATE,
    phonenumbers.PhoneNumberType.UAN, phonenumbers.PhoneNumberType.PERSONAL_NUMBER,
)  # fmt: skip


@cache
def rows() -> list[dict[str, Any]]:
    """The file, read once more: the longest prefix first."""
    laws = (files("calling") / "laws" / "main_zones.toml").read_text(encoding="utf-8")
    document = tomllib.loads(laws)
    assert all(row["source"] in document["sources"] and row["why"] for row in document["main"])
    return sorted(document["main"], key=lambda row: -len(row["prefix"]))


@cache
def everywhere() -> dict[str, tuple[str, ...]]:
    """A number, or the beginning of one, of every prefix that data know zones of -> several candidates."""
    found = {f"+{prefix}": zones_of(f"+{prefix}", tuple(zones)) for prefix, zones in TIMEZONE_DATA.items()}
    for region in phonenumbers.SUPPORTED_REGIONS:
        for kind in KINDS:
            example = phonenumbers.example_number_for_type(region, kind)
            e164 = example and phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
            read = read_number(e164, None) if e164 else None
            if isinstance(read, Number):
                found[read.e164] = read.zones
    return {number: zones for number, zones in found.items() if len(zones) > 1}


def by_the_file(number: str, zones: tuple[str, ...]) -> str | None:
    """Row by row; the zone of an area code alone stands before what holds for all of North America."""
    for row in rows():
        if row["prefix"] == "+1" and len(own := area_codes().get(number[1:5], {""})) == 1 and own <= {*zones}:
            return next(iter(own))
        if number.startswith(row["prefix"]):
            for name in row["zones"]:
                if name in zones:
                    return str(name)
    return None


@cache
def area_codes() -> dict[str, set[str]]:
    """The zones of all that the data list of a North American area code."""
    of: dict[str, set[str]] = {}
    for prefix, zones in TIMEZONE_DATA.items():
        if prefix.startswith("1") and len(prefix) > 3:
            of.setdefault(prefix[:4], set()).update(zones)
    return of


def test_whoever_may_be_in_several_zones_has_a_main_one_that_somebody_looked_up() -> None:
    """Every prefix of the data, and an example of every kind of number of every country.

    Planted: the shortest prefix first; area codes left out: each seen to fail. Who adds a country with two
    zones to the corrections hears of it here.
    """
    assert len(everywhere()) > 500
    wanted = {number: by_the_file(number, zones) for number, zones in everywhere().items()}
    assert [number for number, name in wanted.items() if name is None] == []
    assert {number: main_zone(number, zones) for number, zones in everywhere().items()} == wanted


def test_every_row_decides_something() -> None:
    """A row that no number asks has a mistyped prefix or zone."""
    asked = {(number, main_zone(number, zones)) for number, zones in everywhere().items()}
    idle = [
        row["prefix"] for row in rows()
        if not any(number.startswith(row["prefix"]) and name in row["zones"] for number, name in asked)
    ]  # fmt: skip
    assert idle == []


@pytest.mark.parametrize(
    ("number", "main"),
    [
        ("+79123456789", "Europe/Moscow"), ("+4741234567", "Europe/Oslo"),
        ("+61412345678", "Australia/Sydney"),
        ("+61731234567", "Australia/Brisbane"), ("+61863123456", "Australia/Perth"),
        ("+351912345678", LISBON), ("+447911123456", "Europe/London"), ("+77771234567", "Asia/Almaty"),
        ("+18505550100", "America/Chicago"), ("+18002345678", "America/New_York"),
        ("+12684641234", "America/Antigua"), ("+34612345678", "Europe/Madrid"),
        ("+61891641234", "Indian/Christmas"), ("+4915123456789", "Europe/Berlin"),
    ],
)  # fmt: skip
def test_eighteen_oclock_their_time_is_where_most_of_them_live(number: str, main: str) -> None:
    """By the alphabet these were Anadyr, Longyearbyen, Adelaide, the Azores, Guernsey."""
    read = read_number(number, None)
    assert isinstance(read, Number)
    assert main_zone(read.e164, read.zones) == main


def test_what_nobody_has_looked_up_is_by_the_alphabet() -> None:
    assert main_zone("+999", ("Asia/Tokyo", "Europe/Oslo")) == "Asia/Tokyo"
    assert main_zone("+351912345678", ("Asia/Tokyo", "Europe/Oslo")) == "Asia/Tokyo"
    assert main_zone("+351912345678", ()) is None


def test_an_installed_system_reckons_everybody_anew(world: World) -> None:
    """As the release before left it: by the alphabet. Planted: the file not in the hash; seen to fail."""
    world.customers(3, zones=["Atlantic/Azores", LISBON])
    rezone(world.opener())
    with world.work() as work:
        before = [
            (files("calling") / "laws" / f"{name}.toml").read_text("utf-8")
            for name in ("zones", "area_codes")
        ]
        work.run(text("update data_version set zones = :z"), z=versions._hash(*before, RULE))
        work.run(text("update customer set reckoning_zone = 'Atlantic/Azores'"))
    versions._known.clear()
    done = rezone(world.opener())
    assert done is not None
    assert done.customers == 3
    with world.work() as work:
        assert work.run(text("select distinct reckoning_zone from customer")).scalars().all() == [LISBON]


@pytest.mark.parametrize(
    ("region", "name"),
    [
        ("US", "America/New_York"), ("CA", "America/Toronto"), ("AU", "Australia/Sydney"),
        ("BR", "America/Sao_Paulo"), ("NO", "Europe/Oslo"), ("KZ", "Asia/Almaty"), ("XX", "UTC"),
        ("XK", "Europe/Berlin"),  # pytz knows no Kosovo; what its numbers say keeps the same time
    ],
)  # fmt: skip
def test_a_floor_reads_the_clock_where_most_of_its_country_lives(region: str, name: str) -> None:
    """Canada has no row of its own: it shares its prefix. Planted: the first of its zones; seen to fail."""
    assert zone_of(region) == zone(name)
