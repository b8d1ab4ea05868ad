"""The values of one dimension that hold a piece of text: rare ones too, which have no bar of their own."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import and_, bindparam, func, literal_column, select

from models.tables import CustomerTag
from models.work import Work
from segmentation.facets.asking import asked_of
from segmentation.facets.binding import column_of, read_rows
from segmentation.facets.dimensions import STATE, TAGS, Dimension, Frame
from segmentation.facets.passing import passing
from segmentation.facets.values import Bar, Filters
from segmentation.sources import CRM_ID
from segmentation.statements import Statement
from segmentation.values import MAX_TEXT

_tag = CustomerTag.__table__.c


def is_searchable(one: Dimension) -> bool:
    """Whether its values are texts of the customers', so that there may be any number of them."""
    if one.field == TAGS:
        return True
    fixed = one.field == STATE or one.field.choices
    return one.kind == "listed" and one.field.type in ("text", "choice") and not fixed


def search(
    work: Work, assignment_id: int, frame: Frame, one: Dimension, filters: Filters, piece: str, most: int
) -> tuple[Bar, ...]:
    """At most `most` bars of values that hold `piece`, whatever its case; the most frequent first.

    They are counted as all bars are: under every filter but the dimension's own. Always in SQL.
    """
    others = [(asked, values) for asked, values in asked_of(frame, filters) if asked.key != one.key]
    found = Statement.of(_query(one, others, piece.lower(), most))
    return tuple(
        Bar(row.value, row.selected, row.total) for row in found.run(work, assignment_id=assignment_id)
    )


def _query(one: Dimension, others: Sequence[Any], piece: str, most: int) -> Any:
    fields = [asked for asked, _ in others]
    rows = read_rows(fields if one.field == TAGS else [*fields, one], some=False)
    passes = and_(literal_column("true"), *(passing(asked, values, rows) for asked, values in others))
    value = _tag.tag if one.field == TAGS else column_of(one.field, rows)
    holds = func.strpos(func.lower(value), bindparam("piece", piece)) > literal_column("0")
    how_many = func.count()
    return (
        select(value.label("value"), how_many.filter(passes).label("selected"), how_many.label("total"))
        .select_from(_joined(one, rows.table))
        .where(value != literal_column("''"), func.length(value) <= literal_column(str(MAX_TEXT)), holds)
        .group_by(value)
        .order_by(how_many.desc(), value)
        .limit(most)
    )


def _joined(one: Dimension, rows: Any) -> Any:
    """Tags are a table of their own: a row each."""
    if one.field != TAGS:
        return rows
    tags = CustomerTag.__table__
    return rows.join(tags, and_(_tag.crm_id == CRM_ID, _tag.customer_id == rows.c.customer_id))
