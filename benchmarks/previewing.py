"""A draft's preview, the count of one rule, and one customer explained; each beside the bare SQL."""

from itertools import cycle
from statistics import quantiles

from sqlalchemy import TextClause, text

from benchmarks.figures import Figure, cost, in_turns
from benchmarks.floor import NOON, Floor, lay
from calling.segments.explaining import explain_segment
from calling.segments.previewing import count_rule, preview
from calling.segments.publishing import publish
from wiring.app import App

ROUNDS, SEGMENTS, LABELS = 5, 40, 5
COUNTED = {"text": "age >= 60"}

_JOBS = ("student", "retired", "services", "management", "technician")

# The same questions, as somebody who knows the data would write them; each field read once.
_BY_HAND = """
    select t.segment_id, t.belongs, count(*) from (
        select f.segment_id, coalesce(f.held, case {whens} else 0 end) as belongs from (
            select p.segment_id, p.entered_at as entered, h.segment_id as held, c.fields->>'job' as job,
                   (c.fields->>'age')::numeric as age, (c.fields->>'balance')::numeric as balance,
                   (c.fields->>'loan')::boolean as loan
              from placement p
              join customer c on c.crm_id = :crm_id and c.id = p.customer_id
              left join hold h on h.crm_id = :crm_id and h.assignment_id = p.assignment_id
                              and h.customer_id = p.customer_id
             where p.crm_id = :crm_id and p.assignment_id = :assignment_id offset 0) f) t
     group by t.segment_id, t.belongs
"""
_COUNT = text("""
    select count(*) filter (where (c.fields->>'age')::numeric >= 60), count(*)
      from placement p join customer c on c.crm_id = :crm_id and c.id = p.customer_id
     where p.crm_id = :crm_id and p.assignment_id = :assignment_id
""")
_ONE = text("""
    select p.*, c.* from placement p join customer c on c.crm_id = :crm_id and c.id = p.customer_id
     where p.crm_id = :crm_id and p.assignment_id = :assignment_id and p.customer_id = :customer
""")


def measure(app: App, rows: int, rounds: int = ROUNDS) -> list[Figure]:
    """40 rules of 5 questions, with 5 labels and without, while everybody is Unsegmented: many move."""
    floor = lay(app, rows)
    rules = [_rule(i) for i in range(SEGMENTS)]
    labels = [
        {"key": f"label-{i}", "when": {"f": "balance", "op": "ge", "v": 2500 * i}} for i in range(LABELS)
    ]
    by_hand = text(_BY_HAND.format(whens=" ".join(_when(i) for i in range(SEGMENTS))))
    plain = in_turns(lambda: _preview(floor, {"segments": rules}), lambda: _bare(floor, by_hand), rounds)
    labelled = in_turns(
        lambda: _preview(floor, {"segments": rules, "labels": labels}), lambda: _bare(floor, by_hand), rounds
    )
    one_rule = in_turns(lambda: _count(floor), lambda: _bare(floor, _COUNT), rounds)
    limit = "the same CASE by hand, counted by pair of segments"
    return [
        cost(f"preview of {SEGMENTS} rules", *plain, limit),
        cost(f"the same and {LABELS} labels", *labelled, limit),
        cost("one rule counted", *one_rule, "the same question by hand"),
        *_explained(floor, {"segments": rules, "labels": labels}, rounds * 80),
    ]


def _rule(i: int) -> dict[str, object]:
    """Five questions of each, one of them of time."""
    asked = [
        {"f": "age", "op": "between", "v": [18 + i, 20 + i]},
        {"f": "job", "op": "in", "v": [_JOBS[i % 5], _JOBS[(i + 1) % 5]]},
        {"any": [{"f": "balance", "op": "gt", "v": 300 * i}, {"f": "loan", "op": "is_true"}]},
        {"f": "entered", "op": "within_last", "v": f"{i + 1}d"},
    ]
    return {"key": f"segment-{i}", "when": {"all": asked}}


def _when(i: int) -> str:
    return f"""
        when f.age between {18 + i} and {20 + i} and f.job in ('{_JOBS[i % 5]}', '{_JOBS[(i + 1) % 5]}')
             and (f.balance > {300 * i} or f.loan)
             and f.entered > :now - interval '{i + 1} days' and f.entered <= :now then {i + 1}"""


def _preview(floor: Floor, body: object) -> None:
    with floor.app.work(floor.crm_id, now=NOON, snapshot=True) as work:
        if preview(work, floor.assignment_id, body).customers != floor.rows:
            raise AssertionError("somebody was left out")


def _count(floor: Floor) -> None:
    with floor.app.work(floor.crm_id, now=NOON, snapshot=True) as work:
        count_rule(work, floor.assignment_id, COUNTED)


def _bare(floor: Floor, statement: TextClause) -> None:
    with floor.app.work(floor.crm_id, now=NOON, snapshot=True) as work:
        work.run(statement, assignment_id=floor.assignment_id).all()


def _explained(floor: Floor, body: object, rounds: int) -> list[Figure]:
    publish(floor.app.opener(floor.crm_id, now=NOON), floor.assignment_id, body, author="benchmark")
    with floor.app.work(floor.crm_id, now=NOON) as work:
        customers = list(work.run(text("select id from customer where crm_id = :crm_id limit 500")).scalars())
    turn = cycle(customers)

    def ours() -> None:
        with floor.app.work(floor.crm_id, now=NOON, snapshot=True) as work:
            explain_segment(work, floor.assignment_id, next(turn))

    def limit() -> None:
        with floor.app.work(floor.crm_id, now=NOON, snapshot=True) as work:
            work.run(_ONE, assignment_id=floor.assignment_id, customer=next(turn)).one()

    mine, best = in_turns(ours, limit, rounds)
    p99 = [quantiles(costs, n=100)[98] for costs in (mine, best)]
    envelope = "the rows of one customer, read by key in the same transaction"
    return [
        cost("one customer explained p50", mine, best, envelope),
        cost("one customer explained p99", p99[:1], p99[1:], envelope),
    ]
