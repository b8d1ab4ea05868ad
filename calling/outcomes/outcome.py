"""Outcomes come back: each counts once, and always counts (P4).

One transaction a batch of up to 200 reports, whatever their order or lateness. What has to follow the
commit (the wall of a do-not-call, the recall of a later lease) is found again by a tick after a crash.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Row

from calling.dialers.orders import too_late
from calling.follow_ups.asking import Wish
from calling.follow_ups.by_outcome import Promises, promises_of
from calling.follow_ups.own_wall import tell
from calling.follow_ups.putting import Promised
from calling.follow_ups.standing import as_they_stand
from calling.handout import claims, gates, placements
from calling.handout.give_back import note_rings
from calling.handout.recalling import recall
from calling.outcomes import dead_numbers
from calling.outcomes import outcome_sql as sql
from calling.outcomes.retrying import plan_of
from calling.outcomes.segments import follow_outcomes, standing_in
from calling.outcomes.settling import Change, settle
from calling.outcomes.when_again import when_again
from calling.walls import scopes
from calling.walls.suppress import finish_suppressions
from models import turnstile
from models.outcomes import EFFECTS, Outcome
from models.sql import load
from models.tables.customers import CALLABLE_NUMBER_STATES
from models.work import OpenWork, Work

BATCH = 200

UNANSWERED = [outcome.value for outcome, effect in EFFECTS.items() if effect.unanswered]
CONTACTS = [outcome.value for outcome, effect in EFFECTS.items() if effect.contact]


@dataclass(frozen=True, slots=True)
class Report:
    """What a seller or a dialer says of a lease. `rung_at` (UTC) if they know; `talk_seconds` of talk.

    `promise`: when another call was promised, with the outcome `follow_up`; checked by who takes it in.
    """

    lease_id: UUID
    outcome: Outcome
    by: Literal["seller", "dialer"]
    talk_seconds: int | None = None
    rung_at: datetime | None = None
    promise: Wish | None = None


@dataclass(frozen=True, slots=True)
class Recorded:
    """What came of a report. `again`: it was known already, nothing changed. `orphan`: no such lease.

    `promised`: the call that is promised now; None where none was, or something later had overtaken it.
    `dead`: the number (E.164), if whoever has it is not to be rung there any more.
    """

    lease_id: UUID
    kind: Literal["first", "completion", "again", "orphan"]
    late: bool = False
    state: str | None = None
    status: str | None = None
    later_lease: UUID | None = None
    suppressed: bool = False
    promised: Promised | None = None
    dead: str | None = None


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
    sharing = dead_numbers.sharers(work, told + _completed(work, where, by_lease))
    bad |= sharing
    passed = {row.assignment_id for row in where}.union(standing_in(work, bad))
    turnstile.pass_shared(work, passed)
    claims.lock(work, ids)
    leases = work.run(sql.LOCK, leases=ids).all()
    known = {row.lease_id: row for row in work.run(sql.KNOWN, leases=ids)}
    dead_numbers.lock(work, sharing)
    rows = placements.lock_touched(work, ids)
    touched = sorted({customer_id for _, customer_id in rows})
    numbers = _callable_numbers(work, leases, by_lease)
    settled: dict[tuple[int, int], Change] = {}
    changes: list[tuple[Row[Any], Report, Change, int]] = []
    wishes = {report.lease_id: report.promise for report in reports if report.outcome is Outcome.FOLLOW_UP}
    new = [x for x in leases if x.id not in known or _completes(x, by_lease[x.id], known[x.id].revision)]
    promises = promises_of(work, leases, wishes, rows, [lease for lease in new if lease.id in known])
    came = _came(work, new, by_lease)
    again = when_again(work, new, {lease_id: report.outcome for lease_id, report in by_lease.items()}, rows)
    for lease in new:
        report, said = by_lease[lease.id], known.get(lease.id)
        came[lease.assignment_id, lease.customer_id, report.outcome] += 1
        key = (lease.assignment_id, lease.customer_id)
        other = any(number != lease.e164 for number in numbers.get(lease.customer_id, ()))
        before = settled.get(key) or Change.of(rows[key])
        asked, times = promises.asked.get(lease.id), came[(*key, report.outcome)]
        settled_by = partial(
            settle, lease=lease, outcome=report.outcome, now=work.now, said=said and said.outcome,
            other_number=other, times=times, opens=again.opens(lease, report.outcome),
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
        unsaid = [
            (lease, first)
            for lease, report, *_ in changes
            if lease.id in known and EFFECTS[first := Outcome(known[lease.id].outcome)].for_everybody
            and not EFFECTS[report.outcome].for_everybody
        ]  # fmt: skip
        dead_numbers.revive(work, unsaid, sharing)
        made = _write(work, changes, settled, touched, promises, sharing)
        moved = follow_outcomes(work, settled, [key for key in rows if key[1] in bad], passed)
        again.after_moves(work, moved)
        made = as_they_stand(work, made, promises.asked)
        tell(work, promises.followed)
    return _answers(by_lease, leases, changes, made)


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


def _callable_numbers(
    work: Work, leases: Iterable[Row[Any]], by_lease: dict[UUID, Report]
) -> dict[int, set[str]]:
    """The callable numbers of customers of whose number an outcome says that it is no good."""
    asked = [x.customer_id for x in leases if EFFECTS[by_lease[x.id].outcome].number_state]
    found: dict[int, set[str]] = {}
    if asked:
        for row in work.run(sql.OTHER_NUMBERS, customers=asked, callable=list(CALLABLE_NUMBER_STATES)):
            found.setdefault(row.customer_id, set()).add(row.e164)
    return found


def _write(
    work: Work, changes: Sequence[tuple[Row[Any], Report, Change, int]],
    settled: dict[tuple[int, int], Change], touched: Sequence[int], promises: Promises,
    sharing: Collection[int],
) -> dict[UUID, Promised]:  # fmt: skip
    """Everything a batch changes, each kind in one statement; segments are still to follow.

    The calls that are promised now, by the lease in which they were.
    """
    leases = [lease.id for lease, *_ in changes]
    rang = [EFFECTS[report.outcome].rang for _, report, *_ in changes]
    rung_at = [
        (r.rung_at or work.now) if yes else None for (_, r, *_), yes in zip(changes, rang, strict=True)
    ]
    work.run(sql.END, leases=leases, rung=rung_at)
    work.run(
        load("append_attempts"),
        leases=leases,
        revisions=[revision for *_, revision in changes],
        outcomes=[report.outcome for _, report, *_ in changes],
        statuses=[change.status for _, _, change, _ in changes],
        counted=[change.attempts for _, _, change, _ in changes],
        late=[lease.state == "ended" for lease, *_ in changes],
        talk=[report.talk_seconds for _, report, *_ in changes],
    )
    _settle(work, settled)
    made = promises.write(work)
    _say_of_numbers(work, changes)
    dead_numbers.mark(work, [(lease, report.outcome) for lease, report, *_ in changes], sharing)
    claims.drop(work, leases)
    too_late(work, leases)
    note_rings(work, [lease for lease, yes in zip(leases, rang, strict=True) if yes])
    gates.restamp(work, touched, locked=True)
    return made


def _settle(work: Work, settled: dict[tuple[int, int], Change]) -> None:
    """Write the placements in one statement; they are locked already."""
    rows = list(settled.values())
    work.run(
        sql.SETTLE,
        assignments=[assignment for assignment, _ in settled],
        customers=[customer for _, customer in settled],
        **{f"{name}_s": [getattr(row, name) for row in rows] for name in Change.WRITTEN},
    )


def _say_of_numbers(work: Work, changes: Sequence[tuple[Row[Any], Report, Change, int]]) -> None:
    """A number is marked as good, or no good; who asked not to be called is suppressed (P8)."""
    counting = [(x.customer_id, x.e164) for x, r, _, n in changes if n or EFFECTS[r.outcome].rang]
    if counting:
        customers_, numbers_ = zip(*counting, strict=True)
        work.run(
            sql.COUNT_UNANSWERED, customers=list(customers_), numbers=list(numbers_),
            unanswered=UNANSWERED, contacts=CONTACTS,
        )  # fmt: skip
    proven = [(x.customer_id, x.e164) for x, r, *_ in changes if EFFECTS[r.outcome].proves]
    if proven:
        work.run(sql.PROVE_NUMBERS, customers=[c for c, _ in proven], numbers=[n for _, n in proven])
    # What holds for everybody, the customer among them, is said in dead_numbers.py.
    bad = [
        (x.customer_id, x.e164, effect.number_state)
        for x, r, *_ in changes
        if (effect := EFFECTS[r.outcome]).number_state and not effect.for_everybody
    ]
    if bad:
        customers, numbers, states = zip(*bad, strict=True)
        work.run(sql.MARK_NUMBERS, customers=list(customers), numbers=list(numbers), states=list(states))
    if asked := [(x, r.by == "seller") for x, r, *_ in changes if r.outcome is Outcome.DO_NOT_CALL]:
        _suppress(work, asked)


ASKED = "asked not to be called"


def _suppress(work: Work, asked: Sequence[tuple[Row[Any], bool]]) -> None:
    """The customer, and the number, as widely as their assignment says; `afterwards` makes a wall of it.

    `asked`: the leases, each with whether a seller heard it. The name of who heard it goes with what is
    shared, the lease does not: no id of ours is told elsewhere (P7).
    """
    leases = [lease for lease, _ in asked]
    heard = work.run(sql.HEARD_BY, leases=[x.id for x in leases], by_seller=[by for _, by in asked])
    by = {row.id: row.name or "outcome" for row in heard}
    of_number = {lease.e164: lease for lease in leases}
    widely = sorted({lease.e164 for lease in leases if lease.do_not_call_scope != "crm"})
    authors = {number: by[of_number[number].id] for number in widely}
    origins = scopes.share(work, widely, scope="owner", reason=ASKED, author=authors) if widely else {}
    numbers = sorted(of_number)
    told = leases + [of_number[number] for number in numbers]
    work.run(
        sql.SUPPRESS,
        reasons=[f"{ASKED} (call {lease.id})" for lease in told],
        authors=[by[lease.id] for lease in told],
        customers=[x.customer_id for x in leases] + [None] * len(numbers),
        numbers=[None] * len(leases) + numbers,
        scopes=["crm"] * len(leases) + ["owner" if number in origins else "crm" for number in numbers],
        origins=[None] * len(leases) + [origins.get(number) for number in numbers],
    )


def _answers(
    by_lease: dict[UUID, Report], leases: Sequence[Row[Any]],
    changes: Sequence[tuple[Row[Any], Report, Change, int]], made: Mapping[UUID, Promised],
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
            dead=lease.e164 if EFFECTS[report.outcome].for_everybody else None,
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
    afterwards(open_work, recorded)
    if asked and not any(r.suppressed for r in recorded):
        finish_suppressions(open_work)  # told again: whoever recorded it may have died before its wall
    return recorded


def _in_one(open_work: OpenWork, reports: Sequence[Report]) -> list[Recorded]:
    with open_work() as work:
        return record(work, reports)


def afterwards(open_work: OpenWork, recorded: Sequence[Recorded]) -> None:
    """What has to follow the commit of outcomes; a tick finds it again after a crash."""
    later = [r.later_lease for r in recorded if r.later_lease is not None]
    if later:
        with open_work() as work:
            recall(work, later, "an earlier call came to an outcome", states=["offered"])
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
