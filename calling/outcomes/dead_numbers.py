"""A number that is out of service is so for whoever has it: a fact of the number, not of one customer.

That a wrong person answers is said of the customer alone whom it was to be.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from models.outcomes import EFFECTS, Outcome
from models.tables.customers import CALLABLE_NUMBER_STATES
from models.work import Work

CONTACTS = [outcome.value for outcome, effect in EFFECTS.items() if effect.contact]

_SHARERS = text("""
    select distinct customer_id from customer_number where crm_id = :crm_id and e164 = any(:numbers)
""")
_LOCK = text("""
    select 1 from customer where crm_id = :crm_id and id = any(:customers) order by id for no key update
""")
# Where somebody has answered by a later call, whoever it was, it is in service, whatever is told late of an
# earlier one.
_MARK = text("""
    update customer_number m set state = t.state
      from unnest(cast(:leases as uuid[]), cast(:numbers as text[]), cast(:states as text[]))
           as t(lease_id, e164, state)
     where m.crm_id = :crm_id and m.e164 = t.e164 and m.customer_id = any(:sharers)
       and m.state = any(:callable)
       and not exists (select from customer_number s
                         join attempt a on a.crm_id = :crm_id and a.customer_id = s.customer_id
                                       and a.e164 = s.e164
                        where s.crm_id = :crm_id and s.e164 = t.e164 and a.lease_id > t.lease_id
                          and a.outcome = any(:contacts))
""")
_REVIVE = text("""
    update customer_number m set state = 'unverified'
      from unnest(cast(:numbers as text[]), cast(:states as text[])) as t(e164, state)
     where m.crm_id = :crm_id and m.e164 = t.e164 and m.customer_id = any(:sharers) and m.state = t.state
""")
_OFFERED = text("""
    select l.id from claim_number n join lease l on l.crm_id = :crm_id and l.id = n.lease_id
     where n.crm_id = :crm_id and n.e164 = any(:numbers) and l.e164 = n.e164 and l.state = 'offered'
     order by l.id
""")


def sharers(work: Work, told: Iterable[tuple[str, Outcome]]) -> set[int]:
    """Whoever has a number (E.164) of which an outcome says what holds for everybody.

    Read before the turnstiles: who gets the number later, gets it unverified.
    """
    numbers = sorted({e164 for e164, outcome in told if EFFECTS[outcome].for_everybody})
    return set(work.run(_SHARERS, numbers=numbers).scalars()) if numbers else set()


def lock(work: Work, customers: Collection[int]) -> None:
    """Before the placements: also who has none keeps their numbers, as they are, until we have written."""
    if customers:
        work.run(_LOCK, customers=sorted(customers))


def mark(work: Work, said: Sequence[tuple[Row[Any], Outcome]], customers: Collection[int]) -> None:
    """Mark the numbers of these leases as the outcomes say for everybody, with all of `customers`.

    Their rows are locked, and their placements; gates and segments are still to follow.
    """
    dead = [(lease.id, lease.e164, EFFECTS[o].number_state) for lease, o in said if EFFECTS[o].for_everybody]
    if dead:
        leases, numbers, states = zip(*dead, strict=True)
        work.run(
            _MARK, leases=list(leases), numbers=list(numbers), states=list(states),
            sharers=sorted(customers), callable=list(CALLABLE_NUMBER_STATES), contacts=CONTACTS,
        )  # fmt: skip


def revive(work: Work, unsaid: Sequence[tuple[Row[Any], Outcome]], customers: Collection[int]) -> None:
    """Numbers of which a call's last word no longer says that they are dead: nobody knows, for all of
    `customers`. `unsaid`: its lease, and what its first word was."""
    if unsaid and customers:
        numbers, states = zip(*((lease.e164, EFFECTS[o].number_state) for lease, o in unsaid), strict=True)
        work.run(_REVIVE, numbers=list(numbers), states=list(states), sharers=sorted(customers))


def offered(work: Work, numbers: Collection[str]) -> list[UUID]:
    """The offered leases that would ring one of these numbers."""
    return list(work.run(_OFFERED, numbers=sorted(numbers)).scalars())
