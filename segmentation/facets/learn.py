"""Which bars each dimension has: chosen once from a sample, then kept, so that bars do not jump about."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Text, func, literal_column, select, text

from models.errors import NotFound
from models.tables.assignments import PLACEMENT_STATES
from models.work import Work
from segmentation.catalogue import BUILT_IN, TAKEN, KnownField
from segmentation.facets.bounds import day_bounds, number_bounds
from segmentation.facets.dimensions import (
    AT_ONCE,
    ATTEMPTS,
    COUNTED_ATTEMPTS,
    LABELS,
    MOST_BITS,
    SEGMENT,
    STATE,
    TAGS,
    TOP,
    ZONE,
    Dimension,
    Frame,
)
from segmentation.rows import GONE, rows_of
from segmentation.statements import Statement
from segmentation.values import MAX_TEXT

SAMPLE = 20_000  # placements that the bars are chosen from; all of them where there are fewer

_LISTED = {"segment": SEGMENT, "state": STATE, "zone": ZONE} | {
    key: BUILT_IN[key] for key in ("status", "last_outcome", "place")
}

_SIZE = text("""
    select count(*) from placement
     where crm_id = :crm_id and assignment_id = :assignment_id and state <> all (:gone)
""")
# By a hash: ids in a row often come of one file, sorted by something.
_SAMPLE = text("""
    select coalesce(array_agg(customer_id), '{}') from placement
     where crm_id = :crm_id and assignment_id = :assignment_id and state <> all (:gone)
       and abs(hashint8(customer_id)::bigint) % :one_in = 0
""")
# The planner thinks of ten customers, where there are 20,000: each of them would be sought in all the list.
_NO_LOOPS = text("set local enable_nestloop = off")
_LOOPS = text("set local enable_nestloop to default")
_FIELDS = text("""
    select key, type, choices from field
     where crm_id = :crm_id and retired_at is null order by ordinal, key
""")
_IDS = text("""
    select coalesce((select array_agg(id order by id) from segment
                      where crm_id = :crm_id and assignment_id = :assignment_id), '{}') as segment,
           coalesce((select array_agg(id order by id) from label
                      where crm_id = :crm_id and assignment_id = :assignment_id), '{}') as labels
""")
_TAGS = text("""
    select tag from customer_tag where crm_id = :crm_id and customer_id = any(:customers)
     group by tag order by count(*) desc, tag limit :top
""")


def fields(work: Work) -> tuple[KnownField, ...]:
    """The CRM's own fields that are dimensions, in their order; as in rules, a built-in name wins."""
    return tuple(
        KnownField(row.key, row.type, declared=tuple(row.choices))
        for row in work.run(_FIELDS)
        if row.key not in TAKEN
    )


def ids(work: Work, assignment_id: int) -> dict[str, tuple[int, ...]]:
    """The ids of the assignment's segments and labels, retired ones too; only ever added to."""
    row = work.run(_IDS, assignment_id=assignment_id).one()
    return {"segment": tuple(row.segment), "labels": tuple(row.labels)[:MOST_BITS]}


def learn(work: Work, assignment_id: int) -> Frame:
    """Choose the bars of every dimension from what the assignment holds now. Raises NotFound."""
    gone = list(GONE)
    grown = ids(work, assignment_id)
    if not grown["segment"]:
        raise NotFound("assignment", assignment_id)
    rows = int(work.run(_SIZE, assignment_id=assignment_id, gone=gone).scalar_one())
    one_in = max(1, rows // SAMPLE)
    sample = work.run(_SAMPLE, assignment_id=assignment_id, gone=gone, one_in=one_in).scalar_one()
    asked = fields(work)
    texts = [*_texts(asked), *(field for field in _LISTED.values() if field not in (SEGMENT, STATE))]
    tops: dict[str, tuple[str, ...]] = {}
    work.run(_NO_LOOPS)
    for start in range(0, len(texts), AT_ONCE):
        tops |= _tops(work, assignment_id, sample, texts[start : start + AT_ONCE])
    spans = _spans(work, assignment_id, sample, [f for f in asked if f.type in ("number", "date")])
    work.run(_LOOPS)
    tags = tuple(work.run(_TAGS, customers=sample, top=TOP).scalars())
    states = tuple(state for state in PLACEMENT_STATES if state not in GONE)
    listed = {key: tops.get(field.key, ()) for key, field in _LISTED.items()} | {"state": states}
    built_in = [
        Dimension("segment", "listed", SEGMENT, grown["segment"], grows=True),
        *(Dimension(key, "listed", _LISTED[key], listed[key]) for key in ("status", "state")),
        Dimension("attempts", "ranges", ATTEMPTS, bounds=COUNTED_ATTEMPTS),
        Dimension("last_outcome", "listed", _LISTED["last_outcome"], listed["last_outcome"]),
        *(Dimension(key, "yes_no", BUILT_IN[key]) for key in ("has_phone", "has_email")),
        *(Dimension(key, "listed", _LISTED[key], listed[key]) for key in ("place", "zone")),
        Dimension("labels", "many", LABELS, grown["labels"], grows=True),
        Dimension("tags", "many", TAGS, tags),
    ]
    return Frame((*built_in, *(_own(f, tops, spans) for f in asked)), asked, rows, work.now)


def _texts(asked: Iterable[KnownField]) -> list[KnownField]:
    return [field for field in asked if field.type in ("text", "choice")]


def _own(field: KnownField, tops: Mapping[str, Sequence[str]], spans: Mapping[str, Any]) -> Dimension:
    if field.type == "yes_no":
        return Dimension(field.key, "yes_no", field)
    if field.type in ("text", "choice"):
        return Dimension(field.key, "listed", field, _listed(field, tops[field.key]))
    low, high = spans[field.key] or (None, None)
    bounds = number_bounds(low, high) if field.type == "number" else day_bounds(low, high)
    return Dimension(field.key, "ranges", field, bounds=bounds)


def _listed(field: KnownField, found: Sequence[str]) -> tuple[str, ...]:
    """Declared choices in their order, also those that nobody has; then what else was found.

    Of more choices than there are bars those that somebody has come first.
    """
    shown = set(sorted(field.declared, key=lambda choice: choice not in found)[:TOP])
    declared = [choice for choice in field.declared if choice in shown]
    return tuple([*declared, *(value for value in found if value not in field.declared)][:TOP])


def _tops(
    work: Work, assignment_id: int, sample: Sequence[int], asked: Sequence[KnownField]
) -> dict[str, tuple[str, ...]]:
    """The most frequent values of each field, most frequent first; what no rule may ask is left out."""
    rows = rows_of(asked, some=True, listed=True)
    columns = [rows.columns[field.key] for field in asked]
    which, value = (
        func.grouping(*columns).label("which"),
        func.coalesce(*columns, type_=Text()).label("value"),
    )
    query = select(which, value, func.count())
    grouped = query.select_from(rows.table).group_by(func.grouping_sets(*columns))
    top = Statement.of(grouped.order_by(func.count().desc(), literal_column("2")))
    found: dict[str, list[str]] = {field.key: [] for field in asked}
    bits = {(1 << len(asked)) - 1 - (1 << (len(asked) - 1 - i)): f.key for i, f in enumerate(asked)}
    for row in top.run(work, assignment_id=assignment_id, customer_ids=list(sample)):
        values = found[bits[row.which]]
        if row.value and len(row.value) <= MAX_TEXT and len(values) < TOP:
            values.append(row.value)
    return {key: tuple(values) for key, values in found.items()}


def _spans(
    work: Work, assignment_id: int, sample: Sequence[int], asked: Sequence[KnownField]
) -> dict[str, Any]:
    """(5th, 95th percentile) of each field; None where nobody has it."""
    if not asked:
        return {}
    rows = rows_of(asked, some=True, listed=True)
    shares: Any = literal_column("array[0.05, 0.95]::float8[]")
    ends = [func.percentile_disc(shares).within_group(rows.columns[field.key]) for field in asked]
    statement = Statement.of(select(*ends).select_from(rows.table))
    found = statement.run(work, assignment_id=assignment_id, customer_ids=list(sample)).one()
    return {field.key: ends for field, ends in zip(asked, found, strict=True)}
