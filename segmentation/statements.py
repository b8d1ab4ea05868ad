"""The statements over one CASE and the labels: who would move, how many, and the move itself.

Compiled to text once a rule version, so that each execution costs no compiling and psycopg, seeing the same
text again, has the server prepare it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sqlalchemy import (
    BigInteger,
    ClauseElement,
    ColumnElement,
    CursorResult,
    Subquery,
    bindparam,
    case,
    func,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.engine import make_url

from models.tables import Placement
from models.work import Work
from segmentation.catalogue import Catalogue
from segmentation.compiler import labels_array, segment_case
from segmentation.moments import LocalArray, Moment
from segmentation.nodes import Node, leaves
from segmentation.rows import FENCE, LIES_AT, rows_of
from segmentation.sources import ASSIGNMENT_ID, CRM_ID, among
from segmentation.time_sql import local_values

_DIALECT = make_url("postgresql+psycopg://").get_dialect()()
_placement = Placement.__table__.c


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
        bound = {k: v for k, v in compiled.params.items() if v is not None}
        reckoned = {k: v for k, v in bound.items() if isinstance(v, Moment | LocalArray)}
        return cls(str(compiled), {k: v for k, v in bound.items() if k not in reckoned}, reckoned)

    def run(self, work: Work, **values: Any) -> CursorResult[Any]:
        """Execute it with crm_id and now bound beside `values`."""
        at_run = {key: value.at(work.now) for key, value in self.reckoned.items()}
        bound = {**self.constants, **at_run, "crm_id": work.crm_id, "now": work.now, **values}
        return work.session.connection().exec_driver_sql(self.sql, bound)


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
    def move(self) -> Statement:
        """Give the bound customer_ids the segment and labels they ought to have; (customer, from, to, lease).

        Only those who have others are written, and come back. Binds assignment_id, customer_ids and version:
        a placement takes it when its segment changes. The rows have to be locked: then their places are
        fixed, and each is found again without an index.
        """
        rows, version = self._evaluated(some=True), bindparam("version", type_=BigInteger)
        return Statement.of(
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
        )

    @cached_property
    def by_rule(self) -> Statement:
        """(customer_id, belongs): where the rules alone would put the bound customer_ids, holds left out."""
        rows = self._evaluated(some=True, held=False)
        return Statement.of(select(rows.c.customer_id, rows.c.belongs))

    def _evaluated(self, *, some: bool, held: bool = True) -> Subquery:
        nodes = [node for _, node in (*self._arms, *self._labels)]
        asked = {leaf.field for node in nodes for leaf in leaves(node)}
        rows = rows_of((self._known[key] for key in asked), some=some, local=local_values(nodes, self._known))
        hold = rows.table.c.held if held else null()
        belongs = segment_case(hold, self._arms, self._otherwise, rows.columns, self._known)
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
