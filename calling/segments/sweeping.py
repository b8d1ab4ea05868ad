"""The sweep: whom time alone moves is moved at the tick; what was missed while nobody ticked is caught up.

Time moves whoever a rule of time says, and whoever was held until now. The watermark says up to when all of
them have been followed. Each sweep begins a little before it: a transaction that was slow to commit may have
written below it. Holds need no such slack: one that has run out stands there until it was followed.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import perf_counter

from sqlalchemy import text

from calling.segments import alarms
from calling.segments.resegmenting import take_back_moved
from models import turnstile
from models.errors import RingelisteError, RulesRefused
from models.work import OpenWork, Work
from segmentation.in_force import InForce, rules_in_force
from segmentation.offsets import last_change
from segmentation.pace import Pace
from segmentation.reasons import CLOCKS
from segmentation.rebuilds import request_rebuild
from segmentation.resegment import Moved, lock, resegment
from segmentation.sweep import may_flip

log = logging.getLogger("calling.sweeping")

BATCH: int | None = None
"""Customers a transaction; None: as many as are moved in some 25 ms (segmentation/pace.py)."""

SLACK = timedelta(minutes=2)
"""Business time: longer than any transaction, and than clocks differ. Faster clocks need more."""

NOW_AND_THEN = timedelta(hours=1)

_TIMED = text("""
    select id from assignment a
     where crm_id = :crm_id
       and (rule_version > 0 or (select min(h.expires_at) from hold h
                                  where h.crm_id = :crm_id and h.assignment_id = a.id) is not null)
     order by id
""")
_STANDS = text("""
    select (select swept_to from sweep where crm_id = :crm_id and assignment_id = :assignment_id) as mark,
           (select min(expires_at) from hold
             where crm_id = :crm_id and assignment_id = :assignment_id) is not null as some_run_out,
           array(select customer_id from hold where crm_id = :crm_id and assignment_id = :assignment_id
                    and expires_at <= :now) as run_out
""")
# Below whoever was held until then and is not followed yet: another sweep's, or committed since we looked.
_UP_TO = """
    least(:end, (select min(expires_at) - interval '1 microsecond' from hold
                  where crm_id = :crm_id and assignment_id = :assignment_id and expires_at <= :end))
"""
_BEGIN = text(f"""
    insert into sweep (crm_id, assignment_id, swept_to) values (:crm_id, :assignment_id, {_UP_TO})
    on conflict (crm_id, assignment_id) do nothing
""")  # noqa: S608 - our own words
# One sweep at a time is at an assignment: whoever comes second finds no row, and leaves.
_TAKE = text("""
    select swept_to from sweep where crm_id = :crm_id and assignment_id = :assignment_id
       for no key update skip locked
""")
_SWEPT = text(f"""
    update sweep set swept_to = greatest(swept_to, {_UP_TO})
     where crm_id = :crm_id and assignment_id = :assignment_id
""")  # noqa: S608 - our own words
_LET_GO = text("""
    delete from hold
     where crm_id = :crm_id and assignment_id = :assignment_id
       and customer_id = any((select cast(:customers as bigint[]))::bigint[]) and expires_at <= :now
""")
# What a crash of the server takes back is done again: the watermark alone waits for the disk.
_UNHURRIED = text("set local synchronous_commit = off")


def sweep_all(open_work: OpenWork, slack: timedelta = SLACK) -> int:
    """Sweep every assignment that has rules or holds that end; how many customers moved.

    On the way each one's rules are read; which of them cannot be is made known (calling/segments/alarms.py).
    An assignment that fails keeps its mark and is tried again at the next tick; the others go on. Raises
    what the first of them failed with, unless its rules were refused: that alarms by itself.
    """
    with open_work() as work:
        rules = {key: rules_in_force(work, key) for key in work.run(_TIMED).scalars().all()}
        looks = [_look(work, key, one, slack) for key, one in rules.items()]
        stale = alarms.stale(work, {key: one.broken for key, one in rules.items()})
    for assignment_id in stale:
        with open_work() as work:
            alarms.renew(work, assignment_id)
    return _follow_each(open_work, [look for look in looks if look])


def sweep(open_work: OpenWork, assignment_id: int, slack: timedelta = SLACK) -> int:
    """Move whoever's segment time has changed since the last sweep; how many.

    Done again, or by two at once, it does no harm. Dead in the middle, the next one begins where this did.
    """
    with open_work() as work:
        look = _look(work, assignment_id, rules_in_force(work, assignment_id), slack)
    return _follow(open_work, look) if look else 0


@dataclass(frozen=True, slots=True)
class _Look:
    """Whom time may have moved up to `end`, by id; `run_out`: whether any of them was held until then."""

    assignment_id: int
    end: datetime
    found: Sequence[int] = ()
    run_out: bool = False


def _look(work: Work, assignment_id: int, rules: InForce, slack: timedelta) -> _Look | None:
    """None: there is nothing to do, and nothing to note."""
    end, found = work.now, set[int]()
    stands = work.run(_STANDS, assignment_id=assignment_id).one()
    if stands.mark is None:
        _begin(work, assignment_id, rules)
    elif rules.timed and stands.mark < end:
        found.update(may_flip(work, assignment_id, rules.timed, stands.mark - slack, end))
    elif not stands.some_run_out and end - stands.mark <= NOW_AND_THEN:
        # Nothing here ends by time: the mark follows now and then, for what comes after.
        return None
    return _Look(assignment_id, end, sorted(found.union(stands.run_out)), bool(stands.run_out))


def _begin(work: Work, assignment_id: int, rules: InForce) -> None:
    """The first watermark: nobody knows up to when it has been looked, so everybody is looked at."""
    begun = work.run(_BEGIN, assignment_id=assignment_id, end=work.now).rowcount
    if begun and rules.version:
        request_rebuild(work, assignment_id, CLOCKS)


def _follow_each(open_work: OpenWork, looks: Sequence[_Look]) -> int:
    moved, failed = 0, list[RingelisteError]()
    for look in looks:
        try:
            moved += _follow(open_work, look)
        except RulesRefused as error:
            # Without the traceback: it would show the whole statement, which may be megabytes.
            log.error("time is not followed in assignment %d: %s", error.assignment_id, error)
        except RingelisteError as error:
            failed.append(error)
    if failed:
        raise failed[0]
    return moved


def _follow(open_work: OpenWork, look: _Look) -> int:
    """Move whoever was found, then note how far it is; how many moved."""
    pace, moved = Pace(look.found, BATCH), 0
    while batch := pace.next():
        begun = perf_counter()
        went = _batch(open_work, look, batch)
        if went is None:
            return moved
        pace.took(perf_counter() - begun, len(batch))
        take_back_moved(open_work, went)
        moved += len(went)
    with open_work() as work:
        _note(work, look)
    return moved


def _batch(open_work: OpenWork, look: _Look, batch: Sequence[int]) -> list[Moved] | None:
    """Who moved; None: somebody else is at this assignment, and notes how far it is."""
    with open_work() as work:
        if not work.run(_TAKE, assignment_id=look.assignment_id).first():
            return None
        turnstile.pass_shared(work, [look.assignment_id])
        work.run(_UNHURRIED)
        if look.run_out:
            these = lock(work, look.assignment_id, batch)
            work.run(_LET_GO, assignment_id=look.assignment_id, customers=these)
        return resegment(work, look.assignment_id, batch, "time")


def _note(work: Work, look: _Look) -> None:
    """Everything up to `end` was followed. Clocks changed since the mark? A rebuild has to look at all.

    Both in one transaction, behind the row of the mark: one change asks once, whoever dies or comes twice.
    """
    mark = work.run(_TAKE, assignment_id=look.assignment_id).scalar()
    if mark is None:
        return
    changed = last_change(mark, look.end) is not None
    if changed and rules_in_force(work, look.assignment_id).timed.local_offset:
        request_rebuild(work, look.assignment_id, CLOCKS)
    work.run(_SWEPT, assignment_id=look.assignment_id, end=look.end)
