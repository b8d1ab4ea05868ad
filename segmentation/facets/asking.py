"""Facets asked of SQL: one pass over the assignment, always exact."""

from collections.abc import Sequence
from itertools import islice
from typing import Any

from sqlalchemy import and_, func, literal_column, select, text

from models.errors import BadInput
from models.work import Work
from segmentation.facets.bars import Counts, by_bit, facets_of
from segmentation.facets.coding import coded
from segmentation.facets.dimensions import AT_ONCE, Dimension, Frame
from segmentation.facets.passing import selected
from segmentation.facets.values import Facets, FacetValue, Filters
from segmentation.statements import Statement

_ONE_PLAN = text("set local plan_cache_mode = force_custom_plan")

Asked = Sequence[tuple[Dimension, Sequence[FacetValue]]]


def asked_of(frame: Frame, filters: Filters) -> Asked:
    """The dimensions that are filtered, with their values. Raises BadInput for one that there is not."""
    known = {one.key: one for one in frame.dimensions}
    if unknown := sorted(set(filters) - set(known)):
        raise BadInput(f"filters: there is no dimension {', '.join(unknown)}")
    return [(known[key], values) for key, values in filters.items()]


def ask(work: Work, assignment_id: int, frame: Frame, filters: Filters) -> Facets:
    """Count in PostgreSQL: each row's failing filters, then every dimension from the same grouping."""
    asked = asked_of(frame, filters)
    work.run(_ONE_PLAN)
    counts: dict[str, tuple[dict[int, int], dict[int, int]]] = {}
    for some in _batches(frame.dimensions):
        statement = Statement.of(_query(some, asked))
        for row in statement.run(work, assignment_id=assignment_id):
            one = some[_grouped(row.which, len(some))]
            into = counts.setdefault(one.key, ({}, {}))
            own = [one.key for one, _ in asked].index(one.key) if one.key in filters else None
            into[0][row.code] = row.passing if own is None else row[_OWN + own]
            into[1][row.code] = row.total
            if one is frame.dimensions[0]:
                counts.setdefault("", ({0: 0}, {}))[0][0] += row.passing
    empty: tuple[dict[int, int], dict[int, int]] = ({}, {})
    found = {one.key: _by_value(one, *counts.get(one.key, empty)) for one in frame.dimensions}
    total = counts.get("", ({0: 0}, {}))[0][0]
    return facets_of(frame, found, total, work.now, "sql")


def _by_value(one: Dimension, *counts: Counts) -> tuple[Counts, Counts]:
    selected, total = (by_bit(one, found) if one.kind == "many" else found for found in counts)
    return selected, total


_OWN = 4  # columns before the counts that leave one filter out


def _batches(dimensions: Sequence[Dimension]) -> list[list[Dimension]]:
    rest = iter(dimensions)
    return list(iter(lambda: list(islice(rest, AT_ONCE)), []))


def _query(some: Sequence[Dimension], asked: Asked) -> Any:
    rows = coded(some, [(f"f{i}", one, values) for i, (one, values) in enumerate(asked)])
    passes = [rows.table.c[f"f{i}"] for i in range(len(asked))]
    codes = [rows.code(i) for i in range(len(some))]
    every = func.count().filter(and_(literal_column("true"), *passes)).label("passing")
    others = [
        func.count().filter(and_(literal_column("true"), *passes[:i], *passes[i + 1 :]))
        for i in range(len(passes))
    ]
    return select(
        func.grouping(*codes).label("which"), func.coalesce(*codes).label("code"),
        func.count().label("total"), every, *others,
    ).group_by(func.grouping_sets(*codes))  # fmt: skip


def _grouped(which: int, columns: int) -> int:
    """The one column that a row is grouped by: its bit alone is not set."""
    missing = (1 << columns) - 1 - which
    return columns - missing.bit_length()


def count(work: Work, assignment_id: int, asked: Asked) -> int:
    """How many placements pass all filters, in SQL."""
    passing = selected(asked).subquery("passing")
    statement = Statement.of(select(func.count()).select_from(passing))
    return int(statement.run(work, assignment_id=assignment_id).scalar_one())


def customers(work: Work, assignment_id: int, asked: Asked) -> list[int]:
    """Who passes all filters now, in SQL: ids, sorted."""
    return sorted(Statement.of(selected(asked)).run(work, assignment_id=assignment_id).scalars())
