"""When may this customer be rung? An oracle for tests that shares nothing with the program but the tables.

It reads rows plainly and counts: rings by subtracting instants, days and hours on the walls of zoneinfo. To
find the next instant it steps through every one at which anything could change, and through all minutes
between them while nothing but hours is shut.
"""

import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

from hours_oracle import DAYS, WHOLE, Minutes, by_law, minutes, wall
from sqlalchemy import text

from models.work import Work

SECOND, MINUTE, HOUR, DAY = (timedelta(seconds=n) for n in (1, 60, 3600, 86_400))
HORIZON = timedelta(days=100)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Rows = Sequence[Mapping[str, Any]]


@cache
def limits_of_law() -> Rows:
    """The file of limits, a dict a row, place and scope."""
    body = tomllib.loads((files("calling") / "laws" / "limits.toml").read_text(encoding="utf-8"))
    return [
        {**row, "place": place, "scope": scope}
        for row in body["limit"]
        for place in (row["place"], *row.get("also", []))
        for scope in row["scopes"]
    ]


@cache
def registers_of_law() -> Mapping[str, Mapping[str, Any]]:
    """The file of registers, a dict a row, by name."""
    body = tomllib.loads((files("calling") / "laws" / "registers.toml").read_text(encoding="utf-8"))
    return {row["name"]: row for row in body["register"]}


@dataclass(frozen=True)
class Bound:
    """A limit: so many within `seconds` that roll, or `days` of the calendar; rings, or answers `after`."""

    most: int
    scope: str
    seconds: int | None
    days: int | None
    after: frozenset[str]


class CallOracle:
    """One customer of one assignment, as the rows stand when it is made."""

    def __init__(self, work: Work, assignment_id: int, customer_id: int) -> None:
        self.now, self._assignment, self._customer = work.now, assignment_id, customer_id

        def rows(sql: str) -> Rows:
            return [dict(row) for row in work.run(text(sql)).mappings()]

        where = f"customer_id = {customer_id}"
        (self._placement,) = rows(
            f"select * from placement where {where} and assignment_id = {assignment_id}"
        )
        (clock,) = rows(f"select * from call_clock where id = {self._placement['clock_id']}")
        self.zones, self._places = [ZoneInfo(name) for name in clock["zones"]], clock["places"]
        self._numbers = [
            row for row in rows(f"select * from customer_number where {where}")
            if row["state"] in ("unverified", "good")
        ]  # fmt: skip
        self._suppressed = rows("select * from suppression where lifted_at is null")
        self._rings = rows("select * from lease where rung_at is not null")
        self._live = rows("select * from lease where ended_at is null and state <> 'ended'")
        self._own_numbers = {row["e164"] for row in rows(f"select * from customer_number where {where}")}
        self._gaps = {row["id"]: row["gap_seconds"] for row in rows("select * from assignment")}
        debts = {row["id"] for row in rows("select * from assignment where about_debts")}
        self._answers = self._in_force(rows(f"select * from attempt where {where}"))
        sharers = {
            row["customer_id"] for row in rows("select * from customer_number")
            if row["e164"] in self._own_numbers
        } | {customer_id}  # fmt: skip
        self._kept_free = [
            row["kept_free_until"] for row in rows("select * from follow_up where ended_at is null")
            if row["kept_free_until"] is not None and row["customer_id"] in sharers
        ]  # fmt: skip
        segment = self._placement["segment_id"]
        self._deleted = bool(rows(f"select * from segment where id = {segment} and retired_at is not null"))
        scopes = [("crm", None), ("assignment", assignment_id), ("segment", segment)]
        self._pauses = [
            row for row in rows("select * from pause where lifted_at is null")
            if (row["scope"], row["target_id"]) in scopes
        ]  # fmt: skip
        (self._crm,) = rows(f"select * from crm where id = {work.crm_id}")
        self._stricter = [
            row for row in rows("select * from stricter_hours where ended_at is null")
            if row["assignment_id"] in (None, assignment_id) and row["segment_id"] in (None, segment)
        ]  # fmt: skip
        self._exemptions = [
            row for row in rows("select * from exemption where ended_at is null")
            if row["assignment_id"] in (None, assignment_id)
        ]  # fmt: skip
        self._about_debts = assignment_id in debts
        self._limits = self._bound(rows("select * from call_limit where ended_at is null"), self._about_debts)
        self._allowed: dict[date, Minutes] = {}
        self._on_register, self._too_old_from = set[str](), list[date]()
        tags = {row["tag"] for row in rows(f"select * from customer_tag where {where}")}
        let_off = {
            row["register_id"] for row in rows("select * from register_exemption where ended_at is null")
            if row["assignment_id"] == assignment_id or row["tag"] in tags
        }  # fmt: skip
        shared = {row["id"]: row for row in rows("select * from register")}
        for use in rows("select * from crm_register where ended_at is null"):
            register = shared[use["register_id"]]
            if register["id"] not in let_off:
                self._on_register |= self._named_by(register, rows("select * from register_number"))
            self._too_old_from += self._ages(register)

    def _named_by(self, register: Mapping[str, Any], numbers: Rows) -> set[str]:
        """Numbers on the version in force: added by it or before, and not gone by it or before."""
        version = register["in_force"]
        return {
            row["e164"] for row in numbers
            if version is not None and row["register_id"] == register["id"] and row["added_in"] <= version
            and not (row["removed_in"] is not None and row["removed_in"] <= version)
        }  # fmt: skip

    def _ages(self, register: Mapping[str, Any]) -> list[date]:
        """The first local day on which the register is too old to call here; none: it never is."""
        law = registers_of_law()[register["name"]]
        if law["policy"] != "refuse" or law["country"] not in {place[:2] for place in self._places}:
            return []
        if register["in_force"] is None:
            return [date.min]
        return [register["dated"] + (law["refuse_after"] + 1) * DAY]

    def _bound(self, own: Rows, debts: bool) -> list[Bound]:
        places = {name for place in self._places for name in (place, place[:2])}
        today = self.now.date()
        law = [
            Bound(
                row["most"], row["scope"], row["hours"] * 3600 if "hours" in row else None,
                row.get("calendar_days"), frozenset(row.get("after", ())),
            )
            for row in limits_of_law()
            if row["place"] in places and (debts or not row.get("debts"))
            and row.get("valid_from", today) <= today
        ]  # fmt: skip
        return [
            *law,
            *(
                Bound(row["most"], row["scope"], row["seconds"], row["days"], frozenset(row["after"]))
                for row in own
                if row["assignment_id"] in (None, self._assignment)
            ),
        ]

    @staticmethod
    def _in_force(attempts: Rows) -> Rows:
        last: dict[Any, Mapping[str, Any]] = {}
        for row in sorted(attempts, key=lambda row: row["revision"]):
            last[row["lease_id"]] = row
        return list(last.values())

    # At one instant

    def may_be_rung(self, at: datetime) -> bool:
        """Whether a hand-out at this instant would take them."""
        return self._free(at) and self.is_open(at)

    def _free(self, at: datetime) -> bool:
        """Nothing but hours stops them."""
        state, due_at = self._placement["state"], self._placement["due_at"]
        if state not in ("ready", "resting", "follow_up") or self._deleted or self._held():
            return False
        if state != "ready" and at < due_at:
            return False
        promised = state == "follow_up"
        return any(self._number_free(e164, at, promised) for e164 in self._numbers_left(at)) and not (
            any(row["customer_id"] == self._customer and self._stands(row, at) for row in self._suppressed)
            or (not promised and any(at < until for until in self._kept_free))
            or any(row["ends_at"] is None or at < row["ends_at"] for row in self._pauses)
        )

    def _number_free(self, e164: str, at: datetime, promised: bool) -> bool:
        """One that rests does not stop the others."""
        reached = any(self._reached(limit, e164, at) for limit in self._limits)
        return not reached and (promised or not self._just_rung(e164, at))

    @staticmethod
    def _stands(row: Mapping[str, Any], at: datetime) -> bool:
        return row["expires_at"] is None or at < row["expires_at"]

    def _held(self) -> bool:
        return any(
            row["customer_id"] == self._customer or row["e164"] in self._own_numbers for row in self._live
        )

    def _numbers_left(self, at: datetime) -> list[str]:
        """Those that are on no list now, and on no register."""
        bad = {row["e164"] for row in self._suppressed if self._stands(row, at)} | self._on_register
        return [row["e164"] for row in self._numbers if row["e164"] not in bad]

    def _counted(self, limit: Bound, e164: str) -> list[datetime]:
        if limit.after:
            return [
                row["rung_at"] or row["reported_at"]
                for row in self._answers
                if row["outcome"] in limit.after
                and (limit.scope != "assignment" or row["assignment_id"] == self._assignment)
            ]
        return [
            row["rung_at"]
            for row in self._rings
            if (
                row["e164"] == e164 if limit.scope == "number"
                else row["customer_id"] == self._customer
                and (limit.scope == "customer" or row["assignment_id"] == self._assignment)
            )
        ]  # fmt: skip

    def _reached(self, limit: Bound, e164: str, at: datetime) -> bool:
        times = self._counted(limit, e164)
        if limit.seconds is not None:
            return sum(at - time < limit.seconds * SECOND for time in times) >= limit.most
        assert limit.days is not None
        return any(
            sum((wall(zone, at)[0] - wall(zone, time)[0]).days < limit.days for time in times) >= limit.most
            for zone in self.zones
        )

    def _gap_ends(self) -> Iterator[tuple[Mapping[str, Any], datetime]]:
        """Of a call that nobody told of the gap counts from when it was given up: they may talk till then.

        Of the two assignments' gaps the longer counts.
        """
        for row in self._rings:
            since = row["ended_at"] if row["ended_by"] == "unconfirmed" else row["rung_at"]
            yield row, since + max(self._gaps[row["assignment_id"]], self._gaps[self._assignment]) * SECOND

    def _just_rung(self, e164: str, at: datetime) -> bool:
        return any(
            at < ends for row, ends in self._gap_ends()
            if row["customer_id"] == self._customer or row["e164"] == e164
        )  # fmt: skip

    def is_open(self, at: datetime) -> bool:
        """Nothing forbids the minute, the one before it or the one after it, in any zone.

        And in none it is a day on which a register is too old already.
        """
        minute = _EPOCH + (at - _EPOCH) // MINUTE * MINUTE
        old = any(wall(zone, at)[0] >= day for day in self._too_old_from for zone in self.zones)
        return bool(self.zones) and not old and all(self._fits(minute + n * MINUTE) for n in (-1, 0, 1))

    def _fits(self, minute: datetime) -> bool:
        walls = (wall(zone, minute) for zone in self.zones)
        return all(clock in self._minutes(day) for day, clock in walls)

    def _minutes(self, day: date) -> Minutes:
        """What is left of a local day by the law, the CRM's own hours and whatever is stricter."""
        if day not in self._allowed:
            freed = frozenset(
                row["law"] for row in self._exemptions if row["valid_from"] <= day <= row["valid_to"]
            )
            left = WHOLE if "own" in freed else minutes(self._crm["hours"].get(DAYS[day.weekday()], []))
            for place in self._places:
                left &= by_law(place, day, freed, debts=self._about_debts)
            for row in self._stricter:
                if (row["valid_from"] or day) <= day <= (row["valid_to"] or day):
                    left &= self._of_stricter(row, day)
            self._allowed[day] = left
        return self._allowed[day]

    @staticmethod
    def _of_stricter(row: Mapping[str, Any], day: date) -> Minutes:
        if str(day) in row["days"]:
            return minutes(row["days"][str(day)])
        return WHOLE if row["week"] is None else minutes(row["week"].get(DAYS[day.weekday()], []))

    # Through time

    def next_call(self) -> datetime | None:
        """The first instant from now on at which they may be rung, if nobody acts; None: not in 100 days."""
        ends = self.now + HORIZON
        events = sorted({at for at in self._events() if self.now < at < ends} | {self.now})
        for at, until in zip(events, [*events[1:], ends], strict=True):
            if self._free(at):
                found = next((one for one in self._looks(at, until) if self.is_open(one)), None)
                if found is not None:
                    return found
        return None

    @staticmethod
    def _looks(at: datetime, until: datetime) -> Iterator[datetime]:
        """The instant itself, then each whole minute until the next event."""
        yield at
        minute = _EPOCH + ((at - _EPOCH) // MINUTE + 1) * MINUTE
        while minute < until:
            yield minute
            minute += MINUTE

    def _events(self) -> Iterator[datetime]:
        """Every instant at which anything but hours may open."""
        yield from (self._placement["due_at"],) if self._placement["due_at"] else ()
        yield from (row["expires_at"] for row in self._suppressed if row["expires_at"])
        yield from (row["ends_at"] for row in self._pauses if row["ends_at"])
        yield from self._kept_free
        yield from (ends for _, ends in self._gap_ends())
        for limit in self._limits:
            for e164 in [row["e164"] for row in self._numbers]:
                for time in self._counted(limit, e164):
                    yield from self._forgotten(limit, time)

    def _forgotten(self, limit: Bound, time: datetime) -> Iterable[datetime]:
        if limit.seconds is not None:
            return [time + limit.seconds * SECOND]
        assert limit.days is not None
        return [_begins(zone, wall(zone, time)[0] + limit.days * DAY) for zone in self.zones]


@cache
def _begins(zone: ZoneInfo, day: date) -> datetime:
    """The first minute of a local day: looked for on the wall."""
    start = datetime(day.year, day.month, day.day, tzinfo=UTC) - 15 * HOUR
    return next(at for n in range(30 * 60) if wall(zone, at := start + n * MINUTE)[0] >= day)
