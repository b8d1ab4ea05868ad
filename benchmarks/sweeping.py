"""The sweep of a minute, beside the same sweep over a tenth of the customers with as many in its ranges.

A ratio of 1 says that the cost does not depend on the size of the tables.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import count

from sqlalchemy import text

from benchmarks.figures import Figure, cost, in_turns
from benchmarks.floor import NOON, Floor, lay
from calling.outcomes.attempts import ensure_months
from calling.segments.publishing import publish
from calling.segments.resegmenting import rebuilds_to_do, run_rebuild
from calling.segments.sweeping import SLACK, sweep
from segmentation.in_force import rules_in_force
from segmentation.sweep import may_flip
from wiring.app import App

ROUNDS = 15
MINUTE = timedelta(minutes=1)
APART = timedelta(seconds=2)
"""Between one customer's instants and the next's: thirty a minute for each offset, however many there are."""
AHEAD = timedelta(hours=1)
"""The instants reach so far past NOON: time for the rounds."""

_AGES = ("customer_since", "entered", "last_call", "last_call", "last_call")
_PLACEMENTS = text("""
    update placement p
       set entered_at = t.at, last_attempt_at = t.at,
           state = case when p.customer_id % 5 = 0 then 'resting' else p.state end,
           due_at = case when p.customer_id % 5 = 0 then t.at end
      from (select customer_id, cast(:end as timestamptz)
                                  - (customer_id % :rows) * cast(:apart as interval) as at
              from placement where crm_id = :crm_id and assignment_id = :assignment_id) t
     where p.crm_id = :crm_id and p.assignment_id = :assignment_id and p.customer_id = t.customer_id
""")
_CUSTOMERS = text("""
    update customer set created_at = cast(:end as timestamptz) - (id % :rows) * cast(:apart as interval)
     where crm_id = :crm_id
""")
_ENTERED = text("""
    insert into segment_move (crm_id, assignment_id, moved_at, cause, to_segment, rule_version, customers)
    select crm_id, assignment_id, max(entered_at), 'entered', min(segment_id), 0, array_agg(customer_id)
      from placement where crm_id = :crm_id and assignment_id = :assignment_id
     group by crm_id, assignment_id, (customer_id % :rows) / 50
""")
# The id is ordered by time, as the application makes it: attempts lie in the partition of its month.
_ATTEMPTS = text("""
    insert into attempt (crm_id, lease_id, revision, kind, assignment_id, customer_id, segment_id,
                         rule_version, e164, zone, outcome, status, counted, late, reported_at)
    select crm_id, (lpad(to_hex((extract(epoch from last_attempt_at) * 1000)::bigint), 12, '0')
                    || '7000' || '8000' || lpad(to_hex(customer_id), 12, '0'))::uuid,
           0, 'first', assignment_id, customer_id, segment_id, 0,
           '+351900000000', 'Europe/Lisbon', 'no_answer', 'no_answer', 1, false, last_attempt_at
      from placement where crm_id = :crm_id and assignment_id = :assignment_id
""")


def measure(app: App, rows: int, rounds: int = ROUNDS) -> list[Figure]:
    """A tick of a minute that finds nobody new to most rules, and some tens for each offset."""
    few = max(rows // 10, 10)
    small, large = _floor(app, few, few), _floor(app, rows, few)
    minutes = count(1)
    found = _found(large, NOON + MINUTE)
    ours, limit = _sweeps(large), _sweeps(small)
    mine, best = in_turns(lambda: ours(next(minutes)), lambda: limit(next(minutes)), rounds)
    name = f"sweep of a minute, {found} to look at"
    return [cost(name, mine, best, f"the same over {few:,} customers")]


def _floor(app: App, rows: int, span: int) -> Floor:
    """A floor whose rules look back at most over `span` customers' instants."""
    floor = lay(app, rows)
    end = NOON + AHEAD
    with app.shared() as session:
        for month in _months(end - rows * APART, end):
            ensure_months(session, month)
    values = {"rows": rows, "end": end, "apart": APART, "assignment_id": floor.assignment_id}
    for fill in (_PLACEMENTS, _CUSTOMERS, _ENTERED, _ATTEMPTS):
        with app.work(floor.crm_id, now=NOON) as work:
            work.session.connection().exec_driver_sql("set local statement_timeout = 0")
            work.session.connection().exec_driver_sql("set local synchronous_commit = off")
            work.run(fill, **values)
    floor.tidy()
    open_work = app.opener(floor.crm_id, now=NOON)
    publish(open_work, floor.assignment_id, _rules(span), author="benchmark")
    for rebuild in rebuilds_to_do(open_work):
        run_rebuild(open_work, rebuild)
    floor.tidy()
    return floor


def _months(first: datetime, last: datetime) -> Iterator[datetime]:
    while first < last + timedelta(days=31):
        yield first
        first += timedelta(days=28)


def _rules(span: int) -> dict[str, object]:
    """Seventeen offsets, spread over the instants that the smaller floor has as well."""
    whole = int(span * APART / MINUTE)
    minutes = [max(1, whole * step // 18) for step in range(1, 18)]
    old = [
        {"f": _AGES[i % len(_AGES)], "op": "older_than", "v": f"{offset}m"}
        for i, offset in reversed(list(enumerate(minutes)))
    ]
    return {"segments": [{"key": f"s{i}", "name": f"S{i}", "when": when} for i, when in enumerate(old)]}


def _sweeps(floor: Floor) -> Callable[[int], int]:
    return lambda minute: sweep(
        floor.app.opener(floor.crm_id, now=NOON + minute * MINUTE), floor.assignment_id
    )


def _found(floor: Floor, now: datetime) -> int:
    with floor.app.work(floor.crm_id, now=now) as work:
        asked = rules_in_force(work, floor.assignment_id).timed
        return len(may_flip(work, floor.assignment_id, asked, NOON - SLACK, now))
