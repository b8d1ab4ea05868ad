"""What the values of fields are like, asked of a sample of an assignment's customers, in SQL."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Numeric, case, cast, func, literal_column, select, text

from models.work import Work
from segmentation.catalogue import KnownField
from segmentation.rows import GONE, rows_of
from segmentation.statements import Statement
from segmentation.templates.rounding import Number, ascending
from segmentation.time_values import is_day
from segmentation.values import MAX_TEXT

SAMPLE = 20_000  # customers that fields are judged by, and limits worked out of; all if there are fewer
MOST_VALUES = 2_000  # different values of a text that are looked at, the most frequent
MOST_SPELLINGS = 12  # of one value, in capitals or with spaces: "Oslo", "OSLO", " oslo"

# By a hash: ids in a row often come of one file, sorted by something.
_SAMPLE = text("""
    select coalesce(array_agg(customer_id), '{}') from placement
     where crm_id = :crm_id and assignment_id = :assignment_id and state <> all (:gone)
       and abs(hashint8(customer_id)::bigint) % :one_in = 0
""")
_SIZE = text("""
    select count(*) from placement
     where crm_id = :crm_id and assignment_id = :assignment_id and state <> all (:gone)
""")


@dataclass(frozen=True, slots=True)
class Values:
    """The values of one field: how many have one, how many different there are, and what lies in the middle.

    `low`, `middle`, `high`: the 5th, 50th and 95th percentile of numbers (Decimal) or days (date), if any.
    `whole`: no number has a fraction.
    """

    known: int = 0
    different: int = 0
    low: Any = None
    middle: Any = None
    high: Any = None
    whole: bool = False


def sample(work: Work, assignment_id: int) -> list[int]:
    """Customers of the assignment to judge by: the same ones each time while nobody comes or goes."""
    gone = list(GONE)
    size = int(work.run(_SIZE, assignment_id=assignment_id, gone=gone).scalar_one())
    one_in = max(1, size // SAMPLE)
    return list(work.run(_SAMPLE, assignment_id=assignment_id, gone=gone, one_in=one_in).scalar_one())


def values_of(
    work: Work, assignment_id: int, customers: Sequence[int], fields: Sequence[KnownField]
) -> Mapping[str, Values]:
    """field -> what its values are like among these customers."""
    if not fields:
        return {}
    rows = rows_of(fields, some=True)
    asked = [figure for field in fields for figure in _figures(field, rows.columns[field.key])]
    statement = Statement.of(select(*asked).select_from(rows.table))
    found = tuple(statement.run(work, assignment_id=assignment_id, customer_ids=list(customers)).one())
    return {field.key: _values(field, *found[4 * i : 4 * i + 4]) for i, field in enumerate(fields)}


def limits_of(
    work: Work, assignment_id: int, customers: Sequence[int], field: KnownField, shares: Sequence[float],
    leeway: float,
) -> list[Number]:  # fmt: skip
    """Round limits below which about each of these shares of the customers with a value lies.

    Each is the roundest number between the percentiles `leeway` below and above its share.
    """
    rows = rows_of([field], some=True)
    column = rows.columns[field.key]
    places = [max(0.0, min(share + way, 1.0)) for share in shares for way in (-leeway, leeway)]
    wanted: Any = literal_column(f"array{places}::float8[]")
    found = func.percentile_disc(wanted).within_group(column)
    statement = Statement.of(select(found, func.min(column)).select_from(rows.table))
    row = statement.run(work, assignment_id=assignment_id, customer_ids=list(customers)).one()
    ends, lowest = tuple(row)
    if ends is None:
        return []
    pairs = [(ends[i], ends[i + 1]) for i in range(0, len(ends), 2)]
    return ascending(pairs, lowest)


def frequent(
    work: Work, assignment_id: int, customers: Sequence[int], field: KnownField, top: int
) -> list[list[str]]:
    """The most frequent values, each with its spellings that differ in capitals and spaces only."""
    rows = rows_of([field], some=True)
    column = rows.columns[field.key]
    counted = select(column, func.count()).select_from(rows.table).where(column.is_not(None))
    grouped = counted.group_by(column).order_by(func.count().desc(), literal_column("1")).limit(MOST_VALUES)
    found = Statement.of(grouped).run(work, assignment_id=assignment_id, customer_ids=list(customers))
    groups: dict[str, list[tuple[int, str]]] = {}
    for value, count in map(tuple, found):
        same = " ".join(value.split()).casefold()
        if same and value.isprintable() and len(value) <= MAX_TEXT:
            groups.setdefault(same, []).append((count, value))
    best = sorted(groups, key=lambda same: (-sum(count for count, _ in groups[same]), same))[:top]
    return [_spellings(groups[same]) for same in best]


def _spellings(counted: Sequence[tuple[int, str]]) -> list[str]:
    """The most frequent first, as the one that names the rest; of equal ones "Oslo" before "OSLO"."""
    best = sorted(counted, key=lambda one: (-one[0], one[1].isupper() or one[1].islower(), one[1]))
    return [value for _, value in best[:MOST_SPELLINGS]]


def _figures(field: KnownField, column: ColumnElement[Any]) -> list[ColumnElement[Any]]:
    """Four a field: how many, how many different, percentiles, how many whole."""
    known = case((column != literal_column("''"), column)) if field.type in ("text", "choice") else column
    none: Any = literal_column("null")
    figures: list[ColumnElement[Any]] = [func.count(known), func.count(known.distinct()), none, none]
    if field.type in ("number", "date"):
        shares: Any = literal_column("array[0.05, 0.5, 0.95]::float8[]")
        figures[2] = func.percentile_disc(shares).within_group(column)
    if field.type == "number":
        figures[3] = func.count().filter(cast(column, Numeric) % literal_column("1") == literal_column("0"))
    return figures


def _values(field: KnownField, known: int, different: int, ends: Any, whole: int | None) -> Values:
    low, middle, high = ends or (None, None, None)
    if field.type == "date":
        low, middle, high = (_day(one) for one in (low, middle, high))
    return Values(known, different, low, middle, high, whole == known and known > 0)


def _day(written: str | None) -> date | None:
    return date.fromisoformat(written) if written and is_day(written) else None
