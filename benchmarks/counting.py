"""The funnel: every customer counted at the gate that stops them, beside a bare count of the same rows."""

from sqlalchemy import text

from benchmarks.figures import Figure, cost, in_turns
from benchmarks.floor import NOON, Floor, driver, lay
from calling.views.funnel import funnel
from models.tables import FOREVER
from wiring.app import App

ROUNDS = 9
SEGMENTS = 20

_SEGMENTS = text("""
    insert into segment (crm_id, assignment_id, key, name, position, rule, created_at)
    select :crm_id, :assignment_id, 'part' || i, 'Part ' || i, i, '{"all": []}', :now
      from generate_series(1, :segments) i
""")
# Of a list that is being worked: some finished, resting, promised, on a list; the rest free.
_STATE = """(array['closed', 'closed', 'resting', 'resting', 'follow_up', 'ready', 'ready', 'ready', 'ready',
                   'ready', 'ready'])[p.customer_id % 11 + 1]"""
_SPREAD = text(f"""
    update placement p
       set segment_id = parts.ids[p.customer_id % cardinality(parts.ids) + 1], state = {_STATE},
           due_at = case when {_STATE} in ('resting', 'follow_up')
                         then cast(:now as timestamptz) + p.customer_id % 600 * interval '1 minute' end,
           gated_by = case when p.customer_id % 10 = 3 then 'suppressed' end,
           gated_until = case when p.customer_id % 10 = 3 then cast(:forever as timestamptz) end
      from (select array_agg(id order by id) as ids from segment
             where crm_id = :crm_id and assignment_id = :assignment_id and rule is not null) parts
     where p.crm_id = :crm_id and p.assignment_id = :assignment_id
       and p.customer_id > :after and p.customer_id <= :after + :slice
""")
_LAST = text("select min(id) - 1 as before, max(id) as last from customer where crm_id = :crm_id")
SLICE = 50_000
_COUNT = "select count(*) from placement where crm_id = %s and assignment_id = %s and gone_at is null"
_BY_ROWS = ("enable_indexscan", "enable_indexonlyscan", "enable_bitmapscan")


def _spread(floor: Floor) -> None:
    """Segments, states and stamps, in transactions that end in time."""
    with floor.app.work(floor.crm_id, now=NOON) as work:
        work.run(_SEGMENTS, assignment_id=floor.assignment_id, segments=SEGMENTS)
        there = work.run(_LAST).one()
    for after in range(there.before, there.last, SLICE):
        with floor.app.work(floor.crm_id, now=NOON) as work:
            for setting in ("statement_timeout = 0", "synchronous_commit = off"):
                work.session.connection().exec_driver_sql(f"set local {setting}")
            work.run(_SPREAD, assignment_id=floor.assignment_id, forever=FOREVER, after=after, slice=SLICE)


def measure(app: App, rows: int, rounds: int = ROUNDS) -> list[Figure]:
    """The funnel of a whole assignment; a sequential count reads the same rows once."""
    floor = lay(app, rows)
    _spread(floor)
    floor.tidy()

    def ours() -> None:
        with app.work(floor.crm_id, now=NOON) as work:
            found = funnel(work, floor.assignment_id)
        if found.total != rows or not found.callable_now:
            raise AssertionError("the funnel does not add up")

    with driver(app) as bare:

        def limit() -> None:
            bare.execute(f"set local app.crm_id = {floor.crm_id:d}")
            for way in _BY_ROWS:
                bare.execute(f"set local {way} = off")
            bare.execute(_COUNT, (floor.crm_id, floor.assignment_id))
            bare.commit()

        mine, best = in_turns(ours, limit, rounds)
    return [cost("funnel", mine, best, "a sequential count of the same rows by the bare driver")]
