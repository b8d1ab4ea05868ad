"""The portrait of a segment with names, as the API, the pages and the command line show it."""

from dataclasses import dataclass
from datetime import datetime

from calling.views.bar_names import BarNames
from models.work import Work
from segmentation.facets import FacetValue, board_of
from segmentation.portrait import NumberFigures, Portrait, Standout, portrait


@dataclass(frozen=True, slots=True)
class NamedStandout:
    """A value that is more frequent here than in the assignment, in words."""

    dimension: str
    title: str
    value: FacetValue
    name: str
    count: int
    of_all: int
    lift: float
    deviations: float


@dataclass(frozen=True, slots=True)
class NamedNumber:
    """A number field and its title."""

    title: str
    figures: NumberFigures


@dataclass(frozen=True, slots=True)
class NamedPortrait:
    """A portrait whose numbers and standouts have names."""

    of: Portrait
    numbers: tuple[NamedNumber, ...]
    standouts: tuple[NamedStandout, ...]


def named_portrait(
    work: Work, assignment_id: int, segment_id: int, since: datetime | None = None
) -> NamedPortrait:
    """The portrait as of now, and of calls since `since` (UTC) or in the last 90 days. Raises NotFound."""
    found = portrait(work, assignment_id, segment_id, since)
    frame, names = board_of(work, assignment_id).frame(work), BarNames(work, assignment_id)

    def named(one: Standout) -> NamedStandout:
        dimension = frame.dimension(one.dimension)
        name = names.value(dimension, one.value) if dimension else str(one.value)
        return NamedStandout(
            one.dimension, names.dimension(one.dimension), one.value, name, one.count, one.of_all, one.lift,
            one.deviations,
        )  # fmt: skip

    numbers = tuple(NamedNumber(names.dimension(one.field), one) for one in found.numbers.figures)
    return NamedPortrait(found, numbers, tuple(named(one) for one in found.standouts))
