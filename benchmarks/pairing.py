"""Allocation of 50 out of many pairs of (segment, clock), of which only some have ready customers.

All others rest. Beside it the same lists read by one probe each, as if it were known which pairs to ask. And
once more with 30 of a hundred customers on a national register: they are stamped, and in nobody's way.
"""

from sqlalchemy import text

from benchmarks.allocating import put_back
from benchmarks.figures import Figure, cost, in_turns
from benchmarks.floor import NOON, Floor, lay
from benchmarks.registered import put_on_register
from calling import register
from calling.handout.allocate import allocate
from models.work import Work
from wiring.app import App

SEGMENTS, CLOCKS, READY_PAIRS, LEASES = 40, 300, 1_000, 50
REGISTERED = 30
ROUNDS = 15
ZONES = (
    "Europe/Lisbon", "Europe/London", "Europe/Dublin", "Europe/Oslo", "Europe/Stockholm", "Europe/Copenhagen",
    "Europe/Berlin", "Europe/Paris", "Europe/Madrid", "Europe/Rome", "Europe/Vienna", "Europe/Zurich",
    "Europe/Brussels", "Europe/Amsterdam", "Europe/Prague", "Europe/Warsaw", "Europe/Budapest",
    "Europe/Athens",
    "Europe/Helsinki", "Europe/Riga", "Europe/Vilnius", "Europe/Tallinn", "Europe/Sofia", "Europe/Bucharest",
    "Atlantic/Madeira",
)  # fmt: skip
"""Where a Monday noon of Lisbon is within hours: each of them, and every two of them, is a clock."""

_SEGMENTS = text("""
    insert into segment (crm_id, assignment_id, key, name, position, rule, created_at)
    select :crm_id, :assignment_id, 'part_' || n, 'Part ' || n, n, cast('{"all": []}' as jsonb), :now
      from generate_series(1, :most) n
    returning id
""")
_CLOCK = text("""
    insert into call_clock (key, zones, places) values (:key, :zones, '{PT}')
    on conflict (key) do update set key = excluded.key returning id
""")
# Every twelfth pair or so has ready customers: a customer's pair is drawn by a hash of their id.
_SPREAD = text("""
    update placement p
       set segment_id = (cast(:segments as bigint[]))[pair % :most_segments + 1],
           clock_id = (cast(:clocks as bigint[]))[pair / :most_segments + 1],
           state = case when abs(hashint4(pair)::bigint) % :pairs < :ready then 'ready' else 'resting' end,
           due_at = case when abs(hashint4(pair)::bigint) % :pairs < :ready then null
                         else cast(:now as timestamptz) + interval '1 day' end
      from (select customer_id, (abs(hashint8(customer_id)::bigint) % :pairs)::integer as pair from placement
             where crm_id = :crm_id and assignment_id = :assignment_id) drawn
     where p.crm_id = :crm_id and p.assignment_id = :assignment_id and p.customer_id = drawn.customer_id
       and p.customer_id between :first and :last
""")
_SPAN = text("""
    select min(customer_id) as first, max(customer_id) as last from placement where crm_id = :crm_id
""")
_WANTS = text("update dialer set wanted = :wanted, wanted_at = :now where crm_id = :crm_id")
_PAIRS = text("""
    select segment_id, clock_id from placement
     where crm_id = :crm_id and assignment_id = :assignment_id and state = 'ready' and gated_by is null
     group by 1, 2
""")
_PROBES = text("""
    select best.* from unnest(cast(:segments as bigint[]), cast(:clocks as bigint[])) as pair(segment, clock)
     cross join lateral (
        select customer_id, rank from placement
         where crm_id = :crm_id and assignment_id = :assignment_id and segment_id = pair.segment
           and clock_id = pair.clock and state = 'ready' and gated_by is null
         order by rank, customer_id limit 1) best
""")
_SLICE = 200_000


def measure(app: App, rows: int, rounds: int = ROUNDS) -> list[Figure]:
    """One round of 50 leases for a dialer that takes what is best of all segments; then among registered."""
    floor = spread_over_pairs(lay(app, rows))
    with app.work(floor.crm_id, now=NOON) as work:
        register.add_dialer(
            work, "robot", adapter="none", mode="voice_robot", assignment_id=floor.assignment_id, settings={}
        )
        work.run(_WANTS, wanted=LEASES)
    plain = _measured(floor, rounds, "")
    put_on_register(floor, REGISTERED)
    floor.tidy()
    return [plain, _measured(floor, rounds, f", {REGISTERED} % on a register")]


def _measured(floor: Floor, rounds: int, told: str) -> Figure:
    app = floor.app
    with app.work(floor.crm_id, now=NOON) as work:
        pairs = work.run(_PAIRS, assignment_id=floor.assignment_id).all()
    segments, clocks = [pair.segment_id for pair in pairs], [pair.clock_id for pair in pairs]

    def ours() -> None:
        with app.work(floor.crm_id, now=NOON) as work:
            allocate(work, floor.assignment_id)

    def limit() -> None:
        with app.work(floor.crm_id, now=NOON) as work:
            work.run(_PROBES, assignment_id=floor.assignment_id, segments=segments, clocks=clocks).all()

    mine, best = in_turns(ours, limit, rounds, between=lambda: put_back(floor))
    name = f"allocate {LEASES} from {len(pairs):,} of {SEGMENTS * CLOCKS:,} pairs{told}"
    return cost(name, mine, best, "one probe of each pair that has ready customers")


def spread_over_pairs(floor: Floor) -> Floor:
    """The customers of a floor spread over 12,000 pairs; in about 1,000 of them they are ready."""
    with floor.app.work(floor.crm_id, now=NOON) as work:
        segments = list(work.run(_SEGMENTS, assignment_id=floor.assignment_id, most=SEGMENTS).scalars())
        clocks = _clocks(work)
        span = work.run(_SPAN).one()
    for start in range(span.first, span.last + 1, _SLICE):
        with floor.app.work(floor.crm_id, now=NOON) as work:
            work.session.connection().exec_driver_sql("set local statement_timeout = 0")
            work.run(
                _SPREAD, assignment_id=floor.assignment_id, segments=segments, clocks=clocks,
                most_segments=SEGMENTS, pairs=SEGMENTS * CLOCKS, ready=READY_PAIRS,
                first=start, last=start + _SLICE - 1,
            )  # fmt: skip
    floor.tidy()
    return floor


def _clocks(work: Work) -> list[int]:
    sets = [[one] for one in ZONES] + [[a, b] for a in ZONES for b in ZONES if a < b]
    return [
        work.run(_CLOCK, key=f"pairs|{','.join(zones)}", zones=zones).scalar_one() for zones in sets[:CLOCKS]
    ]
