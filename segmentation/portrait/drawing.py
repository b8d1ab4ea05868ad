"""Everything about a segment, put together as of one instant."""

from dataclasses import dataclass
from datetime import datetime
from math import sqrt

from sqlalchemy import text

from models.errors import NotFound
from models.work import Work
from segmentation.facets import Facets, FacetValue, Others, board_of, facets
from segmentation.portrait.calls import Calls, calls
from segmentation.portrait.numbers import Numbers, numbers

FEWEST = 20  # customers of the segment that a value needs to be told of
MOST = 20  # values told of


@dataclass(frozen=True, slots=True)
class Standout:
    """A value that is more frequent here. `count` have it here, `of_all` in the assignment.

    `lift`: the share here by the share in the assignment. `deviations`: how far the share here lies above
    that of the assignment, in standard deviations of chance.
    """

    dimension: str
    value: FacetValue
    count: int
    of_all: int
    lift: float
    deviations: float


@dataclass(frozen=True, slots=True)
class Portrait:
    """`size` of the segment and of the `assignment`, in customers."""

    segment_id: int
    size: int
    assignment: int
    numbers: Numbers
    standouts: tuple[Standout, ...]
    calls: Calls
    as_of: datetime


_SEGMENT = text("""
    select 1 from segment where crm_id = :crm_id and assignment_id = :assignment_id and id = :segment_id
""")


def portrait(work: Work, assignment_id: int, segment_id: int, since: datetime | None = None) -> Portrait:
    """The portrait as of now, and of calls since `since` (UTC) or in the last 90 days. Raises NotFound."""
    if not work.run(_SEGMENT, assignment_id=assignment_id, segment_id=segment_id).first():
        raise NotFound("segment", segment_id)
    found = facets(work, assignment_id, {"segment": [segment_id]})
    everybody = sum(bar.total for bar in found.dimensions["state"])
    own = [field for field in board_of(work, assignment_id).frame(work).fields if field.type == "number"]
    return Portrait(
        segment_id, found.total, everybody,
        numbers(work, assignment_id, segment_id, own, found.total, everybody),
        _standouts(found, everybody), calls(work, assignment_id, segment_id, since), work.now,
    )  # fmt: skip


def _standouts(found: Facets, everybody: int) -> tuple[Standout, ...]:
    """By lift times deviations: much more frequent, and hardly by chance."""
    told = [
        _standout(key, bar.value, bar.selected, bar.total, found.total, everybody)
        for key, bars in found.dimensions.items() if key != "segment"
        for bar in bars if bar.selected >= FEWEST and not isinstance(bar.value, Others)
    ]  # fmt: skip
    over = [one for one in told if one.lift > 1]
    return tuple(sorted(over, key=lambda one: (-one.lift * one.deviations, one.dimension))[:MOST])


def _standout(key: str, value: FacetValue, here: int, of_all: int, size: int, everybody: int) -> Standout:
    share, usual = here / size, of_all / everybody
    chance = sqrt(usual * (1 - usual) / size)
    return Standout(key, value, here, of_all, share / usual, (share - usual) / chance if chance else 0.0)
