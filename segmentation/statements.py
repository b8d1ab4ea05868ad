"""The statements over one CASE and the labels: who would move, how many, and the move itself.

Compiled to text once a rule version, so that each execution costs no compiling and psycopg, seeing the same
text again, has the server prepare it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    ClauseElement,
    ColumnElement,
    CursorResult,
    Subquery,
    Text,
    bindparam,
    case,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.engine import make_url

from models.tables import Placement, SegmentMove
from models.work import Work
from segmentation.catalogue import Catalogue
from segmentation.compiler import labels_array, rule_case, segment_case
from segmentation.moments import LocalArray, Moment
from segmentation.nodes import Node
from segmentation.rows import LIES_AT, rows_for
from segmentation.sources import ASSIGNMENT_ID, CRM_ID, FENCE, NOW, among

_PARAMETER = re.compile(r"%\((\w+)\)s")
_DIALECT = make_url("postgresql+psycopg://").get_dialect()()
_placement = Placement.__table__.c
_HISTORY = (
    "crm_id", "assignment_id", "moved_at", "cause", "from_segment", "to_segment", "rule_version", "customers",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Statement:
    """Finished SQL, the values that the rules' authors wrote, and those that `now` decides at each run."""

    sql: str
    constants: Mapping[str, Any]
    reckoned: Mapping[str, Moment | LocalArray] = field(default_factory=dict)

    @classmethod
    def of(cls, statement: ClauseElement) -> "Statement":
        """Compile `statement` for psycopg."""
        compiled = statement.compile(dialect=_DIALECT)
        sql, bound = _shared(str(compiled), {k: v for k, v in compiled.params.items() if v is not None})
        reckoned = {k: v for k, v in bound.items() if isinstance(v, Moment | LocalArray)}
        return cls(sql, {k: v for k, v in bound.items() if k not in reckoned}, reckoned)

    def run(self, work: Work, **values: Any) -> CursorResult[Any]:
        """Execute it with crm_id and now bound beside `values`."""
        at_run = {key: value.at(work.now) for key, value in self.reckoned.items()}
        bound = {**self.constants, **at_run, "crm_id": work.crm_id, "now": work.now, **values}
        return work.session.connection().exec_driver_sql(self.sql, bound)


def _shared(sql: str, bound: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The same statement with one parameter for each value, however often it is asked.

    Binding is most of what one customer costs. Each place still casts to its own type.
    """
    first: dict[tuple[type, Any], str] = {}
    names = {
        name: first.setdefault((type(value), repr(value) if isinstance(value, list) else value), name)
        for name, value in bound.items()
    }
    as_one = _PARAMETER.sub(lambda found: f"%({names.get(found[1], found[1])})s", sql)
    return as_one, {name: bound[name] for name in first.values()}


Arms = tuple[tuple[int, Node], ...]


class Statements:
    """What one rule version can be asked; each statement is compiled when first needed.

    `arms`: (segment id, rule) in order of priority; `otherwise`: the id of Unsegmented; `labels`: (label
    id, rule). No rule names another any more (segmentation/references.py).
    """

    def __init__(self, arms: Arms, otherwise: int, known: Catalogue, labels: Arms = ()) -> None:
        self._arms, self._otherwise, self._known, self._labels = arms, otherwise, known, labels

    @cached_property
    def scan(self) -> Statement:
        """(from, to, how many, ids) of every pair of segments; ids only where segment or labels differ.

        Binds assignment_id. One pass over the assignment, in parallel.
        """
        rows = self._evaluated(some=False)
        return Statement.of(
            select(
                rows.c.segment_id.label("from_segment"),
                rows.c.belongs.label("to_segment"),
                func.count().label("size"),
                func.array_agg(rows.c.customer_id).filter(_differs(rows)).label("movers"),
            ).group_by(rows.c.segment_id, rows.c.belongs)
        )

    @cached_property
    def differing(self) -> Statement:
        """How many placements have not the segment and the labels they ought to. Binds assignment_id."""
        rows = self._evaluated(some=False)
        return Statement.of(select(func.count()).select_from(rows).where(_differs(rows)))

    @cached_property
    def trial(self) -> Statement:
        """How many of the bound customer_ids differ: asked of nobody, it says whether rules can be asked."""
        rows = self._evaluated(some=True)
        return Statement.of(select(func.count()).select_from(rows).where(_differs(rows)))

    @cached_property
    def move(self) -> Statement:
        """Give the bound customer_ids the segment and labels they ought to have; (customer, from, to, lease).

        Only those who have others are written; only those whose segment changes come back, by customer, and
        stand in the history. Binds assignment_id, customer_ids, version and cause: a placement takes the
        version when its segment changes. The rows have to be locked: then their places are fixed, and each
        is found again without an index.
        """
        moved, noted = self._moved()
        went = select(moved).where(moved.c.from_segment != moved.c.to_segment)
        return Statement.of(went.order_by(moved.c.customer_id).add_cte(noted))

    @cached_property
    def move_many(self) -> Statement:
        """As `move`; comes back (how many changed their segment, their leases)."""
        moved, noted = self._moved()
        leases = func.array_agg(moved.c.lease_id).filter(moved.c.lease_id.is_not(None))
        went = select(func.count().label("moved"), leases.label("leases"))
        return Statement.of(went.where(moved.c.from_segment != moved.c.to_segment).add_cte(noted))

    def _moved(self) -> tuple[CTE, CTE]:
        """Whoever gets another segment or other labels, and the history of those who move."""
        rows, version = self._evaluated(some=True), bindparam("version", type_=BigInteger)
        moved = (
            update(Placement)
            .values(
                segment_id=rows.c.belongs,
                labels=rows.c.earned,
                rule_version=case((_moves(rows), version), else_=_placement.rule_version),
            )
            .where(
                _placement.crm_id == CRM_ID,
                _placement.assignment_id == ASSIGNMENT_ID,
                among(_placement.customer_id),
                rows.c.lies_at == LIES_AT,
                _differs(rows),
            )
            .returning(
                _placement.customer_id,
                rows.c.segment_id.label("from_segment"),
                rows.c.belongs.label("to_segment"),
                _placement.lease_id,
            )
        ).cte("moved")
        ids = aggregate_order_by(moved.c.customer_id, moved.c.customer_id)
        cause = bindparam("cause", type_=Text)
        flows = (
            select(CRM_ID, ASSIGNMENT_ID, NOW, cause, moved.c.from_segment, moved.c.to_segment, version,
                   func.array_agg(ids))
            .where(moved.c.from_segment != moved.c.to_segment)
            .group_by(moved.c.from_segment, moved.c.to_segment)
        )  # fmt: skip
        return moved, insert(SegmentMove).from_select(_HISTORY, flows).cte("noted")

    @cached_property
    def by_rule(self) -> Statement:
        """(customer_id, belongs): where the rules alone would put the bound customer_ids, holds left out."""
        rows = self._evaluated(some=True, held=False)
        return Statement.of(select(rows.c.customer_id, rows.c.belongs))

    def _evaluated(self, *, some: bool, held: bool = True) -> Subquery:
        nodes = [node for _, node in (*self._arms, *self._labels)]
        rows = rows_for(nodes, self._known, some=some)
        said = (self._arms, self._otherwise, rows.columns, self._known)
        belongs = segment_case(rows.table.c.held, *said) if held else rule_case(*said)
        asked_of = rows.table.c
        evaluated = select(
            asked_of.lies_at,
            asked_of.customer_id,
            asked_of.segment_id,
            asked_of.labels,
            belongs.label("belongs"),
            labels_array(self._labels, rows.columns, self._known).label("earned"),
        )
        # Fenced, or the planner would reckon the CASE wherever it is mentioned.
        return evaluated.offset(FENCE).subquery("evaluated")


def _moves(rows: Subquery) -> ColumnElement[bool]:
    return rows.c.belongs != rows.c.segment_id


def _differs(rows: Subquery) -> ColumnElement[bool]:
    return or_(_moves(rows), rows.c.earned != rows.c.labels)
