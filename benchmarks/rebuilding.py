"""Rebuild: nothing to change, everything to change, and one customer."""

from itertools import cycle
from statistics import quantiles

from sqlalchemy import TextClause, text

from benchmarks.figures import Figure, cost, in_turns, seconds
from benchmarks.floor import NOON, Floor, lay
from calling.handout import placements
from calling.segments.publishing import publish
from calling.segments.resegmenting import rebuilds_to_do, run_rebuild
from models import turnstile
from segmentation.rebuilds import request_rebuild
from segmentation.resegment import resegment
from wiring.app import App

ROUNDS = 5

RULES = {
    "segments": [
        {"key": "students", "name": "Students", "when": {"f": "job", "op": "eq", "v": "student"}},
        {"key": "savers", "name": "Savers", "when": {"f": "balance", "op": "gt", "v": 10_000}},
        {"key": "older", "name": "Older", "when": {"f": "age", "op": "ge", "v": 60}},
        {"key": "again", "name": "Tried before", "when": {"f": "attempts", "op": "ge", "v": 1}},
        {"key": "loans", "name": "With a loan", "when": {"all": [
            {"f": "loan", "op": "is_true"}, {"f": "job", "op": "in", "v": ["services", "management"]}]}},
    ]
}  # fmt: skip

# The same CASE, as somebody who knows the data would write it.
_BY_HAND = """
    select {what} from (
        select p.customer_id, p.segment_id, coalesce(h.segment_id, case
            when c.fields->>'job' = 'student' then s.ids[1]
            when (c.fields->>'balance')::numeric > 10000 then s.ids[2]
            when (c.fields->>'age')::numeric >= 60 then s.ids[3]
            when p.attempts >= 1 then s.ids[4]
            when (c.fields->>'loan')::boolean and c.fields->>'job' in ('services', 'management') then s.ids[5]
            else s.ids[6] end) as belongs
          from placement p
          join customer c on c.crm_id = :crm_id and c.id = p.customer_id
          left join hold h on h.crm_id = :crm_id and h.assignment_id = p.assignment_id
                          and h.customer_id = p.customer_id
         cross join (select array_agg(id order by position) as ids from segment
                      where crm_id = :crm_id and assignment_id = :assignment_id and retired_at is null) s
         where p.crm_id = :crm_id and p.assignment_id = :assignment_id) t
"""
_SCAN = text(_BY_HAND.format(what="count(*) filter (where t.belongs <> t.segment_id)"))
_SPREAD = text("""
    select count(*) filter (where s.rule is null)::float / count(*) as fell_through
      from placement p join segment s on s.crm_id = :crm_id and s.id = p.segment_id
     where p.crm_id = :crm_id and p.assignment_id = :assignment_id
""")
_FILL = text(f"""
    update placement p set segment_id = t.belongs
      from ({_BY_HAND.format(what="t.customer_id, t.belongs")}) t
     where p.crm_id = :crm_id and p.assignment_id = :assignment_id and p.customer_id = t.customer_id
""")
_TOUCH = text("""
    update placement set segment_id = segment_id
     where crm_id = :crm_id and assignment_id = :assignment_id and customer_id = :customer
""")


def measure(app: App, rows: int, rounds: int = ROUNDS) -> list[Figure]:
    """First fill, nothing to change, one customer; each beside the bare SQL of the same rows."""
    floor = lay(app, rows)
    open_work = app.opener(floor.crm_id, now=NOON)
    publish(open_work, floor.assignment_id, RULES, author="benchmark")
    (first,) = rebuilds_to_do(open_work)
    fill = seconds(lambda: run_rebuild(open_work, first))
    floor.tidy()
    bare_fill = seconds(lambda: _bare(floor, _FILL))
    floor.tidy()
    ours, limit = in_turns(lambda: _rebuild(floor), lambda: _bare(floor, _SCAN), rounds)
    with open_work() as work:
        fell = work.run(_SPREAD, assignment_id=floor.assignment_id).scalar_one()
    return [
        cost(
            f"nothing to change ({fell:.0%} fall through)", ours, limit, "the same CASE as one SELECT by hand"
        ),
        cost("first full fill", [fill], [bare_fill], "one UPDATE of every row by the same CASE"),
        *_one_customer(floor, rounds * 80),
    ]


def _rebuild(floor: Floor) -> None:
    open_work = floor.app.opener(floor.crm_id, now=NOON)
    with open_work() as work:
        key = request_rebuild(work, floor.assignment_id, "benchmark")
    run_rebuild(open_work, key)


def _bare(floor: Floor, statement: TextClause) -> None:
    with floor.app.work(floor.crm_id, now=NOON) as work:
        work.session.connection().exec_driver_sql("set local jit = off")
        work.session.connection().exec_driver_sql("set local statement_timeout = 0")
        work.run(statement, assignment_id=floor.assignment_id)


def _one_customer(floor: Floor, rounds: int) -> list[Figure]:
    """Lock and re-segment, as an outcome's transaction does, beside a one-row UPDATE in the same envelope."""
    with floor.app.work(floor.crm_id, now=NOON) as work:
        customers = list(work.run(text("select id from customer where crm_id = :crm_id limit 500")).scalars())
    turn = cycle(customers)

    def ours() -> None:
        customer = next(turn)
        with floor.app.work(floor.crm_id, now=NOON) as work:
            turnstile.pass_shared(work, [floor.assignment_id])
            placements.lock(work, [customer])
            resegment(work, floor.assignment_id, [customer], "event")

    def limit() -> None:
        with floor.app.work(floor.crm_id, now=NOON) as work:
            work.run(_TOUCH, assignment_id=floor.assignment_id, customer=next(turn))

    mine, best = in_turns(ours, limit, rounds)
    p99 = [quantiles(costs, n=100)[98] for costs in (mine, best)]
    envelope = "a one-row UPDATE in the same transaction"
    return [
        cost("one customer p50", mine, best, envelope),
        cost("one customer p99", p99[:1], p99[1:], envelope),
    ]
