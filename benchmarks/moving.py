"""Moving everybody by hand: a bulk action in parts, beside the same two statements in one go."""

from functools import partial

from sqlalchemy import text

from benchmarks.figures import Figure, rate, seconds
from benchmarks.floor import NOON, Floor, lay
from benchmarks.rebuilding import RULES
from calling.segments.freeing import free_segment
from calling.segments.publishing import publish
from calling.segments.resegmenting import rebuilds_to_do, run_rebuild
from calling.segments.selection import Expected, move_selection
from models.work import OpenWork
from wiring.app import App

ROUNDS = 3

_SEGMENTS = text("select key, id from segment where crm_id = :crm_id")
# What is given up for it: one transaction holds every customer for as long as it takes.
_HOLD = text("""
    insert into hold (crm_id, assignment_id, customer_id, segment_id, author, reason, created_at)
    select :crm_id, :assignment_id, customer_id, :segment_id, 'a', 'r', :now from placement
     where crm_id = :crm_id and assignment_id = :assignment_id order by customer_id
    on conflict (crm_id, assignment_id, customer_id) do update set segment_id = excluded.segment_id
""")
_MOVE = text("""
    update placement set segment_id = :segment_id
     where crm_id = :crm_id and assignment_id = :assignment_id and segment_id <> :segment_id
""")


def measure(app: App, rows: int, rounds: int = ROUNDS) -> list[Figure]:
    """Everybody into one segment, and back to free."""
    floor = lay(app, rows)
    open_work = app.opener(floor.crm_id, now=NOON)
    publish(open_work, floor.assignment_id, RULES, author="benchmark")
    for rebuild_id in rebuilds_to_do(open_work):
        run_rebuild(open_work, rebuild_id)
    with open_work() as work:
        ids = {row.key: row.id for row in work.run(_SEGMENTS)}
    floor.tidy()
    ours: list[float] = []
    limit: list[float] = []
    for _ in range(rounds):
        ours.append(seconds(lambda: _move(open_work, floor, ids["older"])))
        ours.append(seconds(lambda: _free(open_work, floor, ids["older"])))
        by_hand = (partial(_by_hand, open_work, floor, ids[key]) for key in ("older", "unsegmented"))
        limit.extend(map(seconds, by_hand))
        floor.tidy()
    return [rate("moved by hand", rows, ours, limit, "all in one transaction")]


def _move(open_work: OpenWork, floor: Floor, segment_id: int) -> None:
    done = move_selection(
        open_work, floor.assignment_id, {}, segment_id, expected=Expected(floor.rows), author="a", reason="r"
    )
    assert done.customers == floor.rows


def _free(open_work: OpenWork, floor: Floor, segment_id: int) -> None:
    everybody = Expected(floor.rows)
    done = free_segment(
        open_work, floor.assignment_id, segment_id, expected=everybody, author="a", reason="r"
    )
    assert done.changed == floor.rows


def _by_hand(open_work: OpenWork, floor: Floor, segment_id: int) -> None:
    with open_work() as work:
        work.session.connection().exec_driver_sql("set local statement_timeout = 0")
        for statement in (_HOLD, _MOVE):
            work.run(statement, assignment_id=floor.assignment_id, segment_id=segment_id)
