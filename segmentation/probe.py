"""What one customer answers to every question of a rule set, and the values behind it: by one statement.

The questions are the same SQL that a rebuild asks, so that an explanation never says otherwise.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Boolean, ColumnElement, literal_column, select, text
from sqlalchemy.dialects.postgresql import ARRAY, array

from models.work import Work
from segmentation.catalogue import BUILT_IN, Catalogue
from segmentation.compiler import condition
from segmentation.nodes import Leaf, Rules, leaves
from segmentation.rows import rows_for
from segmentation.statements import Statement

ZONE = "zone"

_NO_ANSWERS = literal_column("'{}'::boolean[]", ARRAY(Boolean))
# As for a customer that is moved: a plan made while the tables were tiny is kept when they have grown.
_BY_KEYS = text("set local enable_seqscan = off")


@dataclass(frozen=True, slots=True)
class Facts:
    """`answers`: question -> whether it is so. `values`: field -> its value as rules compare it, or None.

    Each field that is asked has a value here, and the zone.
    """

    answers: Mapping[Leaf, bool]
    values: Mapping[str, Any]

    @property
    def zone(self) -> str:
        """The reckoning zone."""
        return str(self.values[ZONE])


class Probe:
    """The statement over one customer for a rule set without references; compiled once, asked often."""

    def __init__(self, rules: Rules, known: Catalogue) -> None:
        trees = [one.when for one in rules.segments] + [one.when for one in rules.labels]
        self._leaves = tuple(dict.fromkeys(leaf for tree in trees for leaf in leaves(tree)))
        self._fields = tuple(dict.fromkeys([ZONE, *(leaf.field for leaf in self._leaves)]))
        rows = rows_for(trees, {**known, **BUILT_IN}, some=True, also=[ZONE])
        conditions = [condition(leaf, rows.columns, known) for leaf in self._leaves]
        answers: ColumnElement[Any] = array(list[Any](conditions)) if conditions else _NO_ANSWERS
        values = [rows.columns[key].label(f"value_{i}") for i, key in enumerate(self._fields)]
        self.statement = Statement.of(select(answers.label("answers"), *values))

    def facts(self, work: Work, assignment_id: int, customer_id: int) -> Facts | None:
        """Ask; None for somebody who is not in the assignment, or has left it."""
        work.run(_BY_KEYS)
        asked = {"assignment_id": assignment_id, "customer_ids": [customer_id]}
        row = self.statement.run(work, **asked).first()
        if row is None:
            return None
        answers = dict(zip(self._leaves, row.answers, strict=True))
        return Facts(answers, dict(zip(self._fields, row[1:], strict=True)))
