"""A fact has changed: segments follow at once, where a rule asks it."""

import logging
from collections.abc import Collection, Iterable, Sequence

from sqlalchemy import text

from models.errors import RulesRefused
from models.work import Work
from segmentation.in_force import rules_in_force
from segmentation.rebuilds import request_rebuild
from segmentation.resegment import Moved, resegment

log = logging.getLogger("calling.following")

REFUSED = "facts changed while the rules could not be asked"

_BEFORE = text("savepoint before_rules")
_BACK = text("rollback to savepoint before_rules")
_DONE = text("release savepoint before_rules")


def resegment_surely(work: Work, assignment_id: int, customers: Sequence[int], cause: str) -> list[Moved]:
    """As `resegment`; but rules that the database refuses cost nothing of what the transaction is about.

    No outcome, no lease that ends, no wall waits for rules: then a rebuild is asked for, which a tick finds.
    """
    work.run(_BEFORE)
    try:
        moved = resegment(work, assignment_id, customers, cause)
    except RulesRefused as error:
        work.run(_BACK)
        # Without the traceback: it would show the whole statement, which may be megabytes.
        log.error("segments of assignment %d do not follow: %s", assignment_id, error)
        request_rebuild(work, assignment_id, REFUSED)
        return []
    work.run(_DONE)
    return moved


def follow(work: Work, assignment_id: int, customers: Sequence[int], field: str, cause: str) -> None:
    """Re-segment customers whose `field` has changed, if any rule asks it.

    The caller has passed the turnstile and holds the placements.
    """
    if customers and field in rules_in_force(work, assignment_id).asked:
        resegment_surely(work, assignment_id, customers, cause)


def follow_facts(
    work: Work,
    assignments: Iterable[int],
    customers: Sequence[int],
    fields: Collection[str] | None,
    cause: str,
) -> list[Moved]:
    """Re-segment customers of whom any of these facts has changed, where a rule asks one of them; who moved.

    `fields` None: more than can be said, as with another clock. The caller has passed the turnstiles of
    `assignments`, holds the placements, and recalls what was offered (take_back_moved) after the commit.
    """
    moved: list[Moved] = []
    for assignment_id in sorted(assignments):
        if fields is None or rules_in_force(work, assignment_id).asked & set(fields):
            moved += resegment_surely(work, assignment_id, customers, cause)
    return moved
