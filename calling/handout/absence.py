"""Why somebody is away and until when, in words; and whether that means that they are off for the day.

A day is that of the floor: from midnight to midnight of the zone where most of the CRM's country live.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from difflib import get_close_matches
from typing import Literal
from zoneinfo import ZoneInfo

from sqlalchemy import text

from calling.follow_ups.wall_time import instant_of_wall, wall_of
from calling.hours.floor import zone_of
from models.ends import LONGEST_ABSENCE, check_end
from models.errors import BadValues
from models.tables import FOREVER
from models.tables.people import AWAY_REASONS, DAYS_OFF, PRESENCES
from models.work import Work

TODAY: Literal["today"] = "today"

_REGION = text("select region from crm where id = :crm_id")

# After "Ana is": the reason alone says it beside a name, not in a sentence.
_IS = {
    "break": "on a break", "lunch": "at lunch", "meeting": "in a meeting", "training": "in training",
    "coaching": "being coached", "paperwork": "at their paperwork", "technical": "stopped by a fault",
    "holiday": "on holiday", "leave": "on leave", None: "away",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Absence:
    """What was said: a reason, and when they are back (UTC; "today": not before the floor's day is over).

    None of either: they left without saying.
    """

    reason: str | None = None
    back_at: datetime | Literal["today"] | None = None


@dataclass(frozen=True, slots=True)
class Reckoned:
    """The same as instants (UTC). `off_until`: off for the day until then, `FOREVER` without an end."""

    reason: str | None
    back_at: datetime | None
    off_until: datetime | None


NOTHING = Reckoned(None, None, None)


def check(presence: str, said: Absence) -> None:
    """Raises BadValues with everything that is wrong with it."""
    problems: list[tuple[str, str]] = []
    if presence not in PRESENCES:
        problems.append(("presence", _none_of(presence, PRESENCES)))
    if said.reason is not None and said.reason not in AWAY_REASONS:
        problems.append(("reason", _none_of(said.reason, AWAY_REASONS)))
    if presence == "available" and said != Absence():
        problems.append(("presence", "whoever is available has no reason to be away, and is back"))
    if problems:
        raise BadValues(problems)


def reckon(said: Absence, now: datetime, zone: ZoneInfo) -> Reckoned:
    """What it comes to. Off for the day is who is ill, on holiday or the like, or is back another day.

    Who is `off` and names no end is off today; who is ill or on holiday, until they come. Raises BadInput.
    """
    midnight = end_of_day(now, zone)
    named = TODAY if said.reason == "off" and said.back_at is None else said.back_at
    back_at = midnight if named == TODAY else named
    if named != TODAY:
        check_end("back_at", back_at, now, LONGEST_ABSENCE)
    if said.reason in DAYS_OFF or (back_at is not None and back_at >= midnight):
        return Reckoned(said.reason, back_at, back_at or FOREVER)
    return Reckoned(said.reason, back_at, None)


def end_of_day(now: datetime, zone: ZoneInfo) -> datetime:
    """The first instant (UTC) of the day that follows there."""
    midnight = (wall_of(zone, now) + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return instant_of_wall(zone.key, midnight).at


def floor_zone(work: Work) -> ZoneInfo:
    """The zone of the CRM's floor."""
    return zone_of(str(work.run(_REGION).scalar_one()))


def told(reason: str | None, back_at: datetime | None, now: datetime, zone: ZoneInfo) -> str:
    """For whoever looks at a clock there: "lunch until 12:30", "ill today"; empty if nothing was said."""
    return " ".join(filter(None, (reason, _until(back_at, now, zone))))


def sentence(reason: str | None, back_at: datetime | None, now: datetime, zone: ZoneInfo) -> str:
    """The same after somebody's name: "is at lunch until 12:30", "is ill today"."""
    return " ".join(filter(None, ("is", _IS.get(reason, reason), _until(back_at, now, zone))))


def told_utc(reason: str | None, back_at: datetime | None) -> str:
    """For whoever reads UTC: "lunch until 2026-03-02 12:30 UTC"; empty if nothing was said."""
    until = f"until {back_at:%Y-%m-%d %H:%M} UTC" if back_at else None
    return " ".join(filter(None, (reason, until)))


def _until(back_at: datetime | None, now: datetime, zone: ZoneInfo) -> str | None:
    if back_at is None:
        return None
    there = back_at.astimezone(zone)
    if back_at == end_of_day(now, zone):
        return "today"
    if there.date() == now.astimezone(zone).date():
        return f"until {there:%H:%M}"
    day = f"until {there:%a} {there.day} {there:%b}"
    return day if (there.hour, there.minute) == (0, 0) else f"{day} {there:%H:%M}"


def _none_of(word: str, known: Iterable[str]) -> str:
    near = get_close_matches(word.casefold(), list(known), n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return f"{word!r} is none of {', '.join(known)}{hint}"
