"""A number that is out of service is so for whoever has it: a fact of the number, not of one customer.

That a wrong person answers is said of the customer alone whom it was to be.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from calling.outcomes import dead_numbers_sql as sql
from models.outcomes import EFFECTS, Outcome
from models.tables.customers import CALLABLE_NUMBER_STATES
from models.work import Work

CONTACTS = [outcome.value for outcome, effect in EFFECTS.items() if effect.contact]
DEATHS = [outcome.value for outcome, effect in EFFECTS.items() if effect.for_everybody]
DEAD = sorted({str(EFFECTS[Outcome(word)].number_state) for word in DEATHS})

Told = Sequence[tuple[Row[Any], Outcome]]
"""Leases, each with what is said of its call."""


@dataclass(frozen=True, slots=True)
class Sharing:
    """Of a batch: `customers` who share the numbers of which it says what holds for everybody; `risen`, dead
    numbers at which somebody answers; `alive`, calls that find a number dead that has answered since."""

    customers: Collection[int]
    risen: Collection[str]
    alive: Collection[UUID]


def sharers(work: Work, told: Iterable[tuple[str, Outcome]], risen: Iterable[str] = ()) -> set[int]:
    """Whoever has a number (E.164) of which an outcome says what holds for everybody.

    `risen`: numbers that are dead, and somebody answers there. Read before the turnstiles: who gets the
    number later, gets it unverified.
    """
    numbers = sorted({e164 for e164, outcome in told if EFFECTS[outcome].for_everybody}.union(risen))
    return set(work.run(sql.SHARERS, numbers=numbers).scalars()) if numbers else set()


def risen(told: Iterable[tuple[Row[Any], Outcome]]) -> set[str]:
    """The numbers at which somebody answers, though they were found dead. `told`: with `number_state`."""
    return {row.e164 for row, o in told if row.number_state in DEAD and EFFECTS[o].contact}


def answered_since(work: Work, told: Told) -> set[UUID]:
    """The calls of these that find their number dead, though somebody has answered there by a later call.

    Whoever it was: it is in service, whatever is told late of an earlier call (P4: in any order). The
    placements are locked, so that nobody tells of a later call meanwhile.
    """
    dead = [(lease.id, lease.e164) for lease, outcome in told if EFFECTS[outcome].for_everybody]
    if not dead:
        return set()
    leases, numbers = zip(*dead, strict=True)
    found = set(
        work.run(
            sql.ANSWERED_SINCE, leases=list(leases), numbers=list(numbers), contacts=CONTACTS,
            told=[lease.id for lease, _ in told],
        ).scalars()
    )  # fmt: skip
    here = [(lease.id, lease.e164) for lease, outcome in told if EFFECTS[outcome].contact]
    return found | {key for key, e164 in dead if any(e164 == there and at > key for at, there in here)}


def lock(work: Work, customers: Collection[int]) -> None:
    """Before the placements: also who has none keeps their numbers, as they are, until we have written."""
    if customers:
        work.run(sql.LOCK, customers=sorted(customers))


def mark(work: Work, said: Told, sharing: Sharing) -> None:
    """Mark the numbers of these leases as the outcomes say for everybody, with all who share them.

    Their rows are locked, and their placements; gates and segments are still to follow.
    """
    dead = {
        (lease.e164, EFFECTS[o].number_state)
        for lease, o in said
        if EFFECTS[o].for_everybody and lease.id not in sharing.alive
    }
    if dead:
        numbers, states = zip(*sorted(dead), strict=True)
        work.run(
            sql.MARK, numbers=list(numbers), states=list(states), sharers=sorted(sharing.customers),
            callable=list(CALLABLE_NUMBER_STATES),
        )  # fmt: skip


def revive(work: Work, unsaid: Told, customers: Collection[int]) -> None:
    """Numbers of which a call's last word no longer says that they are dead: nobody knows, for all of
    `customers` but of whose numbers a person has spoken. `unsaid`: its lease, and what its first word was."""
    if unsaid and customers:
        said = [(lease.customer_id, lease.e164, EFFECTS[o].number_state) for lease, o in unsaid]
        owners, numbers, states = zip(*said, strict=True)
        work.run(
            sql.REVIVE, customers=list(owners), numbers=list(numbers), states=list(states),
            sharers=sorted(customers),
        )  # fmt: skip


def rise(work: Work, said: Told, sharing: Sharing) -> None:
    """Dead numbers at which somebody has answered by a later call than any that found them dead: nobody
    knows, for all who share them but of whose numbers a person has spoken.

    So it comes to the same in whatever order the two are told (P4). What is said is written as attempts.
    """
    live = [(lease.id, lease.e164) for lease, o in said if lease.e164 in sharing.risen and EFFECTS[o].contact]
    if live:
        leases, numbers = zip(*live, strict=True)
        work.run(
            sql.RISE, leases=list(leases), numbers=list(numbers), sharers=sorted(sharing.customers),
            dead=DEAD, deaths=DEATHS, told=[],
        )  # fmt: skip


def offered(work: Work, numbers: Collection[str]) -> list[UUID]:
    """The offered leases that would ring one of these numbers."""
    return list(work.run(sql.OFFERED, numbers=sorted(numbers)).scalars())
