"""The statements over one CASE: who would move, how many, and the move itself.

Compiled to text once a rule version, so that each execution costs no compiling and psycopg, seeing the same
text again, has the server prepare it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import BigInteger, ClauseElement, CursorResult, Subquery, bindparam, func, select, update
from sqlalchemy.engine import make_url

from models.tables import Placement
from models.work import Work
from segmentation.catalogue import Catalogue
from segmentation.compiler import segment_case
from segmentation.nodes import Node, leaves
from segmentation.rows import ASSIGNMENT_ID, CRM_ID, FENCE, LIES_AT, among, rows_of

_DIALECT = make_url("postgresql+psycopg://").get_dialect()()
_placement = Placement.__table__.c


@dataclass(frozen=True, slots=True)
class Statement:
    """Finished SQL, and the values that the rules' authors wrote."""

    sql: str
    constants: Mapping[str, Any]

    @classmethod
    def of(cls, statement: ClauseElement) -> "Statement":
        """Compile `statement` for psycopg."""
        compiled = statement.compile(dialect=_DIALECT)
        return cls(str(compiled), {k: v for k, v in compiled.params.items() if v is not None})

    def run(self, work: Work, **values: Any) -> CursorResult[Any]:
        """Execute it with crm_id and now bound beside `values`."""
        bound = {**self.constants, "crm_id": work.crm_id, "now": work.now, **values}
        return work.session.connection().exec_driver_sql(self.sql, bound)


class Statements:
    """What one rule version can be asked; each statement is compiled when first needed.

    `arms`: (segment id, rule) in order of priority; `otherwise`: the id of Unsegmented.
    """

    def __init__(self, arms: tuple[tuple[int, Node], ...], otherwise: int, known: Catalogue) -> None:
        self._arms, self._otherwise, self._known = arms, otherwise, known

    @cached_property
    def scan(self) -> Statement:
        """(from, to, how many, ids) of every pair of segments; ids only where they differ.

        Binds assignment_id. One pass over the assignment, in parallel.
        """
        rows = self._evaluated(some=False)
        differs = rows.c.belongs != rows.c.segment_id
        return Statement.of(
            select(
                rows.c.segment_id.label("from_segment"),
                rows.c.belongs.label("to_segment"),
                func.count().label("size"),
                func.array_agg(rows.c.customer_id).filter(differs).label("movers"),
            ).group_by(rows.c.segment_id, rows.c.belongs)
        )

    @cached_property
    def differing(self) -> Statement:
        """How many placements are in another segment than they belong to. Binds assignment_id."""
        rows = self._evaluated(some=False)
        return Statement.of(select(func.count()).where(rows.c.belongs != rows.c.segment_id))

    @cached_property
    def move(self) -> Statement:
        """Move whoever of the bound customer_ids belongs elsewhere; (customer, from, to, lease).

        Binds assignment_id, customer_ids and version. The rows have to be locked: then their places are
        fixed, and each is found again without an index.
        """
        rows = self._evaluated(some=True)
        return Statement.of(
            update(Placement)
            .values(segment_id=rows.c.belongs, rule_version=bindparam("version", type_=BigInteger))
            .where(
                _placement.crm_id == CRM_ID,
                _placement.assignment_id == ASSIGNMENT_ID,
                among(_placement.customer_id),
                rows.c.lies_at == LIES_AT,
                rows.c.belongs != rows.c.segment_id,
            )
            .returning(
                _placement.customer_id,
                rows.c.segment_id.label("from_segment"),
                rows.c.belongs.label("to_segment"),
                _placement.lease_id,
            )
        )

    def _evaluated(self, *, some: bool) -> Subquery:
        asked = {leaf.field for _, node in self._arms for leaf in leaves(node)}
        rows = rows_of((self._known[key] for key in asked), some=some)
        belongs = segment_case(rows.table.c.held, self._arms, self._otherwise, rows.columns, self._known)
        asked_of = rows.table.c
        evaluated = select(
            asked_of.lies_at, asked_of.customer_id, asked_of.segment_id, belongs.label("belongs")
        )
        # Fenced, or the planner would reckon the CASE wherever it is mentioned.
        return evaluated.offset(FENCE).subquery("evaluated")
