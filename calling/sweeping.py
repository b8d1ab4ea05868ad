"""The sweep: whom time alone moves is moved at the tick; what was missed while nobody ticked is caught up.

The watermark says up to when it has been looked. Each sweep begins a little before it: a transaction that was
slow to commit may have written below it.
"""

from datetime import timedelta

from sqlalchemy import text

from calling.history import note_moves
from calling.resegmenting import take_back_moved
from models import turnstile
from models.work import OpenWork
from segmentation.in_force import rules_in_force
from segmentation.rebuild import request_rebuild
from segmentation.resegment import Moved, resegment
from segmentation.sweep import clocks_changed, may_flip

BATCH = 200
SLACK = timedelta(minutes=2)
"""Business time: longer than any transaction, and than clocks differ. Faster clocks need more."""

_TIMED = text("select id from assignment where crm_id = :crm_id and rule_version > 0 order by id")
_MARK = text("select swept_to from sweep where crm_id = :crm_id and assignment_id = :assignment_id")
_SWEPT = text("""
    insert into sweep as s (crm_id, assignment_id, swept_to) values (:crm_id, :assignment_id, :end)
    on conflict (crm_id, assignment_id) do update set swept_to = greatest(s.swept_to, excluded.swept_to)
""")


def sweep_all(open_work: OpenWork, slack: timedelta = SLACK) -> int:
    """Sweep every assignment that has rules; how many customers moved."""
    with open_work() as work:
        assignments = list(work.run(_TIMED).scalars())
    return sum(sweep(open_work, assignment_id, slack) for assignment_id in assignments)


def sweep(open_work: OpenWork, assignment_id: int, slack: timedelta = SLACK) -> int:
    """Move whoever's segment time has changed since the last sweep; how many.

    Done again, or by two at once, it does no harm. Dead in the middle, the next one begins where this did.
    """
    found: list[int] = []
    with open_work() as work:
        end = work.now
        mark = work.run(_MARK, assignment_id=assignment_id).scalar()
        rules = rules_in_force(work, assignment_id)
        if mark is None or clocks_changed(rules.timed, mark - slack, end):
            request_rebuild(work, assignment_id, "clocks changed")
        elif mark < end and rules.timed:
            found = may_flip(work, assignment_id, rules.timed, mark - slack, end)
    moved: list[Moved] = []
    for start in range(0, len(found), BATCH):
        batch = found[start : start + BATCH]
        with open_work() as work:
            turnstile.pass_shared(work, [assignment_id])
            went = resegment(work, assignment_id, batch)
            note_moves(work, assignment_id, went, "time")
            moved += went
    take_back_moved(open_work, moved)
    with open_work() as work:
        work.run(_SWEPT, assignment_id=assignment_id, end=end)
    return len(moved)
