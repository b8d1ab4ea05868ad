"""What an owner changes about the hours: stricter ones that are intersected, and exemptions by name.

Both are counted in local days of the customer, from a first to a last one, as the law itself is.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from calling.hours.spans import WHOLE_DAY, Spans
from calling.hours.week import Week, read_intervals, read_week
from models.errors import BadInput

OWN = "own"
"""The key by which somebody is exempted from the CRM's own hours; a law row has its own."""


@dataclass(frozen=True, slots=True)
class StricterHours:
    """Hours of a CRM, an assignment or a segment, within whatever else holds there.

    `week` None: any hour, but on the own `days`; each of them has hours of its own instead of the week's.
    """

    id: int
    assignment_id: int | None
    segment_id: int | None
    week: Week | None
    days: Mapping[date, Spans] = field(hash=False)
    valid_from: date
    valid_to: date
    reason: str
    author: str

    def on(self, day: date) -> Spans:
        """The hours of a local day; outside its time it forbids nothing."""
        if not self.valid_from <= day <= self.valid_to:
            return WHOLE_DAY
        if day in self.days:
            return self.days[day]
        return self.week.on(day.weekday()) if self.week else WHOLE_DAY

    def covers(self, assignment_id: int | None, segment_id: int | None) -> bool:
        """Whether it holds in this segment of this assignment (None: in no certain one)."""
        return self.assignment_id in (None, assignment_id) and self.segment_id in (None, segment_id)

    def __str__(self) -> str:
        return f"the {scope_of(self.assignment_id, self.segment_id)}'s hours ({self.author}: {self.reason})"


@dataclass(frozen=True, slots=True)
class Exemption:
    """A named manager lets a CRM or an assignment off one law row, or the CRM's own hours, until a day."""

    id: int
    assignment_id: int | None
    law: str
    valid_from: date
    valid_to: date
    reason: str
    manager: str
    author: str

    def frees(self, law: str, day: date) -> bool:
        """The row with this key forbids nothing on that local day."""
        return law == self.law and self.valid_from <= day <= self.valid_to

    def covers(self, assignment_id: int | None) -> bool:
        """Whether it holds in this assignment."""
        return self.assignment_id in (None, assignment_id)

    def __str__(self) -> str:
        return f"exempted until {self.valid_to} by {signed(self.manager, self.author)}: {self.reason}"


def signed(manager: str, author: str) -> str:
    """Who answers for an exemption, and who entered it if that was somebody else: "Kari, entered by Bo"."""
    return manager if manager == author else f"{manager}, entered by {author}"


def scope_of(assignment_id: int | None, segment_id: int | None) -> str:
    """What hours of these hold for, in a word."""
    return "segment" if segment_id else "assignment" if assignment_id else "CRM"


def stricter_from(row: Mapping[str, Any]) -> StricterHours:
    """Stricter hours as the database keeps them."""
    problems: list[tuple[str, str]] = []
    return StricterHours(
        row["id"], row["assignment_id"], row["segment_id"],
        None if row["week"] is None else read_week(row["week"]),
        read_days(row["days"], problems), *_time_of(row), row["reason"], row["author"],
    )  # fmt: skip


def exemption_from(row: Mapping[str, Any]) -> Exemption:
    """An exemption as the database keeps it."""
    return Exemption(
        row["id"],
        row["assignment_id"],
        row["law"],
        *_time_of(row),
        row["reason"],
        row["manager"],
        row["author"],
    )


def read_days(body: object, problems: list[tuple[str, str]]) -> dict[date, Spans]:
    """Own days `{"2026-12-24": [["09:00", "12:00"]], "2026-12-25": []}`; what is wrong goes to `problems`."""
    if not isinstance(body, Mapping):
        problems.append(("days", 'must be an object such as {"2026-12-24": []}'))
        return {}
    days: dict[date, Spans] = {}
    for text, intervals in body.items():
        path = f"days.{text}"
        try:
            day = date.fromisoformat(str(text))
        except ValueError:
            problems.append((path, "is no day; write it as 2026-12-24"))
            continue
        days[day] = read_intervals(intervals, path, problems)
    return days


def check_stricter(
    week: object, days: object, valid_from: date | None, valid_to: date | None, first: date,
    stood: Collection[date] = (),
) -> None:  # fmt: skip
    """Raise BadInput with every problem of hours that somebody wants to set.

    `first`: the earliest local day on earth. What is over by then forbids nothing: it is a slip of the pen,
    but for own days that `stood` already in the hours that are changed.
    """
    problems: list[tuple[str, str]] = []
    if week is not None:
        try:
            read_week(week)
        except BadInput as error:
            problems += [(one["path"], one["message"]) for one in error.data["problems"]]
    own = read_days(days, problems)
    if week is None and not own:
        problems.append(("hours", "say a week, own days, or both: as it is nothing would become stricter"))
    if valid_from and valid_to and valid_from > valid_to:
        problems.append(("valid_to", f"{valid_to} lies before {valid_from}"))
    if valid_to and valid_to < first:
        problems.append(("valid_to", f"{valid_to} is over: nothing would become stricter"))
    for day in own:
        if day < first and day not in stood:
            problems.append((f"days.{day}", "is over: nothing would become stricter"))
        if (valid_from and day < valid_from) or (valid_to and day > valid_to):
            problems.append((f"days.{day}", "lies outside the time in which these hours hold"))
    if problems:
        told = "; ".join(f"{path}: {message}" for path, message in problems)
        raise BadInput(f"hours: {told}", problems=[{"path": p, "message": m} for p, m in problems])


def _time_of(row: Mapping[str, Any]) -> tuple[date, date]:
    return _day(row["valid_from"]) or date.min, _day(row["valid_to"]) or date.max


def _day(value: Any) -> date | None:
    return date.fromisoformat(value) if isinstance(value, str) else value
