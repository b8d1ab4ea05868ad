"""The statements of a preview: everybody is asked once, and counted at once with some of who would move.

No memory grows with how many move: groups are counted where they are found, and a sample is 20 ids.
"""

from collections.abc import Sequence

from sqlalchemy import BigInteger, ColumnElement, any_, bindparam, case, func, select, true
from sqlalchemy.dialects.postgresql import ARRAY

from segmentation.catalogue import Catalogue
from segmentation.compiler import condition, labels_array, rule_case
from segmentation.nodes import Node
from segmentation.rows import rows_for
from segmentation.sources import FENCE
from segmentation.statements import Arms, Statement

# `ruled`: where the draft's rules place a customer. `held`: where a hold keeps them, if the draft has its
# segment; a hold elsewhere is `released`, as publishing does. Holds win.
_PREVIEW = """
with evaluated as ({evaluated}),
found as (
    select segment_id, ruled, held, labels, earned,
           count(*) as size,
           count(*) filter (where released) as released,
           sample_of(customer_id) filter (where segment_id <> coalesce(held, ruled)) as movers,
           sample_of(customer_id) filter (where held <> ruled) as held_elsewhere
      from evaluated
     group by segment_id, ruled, held, labels, earned
)
select 'move' as what, segment_id as one, coalesce(held, ruled) as other,
       sum(size)::bigint as size, sample_of(movers) as sample
  from found group by one, other
 union all
select 'rule', ruled, held, sum(size)::bigint, sample_of(held_elsewhere) from found group by ruled, held
 union all
select 'release', null, null, coalesce(sum(released), 0)::bigint, null from found
 union all
select 'had', label, null, sum(size)::bigint, null from found, unnest(labels) as label group by label
 union all
select 'has', label, null, sum(size)::bigint, null from found, unnest(earned) as label group by label
 union all
select 'kept', label, null, sum(size)::bigint, null from found, unnest(labels) as label
 where label = any(earned) group by label
"""


def preview_statement(
    arms: Arms, otherwise: int, labels: Arms, known: Catalogue, staying: Sequence[int]
) -> Statement:
    """(what, one, other, size, sample) over a draft without references; binds assignment_id.

    `move`: in segment one now, in other then; `rule`: placed in one, held in other or not at all; `release`:
    holds let go; `had`, `has`, `kept`: label one now, then, both. `staying`: the segments whose holds stay.
    """
    nodes = [node for _, node in (*arms, *labels)]
    rows = rows_for(nodes, known, some=False)
    asked = rows.table.c
    stays = asked.held == any_(bindparam(None, list(staying), type_=ARRAY(BigInteger)))
    held: ColumnElement[int] = case((stays, asked.held))
    evaluated = select(
        asked.customer_id,
        asked.segment_id,
        asked.labels,
        rule_case(arms, otherwise, rows.columns, known).label("ruled"),
        held.label("held"),
        (asked.held.is_not(None) & stays.is_not(true())).label("released"),
        labels_array(labels, rows.columns, known).label("earned"),
    )
    # Fenced, or the planner would reckon the CASE wherever it is mentioned.
    inner = Statement.of(evaluated.offset(FENCE))
    return Statement(_PREVIEW.format(evaluated=inner.sql), inner.constants, inner.reckoned)


def count_statement(node: Node, known: Catalogue) -> Statement:
    """(how many meet one rule, of how many); binds assignment_id."""
    rows = rows_for([node], known, some=False)
    matching = func.count().filter(condition(node, rows.columns, known)).label("matching")
    return Statement.of(select(matching, func.count().label("customers")).select_from(rows.table))
