"""How many of an assignment's customers meet each of several rules, in one pass over it."""

from collections.abc import Sequence

from sqlalchemy import func, select, text

from models.work import Work
from segmentation.catalogue import Catalogue
from segmentation.compiler import condition
from segmentation.nodes import Node
from segmentation.rows import rows_for
from segmentation.statements import Statement

# One pass with one set of values: compiling it would cost more.
_ONE_PASS = (text("set local jit = off"), text("set local plan_cache_mode = force_custom_plan"))


def counts(work: Work, assignment_id: int, rules: Sequence[Node], known: Catalogue) -> tuple[int, list[int]]:
    """(customers of the assignment, of these who meets each rule). Rules may not name others."""
    rows = rows_for(rules, known, some=False)
    each = [func.count().filter(condition(rule, rows.columns, known)) for rule in rules]
    for setting in _ONE_PASS:
        work.run(setting)
    statement = Statement.of(select(func.count(), *each).select_from(rows.table))
    found = [int(one) for one in statement.run(work, assignment_id=assignment_id).one()]
    return found[0], found[1:]
