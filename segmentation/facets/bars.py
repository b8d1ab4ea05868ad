"""Counts by code become bars."""

from collections.abc import Mapping
from datetime import datetime

from segmentation.facets.dimensions import Dimension, Frame
from segmentation.facets.values import Bar, Facets

Counts = Mapping[int, int]
"""Place of a value among the dimension's -> how many placements."""


def facets_of(
    frame: Frame, counts: Mapping[str, tuple[Counts, Counts]], total: int, as_of: datetime, source: str
) -> Facets:
    """The answer. `counts`: dimension -> (selected, without any filter)."""
    bars = {one.key: _bars(one, *counts[one.key]) for one in frame.dimensions}
    return Facets(bars, total, as_of, source)


def _bars(one: Dimension, selected: Counts, total: Counts) -> tuple[Bar, ...]:
    """A bar for each value, in the order of the frame; one with nobody in it stays, "others" only if used."""
    bars = (Bar(value, selected.get(i, 0), total.get(i, 0)) for i, value in enumerate(one.values))
    return tuple(bar for i, bar in enumerate(bars) if bar.total or not _is_spare(one, i))


def _is_spare(one: Dimension, code: int) -> bool:
    return code == 0 or (code == 1 and one.kind in ("listed", "many"))


def by_bit(one: Dimension, counts: Counts) -> Counts:
    """Counts by value, of counts by all bits of a placement together."""
    return {
        bit: sum(count for bits, count in counts.items() if bits >> bit & 1) for bit in range(len(one.values))
    }
