"""What a bar stands for, what a filter asks for, and what an answer holds.

A filter stands on its own: a range carries its bounds, and "the others" carries the values it leaves out.
So it means the same in every process, whatever bars were chosen there, and in SQL, and as a rule.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from segmentation.nodes import Scalar

Bound = int | float | date


@dataclass(frozen=True, slots=True)
class Empty:
    """No value: missing, the empty text, of the wrong type; no label, no tag."""


@dataclass(frozen=True, slots=True)
class Range:
    """From `low` on, below `high`; None: without end on that side. Both of one type."""

    low: Bound | None
    high: Bound | None


@dataclass(frozen=True, slots=True)
class Others:
    """Every value that is not one of `known`, and not empty."""

    known: tuple[Scalar, ...]


EMPTY = Empty()

FacetValue = Scalar | Empty | Range | Others
"""A text, a number or an id as it stands in the row; true or false; or one of the three above."""

Filters = Mapping[str, Sequence[FacetValue]]
"""Dimension -> values, of which a row has at least one. A row passes when it passes all dimensions."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One value of a dimension, in placements.

    `selected` pass every filter except the dimension's own; `total` would without any filter.
    """

    value: FacetValue
    selected: int
    total: int


@dataclass(frozen=True, slots=True)
class Facets:
    """The bars of every dimension, and how many placements pass all filters.

    Whatever was committed at `as_of` (business time, UTC) is counted, and of what came later maybe some.
    `source`: where. `marked`: bars of values that filter and have none among `dimensions`, where the cache
    counted them as well.
    """

    dimensions: Mapping[str, tuple[Bar, ...]]
    total: int
    as_of: datetime
    source: str
    marked: Mapping[str, tuple[Bar, ...]] = field(default_factory=dict)
