"""The number fields of a segment beside everybody's: of all customers, or of a sample where they are many."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Double, Subquery, and_, case, cast, func, literal_column, or_, select

from models.tables import Customer, Placement
from models.work import Work
from segmentation.catalogue import KnownField
from segmentation.rows import GONE, typed
from segmentation.sources import ASSIGNMENT_ID, CRM_ID, FENCE, own_value, words
from segmentation.statements import Statement

SAMPLE = 50_000
"""Customers at most, of the segment and of the assignment: a mean of these is right to half a hundredth of
how far customers differ."""

_LARGEST, _SMALLEST = "1e100", "1e-100"
# What a field holds is numeric, of any size, and no double beyond 1e308: nobody's age or turnover.

_placement, _customer = Placement.__table__.c, Customer.__table__.c


@dataclass(frozen=True, slots=True)
class NumberFigures:
    """A number field: how many of those looked at have it, their mean and median, and everybody's mean.

    What is larger than 1e100 is left out, as if they had none.
    """

    field: str
    known: int
    mean: float
    median: float
    mean_of_all: float


@dataclass(frozen=True, slots=True)
class Numbers:
    """`sample` customers of the segment were looked at, `sample_of_all` of the assignment."""

    figures: tuple[NumberFigures, ...]
    sample: int
    sample_of_all: int


def numbers(
    work: Work, assignment_id: int, segment_id: int, fields: Sequence[KnownField], size: int, everybody: int
) -> Numbers:
    """Of these fields; `size` and `everybody` say how many there are, and so how many suffice."""
    if not fields:
        return Numbers((), size, everybody)
    rows = _looked_at(segment_id, fields, size, everybody)
    wanted: list[ColumnElement[Any]] = [func.count().filter(rows.c.mine), func.count().filter(rows.c.of_all)]
    for i in range(len(fields)):
        number = rows.c[f"number_{i}"]
        middle = func.percentile_cont(0.5).within_group(number)
        wanted += [func.count(number).filter(rows.c.mine), func.avg(number).filter(rows.c.mine),
                   middle.filter(rows.c.mine), func.avg(number).filter(rows.c.of_all)]  # fmt: skip
    statement = Statement.of(select(*wanted).select_from(rows))
    found = tuple(statement.run(work, assignment_id=assignment_id).one())
    told = [(field.key, *found[4 * i + 2 : 4 * i + 6]) for i, field in enumerate(fields)]
    return Numbers(tuple(NumberFigures(*one) for one in told if one[1]), found[0], found[1])


def _looked_at(segment_id: int, fields: Sequence[KnownField], size: int, everybody: int) -> Subquery:
    """A row a customer: `mine`, `of_all`, and each field's number, read once and not for each figure."""
    mine = and_(_placement.segment_id == segment_id, _one_in(_share(size)))
    of_all = _one_in(_share(everybody))
    people = Placement.__table__.join(
        Customer.__table__, and_(_customer.crm_id == CRM_ID, _customer.id == _placement.customer_id)
    )
    values = [typed(field, own_value(_customer.fields, field)) for field in fields]
    read = (
        select(mine.label("mine"), of_all.label("of_all"),
               *(value.label(f"number_{i}") for i, value in enumerate(values)))
        .select_from(people)
        .where(
            _placement.crm_id == CRM_ID, _placement.assignment_id == ASSIGNMENT_ID,
            _placement.state.not_in(words(GONE)), or_(mine, of_all),
        )
        .offset(FENCE).subquery("read")
    )  # fmt: skip
    numbers = [_as_double(read.c[f"number_{i}"]).label(f"number_{i}") for i in range(len(fields))]
    return select(read.c.mine, read.c.of_all, *numbers).offset(FENCE).subquery("rows")


def _share(customers: int) -> int:
    """One in how many suffices: a power of two, so that who is in a small sample is in every larger one."""
    one_in = 1
    while customers > one_in * SAMPLE:
        one_in *= 2
    return one_in


def _one_in(share: int) -> ColumnElement[bool]:
    """By a hash: ids in a row often come of one file, sorted by something."""
    if share == 1:
        return literal_column("true")
    return func.hashint8(_placement.customer_id).op("&")(share - 1) == 0


def _as_double(number: ColumnElement[Any]) -> ColumnElement[Any]:
    size = func.abs(number)
    return case(
        (size > literal_column(_LARGEST), None),
        (size < literal_column(_SMALLEST), literal_column("0::double precision")),
        else_=cast(number, Double),
    )
