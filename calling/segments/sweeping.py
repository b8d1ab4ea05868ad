"""The sweep: whom time alone moves is moved at the tick; what was missed while nobody ticked is caught up.

The watermark says up to when it has been looked. Each sweep begins a little before it: a transaction that was
slow to commit may have written below it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text

from calling.segments import alarms
from calling.segments.resegmenting import take_back_moved
from models import turnstile
from models.work import OpenWork, Work
from segmentation.in_force import InForce, rules_in_force
from segmentation.reasons import CLOCKS
from segmentation.rebuild import request_rebuild
from segmentation.resegment import Moved, resegment
from segmentation.sweep import clocks_changed, may_flip

BATCH = 200
SLACK = timedelta(minutes=2)
"""Business time: longer than any transaction, and than clocks differ. Faster clocks need more."""

NOW_AND_THEN = timedelta(hours=1)

_TIMED = text("select id from assignment where crm_id = :crm_id and rule_version > 0 order by id")
_MARK = text("select swept_to from sweep where crm_id = :crm_id and assignment_id = :assignment_id")
_SWEPT = text("""
    insert into sweep as s (crm_id, assignment_id, swept_to) values (:crm_id, :assignment_id, :end)
    on conflict (crm_id, assignment_id) do update set swept_to = greatest(s.swept_to, excluded.swept_to)
""")


def sweep_all(open_work: OpenWork, slack: timedelta = SLACK) -> int:
    """Sweep every assignment that has rules; how many customers moved.

    On the way each one's rules are read; which of them cannot be is made known (calling/segments/alarms.py).
    """
    with open_work() as work:
        rules = {key: rules_in_force(work, key) for key in work.run(_TIMED).scalars().all()}
        looks = [_look(work, key, one, slack) for key, one in rules.items()]
        stale = alarms.stale(work, {key: one.broken for key, one in rules.items()})
    for assignment_id in stale:
        with open_work() as work:
            alarms.renew(work, assignment_id)
    return sum(_move(open_work, look) for look in looks if look)


def sweep(open_work: OpenWork, assignment_id: int, slack: timedelta = SLACK) -> int:
    """Move whoever's segment time has changed since the last sweep; how many.

    Done again, or by two at once, it does no harm. Dead in the middle, the next one begins where this did.
    """
    with open_work() as work:
        look = _look(work, assignment_id, rules_in_force(work, assignment_id), slack)
    return _move(open_work, look) if look else 0


@dataclass(frozen=True, slots=True)
class _Look:
    """Whom time may have moved up to `end`."""

    assignment_id: int
    end: datetime
    found: list[int]


def _look(work: Work, assignment_id: int, rules: InForce, slack: timedelta) -> _Look | None:
    """None: there is nothing to do, and nothing to note."""
    end = work.now
    mark = work.run(_MARK, assignment_id=assignment_id).scalar()
    if mark is None or clocks_changed(rules.timed, mark - slack, end):
        request_rebuild(work, assignment_id, CLOCKS)
        return _Look(assignment_id, end, [])
    if rules.timed and mark < end:
        return _Look(assignment_id, end, may_flip(work, assignment_id, rules.timed, mark - slack, end))
    # Rules that ask nothing of time: the mark follows now and then, for those that come after them.
    return _Look(assignment_id, end, []) if end - mark > NOW_AND_THEN else None


def _move(open_work: OpenWork, look: _Look) -> int:
    moved: list[Moved] = []
    for start in range(0, len(look.found), BATCH):
        batch = look.found[start : start + BATCH]
        with open_work() as work:
            turnstile.pass_shared(work, [look.assignment_id])
            moved += resegment(work, look.assignment_id, batch, "time")
    take_back_moved(open_work, moved)
    with open_work() as work:
        work.run(_SWEPT, assignment_id=look.assignment_id, end=look.end)
    return len(moved)
