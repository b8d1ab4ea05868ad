"""One reading of what the Segments page shows: the bars under a selection, and the segments."""

from dataclasses import dataclass
from datetime import datetime

from calling.segments.alarms import Alarm, alarms
from calling.views import browse
from calling.views.bars import Bars, bars
from calling.views.rebuilds import Rebuild, under_way
from calling.views.segment_list import DeletedSegment, SegmentNow, deleted_segments, segment_list
from models.work import Work
from segmentation.facets import Filters

MOST_DELETED = 1_000


@dataclass(frozen=True, slots=True)
class Reading:
    """An assignment as of `now` (business time, UTC).

    `rebuild`: the one that runs, else the one that waits. `deleted` segments, the last one first: who still
    stands in one is on the way to another. `alarms`: rules that cannot be read.
    """

    now: datetime
    bars: Bars
    segments: list[SegmentNow]
    rebuild: Rebuild | None
    deleted: list[DeletedSegment]
    alarms: list[Alarm]

    @property
    def on_their_way(self) -> int:
        """Customers whose segment is no more; the rebuild takes them to another."""
        return sum(one.size for one in self.deleted)

    def alarm_of(self, segment_id: int) -> Alarm | None:
        """Why a segment's rule cannot be read."""
        return next((one for one in self.alarms if (one.kind, one.id) == ("segment", segment_id)), None)

    def segment(self, segment_id: int | None) -> SegmentNow | None:
        """The live segment of that id."""
        return next((one for one in self.segments if one.id == segment_id), None)


def read(work: Work, assignment_id: int, filters: Filters) -> Reading:
    """Read it all. Raises NotFound, BadInput."""
    browse.assignment(work, assignment_id)
    gone = deleted_segments(work, assignment_id, 0, MOST_DELETED)
    return Reading(
        work.now, bars(work, assignment_id, filters), segment_list(work, assignment_id),
        under_way(work, assignment_id), sorted(gone, key=lambda one: one.deleted_at, reverse=True),
        alarms(work, assignment_id),
    )  # fmt: skip
