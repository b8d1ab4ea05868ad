"""Where a number may be: our corrections, all zones of an area code, the state that it presumes."""

import re
import tomllib
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from random import Random
from typing import Any

import phonenumbers
import pytest
from phonenumbers import SUPPORTED_REGIONS
from phonenumbers.tzdata import TIMEZONE_DATA

from calling.catalogue.person import read_place
from calling.catalogue.states import COUNTRIES, _states
from calling.hours.clocks import Clock
from calling.hours.number_zones import corrections, presumed_place, zones_of, zones_of_place
from calling.hours.places import exists, subdivisions, today
from calling.hours.timetable import timetable
from calling.hours.whereabouts import whereabouts
from calling.hours.zones import canonical, zone, zone_names
from calling.intake.numbers import Number, read_number

WEEKS = [datetime(2026, 1, 1, 12, tzinfo=UTC) + timedelta(days=7 * week) for week in range(104)]
FEDERAL = {day: [["08:00", "21:00"]] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}
# Area codes whose exchanges are not all of one time (anchored by count: a new release may add to them).
MIXED = [
    "208", "219", "250", "270", "308", "418", "423", "541", "574", "605", "606", "620", "701", "709", "775",
    "785", "807", "812", "850", "867", "879", "906", "907", "928", "986",
]  # fmt: skip
# Time that no law keeps: Urumqi's is a habit, Eyre Bird Observatory keeps Tokyo's, +380 reaches no Crimea.
NOT_KEPT = {"CN": {"Asia/Urumqi"}, "AU": {"Asia/Tokyo"}, "UA": {"Europe/Simferopol"}}


@cache
def behaviour(name: str) -> tuple[timedelta | None, ...]:
    """How a zone stands to UTC through two years: what makes it another than its neighbour."""
    return tuple(week.astimezone(zone(name)).utcoffset() for week in WEEKS)


def behaviours(names: Iterable[str]) -> set[tuple[timedelta | None, ...]]:
    return {behaviour(name) for name in names}


def listed(code: str) -> set[str]:
    """The zones of all exchanges of an area code that the library has heard of."""
    mine = (names for prefix, names in TIMEZONE_DATA.items() if prefix.startswith(f"1{code}"))
    return {name for names in mine for name in canonical(names)}


def laws(name: str) -> dict[str, Any]:
    return tomllib.loads((files("calling") / "laws" / name).read_text(encoding="utf-8"))


def read(e164: str) -> Number:
    number = read_number(e164, None)
    assert isinstance(number, Number), number
    return number


@pytest.mark.parametrize(
    ("e164", "needed"),
    [
        ("+61732100000", {"Australia/Brisbane", "Australia/Sydney"}),  # Queensland: Sydney alone before
        ("+61889410000", {"Australia/Darwin"}),
        ("+628123456789", {"Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura"}),
        ("+14235550123", {"America/New_York", "America/Chicago"}),  # Chattanooga: Chicago alone before
        ("+18505550123", {"America/New_York", "America/Chicago"}),
        ("+12705550123", {"America/New_York", "America/Chicago"}),
        ("+212522123456", {"Africa/Casablanca"}),
        ("+970599123456", {"Asia/Gaza", "Asia/Hebron"}),
        ("+77012345678", {"Asia/Almaty", "Asia/Aqtobe"}),
        ("+79161234567", {"Europe/Kaliningrad", "Europe/Moscow", "Asia/Kamchatka"}),
        ("+213551234567", {"Africa/Algiers"}),
        ("+211912345678", {"Africa/Juba"}),
        ("+50581234567", {"America/Managua"}),
        ("+56221234567", {"America/Santiago", "Pacific/Easter"}),
    ],
)
def test_the_zones_that_the_library_leaves_out_are_candidates(e164: str, needed: set[str]) -> None:
    assert needed <= set(read(e164).zones)


@pytest.mark.parametrize(
    ("e164", "wrong"),
    [
        ("+212522123456", "Atlantic/Canary"),
        ("+970599123456", "Europe/Bucharest"),
        ("+79161234567", "Europe/Bucharest"),
        ("+77012345678", "Europe/Moscow"),
        ("+213551234567", "Europe/Paris"),
    ],
)
def test_stand_ins_of_other_countries_are_no_candidates(e164: str, wrong: str) -> None:
    assert wrong not in read(e164).zones


def test_every_country_is_covered_by_the_zones_of_its_numbers() -> None:
    """tzdata's table of countries against everything that numbers of a country may answer.

    Planted: the corrections of Libya and of Chile taken out, one by one; seen to fail.
    """
    of_country: dict[str, set[str]] = {}
    table = (files("tzdata") / "zoneinfo" / "zone1970.tab").read_text(encoding="utf-8")
    for line in table.splitlines():
        if not line.startswith("#"):
            countries, _, name = line.split("\t")[:3]
            for country in countries.split(","):
                of_country.setdefault(country, set()).add(name)
    for code, regions in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items():
        prefixes = [prefix for prefix in TIMEZONE_DATA if prefix.startswith(str(code))]
        ours = {row.prefix[1:] for row in corrections() if row.prefix[1:].startswith(str(code))}
        answers = {
            name
            for prefix in {*prefixes, *ours}
            for name in zones_of(f"+{prefix}", canonical(TIMEZONE_DATA.get(prefix, ("Etc/UTC",))))
        }
        for region in regions:
            kept = of_country.get(region, set()) - NOT_KEPT.get(region, set())
            assert behaviours(kept) <= behaviours(answers & set(zone_names())), (code, region)


@pytest.mark.parametrize("code", MIXED)
def test_no_exchange_of_a_mixed_area_code_has_a_single_zone(code: str) -> None:
    """73 % of them have one in the library. Planted: the union left out; 22 of the 25 codes failed."""
    dice = Random(code)
    whole: set[str] = set()
    for exchange in range(200, 1000):
        number = read_number(f"+1{code}{exchange}{dice.randrange(10_000):04}", None)
        if isinstance(number, Number):
            assert len(behaviours(number.zones)) > 1, number
            whole |= set(number.zones)
    listed = {
        name for prefix, names in TIMEZONE_DATA.items() if prefix.startswith(f"1{code}") for name in names
    }
    assert behaviours(listed) <= behaviours(whole)


@pytest.mark.parametrize("code", MIXED)
def test_no_exchange_is_open_in_a_minute_that_is_illegal_anywhere_in_its_area_code(code: str) -> None:
    """Over the night in which the clocks go forward. Planted: the union left out; 10 codes failed."""
    dice = Random(code)
    drawn = (read_number(f"+1{code}{dice.randrange(200, 1000)}0123", None) for _ in range(1000))
    exchange = next(number for number in drawn if isinstance(number, Number))
    clock = Clock(1, exchange.zones, (exchange.place or "",))
    hours = timetable(FEDERAL)
    for step in range(0, 2 * 24 * 60, 5):
        now = datetime(2026, 3, 7, tzinfo=UTC) + timedelta(minutes=step)
        if hours.open_clocks([clock], now):
            assert all(8 <= now.astimezone(zone(name)).hour < 21 for name in listed(code)), (exchange, now)


def test_an_area_code_presumes_its_state_and_the_stricter_one_counts() -> None:
    """Florida ends at 20:00, California at 21:00, each on its own clock."""
    number = read("+13055550123")
    assert number.place == "US-FL"
    where = whereabouts([(number.zones, number.place)], None, "US-CA")
    assert where.places == ("US-CA", "US-FL")
    assert set(where.zones) == {"America/New_York", "America/Chicago", "America/Los_Angeles"} & set(
        where.zones
    )
    assert "America/Los_Angeles" in where.zones
    assert "America/New_York" in where.zones


@pytest.mark.parametrize(
    ("e164", "country", "place"),
    [
        ("+12125550123", "US", "US-NY"),
        ("+14165550123", "CA", "CA-ON"),
        ("+17875550123", "PR", "PR"),  # a territory is a country of the numbering plan
        ("+18675550123", "CA", "CA"),  # serves three territories
        ("+18005550123", "US", "US"),  # toll-free: no state
        ("+4722334455", "NO", "NO"),
        ("+80012345678", None, None),
    ],
)
def test_the_presumed_place_of_a_number(e164: str, country: str | None, place: str | None) -> None:
    assert presumed_place(e164, country) == place


def test_a_postal_address_adds_its_zones_where_the_number_says_less() -> None:
    oslo, lisbon = (("Europe/Oslo",), "NO"), (("Europe/Lisbon",), "PT")
    assert whereabouts([oslo], None, "PT").zones == (
        "Atlantic/Azores", "Atlantic/Madeira", "Europe/Lisbon", "Europe/Oslo",
    )  # fmt: skip
    assert whereabouts([lisbon], None, "PT").zones == ("Europe/Lisbon",)  # the number says more
    miami = (("America/New_York",), "US-FL")
    assert whereabouts([miami], None, "US").zones == ("America/New_York",)
    assert "Pacific/Honolulu" in whereabouts([miami], None, "US-HI").zones
    assert whereabouts([miami], "America/Denver", "US-HI").zones == ("America/Denver",)


def test_zones_of_places() -> None:
    assert zones_of_place("NO") == ("Europe/Berlin",)  # tzdata's name for a time that Oslo keeps too
    assert zones_of_place("AU-QLD") == ("Australia/Brisbane", "Australia/Lindeman")
    assert set(zones_of_place("US-IN")) >= {"America/Chicago", "America/New_York"}
    assert zones_of_place("ZZ") == ()


PLACES = [
    *sorted(SUPPORTED_REGIONS),
    *(f"{country}-{code}" for country, codes in subdivisions().items() for code in sorted(codes)),
]


def test_every_place_that_an_address_may_have_has_zones() -> None:
    """Also what a column of states may say. Planted: the country's zones left out where a subdivision has
    none: seen to fail."""
    assert len(PLACES) > 5_000
    for place in PLACES:
        found = zones_of_place(read_place(place))
        assert found, place
        assert set(found) <= zone_names(), place
    for country in COUNTRIES:
        for place in _states(country).values():
            assert zones_of_place(place), place
            assert read_place(place) == place


@pytest.mark.parametrize("country", sorted({place[:2] for place in laws("zones.toml")["places"]}))
def test_the_subdivisions_of_a_country_have_its_zones_and_no_others(country: str) -> None:
    """Nobody's time is lost by naming subdivisions. Planted: Noronha left out of BR-PE; seen to fail."""
    uninhabited = {"AU": {"Antarctica/Macquarie"}, "US": {"Pacific/Tarawa", "Pacific/Pago_Pago"}}
    parts = [place for place in PLACES if place.startswith(f"{country}-") and today(place) == place]
    if country == "FR":
        parts = [place for place in parts if place not in ("FR-CP", "FR-NC", "FR-PF", "FR-TF", "FR-WF")]
    elsewhere = NOT_KEPT.get(country, set()) | uninhabited.get(country, set())
    whole = set(zones_of_place(country)) - elsewhere
    together = {name for place in parts or [country] for name in zones_of_place(place)} - elsewhere
    assert behaviours(whole) == behaviours(together)


@pytest.mark.parametrize(
    ("written", "kept"),
    [("pt", "PT"), ("us-fl", "US-FL"), ("US-PR", "PR"), ("FR-RE", "RE"), ("FR-974", "RE"), ("NO-21", "SJ"),
     ("GB-SCT", "GB-SCT"), ("BR-AC", "BR-AC"), ("NO-03", "NO-03")],
)  # fmt: skip
def test_a_place_is_kept_under_the_name_by_which_numbers_know_it(written: str, kept: str) -> None:
    assert read_place(written) == kept


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("US-ZZ", "US has no ZZ (ISO 3166-2); write one of its codes, or US alone"),
        ("US-FLA", "US has no FLA (ISO 3166-2); did you mean US-FL?"),
        ("AU-QL", "AU has no QL (ISO 3166-2); did you mean AU-QLD?"),
        ("HK-KLN", "HK has no parts with a code (ISO 3166-2); write HK"),
        ("AU-NSW Western", "write PT, or US-FL for a state"),
        ("XX", "write PT, or US-FL for a state"),
    ],
)
def test_a_place_that_does_not_exist_is_refused_with_what_may_be_meant(written: str, why: str) -> None:
    with pytest.raises(ValueError, match=re.escape(why)):
        read_place(written)


@pytest.mark.parametrize(
    ("e164", "place", "needed"),
    [
        ("+12125550143", "US-PR", {"America/Puerto_Rico"}),
        ("+18085550143", "US-GU", {"Pacific/Guam"}),
        ("+14165550143", "CA-YT", {"America/Whitehorse"}),
        ("+16045550143", "CA-PE", {"America/Halifax"}),
        ("+15145550143", "CA-NU", {"America/Iqaluit", "America/Rankin_Inlet", "America/Cambridge_Bay"}),
        ("+12505550143", "CA-BC", {"America/Fort_Nelson", "America/Phoenix"}),
        ("+551131234567", "BR-AC", {"America/Rio_Branco"}),
        ("+34912345678", "ES-CN", {"Atlantic/Canary"}),
        ("+351212345678", "PT-20", {"Atlantic/Azores"}),
        ("+33142345678", "FR-RE", {"Asia/Dubai"}),
        ("+74951234567", "RU-KAM", {"Asia/Kamchatka"}),
        ("+4722334455", "GB-SCT", {"Europe/London"}),
        ("+4722334455", "ID-PP", {"Asia/Jakarta", "Asia/Jayapura"}),  # not named: all of the country
        ("+4722334455", "US-ZZ", {"America/New_York", "Pacific/Honolulu"}),  # an earlier edition took it
    ],
)
def test_the_more_exact_address_protects_no_less(e164: str, place: str, needed: set[str]) -> None:
    number = read(e164)
    assert needed <= set(whereabouts([(number.zones, number.place)], None, place).zones)


def test_a_subdivision_adds_no_zone_that_is_not_its_own() -> None:
    """Else who lives in Madrid would be called by the clock of the Canaries as well."""
    madrid, lisbon = read("+34912345678"), read("+351212345678")
    assert whereabouts([(madrid.zones, madrid.place)], None, "ES-MD").zones == ("Europe/Madrid",)
    assert whereabouts([(lisbon.zones, lisbon.place)], None, "PT-11").zones == ("Europe/Lisbon",)


def test_what_the_file_of_subdivisions_names_is_there() -> None:
    body = laws("subdivisions.toml")
    for place, country in body["countries"].items():
        assert exists(place), place
        assert country in SUPPORTED_REGIONS, country
    named = [place for place in laws("zones.toml")["places"] if "-" in place]
    assert all(exists(place) or place.endswith("-*") for place in named)
    assert set(body["codes"]) <= SUPPORTED_REGIONS


def test_every_correction_says_why_and_where_it_stands() -> None:
    places = laws("zones.toml")["places"]
    for row in corrections():
        assert row.prefix.startswith("+")
        assert row.prefix[1:].isdecimal()
        assert row.why
        assert row.source
        assert set(row.zones) <= zone_names()
    assert {name for names in places.values() for name in names} <= zone_names()


def test_an_area_code_stands_for_one_state() -> None:
    places = tomllib.loads((files("calling") / "laws" / "area_codes.toml").read_text(encoding="utf-8"))[
        "places"
    ]
    codes = [code for its in places.values() for code in its]
    assert len(codes) == len(set(codes)) > 400
    assert all(200 <= code <= 999 for code in codes)
    assert all(listed(str(code)) for code in codes)
