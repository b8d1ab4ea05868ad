"""Outcomes come back: each counts once, and always counts (P4).

One transaction a batch of up to 200 reports, whatever their order or lateness. What has to follow the
commit (the wall of a do-not-call, the recall of a later lease) is found again by a tick after a crash.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from calling.follow_ups.by_outcome import promises_of
from calling.follow_ups.own_wall import tell
from calling.follow_ups.putting import Promised
from calling.follow_ups.standing import as_they_stand
from calling.handout import claims, placements
from calling.handout.flagging import Fate, flag
from calling.handout.recalling import recall
from calling.outcomes import dead_numbers
from calling.outcomes import outcome_sql as sql
from calling.outcomes.report import Recorded as Recorded
from calling.outcomes.report import Report as Report
from calling.outcomes.retrying import plan_of
from calling.outcomes.segments import follow_outcomes, standing_in
from calling.outcomes.settling import Change, settle
from calling.outcomes.when_again import when_again
from calling.outcomes.writing import write
from calling.walls.suppress import finish_suppressions
from models import turnstile
from models.outcomes import EFFECTS, Outcome
from models.tables.customers import CALLABLE_NUMBER_STATES
from models.work import OpenWork, Work

BATCH = 200


def record(work: Work, reports: Sequence[Report]) -> list[Recorded]:
    """Record up to 200 reports, one a lease, in one transaction; what came of each, in lease order.

    The first outcome of a lease is its attempt, even after the lease ended. A seller's disposition
    completes a dialer's result; any other second report changes nothing. Follow with `afterwards`.
    """
    by_lease = {report.lease_id: report for report in reports}
    ids = sorted(by_lease)
    where = work.run(sql.WHERE, leases=ids).all()
    bad = {row.customer_id for row in where if EFFECTS[by_lease[row.id].outcome].number_state}
    told = [(row.e164, by_lease[row.id].outcome) for row in where]
    risen = dead_numbers.risen((row, by_lease[row.id].outcome) for row in where)
    sharing = dead_numbers.sharers(work, told + _completed(work, where, by_lease), risen)
    bad |= sharing
    passed = {row.assignment_id for row in where}.union(standing_in(work, bad))
    turnstile.pass_shared(work, passed)
    claims.lock(work, ids)
    leases = work.run(sql.LOCK, leases=ids).all()
    known = {row.lease_id: row for row in work.run(sql.KNOWN, leases=ids)}
    dead_numbers.lock(work, sharing)
    rows = placements.lock_touched(work, ids)
    touched = sorted({customer_id for _, customer_id in rows})
    settled: dict[tuple[int, int], Change] = {}
    changes: list[tuple[Row[Any], Report, Change, int]] = []
    wishes = {report.lease_id: report.promise for report in reports if report.outcome is Outcome.FOLLOW_UP}
    new = [x for x in leases if x.id not in known or _completes(x, by_lease[x.id], known[x.id].revision)]
    alive = dead_numbers.answered_since(work, [(lease, by_lease[lease.id].outcome) for lease in new])
    numbers = _numbers_left(work, [(x, by_lease[x.id].outcome) for x in new if x.id not in alive])
    promises = promises_of(work, leases, wishes, rows, [lease for lease in new if lease.id in known])
    came = _came(work, new, by_lease)
    again = when_again(work, new, {lease_id: report.outcome for lease_id, report in by_lease.items()}, rows)
    for lease in new:
        report, said = by_lease[lease.id], known.get(lease.id)
        came[lease.assignment_id, lease.customer_id, report.outcome] += 1
        key = (lease.assignment_id, lease.customer_id)
        before = settled.get(key) or Change.of(rows[key])
        asked, times = promises.asked.get(lease.id), came[(*key, report.outcome)]
        settled_by = partial(
            settle, lease=lease, outcome=report.outcome, now=work.now, said=said and said.outcome,
            other_number=lease.id in alive or bool(numbers.get(lease.customer_id)),
            answered_since=lease.id in alive, times=times, opens=again.opens(lease, report.outcome),
        )  # fmt: skip
        promised, kept = asked.due_at if asked else None, promises.kept(lease, report.outcome)
        change = settled_by(before, promised=promised, kept=kept)
        again.note(lease, report.outcome, change.state, times, work.now)
        if promises.concern(lease):
            promises.note(lease, report.by, change, settled_by(promises.without(lease, before)))
        settled[key] = change
        changes.append((lease, report, change, 0 if said is None else said.revision + 1))
    made: Mapping[UUID, Promised] = {}
    if changes:
        dead_numbers.revive(work, _unsaid(changes, known), sharing)
        made = write(work, changes, settled, touched, promises, dead_numbers.Sharing(sharing, risen, alive))
        moved = follow_outcomes(work, settled, [key for key in rows if key[1] in bad], passed)
        again.after_moves(work, moved)
        made = as_they_stand(work, made, promises.asked)
        tell(work, promises.followed)
    return _answers(by_lease, leases, changes, made, alive)


def _unsaid(
    changes: Sequence[tuple[Row[Any], Report, Change, int]], known: Mapping[UUID, Row[Any]]
) -> list[tuple[Row[Any], Outcome]]:
    """The calls whose number was called dead by their first word, and is not by the last."""
    first = [
        (lease, Outcome(known[lease.id].outcome), report.outcome)
        for lease, report, *_ in changes
        if lease.id in known
    ]
    return [
        (lease, was)
        for lease, was, now in first
        if EFFECTS[was].for_everybody and not EFFECTS[now].for_everybody
    ]


def _completed(
    work: Work, where: Sequence[Row[Any]], by_lease: dict[UUID, Report]
) -> list[tuple[str, Outcome]]:
    """The number of each lease that a seller may complete, and what its dialer has said of the call."""
    asked = {x.id: x.e164 for x in where if x.dialer_id is not None and by_lease[x.id].by == "seller"}
    said = work.run(sql.KNOWN, leases=list(asked)).all() if asked else []
    return [(asked[row.lease_id], Outcome(row.outcome)) for row in said]


def _completes(lease: Row[Any], report: Report, revision: int) -> bool:
    """A dialer's result stands as revision 0; the seller it was connected to may complete it, once."""
    return revision == 0 and lease.dialer_id is not None and report.by == "seller"


def _came(
    work: Work, leases: Sequence[Row[Any]], by_lease: dict[UUID, Report]
) -> Counter[tuple[int, int, str]]:
    """(assignment, customer, outcome) -> how often it came before, where a plan of retries asks it."""
    asked = [
        (lease.customer_id, outcome)
        for lease in leases
        if EFFECTS[outcome := by_lease[lease.id].outcome].after == "rest"
        and plan_of(outcome, lease.retry_plan).counts
    ]
    came: Counter[tuple[int, int, str]] = Counter()
    if asked:
        rows = work.run(
            sql.CAME,
            customers=sorted({customer for customer, _ in asked}),
            outcomes=sorted({outcome.value for _, outcome in asked}),
            leases=[lease.id for lease in leases],
        ).all()
        came.update({(row.assignment_id, row.customer_id, row.outcome): row.times for row in rows})
    return came


def _numbers_left(work: Work, told: dead_numbers.Told) -> dict[int, set[str]]:
    """The callable numbers of customers of whose number an outcome says that it is no good, once all have."""
    bad = [(lease, effect) for lease, outcome in told if (effect := EFFECTS[outcome]).number_state]
    left: dict[int, set[str]] = {lease.customer_id: set() for lease, _ in bad}
    if bad:
        for row in work.run(sql.OTHER_NUMBERS, customers=list(left), callable=list(CALLABLE_NUMBER_STATES)):
            left[row.customer_id].add(row.e164)
    for lease, effect in bad:
        for theirs in left.values() if effect.for_everybody else [left[lease.customer_id]]:
            theirs.discard(lease.e164)
    return left


def _answers(
    by_lease: dict[UUID, Report], leases: Sequence[Row[Any]],
    changes: Sequence[tuple[Row[Any], Report, Change, int]], made: Mapping[UUID, Promised],
    alive: Collection[UUID],
) -> list[Recorded]:  # fmt: skip
    done = {
        lease.id: Recorded(
            lease.id,
            "first" if revision == 0 else "completion",
            late=lease.state == "ended",
            state=change.state,
            status=change.status,
            later_lease=change.lease_id if change.overtaken else None,
            suppressed=report.outcome is Outcome.DO_NOT_CALL,
            promised=made.get(lease.id),
            dead=lease.e164 if EFFECTS[report.outcome].for_everybody and lease.id not in alive else None,
            outcome=report.outcome.value,
        )
        for lease, report, change, revision in changes
    }
    seen = {lease.id for lease in leases}
    return [
        done.get(lease_id) or Recorded(lease_id, "again" if lease_id in seen else "orphan")
        for lease_id in sorted(by_lease)
    ]


def record_all(open_work: OpenWork, reports: Iterable[Report]) -> list[Recorded]:
    """Record any number of reports, and what has to follow: walls of do-not-calls, recalls of later leases.

    Sorted and cut into batches of 200; several reports of one lease go in their order. When this returns,
    a do-not-call is a wall (P8).
    """
    recorded: list[Recorded] = []
    waiting = sorted(reports, key=lambda report: report.lease_id)
    asked = any(report.outcome is Outcome.DO_NOT_CALL for report in waiting)
    while waiting:
        batch: dict[UUID, Report] = {}
        rest = []
        for report in waiting:
            if len(batch) < BATCH and report.lease_id not in batch:
                batch[report.lease_id] = report
            else:
                rest.append(report)
        recorded += _in_one(open_work, list(batch.values()))
        waiting = rest
    recorded = afterwards(open_work, recorded)
    if asked and not any(r.suppressed for r in recorded):
        finish_suppressions(open_work)  # told again: whoever recorded it may have died before its wall
    return recorded


def _in_one(open_work: OpenWork, reports: Sequence[Report]) -> list[Recorded]:
    with open_work() as work:
        return record(work, reports)


def afterwards(open_work: OpenWork, recorded: Sequence[Recorded]) -> list[Recorded]:
    """What has to follow the commit of outcomes; a tick finds it again after a crash.

    The same, with what became of each later lease.
    """
    later = {r.later_lease: str(r.outcome) for r in recorded if r.later_lease is not None}
    fates: dict[UUID, Fate] = {}
    if later:
        with open_work() as work:
            recall(work, sorted(later), "an earlier call came to an outcome", states=["offered"])
        with open_work() as work:
            fates = flag(work, later)
    if dead := {r.dead for r in recorded if r.dead is not None}:
        with open_work() as work:
            offered = dead_numbers.offered(work, dead)
        for start in range(0, len(offered), BATCH):
            with open_work() as work:
                recall(
                    work, offered[start : start + BATCH], "their number is out of service", states=["offered"]
                )
    if any(r.suppressed for r in recorded):
        finish_suppressions(open_work)
    return [replace(r, later_is=fates.get(r.later_lease)) if r.later_lease else r for r in recorded]
