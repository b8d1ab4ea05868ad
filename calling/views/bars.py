"""The bars of an assignment with their names: what the API, the pages and the command line show."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from calling.segments.selection import count
from calling.views.bar_names import BarNames
from models.errors import NotFound
from models.work import Work
from segmentation.facets import Bar, Empty, FacetValue, Filters, Others, board_of, facets
from segmentation.facets.dimensions import Dimension
from segmentation.facets.searching import is_searchable, search
from segmentation.facets.spelling import read_filters

MOST_BARS = 60
MOST_FOUND = 50


@dataclass(frozen=True, slots=True)
class NamedBar:
    """One value: `selected` pass every filter but the dimension's own, `total` any. `chosen`: it filters."""

    value: FacetValue
    name: str
    selected: int
    total: int
    chosen: bool


@dataclass(frozen=True, slots=True)
class NamedDimension:
    """One dimension. `more`: bars that were left out. `searchable`: rare values have no bar, but are found.

    `kind`: listed, ranges, yes_no, or many (a customer may have several, so bars add up to more).
    """

    key: str
    name: str
    kind: str
    bars: tuple[NamedBar, ...]
    more: int
    searchable: bool


@dataclass(frozen=True, slots=True)
class Bars:
    """All dimensions under `filters`: `total` customers pass them, `of` are there. As of business time."""

    dimensions: tuple[NamedDimension, ...]
    filters: Filters
    total: int
    of: int
    as_of: datetime
    source: str

    def dimension(self, key: str) -> NamedDimension | None:
        """The dimension of that key."""
        return next((one for one in self.dimensions if one.key == key), None)


def read_selection(
    work: Work, assignment_id: int, document: object, shown_only: Sequence[str] = ()
) -> Filters:
    """Filters as JSON spells them (segmentation/facets/spelling.py). Raises BadInput, NotFound.

    `shown_only`: dimensions that somebody wants to see, which there have to be.
    """
    frame = board_of(work, assignment_id).frame(work)
    return read_filters(document, frame, BarNames(work, assignment_id).ids, shown_only)


def bars(work: Work, assignment_id: int, filters: Filters, most: int = MOST_BARS) -> Bars:
    """Every dimension, at most `most` bars each; those that filter always. Raises BadInput, NotFound."""
    found = facets(work, assignment_id, filters)
    frame, names = board_of(work, assignment_id).frame(work), BarNames(work, assignment_id)
    shown = (frame.dimension(key) for key in found.dimensions)
    named = []
    for one in (one for one in shown if one):
        known = (*found.dimensions[one.key], *found.marked.get(one.key, ()))
        rare = _rare(work, assignment_id, one, known, filters)
        named.append(_named(one, (*known, *rare), filters, names, most))
    everybody = sum(bar.total for bar in found.dimensions["state"])
    return Bars(tuple(named), filters, found.total, everybody, found.as_of, found.source)


def search_bars(
    work: Work, assignment_id: int, key: str, filters: Filters, piece: str, most: int = MOST_FOUND
) -> tuple[NamedBar, ...]:
    """The bars of one dimension whose name holds `piece`; rare values too. Raises NotFound, BadInput."""
    frame, names = board_of(work, assignment_id).frame(work), BarNames(work, assignment_id)
    one = frame.dimension(key)
    if one is None:
        raise NotFound("dimension", key)
    if is_searchable(one):
        found: Sequence[Bar] = search(work, assignment_id, frame, one, filters, piece, most)
    else:
        found = facets(work, assignment_id, filters).dimensions[key]
    named = [_bar(one, bar, filters, names) for bar in found]
    wanted = piece.casefold()
    return tuple(bar for bar in named if is_searchable(one) or wanted in bar.name.casefold())[:most]


def in_words(work: Work, assignment_id: int, filters: Filters) -> str:
    """A selection in words, for the history: Job: student, retired; Age: 20 to 40."""
    frame, names = board_of(work, assignment_id).frame(work), BarNames(work, assignment_id)
    asked = [(frame.dimension(key), values) for key, values in filters.items()]
    return "; ".join(
        f"{names.dimension(one.key)}: {', '.join(names.value(one, value) for value in values) or 'none'}"
        for one, values in asked
        if one
    )


def _rare(
    work: Work, assignment_id: int, one: Dimension, found: Sequence[Bar], filters: Filters
) -> list[Bar]:
    """Values that filter and have no bar of their own, found by searching: each counted by itself."""
    bars = []
    for value in filters.get(one.key, ()):
        if not any(_same(value, bar.value) for bar in found):
            alone = {one.key: [value]}
            counts = (count(work, assignment_id, asked) for asked in ({**filters, **alone}, alone))
            bars.append(Bar(value, *counts))
    return bars


def _named(
    one: Dimension, found: Sequence[Bar], filters: Filters, names: BarNames, most: int
) -> NamedDimension:
    there = [bar for bar in found if bar.total or (one.key, bar.value) not in names.gone]
    ordered = sorted(there, key=lambda bar: _place(one, bar, names))
    there_named = [_bar(one, bar, filters, names) for bar in ordered]
    frequent = {id(bar) for bar in sorted(there_named, key=lambda bar: -bar.total)[:most]}
    shown = tuple(bar for bar in there_named if id(bar) in frequent or bar.chosen)
    return NamedDimension(
        one.key, names.dimension(one.key), one.kind, shown, len(there_named) - len(shown), is_searchable(one)
    )


def _place(one: Dimension, bar: Bar, names: BarNames) -> tuple[int, int]:
    """Segments and labels by priority, all others as they were chosen; the rest and nothing at the end."""
    last = 2 if isinstance(bar.value, Empty) else 1 if isinstance(bar.value, Others) else 0
    known = isinstance(bar.value, int) and (one.key, bar.value) in names.order
    return (last, names.order[one.key, bar.value] if known else 0)


def _bar(one: Dimension, bar: Bar, filters: Filters, names: BarNames) -> NamedBar:
    chosen = any(_same(bar.value, value) for value in filters.get(one.key, ()))
    return NamedBar(bar.value, names.value(one, bar.value), bar.selected, bar.total, chosen)


def _same(one: FacetValue, other: FacetValue) -> bool:
    """True is not 1 here."""
    return one == other and isinstance(one, bool) == isinstance(other, bool)
