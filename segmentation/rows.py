"""The rows that rules read: placement, customer and the hold in force, a typed column per field asked.

Each own field is taken out of `customer.fields` once a row, however many rules ask it, and a value of the
wrong JSON type is no value. OFFSET 0 keeps the planner from copying the extraction into every question; its
zero has to be a bigint constant, or PostgreSQL gives up the parallel plan.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Numeric,
    Select,
    Subquery,
    Text,
    case,
    cast,
    collate,
    func,
    literal_column,
    select,
)

from models.tables import Customer, Placement
from segmentation.catalogue import Catalogue, KnownField
from segmentation.direct import FEW, Whole, path_of
from segmentation.moments import Local
from segmentation.nodes import Leaf, Node, leaves
from segmentation.sources import ASSIGNMENT_ID, CRM_ID, FENCE, Sources, among, own_value, words
from segmentation.time_sql import local_values

LIES_AT: ColumnElement[Any] = literal_column("placement.ctid")

GONE = ("left", "anonymised")
"""States of placements that no rule moves any more."""

# A day of the calendar, leap years and all: what is none has no weekday, and would be no value of a date.
_DAY = (
    r"^(?!0000)([0-9]{4}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)"
    r"|02-(0[1-9]|1[0-9]|2[0-8]))"
    r"|([0-9]{2}(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)-02-29)$"
)

_placement = Placement.__table__.c

Columns = dict[str | Local | Whole, ColumnElement[Any]]


@dataclass(frozen=True, slots=True)
class Rows:
    """A subquery with lies_at, customer_id, segment_id, labels and `held` (the hold's segment).

    `lies_at` is where the placement's row is stored. `columns`: field or local value -> column.
    """

    table: Subquery
    columns: Columns


def rows_for(nodes: Sequence[Node], known: Catalogue, *, some: bool, also: Collection[str] = ()) -> Rows:
    """The rows that these trees ask, and the fields `also`."""
    asked: dict[str, list[Leaf]] = defaultdict(list)
    for leaf in (leaf for node in nodes for leaf in leaves(node)):
        asked[leaf.field].append(leaf)
    seldom = [key for key, its in asked.items() if _is_seldom(its, known[key])]
    fields = [known[key] for key in {*asked, *also}]
    return rows_of(fields, some=some, local=local_values(nodes, known), seldom=seldom)


def _is_seldom(its: Sequence[Leaf], field: KnownField) -> bool:
    return len(its) == 1 or (len(its) <= FEW and all(path_of(leaf, field) for leaf in its))


def rows_of(
    fields: Iterable[KnownField], *, some: bool, local: Collection[Local] = (), seldom: Collection[str] = (),
    listed: bool = False,
) -> Rows:  # fmt: skip
    """The placements of one assignment, or only those of the bound `customer_ids` when `some`.

    `listed`: of those too, but there may be thousands of them, each once; what it costs grows with how many.

    `seldom`: keys of fields that few questions ask. They look into `customer.fields` when they are asked,
    which for whoever matched a rule before is never.
    """
    every = sorted(fields, key=lambda field: field.key)
    later = [field for field in every if field.key in seldom and field.table is None]
    asked = {f"field_{i}": field for i, field in enumerate(field for field in every if field not in later)}
    of_zone = {f"local_{i}": value for i, value in enumerate(local)}
    sources = Sources(asked.values(), of_zone.values(), some=some, listed=listed)
    raw = _joined(asked, of_zone, sources, among_them=some and not listed, whole=bool(later))
    rows = select(
        raw.c.lies_at,
        raw.c.customer_id,
        raw.c.segment_id,
        raw.c.labels,
        raw.c.held,
        *(typed(field, raw.c[name]).label(name) for name, field in asked.items()),
        *(raw.c[name] for name in of_zone),
        *([raw.c.fields] if later else []),
    )
    table = rows.offset(FENCE).subquery("typed")
    columns: Columns = {field.key: table.c[name] for name, field in asked.items()}
    columns |= {field.key: typed(field, own_value(table.c.fields, field)) for field in later}
    columns |= {Whole(field.key): table.c.fields for field in later}
    return Rows(table, columns | {value: table.c[name] for name, value in of_zone.items()})


def _joined(
    fields: dict[str, KnownField], local: dict[str, Local], sources: Sources, *, among_them: bool, whole: bool
) -> Subquery:
    wanted = [
        _placement.crm_id == CRM_ID,
        _placement.assignment_id == ASSIGNMENT_ID,
        _placement.state.not_in(words(GONE)),
    ]
    if among_them:
        wanted.append(among(_placement.customer_id))
    joined: Select[Any] = select(
        LIES_AT.label("lies_at"),
        _placement.customer_id,
        _placement.segment_id,
        _placement.labels,
        sources.held.label("held"),
        *(sources.of_field(field).label(name) for name, field in fields.items()),
        *(sources.of_local(value).label(name) for name, value in local.items()),
        *([Customer.__table__.c.fields] if whole else []),
    )
    return joined.select_from(sources.joined).where(*wanted).offset(FENCE).subquery("raw")


def typed(field: KnownField, raw: ColumnElement[Any]) -> ColumnElement[Any]:
    """What jsonb holds of a field, as its type; null where it is of another. `raw` of a built-in as it is."""
    if field.table is not None:
        return raw
    json_type, read = _READ[field.type]
    return case((func.jsonb_typeof(raw) == literal_column(f"'{json_type}'"), read(raw)))


def _text(raw: ColumnElement[Any]) -> ColumnElement[Any]:
    return raw.op("#>>", return_type=Text())(literal_column("'{}'::text[]"))


def _day(raw: ColumnElement[Any]) -> ColumnElement[Any]:
    # Days compare as text, in every collation alike: a cast to date is not immutable.
    is_day = _text(raw).op("~", is_comparison=True)(literal_column(f"'{_DAY}'"))
    return case((is_day, collate(_text(raw), "C")))


_READ: dict[str, tuple[str, Callable[[ColumnElement[Any]], ColumnElement[Any]]]] = {
    "text": ("string", _text),
    "choice": ("string", _text),
    "number": ("number", lambda raw: cast(raw, Numeric)),
    "date": ("string", _day),
    "yes_no": ("boolean", lambda raw: cast(raw, Boolean)),
}
