"""The SQL of dimensions: the code that a row has in each.

One expression for counting and for loading the cache, over the same rows as rules read.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Integer, case, cast, func, literal_column, select

from models.tables import CustomerTag
from segmentation.facets.binding import bound_array, column_of, has_none, is_empty, read_rows
from segmentation.facets.dimensions import FIRST_LISTED, TAGS, Dimension
from segmentation.facets.passing import passing
from segmentation.facets.values import FacetValue
from segmentation.rows import Rows
from segmentation.sources import CRM_ID, FENCE

_tag = CustomerTag.__table__.c
_NONE = literal_column("0", Integer)
_OTHERS = _ONE = literal_column("1", Integer)


@dataclass(frozen=True, slots=True)
class Coded:
    """A fenced subquery: customer_id, a column `d0`, `d1`.. per dimension, and what was asked for besides."""

    table: Any

    def code(self, number: int) -> ColumnElement[int]:
        """The code of the dimension of that number."""
        code: ColumnElement[int] = self.table.c[f"d{number}"]
        return code


def coded(
    dimensions: Sequence[Dimension], besides: Sequence[tuple[str, "Dimension", Sequence[FacetValue]]] = (),
    *, some: bool = False,
) -> Coded:  # fmt: skip
    """The codes of one assignment's placements; of the bound customer_ids only when `some`.

    `besides`: (name, dimension, values) of filters, each a column that is true where a row passes.
    """
    rows = read_rows([*dimensions, *(one for _, one, _ in besides)], some=some)
    table, tags = _with_tags(rows, dimensions, some=some)
    codes = [_code(one, rows, tags).label(f"d{i}") for i, one in enumerate(dimensions)]
    passes = [passing(one, values, rows, by_key=some).label(name) for name, one, values in besides]
    query = select(rows.table.c.customer_id, *codes, *passes).select_from(table)
    return Coded(query.offset(FENCE).subquery("coded"))


def _with_tags(rows: Rows, dimensions: Sequence[Dimension], *, some: bool) -> tuple[Any, Any]:
    """The rows, and the bits of each customer's tags where a dimension asks for them.

    A scan joins with the tags of all, grouped and hashed. Of some customers each is asked by key: joined, the
    planner may group the tags of all of them anew for each of them.
    """
    asking = [one for one in dimensions if one.field == TAGS]
    if not asking:
        return rows.table, None
    tags = select(_bits(asking[0], _tag.tag).label("bits")).where(_tag.crm_id == CRM_ID)
    if some:
        mine = tags.where(_tag.customer_id == rows.table.c.customer_id)
        return rows.table, mine.correlate(rows.table).scalar_subquery()
    marks = tags.add_columns(_tag.customer_id).group_by(_tag.customer_id).subquery("marks")
    return rows.table.outerjoin(marks, marks.c.customer_id == rows.table.c.customer_id), marks.c.bits


def _code(one: Dimension, rows: Rows, tags: Any) -> ColumnElement[Any]:
    if one.field == TAGS:
        return func.coalesce(tags, literal_column("bigint '1'"))
    column = column_of(one.field, rows)
    match one.kind:
        case "many":
            return case((has_none(column), literal_column("bigint '1'")), else_=_labels(one, column))
        case "yes_no":
            return case((column.is_(None), _NONE), (column, literal_column("2")), else_=_OTHERS)
        case "ranges":
            above = func.width_bucket(column, bound_array(one, one.bounds), type_=Integer())
            return case((column.is_(None), _NONE), else_=above + literal_column("1"))
        case _:
            place = func.array_position(bound_array(one, one.listed), column, type_=Integer())
            listed = func.coalesce(place + literal_column(str(FIRST_LISTED - 1)), _OTHERS)
            return case((is_empty(one, column), _NONE), else_=listed)


def _labels(one: Dimension, column: ColumnElement[Any]) -> ColumnElement[Any]:
    """The bits of a row's labels. Not by unnesting them: a subquery a row takes the parallel plan away."""
    bits: ColumnElement[Any] = case(
        (column.op("<@", is_comparison=True)(bound_array(one, one.listed)), _NONE), else_=literal_column("2")
    )
    for place, label in enumerate(one.listed, start=FIRST_LISTED):
        has = column.op("@>", is_comparison=True)(bound_array(one, [label]))
        bits += case((has, literal_column(f"bigint '{1 << place}'")), else_=_NONE)
    return cast(bits, BigInteger)


def _bits(one: Dimension, mark: Any) -> ColumnElement[Any]:
    place = func.coalesce(
        func.array_position(bound_array(one, one.listed), mark, type_=Integer()) + literal_column("1"),
        _OTHERS,
    )
    return func.bit_or(literal_column("bigint '1'").op("<<", return_type=BigInteger())(place))
