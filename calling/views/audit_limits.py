"""Rings beyond a limit: every ring held against the limits anew, by what was known when it was dealt.

By where the customer was held to be then, too: a zone verified since is none of its zones. A ring that was
decided by another law than the installed one cannot be judged by this: its lease names it.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text

from calling.hours.versions import known_version
from calling.limits.limit import Limit
from calling.limits.standing import standing
from models.work import Work

# What an outcome told late, or nobody ever, could not be known when the next was dealt.
_RINGS = text("""
    select l.id, l.assignment_id, l.customer_id, l.e164, l.offered_at, l.rung_at, l.ended_at,
           coalesce(l.clock_id, p.clock_id) as clock_id,
           (l.data_version is null or l.data_version = :data_version) as same_law,
           l.ended_by is not distinct from 'unconfirmed' as unsure,
           exists (select from attempt a
                    where a.crm_id = :crm_id and a.lease_id = l.id and a.revision = 0 and a.late) as late
      from lease l
      join placement p on p.crm_id = :crm_id and p.assignment_id = l.assignment_id
                      and p.customer_id = l.customer_id
     where l.crm_id = :crm_id and l.rung_at is not null
     order by l.rung_at desc
""")
_DEBTS_SINCE = text("""
    select assignment_id, max(changed_at) as since from limit_change
     where crm_id = :crm_id and deed = 'debts' group by assignment_id
""")

Past = Mapping[tuple[object, ...], Sequence[Row[Any]]]


def rung_beyond_limits(work: Work) -> int:
    """How many rings were dealt although a limit forbade them. Rests after an answer are left out."""
    limits = standing(work)
    if not (limits.own or limits.lawful):
        return 0
    debts_since = {row.assignment_id: row.since for row in work.run(_DEBTS_SINCE)}
    rows = work.run(_RINGS, data_version=known_version(work)).all()
    past = _by_subject(rows)
    return sum(
        any(
            _beyond(ring, limit, past, limits.clocks[ring.clock_id].zones)
            for limit in limits.binding(ring.assignment_id, ring.clock_id, ring.rung_at)
            if not limit.after and _judged(ring, limit, debts_since)
        )
        for ring in rows
        if not (ring.unsure or ring.late)
    )


def _by_subject(rows: Iterable[Row[Any]]) -> Past:
    past: dict[tuple[object, ...], list[Row[Any]]] = defaultdict(list)
    for row in rows:
        for scope in ("number", "customer", "assignment"):
            past[_subject(row, scope)].append(row)
    return past


def _subject(ring: Row[Any], scope: str) -> tuple[object, ...]:
    if scope == "number":
        return scope, ring.e164
    return (scope, ring.customer_id) if scope == "customer" else (scope, ring.customer_id, ring.assignment_id)


def _judged(ring: Row[Any], limit: Limit, debts_since: Mapping[int, datetime]) -> bool:
    """The limit was there when the ring was dealt."""
    if limit.place and not ring.same_law:
        return False
    since = debts_since.get(ring.assignment_id) if limit.debts else limit.set_at
    return since is None or since < ring.offered_at


def _beyond(ring: Row[Any], limit: Limit, past: Past, zones: tuple[str, ...]) -> bool:
    times = [
        other.rung_at
        for other in past[_subject(ring, limit.scope)]
        if not other.late and other.ended_at is not None and other.ended_at <= ring.offered_at
        and other.id != ring.id
    ]  # fmt: skip
    until = limit.until(times, zones)
    return until is not None and until > ring.rung_at
