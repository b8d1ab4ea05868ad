"""A time on the customer's wall becomes one instant: held against every minute of every change of clocks."""

# ruff: noqa: DTZ001 - a time on the wall has no zone

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from calling.follow_ups.wall_time import instant_of_wall, wall_of
from calling.hours.zones import zone, zone_names
from models.errors import BadInput

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
YEARS = (2026, 2027, 2028)


def first_at_or_past(rules: ZoneInfo, wall: datetime) -> datetime:
    """The oracle: look at the wall minute by minute, from well before until it shows `wall` or more."""
    at = wall.replace(tzinfo=UTC) - 15 * HOUR
    while wall_of(rules, at) < wall:
        at += MINUTE
    return at


@cache
def days_of_change(zone_name: str) -> tuple[date, ...]:
    """The UTC days within which this zone has more than one offset."""
    rules = zone(zone_name)
    at, found = datetime(YEARS[0], 1, 1, tzinfo=UTC), []
    while at.year <= YEARS[-1]:
        if at.astimezone(rules).utcoffset() != (at + DAY).astimezone(rules).utcoffset():
            found.append(at.date())
        at += DAY
    return tuple(found)


def changing_zones() -> Iterator[tuple[str, date]]:
    """Every change of clocks of the world in those years, once for zones that change alike."""
    seen = set()
    for name in sorted(zone_names()):
        for day in days_of_change(name):
            noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
            offsets = tuple((noon + n * HOUR).astimezone(zone(name)).utcoffset() for n in range(-13, 25))
            if (day, offsets) not in seen:
                seen.add((day, offsets))
                yield name, day


CHANGES = tuple(changing_zones())


def test_every_change_of_clocks_in_the_world_against_a_look_at_each_minute() -> None:
    """Each quarter of an hour around each change: the first instant at which the wall has come so far."""
    assert len(CHANGES) > 150
    skipped = twice = 0
    for name, day in CHANGES:
        rules, start = zone(name), datetime(day.year, day.month, day.day)
        at = first_at_or_past(rules, start - 13 * HOUR)
        for quarter in range(-13 * 4, 38 * 4):
            wall = start + quarter * timedelta(minutes=15)
            while wall_of(rules, at) < wall:
                at += timedelta(minutes=5)
            found = instant_of_wall(name, wall)
            if found.reading != "skipped":
                assert wall_of(rules, found.at) == wall, (name, wall)
            assert found.at == at, (name, wall)
            skipped += found.reading == "skipped"
            twice += found.reading == "twice"
    assert skipped
    assert twice


@given(
    st.sampled_from(sorted(zone_names())),
    st.datetimes(datetime(2025, 1, 1), datetime(2035, 1, 1)).map(
        lambda at: at.replace(second=0, microsecond=0)
    ),
)
@example("Africa/Cairo", datetime(2026, 4, 24, 0, 0))
@example("America/Havana", datetime(2026, 3, 8, 0, 30))
@example("Australia/Lord_Howe", datetime(2026, 4, 5, 1, 45))
@example("Pacific/Apia", datetime(2011, 12, 30, 10, 0))
def test_any_minute_of_any_zone(name: str, wall: datetime) -> None:
    found = instant_of_wall(name, wall)
    oracle = wall.replace(tzinfo=UTC) - 27 * HOUR if wall.year == 2011 else None
    rules = zone(name)
    if oracle is not None:  # a whole day was skipped
        while wall_of(rules, oracle) < wall:
            oracle += MINUTE
        assert found.at == oracle
    else:
        assert found.at == first_at_or_past(rules, wall)


def test_the_words_for_it() -> None:
    """A gap slides to the first instant after it, of a doubled hour the first is meant."""
    gap = instant_of_wall("Europe/Oslo", datetime(2026, 3, 29, 2, 30))
    assert (gap.at, gap.reading) == (datetime(2026, 3, 29, 1, 0, tzinfo=UTC), "skipped")
    doubled = instant_of_wall("Europe/Oslo", datetime(2026, 10, 25, 2, 30))
    assert (doubled.at, doubled.reading) == (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), "twice")
    plain = instant_of_wall("Europe/Oslo", datetime(2026, 7, 1, 9, 0))
    assert (plain.at, plain.reading) == (datetime(2026, 7, 1, 7, 0, tzinfo=UTC), "exact")


def test_what_is_no_wall_time_is_refused() -> None:
    with pytest.raises(BadInput, match="did you mean Europe/Oslo"):
        instant_of_wall("Europe/Osl", datetime(2026, 7, 1, 9, 0))
    with pytest.raises(BadInput, match="carries a zone"):
        instant_of_wall("Europe/Oslo", datetime(2026, 7, 1, 9, 0, tzinfo=UTC))
    for wall in (datetime(9999, 12, 31, 23, 59), datetime(1, 1, 1, 0, 0)):
        for name in ("America/New_York", "Pacific/Kiritimati", "Etc/UTC"):
            with pytest.raises(BadInput, match="no year in which anybody is called"):
                instant_of_wall(name, wall)
