"""Whom the limits stop now, and until when.

Nothing of it is kept but the stamp of the gate: late outcomes, unconfirmed orders and edited limits need no
reckoning of their own. Where no limit binds, it costs one short statement.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text

from calling.limits.limit import Limit
from calling.limits.past import Past
from calling.limits.standing import Standing, standing
from models.tables.customers import CALLABLE_NUMBER_STATES
from models.work import Work

_BOUND = text("""
    select p.assignment_id, p.customer_id, p.clock_id, m.e164
      from placement p
      join customer_number m on m.crm_id = :crm_id and m.customer_id = p.customer_id
                            and m.state = any(:callable)
     where p.crm_id = :crm_id and p.customer_id = any((select cast(:customers as bigint[]))::bigint[])
       and p.state not in ('left', 'anonymised')
       and (:everybody or p.clock_id = any(:clocks) or p.assignment_id = any(:assignments))
       and (cast(:assignment_id as bigint) is null or p.assignment_id = :assignment_id)
""")


@dataclass(frozen=True, slots=True)
class Count:
    """How far a limit is used up, for a number of a customer in an assignment.

    `times`: what it counts, the newest first, those of its window and maybe older ones. `until` (UTC): it
    forbids another ring until then; None: it does not.
    """

    assignment_id: int
    customer_id: int
    e164: str
    limit: Limit
    times: tuple[datetime, ...]
    until: datetime | None


def stops(
    work: Work, customers: Iterable[int], assignment_id: int | None = None, limits: Standing | None = None
) -> list[Count]:
    """What the limits forbid now: for each callable number the one that lasts longest.

    In every assignment of these customers, or in `assignment_id` alone. Whoever decides by it holds the
    placements. `limits`: those in force, where they have been read.
    """
    longest: dict[tuple[int, int, str], tuple[datetime, Count]] = {}
    for count in counts(work, customers, assignment_id, limits):
        key = (count.assignment_id, count.customer_id, count.e164)
        if count.until is not None and (key not in longest or count.until > longest[key][0]):
            longest[key] = count.until, count
    return [count for _, count in longest.values()]


def counts(
    work: Work, customers: Iterable[int], assignment_id: int | None = None, limits: Standing | None = None
) -> list[Count]:
    """Every limit that binds these customers, and how far it is used up, for each callable number."""
    ids = sorted(set(customers))
    limits = limits or standing(work)
    if not ids or not (limits.own or limits.lawful):
        return []
    bound = _bound(work, limits, ids, assignment_id)
    binding = {key: limits.binding(*key, work.now) for key in {(r.assignment_id, r.clock_id) for r in bound}}
    all_of_them = {limit for found in binding.values() for limit in found}
    if not all_of_them:
        return []
    past = Past(work, all_of_them, {row.customer_id for row in bound}, {row.e164 for row in bound})
    return [
        _count(row, limit, past, limits.clocks[row.clock_id].zones, work.now)
        for row in bound
        for limit in binding[row.assignment_id, row.clock_id]
    ]


def _count(row: Row[Any], limit: Limit, past: Past, zones: tuple[str, ...], now: datetime) -> Count:
    times = past.times(limit, row.assignment_id, row.customer_id, row.e164)
    until = limit.until(times, zones)
    if until is not None and until <= now:
        until = None
    return Count(row.assignment_id, row.customer_id, row.e164, limit, tuple(times), until)


def _bound(work: Work, limits: Standing, customers: list[int], assignment_id: int | None) -> list[Row[Any]]:
    """Placements, numbers and clocks of the customers whom some limit may bind."""
    where = [limit.assignment_id for limit in limits.own]
    rows = work.run(
        _BOUND,
        customers=customers, assignment_id=assignment_id, clocks=list(limits.lawful),
        everybody=None in where, assignments=[one for one in where if one is not None],
        callable=list(CALLABLE_NUMBER_STATES),
    )  # fmt: skip
    return list(rows.all())
