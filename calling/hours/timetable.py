"""When a clock is open: the law of every place and the CRM's own hours, in every candidate zone at once.

A clock is open at an instant if it is open in *every* candidate zone, by the CRM's own hours, by whatever its
owner made stricter and by every law row of every legal place, for the whole stretch from a margin before to
a margin after it. So a clock that runs a little wrong, ours or a dialer's, rings nobody at a minute that the
law forbids. From a row that a manager named by name exempted them from, nothing comes until that ends.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache, reduce

import orjson

from calling.hours.clocks import Clock
from calling.hours.law import Law, Laws, shipped
from calling.hours.reasons import GONE_ZONE, NO_ZONE, THE_CRMS_OWN, Basis, Shut
from calling.hours.spans import (
    DAY,
    WHOLE_DAY,
    Offsets,
    Span,
    Spans,
    date_of,
    instant_of,
    intersect,
    merge,
    midnight,
    minute_of,
    offsets_on,
    shrink,
    wall_to_utc,
)
from calling.hours.stricter import OWN, Exemption, StricterHours
from calling.hours.week import Week, as_text, read_week
from calling.hours.zones import zone

MARGIN = 1
"""Minutes that are left out at both edges of a window."""

FAR = 370
"""Days. Weeks and holidays come again within them: what is shut so long opens only when its rules change."""

_LAST_YEAR = 9_990  # of rules whose end somebody may wait for
_DAYS_KEPT = 4  # of cached UTC days: yesterday's are soon asked for no more

Places = tuple[str, ...]
Zones = tuple[str, ...]
HoursOn = Callable[[date], Spans]
LocalDays = tuple[tuple[date, Offsets], ...]


class Timetable:
    """The hours of one CRM, or of one segment of it: its own, the law's, whatever its owner made stricter.

    `about_debts`: rows of the law for calls about debts bind as well. Cheap to ask again: what is open on a
    day is worked out once for each clock.
    """

    def __init__(
        self,
        own: Week,
        laws: Laws | None = None,
        stricter: Sequence[StricterHours] = (),
        exemptions: Sequence[Exemption] = (),
        *,
        about_debts: bool = False,
    ) -> None:
        self._about_debts = about_debts
        self._own, self.stricter, self.exemptions = own, tuple(stricter), tuple(exemptions)
        self._laws = laws or shipped()
        self._days: dict[int, dict[tuple[Places, Zones], Spans]] = {}
        self._nobody_works = lru_cache(maxsize=20 * FAR)(self._idle)
        self._hours_of = lru_cache(maxsize=512)(self._reckon_hours_of)
        self._by_time = lru_cache(maxsize=1024)(self._reckon_by_time)
        self._last: tuple[int, Mapping[int, Clock], dict[int, datetime]] | None = None

    def open_clocks(self, clocks: Iterable[Clock], now: datetime) -> list[int]:
        """The ids of the clocks that are open at `now` (UTC)."""
        minute = minute_of(now)
        return [clock.id for clock in clocks if self._span_at(clock, minute)]

    def closings(self, clocks: Iterable[Clock], now: datetime) -> dict[int, datetime]:
        """The ids of the clocks that are open at `now`, each with the instant from which it may not ring."""
        minute = minute_of(now)
        spans = ((clock.id, self._span_at(clock, minute)) for clock in clocks)
        return {clock_id: instant_of(span[1]) for clock_id, span in spans if span}

    def closings_of(self, clocks: Mapping[int, Clock], now: datetime) -> Mapping[int, datetime]:
        """The same for all of them by id; asked again within the minute, the answer is at hand."""
        minute, last = minute_of(now), self._last
        if last is None or last[0] != minute or last[1] is not clocks:
            last = self._last = (minute, clocks, self.closings(clocks.values(), now))
        return last[2]

    def closes_at(self, clock: Clock, now: datetime) -> datetime:
        """The first instant from `now` on at which it is shut, the margin taken off; `now` if it is shut.

        An open clock that does not close within a day answers some instant more than a day away.
        """
        span = self._span_at(clock, minute_of(now))
        return instant_of(span[1]) if span else now

    def next_opening(self, clock: Clock, now: datetime) -> datetime | None:
        """The first instant from `now` on at which it is open: `now` if it is; None if it never will be."""
        minute = minute_of(now)
        if self._span_at(clock, minute):
            return now
        if not clock.zones:
            return None
        looked = today = minute - minute % DAY
        for turn in [today, *self._turns(clock.places, today)]:
            for start_of_day in range(max(turn, looked), turn + FAR * DAY, DAY):
                if self._nobody_works(start_of_day):
                    continue
                for start, end in self._open(clock.places, clock.zones, start_of_day):
                    if minute < start < start_of_day + DAY and start < end:
                        return instant_of(start)
            looked = max(looked, turn + FAR * DAY)
        return None

    def why_shut(self, clock: Clock, now: datetime) -> list[Shut]:
        """Every zone and rule that keeps it shut at `now`; none: it is open."""
        if not clock.zones:
            why = GONE_ZONE.format(zones=", ".join(clock.gone)) if clock.gone else NO_ZONE
            return [Shut(None, None, why, "")]
        minute = minute_of(now)
        reasons: list[Shut] = []
        for name in clock.zones:
            local = now.astimezone(zone(name))
            for rule, on in self._rules(clock.places):
                spans = shrink(_open_on(_days_around(name, minute - minute % DAY), on), MARGIN)
                if not any(start <= minute < end for start, end in spans):
                    day = local.date()
                    reasons.append(Shut(name, local, rule, as_text(on(day)), as_text(_less_margin(day, on))))
        return reasons

    def basis(self, clock: Clock, day: date) -> list[Basis]:
        """What the hours rest on for each legal place, on a local day."""
        found: list[Basis] = []
        for place in clock.places:
            laws = [law for law in self._lawful([place]) if law.binds(day)]
            silent = tuple(self._laws.silent_about([place]))
            found += [Basis(place, law, exempted=self.exempted(law.key, day)) for law in laws] or [
                Basis(place, None, silent)
            ]
        return found

    def exempted(self, law: str, day: date) -> Exemption | None:
        """By what exemption the row with this key forbids nothing on a local day; None: it binds."""
        return next((one for one in self.exemptions if one.frees(law, day)), None)

    def _idle(self, start_of_day: int) -> bool:
        """The hours that hold for every clock leave nothing of the local days around a UTC day."""
        common = [on for _, on in self._own_rules()]
        days = [date_of(start_of_day + n * DAY) for n in (-1, 0, 1)]
        return not any(reduce(intersect, (on(day) for on in common)) for day in days)

    def _turns(self, places: Places, today: int) -> list[int]:
        """The UTC days, in order, before which other rules hold than behind them, all later than `today`.

        Of some zone that is the day before: hence a day too early.
        """
        rules: list[StricterHours | Exemption | Law]
        rules = [*self.stricter, *self.exemptions, *self._laws.of(places)]
        ends = [one.valid_to for one in rules if one.valid_to.year < _LAST_YEAR]
        own = [day for hours in self.stricter for day in hours.days]
        days = {*(one.valid_from for one in rules), *(day + timedelta(days=1) for day in ends), *own}
        turns = {midnight(day) - DAY for day in days if date.min < day and day.year < _LAST_YEAR}
        return sorted(turn for turn in turns if turn > today)

    def _span_at(self, clock: Clock, minute: int) -> Span | None:
        """The open stretch that a minute lies in."""
        if not clock.zones:
            return None
        start_of_day = minute - minute % DAY
        day = self._days.get(start_of_day) or self._begin(start_of_day)
        key = (clock.places, clock.zones)
        spans = day.get(key)
        if spans is None:
            spans = day[key] = self._open(*key, start_of_day)
        for span in spans:
            if span[0] <= minute < span[1]:
                return span
        return None

    def _begin(self, start_of_day: int) -> dict[tuple[Places, Zones], Spans]:
        """Make room for another day."""
        kept = sorted(self._days.items())[-_DAYS_KEPT + 1 :]
        day: dict[tuple[Places, Zones], Spans] = {}
        self._days = {**dict(kept), start_of_day: day}
        return day

    def _open(self, places: Places, zones: Zones, start_of_day: int) -> Spans:
        """The open stretches, less the margins, around a UTC day.

        Exact within that day; what leads out of it is followed for a day at least.
        """
        spans: Spans = ((start_of_day - DAY - MARGIN, start_of_day + 2 * DAY + MARGIN),)
        for name in zones:
            spans = intersect(spans, self._by_time(places, _days_around(name, start_of_day)))
        return shrink(spans, MARGIN)

    def _reckon_by_time(self, places: Places, days: LocalDays) -> Spans:
        """One candidate zone's part. Clocks are zones combined, and many zones keep the same time."""
        return _open_on(days, self._hours_of(places))

    def _reckon_hours_of(self, places: Places) -> HoursOn:
        """Own hours and every law row together, by local day."""
        rules = [on for _, on in self._rules(places)]

        @lru_cache(maxsize=2 * FAR)
        def on(day: date) -> Spans:
            return reduce(intersect, (rule(day) for rule in rules))

        return on

    def _rules(self, places: Places) -> list[tuple[str, HoursOn]]:
        """Everything that has a say, each with its name."""
        laws = [(f"{law.name} ({law.place})", self._freed(law.key, law.on)) for law in self._lawful(places)]
        return [*self._own_rules(), *laws]

    def _lawful(self, places: Iterable[str]) -> list[Law]:
        return self._laws.of(places, about_debts=self._about_debts)

    def _own_rules(self) -> list[tuple[str, HoursOn]]:
        """What has a say wherever the customer is."""
        own = (THE_CRMS_OWN, self._freed(OWN, lambda day: self._own.on(day.weekday())))
        return [own, *((str(hours), hours.on) for hours in self.stricter)]

    def _freed(self, law: str, on: HoursOn) -> HoursOn:
        """The hours of a rule, but on the days on which somebody is exempted from it."""
        if not any(one.law == law for one in self.exemptions):
            return on
        return lambda day: WHOLE_DAY if self.exempted(law, day) else on(day)


@lru_cache(maxsize=4096)
def _days_around(name: str, start_of_day: int) -> LocalDays:
    """The local days of a zone that may touch a UTC day, or one to either side of it."""
    days = [date_of(start_of_day + n * DAY) for n in range(-2, 3)]
    return tuple((day, offsets_on(name, day)) for day in days)


def _open_on(days: LocalDays, on: HoursOn) -> Spans:
    """When it is open on these local days, by the hours of each."""
    return merge(span for day, offsets in days for span in wall_to_utc(day, offsets, on(day)))


def _less_margin(day: date, on: HoursOn) -> Spans:
    """What the margin leaves of a local day; midnight is no edge where both days are open at it."""
    days = [(n * DAY, on(day + timedelta(days=n))) for n in (-1, 0, 1)]
    around = merge((start + at, end + at) for at, spans in days for start, end in spans)
    return intersect(shrink(around, MARGIN), WHOLE_DAY)


@lru_cache(maxsize=256)
def _timetable(body: bytes) -> Timetable:
    return Timetable(read_week(orjson.loads(body)))


def timetable(hours: Mapping[str, object]) -> Timetable:
    """The timetable of a CRM with these own hours; the same object for the same hours. Raises BadInput."""
    return _timetable(orjson.dumps(hours, option=orjson.OPT_SORT_KEYS))
