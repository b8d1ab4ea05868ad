"""Allocation of 200 in one transaction and 500 in three, beside the rows written by a bare statement each."""

from uuid import UUID

from sqlalchemy import text

from benchmarks.figures import Figure, cost, in_turns
from benchmarks.floor import NOON, Floor, lay
from calling import register
from calling.handout.allocate import BATCH, allocate_all
from wiring.app import App

ROUNDS = 9
SIZES = (BATCH, 500)

_WANTS = text("update dialer set wanted = :wanted, wanted_at = :now where crm_id = :crm_id")
_CUSTOMERS = text("""
    select p.customer_id, n.e164 from placement p
      join customer_number n on n.crm_id = :crm_id and n.customer_id = p.customer_id
     where p.crm_id = :crm_id and p.assignment_id = :assignment_id and p.state = 'ready'
     order by p.customer_id limit :n
""")
_BARE = (
    text("""insert into claim_customer (crm_id, customer_id, lease_id)
            select :crm_id, * from unnest(cast(:customers as bigint[]), cast(:leases as uuid[]))"""),
    text("""insert into claim_number (crm_id, e164, lease_id)
            select :crm_id, * from unnest(cast(:numbers as text[]), cast(:leases as uuid[]))"""),
    text("""update placement p set state = 'leased', lease_id = t.lease_id, return_state = 'ready'
              from unnest(cast(:customers as bigint[]), cast(:leases as uuid[])) as t(customer_id, lease_id)
             where p.crm_id = :crm_id and p.assignment_id = :assignment_id
               and p.customer_id = t.customer_id"""),
    text("""insert into lease (crm_id, id, assignment_id, customer_id, segment_id, rule_version, dialer_id,
                               state, e164, zone, offered_at, ring_by, expires_at)
            select :crm_id, t.lease_id, :assignment_id, t.customer_id, 1, 0, :dialer,
                   'offered', t.e164, 'Europe/Lisbon', :now, :now, :now
              from unnest(cast(:customers as bigint[]), cast(:leases as uuid[]), cast(:numbers as text[]))
                   as t(customer_id, lease_id, e164)"""),
)
_BACK = tuple(
    text(sql)
    for sql in (
        "delete from claim_customer where crm_id = :crm_id",
        "delete from claim_number where crm_id = :crm_id",
        """update placement set state = 'ready', lease_id = null, return_state = null
            where crm_id = :crm_id and assignment_id = :assignment_id and state = 'leased'""",
        "delete from lease where crm_id = :crm_id",
    )
)


def measure(app: App, rows: int, rounds: int = ROUNDS) -> list[Figure]:
    """Leases for a dialer that wants so many."""
    floor = lay(app, rows)
    with app.work(floor.crm_id, now=NOON) as work:
        dialer = register.add_dialer(
            work, "robot", adapter="none", mode="voice_robot", assignment_id=floor.assignment_id, settings={}
        )
    return [_measured(floor, dialer, size, rounds) for size in SIZES]


def _measured(floor: Floor, dialer: int, size: int, rounds: int) -> Figure:
    app = floor.app
    put_back(floor)
    with app.work(floor.crm_id, now=NOON) as work:
        work.run(_WANTS, wanted=size)
        found = work.run(_CUSTOMERS, assignment_id=floor.assignment_id, n=size).all()
    customers, numbers = [row.customer_id for row in found], [row.e164 for row in found]

    def ours() -> None:
        if (done := allocate_all(app.opener(floor.crm_id, now=NOON), floor.assignment_id)) != len(found):
            raise AssertionError(f"{done} were leased")

    def limit() -> None:
        with app.work(floor.crm_id, now=NOON) as work:
            leases: list[UUID] = sorted(work.new_id(NOON) for _ in customers)
            for statement in _BARE:
                work.run(
                    statement, customers=customers, numbers=numbers, leases=leases, dialer=dialer,
                    assignment_id=floor.assignment_id,
                )  # fmt: skip

    mine, best = in_turns(ours, limit, rounds, between=lambda: put_back(floor))
    return cost(f"allocate {size}", mine, best, "the same rows by one bare statement each")


def put_back(floor: Floor) -> None:
    """Everybody is free again."""
    with floor.app.work(floor.crm_id, now=NOON) as work:
        for statement in _BACK:
            work.run(statement, assignment_id=floor.assignment_id)
