"""The dimensions of one assignment, and the bars that were chosen for each: the frame.

Each bar is a small code that SQL gives a row. Code 0 is always "empty"; of listed values 1 is "others" and
the values follow; of ranges the buckets follow; a dimension of many values a row has a bit for each of these.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from typing import Literal

from segmentation.catalogue import KnownField
from segmentation.facets.values import EMPTY, Bound, FacetValue, Others, Range
from segmentation.nodes import Scalar

Kind = Literal["listed", "ranges", "yes_no", "many"]

TOP = 50  # bars of a text; what is rarer is "others"
AT_ONCE = 30  # dimensions of one statement: PostgreSQL groups by no more than 31
MOST_BITS = 60  # bars of a dimension of many values a row: they share one bigint
FIRST_LISTED = 2  # the code of the first listed value, after empty and others


@dataclass(frozen=True, slots=True)
class Dimension:
    """One dimension. `field` is the column it reads; `listed` are its values, `bounds` those of its buckets.

    `grows`: its values are ids that are only ever added to, so their codes stay.
    """

    key: str
    kind: Kind
    field: KnownField
    listed: tuple[Scalar, ...] = ()
    bounds: tuple[Bound, ...] = ()
    grows: bool = False

    @property
    def values(self) -> tuple[FacetValue, ...]:
        """The value of each code, from 0 on."""
        match self.kind:
            case "yes_no":
                return (EMPTY, False, True)
            case "ranges":
                return (EMPTY, *self._ranges())
            case _:
                return (EMPTY, Others(self.listed), *self.listed)

    @property
    def of_placement(self) -> bool:
        """Whether the placement's own row says it: no fact of the customer changes it."""
        return self.field.table == "placement" and self.field != TAGS

    def _ranges(self) -> tuple[FacetValue, ...]:
        if self.field.whole:  # attempts: a bar for each number, and one for whatever is above
            return (*range(len(self.bounds)), Range(self.bounds[-1], None))
        ends = (None, *self.bounds, None)
        return tuple(Range(low, high) for low, high in pairwise(ends))


@dataclass(frozen=True, slots=True)
class Frame:
    """The dimensions in the order shown. `learnt_at` (UTC) from `rows` placements; own `fields`."""

    dimensions: tuple[Dimension, ...]
    fields: tuple[KnownField, ...]
    rows: int
    learnt_at: datetime

    def dimension(self, key: str) -> Dimension | None:
        """The dimension of that key."""
        return next((one for one in self.dimensions if one.key == key), None)

    def grown(self, ids: Mapping[str, tuple[int, ...]]) -> "Frame":
        """The frame with these ids of the dimensions that grow; itself where there are no others."""
        grown = tuple(
            replace(one, listed=ids[one.key]) if one.grows and ids[one.key] != one.listed else one
            for one in self.dimensions
        )
        return self if grown == self.dimensions else replace(self, dimensions=grown)


SEGMENT = KnownField("segment_id", "number", "placement", whole=True)
ATTEMPTS = KnownField("attempts", "number", "placement", whole=True)
STATE = KnownField("state", "choice", "placement")
ZONE = KnownField("reckoning_zone", "text", "customer")
LABELS = KnownField("labels", "text", "placement")
TAGS = KnownField("tags", "text")  # of no column: they are a table
COUNTED_ATTEMPTS: tuple[Bound, ...] = tuple(range(1, 11))
