"""What selections and bars look like on the wire, each with an example."""

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

from calling.segments.bulk import BulkDone
from calling.segments.selection import Expected
from calling.views.bars import MOST_BARS, Bars, NamedBar
from segmentation.facets.spelling import spelled
from web.api.common import AskedInstant, Instant, Model, Words

PERCENT = r"^[0-9]{1,3}(\.[0-9]{1,3})?%$"
_HUNDRED = 100.0
MOST_OFF = 10**9

Filters = Annotated[
    dict[str, list[Any]],
    Field(
        max_length=60,
        description=(
            "Dimension -> values, of which a customer has at least one; all dimensions have to be met. A "
            "value is a text, a number, true or false, an id or key of a segment or label, "
            '`{"from": 20, "to": 40}` (to: not included), `{"empty": true}`, or `{"other_than": [..]}`.'
        ),
    ),
]


def _tolerance(given: object) -> int | str:
    if isinstance(given, int) and not isinstance(given, bool) and 0 <= given <= MOST_OFF:
        return given
    if isinstance(given, str) and re.fullmatch(PERCENT, given) and float(given[:-1]) <= _HUNDRED:
        return given
    raise ValueError(
        f"give customers, a whole number from 0 to {MOST_OFF}, or a share up to 100% with at most three "
        'decimals: "2%", "0.5%"'
    )


Tolerance = Annotated[
    int | str,
    BeforeValidator(_tolerance),
    WithJsonSchema(
        {"anyOf": [{"type": "integer", "minimum": 0, "maximum": MOST_OFF},
                   {"type": "string", "pattern": PERCENT}]}
    ),
]  # fmt: skip


class Expecting(Model):
    """How many customers were seen when this was decided: more than `tolerance` off is refused (409)."""

    expected: int = Field(strict=True, ge=0, description="As the bars or the count said.")
    tolerance: Tolerance = Field(0, description="In customers, or as a share of `expected`: `2%`.")

    @property
    def expecting(self) -> Expected:
        """For the verb."""
        if isinstance(self.tolerance, str):
            return Expected(self.expected, percent=float(self.tolerance[:-1]))
        return Expected(self.expected, self.tolerance)


class WithReason(Expecting):
    """And why it is done: it stands in the history, and with each customer."""

    reason: Words


class AskedBars(Model):
    """Which selection, and how much of it."""

    filters: Filters = Field(default_factory=dict)
    dimensions: list[str] | None = Field(None, max_length=60, description="Only these; null: all.")
    bars: int = Field(
        MOST_BARS, ge=1, le=MOST_BARS, description="Of each dimension at most; those that filter always."
    )


class AskedSearch(Model):
    """Which values of one dimension."""

    text: str = Field("", max_length=200, description="A piece of the value, whatever its case.")
    filters: Filters = Field(default_factory=dict)
    limit: int = Field(20, ge=1, le=50)


class Bar(Model):
    """One value: how many have it under the filters of all *other* dimensions, and without any filter."""

    value: Any
    name: str
    selected: int
    total: int
    chosen: bool


class Dimension(Model):
    """One dimension with its bars, in the order they are shown."""

    key: str
    name: str
    kind: str = Field(description="`listed`, `ranges`, `yes_no`, or `many`: a customer may have several.")
    bars: list[Bar]
    more: int = Field(description="Bars that were left out.")
    searchable: bool = Field(description="Rare values have no bar of their own, but are found.")


class Facets(Model):
    """Every bar under a selection: `total` customers pass it, `of` are there, as of business time."""

    dimensions: list[Dimension]
    total: int
    of: int
    as_of: Instant
    source: str = Field(description="`sql` or `cache`: both have read whatever was committed at `as_of`.")


class Found(Model):
    """Bars that were found."""

    items: list[Bar]


class Count(Model):
    """How many customers are in a selection now."""

    count: int


class Selected(Model):
    """A selection."""

    filters: Filters


class Move(WithReason):
    """Hold a selection in a segment."""

    filters: Filters
    segment_id: int = Field(strict=True, ge=1)
    expires_at: AskedInstant | None = Field(None, description="Until when; null: until released.")


class Wake(WithReason):
    """Make ready whoever of a selection rests; `expected` of those."""

    filters: Filters


class Done(Model):
    """A finished action: of `customers`, so many `changed`: they moved, or are ready now."""

    id: int
    customers: int
    changed: int


def done(of: BulkDone) -> Done:
    """A verb's answer as it is told."""
    return Done(id=of.id, customers=of.customers, changed=of.changed)


def facets_of(bars: Bars, asked: AskedBars) -> Facets:
    """Bars as they are told."""
    wanted = (
        bars.dimensions
        if asked.dimensions is None
        else [d for d in bars.dimensions if d.key in asked.dimensions]
    )
    dimensions = [
        Dimension(
            key=one.key, name=one.name, kind=one.kind, bars=[bar_of(bar) for bar in one.bars], more=one.more,
            searchable=one.searchable,
        )
        for one in wanted
    ]  # fmt: skip
    return Facets(dimensions=dimensions, total=bars.total, of=bars.of, as_of=bars.as_of, source=bars.source)


def bar_of(bar: NamedBar) -> Bar:
    """One bar as it is told."""
    return Bar(
        value=spelled(bar.value), name=bar.name, selected=bar.selected, total=bar.total, chosen=bar.chosen
    )


FILTERS: dict[str, Any] = {"job": ["student", "retired"], "age": [{"from": 20, "to": 40}]}
BAR: dict[str, Any] = {"value": "student", "name": "student", "selected": 412, "total": 875, "chosen": True}
FACETS: dict[str, Any] = {
    "dimensions": [
        {"key": "job", "name": "Job", "kind": "listed", "bars": [BAR], "more": 11, "searchable": True}
    ],
    "total": 510, "of": 45211, "as_of": "2026-03-02T12:00:00Z", "source": "cache",
}  # fmt: skip
DONE: dict[str, Any] = {"id": 31, "customers": 510, "changed": 498}
