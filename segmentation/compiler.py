"""Rules become one CASE: the hold in force first, then the segments by position, else Unsegmented.

A hold in a segment that these rules do not have is none: whoever it was written for is placed by rule.

Every leaf is true or false, never null (design 5.6). Whatever a rule's author wrote is a bound value; lists
are one array each. Only immutable expressions: the statement distributes on a cluster.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, and_, case, cast, false, func, literal_column, or_, true
from sqlalchemy.dialects.postgresql import ARRAY, array

from segmentation.catalogue import Catalogue
from segmentation.leaf_sql import leaf_condition
from segmentation.nodes import AllOf, AnyOf, Leaf, Node, Not
from segmentation.time_sql import Columns, Condition

_NO_LABELS: ColumnElement[Any] = literal_column("'{}'::bigint[]", ARRAY(BigInteger))


def segment_case(
    held: ColumnElement[Any],
    arms: Sequence[tuple[int, Node]],
    otherwise: int,
    columns: Columns,
    known: Catalogue,
) -> ColumnElement[int]:
    """The id of the segment that a row belongs to. `arms`: (segment id, rule) in order of priority."""
    there = [_id(id_) for id_, _ in arms] + [_id(otherwise)]
    return case((held.in_(there), held), *_whens(arms, columns, known), else_=_id(otherwise))


def rule_case(
    arms: Sequence[tuple[int, Node]], otherwise: int, columns: Columns, known: Catalogue
) -> ColumnElement[int]:
    """The same by rules alone, whether or not a row is held."""
    whens = _whens(arms, columns, known)
    return case(*whens, else_=_id(otherwise)) if whens else _id(otherwise)


def labels_array(arms: Sequence[tuple[int, Node]], columns: Columns, known: Catalogue) -> ColumnElement[Any]:
    """The ids of the labels whose rules a row meets, ascending. `arms`: (label id, rule)."""
    if not arms:
        return _NO_LABELS
    ascending = sorted(arms, key=lambda arm: arm[0])
    earned = (case((condition(node, columns, known), _id(id_))) for id_, node in ascending)
    ids: ColumnElement[Any] = array(list[Any](earned))
    return func.array_remove(cast(ids, ARRAY(BigInteger)), literal_column("null"))


def condition(node: Node, columns: Columns, known: Catalogue) -> Condition:
    """The condition of one tree, without references, over the typed `columns` of its fields."""
    match node:
        case AllOf(parts):
            return and_(true(), *(condition(part, columns, known) for part in parts))
        case AnyOf(parts):
            return or_(false(), *(condition(part, columns, known) for part in parts))
        case Not(part):
            return condition(part, columns, known).is_not(true())
        case Leaf(key):
            return leaf_condition(node, columns, known[key])


def _whens(
    arms: Sequence[tuple[int, Node]], columns: Columns, known: Catalogue
) -> list[tuple[Condition, ColumnElement[int]]]:
    return [(condition(node, columns, known), _id(id_)) for id_, node in arms]


def _id(id_: int) -> ColumnElement[int]:
    # The ids are our own numbers: as constants they cost nothing to bind.
    return literal_column(str(int(id_)), BigInteger)
