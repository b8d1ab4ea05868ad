"""From what was counted to what is told."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

from sqlalchemy import Row

from models.tables.assignments import UNSEGMENTED
from segmentation.nodes import Rules
from segmentation.preview.names import Names
from segmentation.preview.values import Cell, HeldElsewhere, LabelForecast, Preview, SegmentForecast

Warnings = Sequence[tuple[str, str]]
_Rows = Sequence[Row[Any]]


def told(
    base: int, draft: Rules, names: Names, rows: _Rows, warnings: Warnings, warn_above: float
) -> Preview:
    """The preview of a draft from the rows of its statement (segmentation/preview/asking.py)."""
    cells = _cells(names, _of("move", rows))
    customers = sum(cell.size for cell in cells)
    move = sum(cell.size for cell in cells if cell.from_key != cell.to_key)
    share = move / customers if customers else 0.0
    labels = _labels(names, draft, rows)
    by_rule = _of("rule", rows)
    said = [*warnings, *_of_nobody(draft, names, by_rule, labels, warnings)] if customers else [*warnings]
    if share > warn_above:
        said.append(("rules", f"{move:,} of {customers:,} customers change their segment: {share:.0%}"))
    return Preview(
        base, customers, customers - move, move, share, _segments(names, draft, cells), labels, cells,
        sum(row.size for row in by_rule if row.other is not None), _held_elsewhere(names, by_rule),
        sum(row.size for row in _of("release", rows)), tuple(said),
    )  # fmt: skip


def _of(what: str, rows: _Rows) -> list[Row[Any]]:
    """Rows of one kind, the largest first."""
    some = (row for row in rows if row.what == what)
    return sorted(some, key=lambda row: (-row.size, row.one or 0, row.other or 0))


def _cells(names: Names, rows: _Rows) -> tuple[Cell, ...]:
    return tuple(
        Cell(names.key("segment", row.one), names.key("segment", row.other), row.size, tuple(row.sample))
        for row in rows
    )


def _held_elsewhere(names: Names, rows: _Rows) -> tuple[HeldElsewhere, ...]:
    return tuple(
        HeldElsewhere(
            names.key("segment", row.one), names.key("segment", row.other), row.size, tuple(row.sample)
        )
        for row in rows
        if row.other is not None and row.one != row.other
    )


def _segments(names: Names, draft: Rules, cells: Sequence[Cell]) -> tuple[SegmentForecast, ...]:
    before, after, stay = Counter[str](), Counter[str](), Counter[str]()
    for cell in cells:
        before[cell.from_key] += cell.size
        after[cell.to_key] += cell.size
        stay[cell.from_key] += cell.size if cell.from_key == cell.to_key else 0
    drawn = [*(one.key for one in draft.segments), UNSEGMENTED]
    going = [key for key in names.all("segment") if names.is_live("segment", key) or before[key]]
    return tuple(
        SegmentForecast(
            key, names.name("segment", key), before[key], after[key], after[key] - stay[key],
            before[key] - stay[key], not names.is_live("segment", key), key not in drawn,
        )
        for key in dict.fromkeys([*drawn, *going])
    )  # fmt: skip


def _labels(names: Names, draft: Rules, rows: _Rows) -> tuple[LabelForecast, ...]:
    had, has, kept = (
        Counter({names.key("label", row.one): int(row.size) for row in _of(what, rows)})
        for what in ("had", "has", "kept")
    )
    drawn = [one.key for one in draft.labels]
    going = [key for key in names.all("label") if names.is_live("label", key) or had[key]]
    return tuple(
        LabelForecast(
            key, names.name("label", key), had[key], has[key], has[key] - kept[key], had[key] - kept[key]
        )
        for key in dict.fromkeys([*drawn, *going])
    )


def _of_nobody(
    draft: Rules, names: Names, by_rule: _Rows, labels: Sequence[LabelForecast], warnings: Warnings
) -> Iterator[tuple[str, str]]:
    """Rules that place nobody as things are, where nothing worse was said of them."""
    said = {path for path, _ in warnings}
    placed = {names.key("segment", row.one) for row in by_rule}
    has = {label.key for label in labels if label.after}
    segments = (
        (f"segments[{i}].when", "nobody comes here now: whoever meets it, if anybody, is in one before it")
        for i, one in enumerate(draft.segments)
        if one.key not in placed
    )
    without = (
        (f"labels[{i}].when", "nobody has this label now")
        for i, one in enumerate(draft.labels)
        if one.key not in has
    )
    return (one for one in chain(segments, without) if one[0] not in said)
