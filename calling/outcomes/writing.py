"""What a batch of outcomes changes is written, each kind in one statement; segments are still to follow."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from calling.dialers.orders import too_late
from calling.follow_ups.by_outcome import Promises
from calling.follow_ups.putting import Promised
from calling.handout import claims, gates
from calling.handout.give_back import note_rings
from calling.outcomes import dead_numbers
from calling.outcomes import outcome_sql as sql
from calling.outcomes.dead_numbers import Sharing
from calling.outcomes.report import Report
from calling.outcomes.settling import Change
from calling.walls import scopes
from models.outcomes import EFFECTS, Outcome
from models.sql import load
from models.work import Work

UNANSWERED = [outcome.value for outcome, effect in EFFECTS.items() if effect.unanswered]
CONTACTS = [outcome.value for outcome, effect in EFFECTS.items() if effect.contact]


def write(
    work: Work, changes: Sequence[tuple[Row[Any], Report, Change, int]],
    settled: dict[tuple[int, int], Change], touched: Sequence[int], promises: Promises,
    sharing: Sharing,
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
    dead_numbers.rise(work, [(lease, report.outcome) for lease, report, *_ in changes], sharing)
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
