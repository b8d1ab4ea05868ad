"""A limit, and the instant until which it stands: the pure part, without a database."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from models.zones import zone_names
from segmentation.calendar import local_day, midnight

NOWHERE = ("Etc/UTC",)
"""Whose days are counted while nobody knows where a customer is; they are not callable anyway."""

SUBJECTS = {
    "number": "rings to the number, whoever of the CRM it is rung for",
    "customer": "rings to any number of the customer, in whichever assignment of the CRM",
    "assignment": "rings to any number of the customer, in this assignment",
}
"""What each scope counts."""


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `most` rings in a window: `seconds` that roll, or `days` of the calendar, today included.

    `after`: outcomes that are counted in place of rings. `assignment_id`: it binds that assignment's rings
    only. `debts`: it binds only where an assignment is about debts. `place`: whose law it is, "" for an
    owner's own, which has an `id`; `name` and `source` say where it stands written, or who set it and why.
    `set_at`: when the owner did.
    """

    most: int
    scope: str
    seconds: int | None
    days: int | None
    name: str
    source: str
    place: str = ""
    after: frozenset[str] = frozenset()
    debts: bool = False
    assignment_id: int | None = None
    valid_from: date = date.min
    valid_to: date = date.max
    id: int | None = None
    set_at: datetime | None = None

    def until(self, times: Sequence[datetime], zones: Iterable[str]) -> datetime | None:
        """Until when (UTC) these rings or answers, the newest first, forbid another; None: they do not.

        A ring is forgotten when exactly `seconds` have passed. Days are counted in every one of the
        candidate `zones`, and the strictest has it. A zone that there is not any more is left out: an outcome
        counts, whatever is in the data.
        """
        if len(times) < self.most:
            return None
        decisive = times[self.most - 1]
        if self.days is None:
            assert self.seconds is not None  # noqa: S101 - one of the two is given
            return decisive + timedelta(seconds=self.seconds)
        days = timedelta(days=self.days)
        known = tuple(name for name in zones if name in zone_names()) or NOWHERE
        return max(midnight(name, local_day(name, decisive) + days) for name in known)

    def binds(self, assignment_id: int, about_debts: bool) -> bool:
        """Whether rings of this assignment are bound by it."""
        return self.assignment_id in (None, assignment_id) and (about_debts or not self.debts)

    def valid(self, now: datetime) -> bool:
        """In force somewhere on earth at `now`."""
        hours = timedelta(hours=14)  # no zone is further from UTC
        first, last = (now.astimezone(UTC) - hours).date(), (now.astimezone(UTC) + hours).date()
        return self.valid_from <= last and first <= self.valid_to

    @property
    def reach(self) -> timedelta:
        """How far back it looks, at most: a local day may have begun long before ours."""
        return timedelta(seconds=self.seconds) if self.seconds else timedelta(days=(self.days or 0) + 2)

    def __str__(self) -> str:
        window = span(self.seconds, self.days)
        if self.after:
            return f"{window} of rest after {self.most} x {' or '.join(sorted(self.after))}"
        rings = "1 ring" if self.most == 1 else f"{self.most} rings"
        return f"{rings} to the {_TO[self.scope]} within {window}"


_TO = {"number": "number", "customer": "customer", "assignment": "customer in the assignment"}


def span(seconds: int | None, days: int | None) -> str:
    """A window as people say it: "24 hours", "30 calendar days"."""
    if days is not None:
        return "1 calendar day" if days == 1 else f"{days} calendar days"
    for length, unit in ((3600, "hour"), (60, "minute"), (1, "second")):
        if seconds is not None and seconds % length == 0:
            count = seconds // length
            return f"{count} {unit}{'' if count == 1 else 's'}"
    raise ValueError("a limit has a window")
