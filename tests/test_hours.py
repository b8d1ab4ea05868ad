"""P3, the hours: open clocks against an oracle that knows nothing of spans, and the edges by name."""

import zoneinfo
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phonenumbers.tzdata import TIMEZONE_DATA

from calling.hours.book import hours_book
from calling.hours.clocks import Clock
from calling.hours.law import holidays_of, read_laws, shipped
from calling.hours.reasons import NO_ZONE
from calling.hours.timetable import Timetable, timetable
from calling.hours.week import read_week
from calling.hours.zones import canonical, zone
from models.errors import BadInput

OFFICE = {day: [["09:00", "20:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}
ALWAYS = {day: [["00:00", "24:00"]] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}
ODD = {
    **ALWAYS,
    "sun": [["01:30", "02:45"], ["23:00", "24:00"]],
    "mon": [["00:00", "03:10"], ["08:00", "09:00"]],
}
PLACES: list[tuple[str, ...]] = [
    (), ("PT",), ("NO",), ("FR",), ("US",), ("US", "US-FL"), ("US-LA",), ("US-PA",), ("CA", "US"), ("AU",),
]  # fmt: skip
ZONE_SETS = sorted({canonical(names) for names in TIMEZONE_DATA.values()})
LISBON = Clock(1, ("Europe/Lisbon",), ("PT",))
TWO_ZONES = Clock(2, ("Atlantic/Azores", "Europe/Lisbon"), ("PT",))
OSLO = Clock(3, ("Europe/Oslo",), ("NO",))
PARIS = Clock(4, ("Europe/Paris",), ("FR",))
MINUTE = timedelta(minutes=1)
RESTLESS = [
    "Europe/Lisbon", "America/New_York", "Africa/Cairo", "America/Havana", "America/Santiago",
    "Atlantic/Azores", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Beirut",
]  # fmt: skip
Hours = Mapping[str, list[list[str]]]


@pytest.fixture(scope="module", autouse=True)
def _zones_of_the_package() -> Iterator[None]:
    """The oracle asks zoneinfo itself, but reads the same edition of the rules, not the machine's."""
    zoneinfo.reset_tzpath([])
    ZoneInfo.clear_cache()
    yield
    zoneinfo.reset_tzpath()
    ZoneInfo.clear_cache()


def oracle(hours: Hours, clock: Clock, now: datetime) -> bool:
    """Open, by plain zoneinfo: a minute before, now and a minute after, in every zone."""
    return bool(clock.zones) and all(
        _open_there(hours, clock.places, (now + shift).astimezone(ZoneInfo(name)))
        for name in clock.zones
        for shift in (-MINUTE, timedelta(), MINUTE)
    )


def _open_there(hours: Hours, places: tuple[str, ...], local: datetime) -> bool:
    day = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")[local.weekday()]
    minute = local.hour * 60 + local.minute
    if not any(_minutes(a) <= minute < _minutes(b) for a, b in hours.get(day, [])):
        return False
    wanted = {name for place in places for name in (place, place[:2])}
    for law in shipped().rows:
        if law.place in wanted and law.valid_from <= local.date() <= law.valid_to:
            spans = law.week.days[local.weekday()]
            if law.calendar and _holiday(law.calendar, law.own_days, local.date()):
                spans = law.holiday_hours
            if not any(a <= minute < b for a, b in spans):
                return False
    return True


def _holiday(calendar: str, own: frozenset[tuple[int, int]], day: date) -> bool:
    return day in holidays_of(calendar, day.year) or (day.month, day.day) in own


def _minutes(text: str) -> int:
    hours, minutes = text.split(":")
    return int(hours) * 60 + int(minutes)


clocks = st.builds(Clock, st.just(1), st.sampled_from(ZONE_SETS), st.sampled_from(PLACES))
anywhere = st.datetimes(datetime(2023, 1, 1), datetime(2032, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001
at_an_edge = st.builds(  # most edges of hours lie on a full hour of UTC, or half way between two
    lambda day, half_hours, seconds: datetime(2026, 3, 2, tzinfo=UTC)
    + timedelta(days=day, minutes=30 * half_hours, seconds=seconds),
    st.integers(0, 600), st.integers(0, 47), st.integers(-130, 130),
)  # fmt: skip
instants = anywhere | at_an_edge
weeks = st.sampled_from([OFFICE, ALWAYS, ODD])


@settings(max_examples=800, deadline=None)
@given(hours=weeks, clock=clocks, now=instants)
def test_open_is_what_the_oracle_says(hours: Hours, clock: Clock, now: datetime) -> None:
    """Planted and found: a margin left out at one edge; any() of the zones for all(); law rows not joined."""
    assert timetable(hours).open_clocks([clock], now) == ([clock.id] if oracle(hours, clock, now) else [])


@settings(max_examples=150, deadline=None)
@given(
    hours=weeks,
    name=st.sampled_from(RESTLESS),
    year=st.integers(2023, 2032),
    seconds=st.integers(-100_000, 100_000),
)
def test_open_on_the_days_when_clocks_change(hours: Hours, name: str, year: int, seconds: int) -> None:
    """Planted and found: one offset for the whole local day."""
    clock = Clock(1, (name,), ())
    for change in _changes(name, year):
        now = change + timedelta(seconds=seconds)
        assert bool(timetable(hours).open_clocks([clock], now)) == oracle(hours, clock, now)


def _changes(name: str, year: int) -> list[datetime]:
    """The hours of a year at whose end the offset is another."""
    start = datetime(year, 1, 1, tzinfo=UTC)
    hours = [start + timedelta(hours=n) for n in range(24 * 366)]
    there = ZoneInfo(name)
    offsets = [hour.astimezone(there).utcoffset() for hour in hours]
    return [hour for hour, one, two in zip(hours[1:], offsets, offsets[1:], strict=False) if one != two]


@settings(max_examples=150, deadline=None)
@given(hours=weeks, clock=clocks, now=instants)
def test_closing_and_opening_are_the_edges_of_open(hours: Hours, clock: Clock, now: datetime) -> None:
    """Planted and found: the next opening taken from the day's first span although it lies behind us."""
    table = timetable(hours)
    if oracle(hours, clock, now):
        closes = table.closes_at(clock, now)
        assert now < closes
        assert oracle(hours, clock, closes - timedelta(seconds=1))
        assert oracle(hours, clock, now + (closes - now) / 2)
        assert closes - now > timedelta(days=1) or not oracle(hours, clock, closes)
        assert table.next_opening(clock, now) == now
        return
    assert table.closes_at(clock, now) == now
    opens = table.next_opening(clock, now)
    if opens is not None:
        assert oracle(hours, clock, opens)
        assert not oracle(hours, clock, opens - timedelta(seconds=1))
        assert not any(oracle(hours, clock, now + n * (opens - now) / 40) for n in range(40))


@settings(max_examples=150, deadline=None)
@given(hours=weeks, clock=clocks, now=instants)
def test_a_shut_clock_says_why_and_an_open_one_nothing(hours: Hours, clock: Clock, now: datetime) -> None:
    assert bool(timetable(hours).why_shut(clock, now)) != oracle(hours, clock, now)


@pytest.mark.parametrize(
    ("clock", "local", "is_open"),
    [
        (LISBON, "2026-03-02 09:00:59", False),  # the margin
        (LISBON, "2026-03-02 09:01:00", True),
        (LISBON, "2026-03-02 19:58:59", True),
        (LISBON, "2026-03-02 19:59:00", False),
        (TWO_ZONES, "2026-03-02 10:00:59", False),  # nine on the Azores
        (TWO_ZONES, "2026-03-02 10:01:00", True),
        (OSLO, "2026-05-01 12:00:00", False),  # a holiday, and a Friday
        (OSLO, "2026-05-04 12:00:00", True),
        (PARIS, "2026-03-02 09:30:00", False),  # own hours are open, the law is not
        (PARIS, "2026-03-02 12:58:59", True),
        (PARIS, "2026-03-02 13:30:00", False),  # between the two intervals
        (PARIS, "2026-03-02 14:01:00", True),
        (PARIS, "2026-07-14 15:00:00", False),
        (PARIS, "2023-02-28 09:30:00", True),  # before the decree
    ],
)
def test_edges(clock: Clock, local: str, is_open: bool) -> None:
    there = ZoneInfo(clock.zones[-1])
    now = datetime.fromisoformat(local).replace(tzinfo=there).astimezone(UTC)
    assert bool(timetable(OFFICE).open_clocks([clock], now)) == is_open


@pytest.mark.parametrize(
    ("week", "clock", "at", "said"),
    [
        (
            OFFICE, LISBON, "2026-03-02T09:00:30",
            "Mon 09:00 in Europe/Lisbon, but the CRM's own hours say 09:00-20:00 that day, "
            "with the margin 09:01-19:59",
        ),
        (
            {"mon": [["09:00", "24:00"]], "tue": [["00:00", "09:00"]]}, LISBON, "2026-03-02T08:00:00",
            "Mon 08:00 in Europe/Lisbon, but the CRM's own hours say 09:00-24:00 that day, "
            "with the margin 09:01-24:00",
        ),
        (
            OFFICE, LISBON, "2026-03-01T12:00:00",
            "Sun 12:00 in Europe/Lisbon, but the CRM's own hours say never that day",
        ),
        (
            ALWAYS, PARIS, "2026-03-02T12:00:00",
            "Mon 13:00 in Europe/Paris, but Décret 2022-1313 (FR) says 10:00-13:00, 14:00-20:00 that day, "
            "with the margin 10:01-12:59, 14:01-19:59",
        ),
    ],
)  # fmt: skip
def test_whoever_asks_hears_of_the_margin(week: Hours, clock: Clock, at: str, said: str) -> None:
    """At 09:00:30 hours from 09:00 seemed open. Planted: the margin at each midnight too; fails."""
    now = datetime.fromisoformat(at).replace(tzinfo=UTC)
    assert [str(reason) for reason in timetable(week).why_shut(clock, now)] == [said]


def test_a_clock_without_zones_is_never_open() -> None:
    """Planted and found: all() of no zone is true."""
    nowhere = Clock(9, (), ("PT",))
    table, now = timetable(ALWAYS), datetime(2026, 3, 2, 12, tzinfo=UTC)
    assert table.open_clocks([nowhere], now) == []
    assert table.next_opening(nowhere, now) is None
    assert [reason.rule for reason in table.why_shut(nowhere, now)] == [NO_ZONE]


def test_hours_of_no_day_never_open() -> None:
    assert timetable({}).next_opening(LISBON, datetime(2026, 3, 2, 12, tzinfo=UTC)) is None


def test_a_place_without_a_row_is_shown_as_such() -> None:
    basis = timetable(OFFICE).basis(Clock(1, ("Europe/Lisbon",), ("NO", "PT")), date(2026, 3, 2))
    assert [str(one) for one in basis] == [
        "NO: Markedsføringsloven section 14 (Prop. 43 L (2016-2017) chapter 2, regjeringen.no)",
        "PT: own hours, no source",
    ]


def test_every_problem_of_own_hours_is_named_at_once() -> None:
    body = {
        "mon": [["09:00", "20:00"], ["19:00", "21:00"]],
        "tuesday": [],
        "wed": [["20:00", "09:00"]],
        "thu": [["9:00", "20:00"]],
        "fri": "09-20",
        "sat": [["09:00"]],
    }
    with pytest.raises(BadInput) as caught:
        read_week(body)
    assert [problem["path"] for problem in caught.value.data["problems"]] == [
        "mon[1]", "tuesday", "wed[0]", "thu[0]", "fri", "sat[0]",
    ]  # fmt: skip
    assert "did you mean tue?" in caught.value.message


def test_intervals_that_touch_are_one() -> None:
    """No margin inside an opening that is written in two pieces."""
    table = Timetable(read_week({"mon": [["09:00", "12:00"], ["12:00", "20:00"]]}))
    assert table.open_clocks([LISBON], datetime(2026, 3, 2, 12, tzinfo=UTC)) == [1]


def test_sundays_are_no_holidays_of_the_package() -> None:
    """Its releases have had both defaults; Sundays have hours of their own."""
    norway = holidays_of("NO", 2026)
    assert len(norway) == 12
    assert date(2026, 5, 1) in norway
    assert date(2026, 5, 17) in norway
    assert not norway & {date(2026, 12, 24), date(2026, 12, 31), date(2026, 3, 1)}
    assert date(2026, 3, 1) not in holidays_of("SE", 2026)


def test_a_holiday_is_one_on_the_wall_of_the_customer() -> None:
    """16 May 23:30 UTC is already 17 May in Oslo, a Monday in 2027 and a holiday."""
    now = datetime(2027, 5, 16, 23, 30, tzinfo=UTC)
    assert timetable(ALWAYS).open_clocks([OSLO], now) == []
    rules = [reason.rule for reason in timetable(ALWAYS).why_shut(OSLO, now)]
    assert rules == ["Markedsføringsloven section 14 (NO)"]


def test_the_shipped_law_is_whole() -> None:
    """Every row has a source, hours for every day, and a calendar that exists."""
    for law in shipped().rows:
        assert law.source, law.place
        assert law.evidence in ("text", "secondary"), law.place
        assert len(law.week.days) == 7
        if law.calendar:
            assert holidays_of(law.calendar, 2026), law.place


def test_a_law_file_with_a_day_missing_is_refused() -> None:
    row = '[[law]]\nplace="XX"\nname="x"\nsource="x"\nevidence="text"\n'
    with pytest.raises(BadInput, match="no hours for sun"):
        read_laws(row + 'hours = { mon-sat = [["09:00", "20:00"]] }')


def test_zones_come_from_the_package() -> None:
    """Every zone that numbers answer with exists, and an unknown one is refused with a proposal."""
    assert all(zone(name) for names in ZONE_SETS for name in names)
    with pytest.raises(BadInput, match="did you mean Europe/Lisbon"):
        zone("Europe/Lisboa")


def test_a_day_is_worked_out_once_for_all_who_share_zones_and_places(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hours are asked at each hand-out. Planted: what was worked out not kept."""
    many = [Clock(i, ZONE_SETS[i % len(ZONE_SETS)], PLACES[i % len(PLACES)]) for i in range(1000)]
    worked_out: list[tuple[tuple[str, ...], tuple[str, ...]]] = []
    real = Timetable._open

    def counting(self: Timetable, places: tuple[str, ...], zones: tuple[str, ...], day: int) -> Any:
        worked_out.append((places, zones))
        return real(self, places, zones, day)

    monkeypatch.setattr(Timetable, "_open", counting)
    table, now = Timetable(read_week(OFFICE)), datetime.combine(date(2026, 3, 2), time(12), UTC)
    for n in range(20):
        table.open_clocks(many, now + n * MINUTE)
    assert sorted(worked_out) == sorted({(clock.places, clock.zones) for clock in many})


def test_the_hours_of_one_segment_are_kept_when_those_of_another_change() -> None:
    """And their own are not. Planted: timetables made anew with each book; seen to fail."""
    own = orjson.dumps(OFFICE).decode()

    def of(week: list[str], segment_id: int) -> Timetable:
        rows = [_stricter(1, week), _stricter(2, ["10:00", "12:00"])]
        return hours_book(own, orjson.dumps(rows).decode(), None).of(1, segment_id)

    assert of(["09:00", "12:00"], 2) is of(["09:00", "13:00"], 2)
    assert of(["09:00", "12:00"], 1) is not of(["09:00", "13:00"], 1)


def test_what_is_at_hand_is_of_these_clocks_and_this_minute() -> None:
    """Planted: kept whatever clocks are asked; kept beyond the minute; each seen to fail."""
    table, at = Timetable(read_week(OFFICE)), datetime(2026, 3, 2, 9, 30, 59, tzinfo=UTC)
    both, one = {1: LISBON, 3: OSLO}, {1: LISBON}
    for now in (at, at - timedelta(seconds=59), at + timedelta(seconds=1), at + timedelta(hours=12)):
        for clocks in (both, one, both):
            assert table.closings_of(clocks, now) == table.closings(clocks.values(), now)


def _stricter(segment_id: int, monday: list[str]) -> dict[str, Any]:
    return {
        "id": segment_id, "assignment_id": 1, "segment_id": segment_id, "week": {"mon": [monday]}, "days": {},
        "valid_from": "2026-01-01", "valid_to": "2026-12-31", "reason": "a test", "author": "Kari",
    }  # fmt: skip
