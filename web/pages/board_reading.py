"""One reading of what the Segments page shows: the bars under a selection, and the segments."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from calling.views import browse
from calling.views.bars import Bars, bars
from calling.views.segment_list import SegmentNow, segment_list
from models.work import Work
from segmentation.facets import Filters

_REBUILDING = text("""
    select exists (select from rebuild
                    where crm_id = :crm_id and assignment_id = :assignment_id and finished_at is null)
""")


@dataclass(frozen=True, slots=True)
class Reading:
    """An assignment as of `now` (business time, UTC). `rebuilding`: customers are on their way."""

    now: datetime
    bars: Bars
    segments: list[SegmentNow]
    rebuilding: bool

    def segment(self, segment_id: int | None) -> SegmentNow | None:
        """The live segment of that id."""
        return next((one for one in self.segments if one.id == segment_id), None)


def read(work: Work, assignment_id: int, filters: Filters) -> Reading:
    """Read it all. Raises NotFound, BadInput."""
    browse.assignment(work, assignment_id)
    rebuilding = work.run(_REBUILDING, assignment_id=assignment_id).scalar_one()
    return Reading(
        work.now, bars(work, assignment_id, filters), segment_list(work, assignment_id), bool(rebuilding)
    )
