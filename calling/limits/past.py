"""The rings and answers that limits count. A ring is a lease with a `rung_at`, and stands nowhere else."""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime

from sqlalchemy import text

from calling.limits.limit import Limit
from models.work import Work

# A number may be a switchboard's, with any number of rings: no more of them are read than a limit counts.
_RINGS = text("""
    select l.customer_id, null as e164, l.assignment_id, l.rung_at from lease l
     where l.crm_id = :crm_id and l.customer_id = any((select cast(:customers as bigint[]))::bigint[])
       and l.rung_at > :since
    union all
    select null, n.e164, r.assignment_id, r.rung_at
      from unnest((select cast(:numbers as text[]))) as n(e164)
     cross join lateral (
        select l.assignment_id, l.rung_at from lease l
         where l.crm_id = :crm_id and l.e164 = n.e164 and l.rung_at > :since
         order by l.rung_at desc limit :most) r
     order by rung_at desc
""")
# Of each call the word in force. A lease is offered a day before it rings at the most.
_ANSWERS = text("""
    select a.customer_id, a.assignment_id, a.outcome, coalesce(a.rung_at, a.reported_at) as at
      from attempt a
     where a.crm_id = :crm_id and a.customer_id = any((select cast(:customers as bigint[]))::bigint[])
       and a.lease_id >= first_lease_id(cast(:since as timestamptz) - interval '1 day')
       and not exists (select from attempt later
                        where later.crm_id = :crm_id and later.lease_id = a.lease_id
                          and later.revision > a.revision)
     order by at desc
""")


class Past:
    """What these limits count of some customers and numbers, the newest first."""

    def __init__(
        self, work: Work, limits: Collection[Limit], customers: Collection[int], numbers: Collection[str]
    ) -> None:
        self._by_customer: dict[int, list[tuple[int, datetime]]] = defaultdict(list)
        self._by_number: dict[str, list[datetime]] = defaultdict(list)
        self._answers: dict[int, list[tuple[int, str, datetime]]] = defaultdict(list)
        self._read_rings(work, [limit for limit in limits if not limit.after], customers, numbers)
        self._read_answers(work, [limit for limit in limits if limit.after], customers)

    def times(self, limit: Limit, assignment_id: int, customer_id: int, e164: str) -> list[datetime]:
        """When what `limit` counts took place (UTC), the newest first; older ones may be left out."""
        anywhere = limit.scope != "assignment"
        if limit.after:
            return [
                at
                for where, outcome, at in self._answers[customer_id]
                if outcome in limit.after and (anywhere or where == assignment_id)
            ]
        if limit.scope == "number":
            return self._by_number[e164]
        return [at for where, at in self._by_customer[customer_id] if anywhere or where == assignment_id]

    def _read_rings(
        self, work: Work, limits: Collection[Limit], customers: Collection[int], numbers: Collection[str]
    ) -> None:
        if not limits:
            return
        most = max((limit.most for limit in limits if limit.scope == "number"), default=0)
        persons = any(limit.scope != "number" for limit in limits)
        rows = work.run(
            _RINGS,
            customers=sorted(customers) if persons else [], numbers=sorted(numbers) if most else [],
            since=work.now - max(limit.reach for limit in limits), most=most,
        ).all()  # fmt: skip
        for row in rows:
            if row.e164 is None:
                self._by_customer[row.customer_id].append((row.assignment_id, row.rung_at))
            else:
                self._by_number[row.e164].append(row.rung_at)

    def _read_answers(self, work: Work, limits: Collection[Limit], customers: Collection[int]) -> None:
        if not limits:
            return
        since = work.now - max(limit.reach for limit in limits)
        for row in work.run(_ANSWERS, customers=sorted(customers), since=since).all():
            self._answers[row.customer_id].append((row.assignment_id, row.outcome, row.at))
