"""Whether a row passes a filter: one condition for counting and for actions."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select

from models.tables import CustomerTag
from segmentation.facets.binding import bind, bound_array, column_of, has_none, is_empty, read_rows
from segmentation.facets.dimensions import TAGS, Dimension
from segmentation.facets.values import Empty, FacetValue, Others, Range
from segmentation.rows import Rows
from segmentation.sources import CRM_ID

_tag = CustomerTag.__table__.c


def selected(filters: Sequence[tuple[Dimension, Sequence[FacetValue]]]) -> Select[Any]:
    """The customer_id of every placement that passes all filters."""
    rows = read_rows([one for one, _ in filters], some=False)
    return select(rows.table.c.customer_id).where(*(passing(one, values, rows) for one, values in filters))


def passing(
    one: Dimension, values: Sequence[FacetValue], rows: Rows, *, by_key: bool = False
) -> ColumnElement[bool]:
    """Whether a row has one of `values`; true or false, never null. `by_key`: the rows are few."""
    if one.field == TAGS:
        tagged = _tagged_by_key if by_key else _tagged
        return or_(false(), *(tagged(one, value, rows.table.c.customer_id) for value in values))
    column = column_of(one.field, rows)
    has = _labelled if one.kind == "many" else _has
    return or_(false(), *(has(one, value, column).is_(True) for value in values))


def _has(one: Dimension, value: FacetValue, column: ColumnElement[Any]) -> ColumnElement[bool]:
    match value:
        case Empty():
            return is_empty(one, column)
        case Range(low, high):
            ends = [] if low is None else [column >= bind(one, low)]
            return and_(column.is_not(None), *ends, *([] if high is None else [column < bind(one, high)]))
        case Others(known):
            return and_(~is_empty(one, column), column != func.all(bound_array(one, known)))
        case bool():
            return column.is_(value)
        case _:
            return column == bind(one, value)


def _labelled(one: Dimension, value: FacetValue, column: ColumnElement[Any]) -> ColumnElement[bool]:
    match value:
        case Empty():
            return has_none(column)
        case Others(known):
            return ~column.op("<@", is_comparison=True)(bound_array(one, known))
        case _:
            return column.op("@>", is_comparison=True)(bound_array(one, [value]))


def _tagged(one: Dimension, value: FacetValue, customer: ColumnElement[int]) -> ColumnElement[bool]:
    """By a hashed list of customers: asked once a statement, not once a row."""
    marked = select(_tag.customer_id).where(_tag.crm_id == CRM_ID)
    match value:
        case Empty():
            return customer.not_in(marked)
        case Others(known):
            return customer.in_(marked.where(_tag.tag != func.all(bound_array(one, known))))
        case _:
            return customer.in_(marked.where(_tag.tag == bind(one, value)))


def _tagged_by_key(one: Dimension, value: FacetValue, customer: ColumnElement[int]) -> ColumnElement[bool]:
    """By the tags of that customer: reads what the rows have, not what everybody has."""
    mine = select(_tag.customer_id).where(_tag.crm_id == CRM_ID, _tag.customer_id == customer)
    match value:
        case Empty():
            return ~mine.exists()
        case Others(known):
            return mine.where(_tag.tag != func.all(bound_array(one, known))).exists()
        case _:
            return mine.where(_tag.tag == bind(one, value)).exists()
