"""One reading of an assignment's floor: all that its page shows, at one instant (`work(snapshot=True)`)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from calling.dialers.set_aside import NOTHING, Unseen, unseen
from calling.follow_ups.late import Late, late_promises
from calling.segments.alarms import Alarm, alarms
from calling.views import browse, report
from calling.views.dry import DryList
from calling.views.floor import Floor, floor
from calling.views.report import Hour, SegmentFigures
from models.tables.assignments import UNSEGMENTED
from models.work import Work

MOST_PAUSES = 200


@dataclass(frozen=True, slots=True)
class Pause:
    """A standing pause as the page shows it."""

    id: int
    scope: str
    target_id: int | None
    reason: str
    author: str
    ends_at: datetime | None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An assignment at one instant of business time (UTC). `today`: its hours since local midnight."""

    assignment_id: int
    now: datetime
    zone: ZoneInfo
    segments: list[SegmentFigures]
    today: list[Hour]
    floor: Floor
    pauses: list[Pause]
    alarms: list[Alarm]
    late: Sequence[Late] = ()
    dry: DryList | None = None
    set_aside: Unseen = NOTHING

    def total(self, figure: str) -> int:
        """The sum of one figure over all segments."""
        return sum(getattr(segment, figure) for segment in self.segments)

    @property
    def callable_now(self) -> int:
        """Customers who could be rung this minute."""
        return sum(self.floor.callable_now.values())

    def so_far(self, figure: str) -> int:
        """The sum of one figure over the hours of the day."""
        return sum(getattr(hour, figure) for hour in self.today)

    @property
    def this_hour(self) -> Hour:
        """What was reported in the hour that runs."""
        begins = self.now.replace(minute=0, second=0, microsecond=0)
        return next((hour for hour in self.today if hour.begins == begins), Hour(begins, 0, 0, 0))

    def pause_of(self, scope: str, target_id: int | None) -> Pause | None:
        """The pause that stands on exactly this."""
        found = (p for p in self.pauses if (p.scope, p.target_id) == (scope, target_id))
        return next(found, None)

    def alarm_of(self, segment_id: int) -> Alarm | None:
        """The alarm of a segment whose rule cannot be read."""
        return next((one for one in self.alarms if (one.kind, one.id) == ("segment", segment_id)), None)

    def shown(self) -> Sequence[SegmentFigures]:
        """The segments worth a row: Unsegmented only while somebody is or was in it."""
        alone = len(self.segments) == 1
        return [s for s in self.segments if s.key != UNSEGMENTED or s.size or s.attempts or alone]


def read(work: Work, assignment_id: int, zone: ZoneInfo) -> Snapshot:
    """Read it all. Raises NotFound."""
    browse.assignment(work, assignment_id)
    midnight = work.now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    return Snapshot(
        assignment_id, work.now, zone,
        report.segments(work, assignment_id),
        report.hours(work, assignment_id, midnight.astimezone(work.now.tzinfo)),
        floor(work, assignment_id),
        [_pause(row) for row in browse.pauses(work, 0, MOST_PAUSES)],
        alarms(work, assignment_id),
        late_promises(work, assignment_id),
        set_aside=unseen(work),
    )  # fmt: skip


def _pause(row: Any) -> Pause:
    return Pause(row.id, row.scope, row.target_id, row.reason, row.author, row.ends_at)


def local(at: datetime, zone: ZoneInfo) -> str:
    """An instant as people there read it: 13:05, with the weekday if it is another day."""
    return f"{at.astimezone(zone):%H:%M}"


def hour_of(hour: Hour, zone: ZoneInfo) -> int:
    """The local hour of the day."""
    return (hour.begins + timedelta(minutes=1)).astimezone(zone).hour
