"""A number that is out of service is so for whoever has it: a fact of the number, not of one customer.

That a wrong person answers is said of the customer alone whom it was to be.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

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


_SHARERS = text("""
    select distinct customer_id from customer_number where crm_id = :crm_id and e164 = any(:numbers)
""")
_LOCK = text("""
    select 1 from customer where crm_id = :crm_id and id = any(:customers) order by id for no key update
""")
_MARK = text("""
    update customer_number m set state = t.state
      from unnest(cast(:numbers as text[]), cast(:states as text[])) as t(e164, state)
     where m.crm_id = :crm_id and m.e164 = t.e164 and m.customer_id = any(:sharers)
       and m.state = any(:callable)
""")


def _said(word: str, when: str) -> str:
    """SQL: whoever has number `t` was called there before or behind lease `t` (`when`), and by the word in
    force of that call `word` is true. What calls of this very batch (:told) come to is not written yet.

    By keys whatever the planner has heard of the tables' sizes (offset 0): before the first ANALYZE all
    attempts were read for each lease.
    """
    return f"""exists (
        select from customer_number s
         cross join lateral (
            select from attempt a
             where a.crm_id = :crm_id and a.customer_id = s.customer_id and a.e164 = s.e164
               and a.lease_id {when} t.lease_id
               and a.outcome = any({word}) and not a.lease_id = any(:told)
               and not exists (select from attempt later
                                where later.crm_id = :crm_id and later.lease_id = a.lease_id
                                  and later.revision > a.revision) offset 0) call
         where s.crm_id = :crm_id and s.e164 = t.e164 offset 0)"""  # noqa: S608 - our own words


_ANSWERED_SINCE = text(f"""
    select t.lease_id from unnest(cast(:leases as uuid[]), cast(:numbers as text[])) as t(lease_id, e164)
     where {_said(":contacts", ">")}
""")  # noqa: S608 - our own words
# What a person has said of a customer's numbers stays for that customer; nobody knows any more what it was.
_BY_HAND = """exists (select from customer_edit e
                        where e.crm_id = :crm_id and e.customer_id = m.customer_id
                          and 'numbers.state' = any(e.changed))"""
_REVIVE = text(f"""
    update customer_number m set state = 'unverified'
      from unnest(cast(:customers as bigint[]), cast(:numbers as text[]), cast(:states as text[]))
           as t(customer_id, e164, state)
     where m.crm_id = :crm_id and m.e164 = t.e164 and m.customer_id = any(:sharers) and m.state = t.state
       and (m.customer_id = t.customer_id or not {_BY_HAND})
""")  # noqa: S608 - our own words
_RISE = text(f"""
    update customer_number m set state = 'unverified'
      from unnest(cast(:leases as uuid[]), cast(:numbers as text[])) as t(lease_id, e164)
     where m.crm_id = :crm_id and m.e164 = t.e164 and m.customer_id = any(:sharers)
       and m.state = any(:dead) and not {_BY_HAND}
       and {_said(":deaths", "<")} and not {_said(":deaths", ">")}
""")  # noqa: S608 - our own words
_OFFERED = text("""
    select l.id from claim_number n join lease l on l.crm_id = :crm_id and l.id = n.lease_id
     where n.crm_id = :crm_id and n.e164 = any(:numbers) and l.e164 = n.e164 and l.state = 'offered'
     order by l.id
""")


def sharers(work: Work, told: Iterable[tuple[str, Outcome]], risen: Iterable[str] = ()) -> set[int]:
    """Whoever has a number (E.164) of which an outcome says what holds for everybody.

    `risen`: numbers that are dead, and somebody answers there. Read before the turnstiles: who gets the
    number later, gets it unverified.
    """
    numbers = sorted({e164 for e164, outcome in told if EFFECTS[outcome].for_everybody}.union(risen))
    return set(work.run(_SHARERS, numbers=numbers).scalars()) if numbers else set()


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
            _ANSWERED_SINCE, leases=list(leases), numbers=list(numbers), contacts=CONTACTS,
            told=[lease.id for lease, _ in told],
        ).scalars()
    )  # fmt: skip
    here = [(lease.id, lease.e164) for lease, outcome in told if EFFECTS[outcome].contact]
    return found | {key for key, e164 in dead if any(e164 == there and at > key for at, there in here)}


def lock(work: Work, customers: Collection[int]) -> None:
    """Before the placements: also who has none keeps their numbers, as they are, until we have written."""
    if customers:
        work.run(_LOCK, customers=sorted(customers))


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
            _MARK, numbers=list(numbers), states=list(states), sharers=sorted(sharing.customers),
            callable=list(CALLABLE_NUMBER_STATES),
        )  # fmt: skip


def revive(work: Work, unsaid: Told, customers: Collection[int]) -> None:
    """Numbers of which a call's last word no longer says that they are dead: nobody knows, for all of
    `customers` but of whose numbers a person has spoken. `unsaid`: its lease, and what its first word was."""
    if unsaid and customers:
        said = [(lease.customer_id, lease.e164, EFFECTS[o].number_state) for lease, o in unsaid]
        owners, numbers, states = zip(*said, strict=True)
        work.run(
            _REVIVE, customers=list(owners), numbers=list(numbers), states=list(states),
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
            _RISE, leases=list(leases), numbers=list(numbers), sharers=sorted(sharing.customers), dead=DEAD,
            deaths=DEATHS, told=[],
        )  # fmt: skip


def offered(work: Work, numbers: Collection[str]) -> list[UUID]:
    """The offered leases that would ring one of these numbers."""
    return list(work.run(_OFFERED, numbers=sorted(numbers)).scalars())
