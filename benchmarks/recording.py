"""Outcomes in batches of 200, beside the same rows written by one bare statement each."""

from uuid import UUID

from sqlalchemy import text

from benchmarks.allocating import put_back
from benchmarks.figures import Figure, in_turns, rate
from benchmarks.floor import NOON, lay
from calling import register
from calling.handout.allocate import BATCH, allocate
from calling.outcomes.outcome import Report, record_all
from models.outcomes import Outcome
from wiring.app import App

ROUNDS = 9

_WANTS = text("update dialer set wanted = :wanted, wanted_at = :now where crm_id = :crm_id")
_LIVE = text("select id, customer_id from lease where crm_id = :crm_id and ended_at is null order by id")
_READY = text("""
    update placement set state = 'ready', due_at = null, attempts = 0, gated_by = null,
           gated_until = null
     where crm_id = :crm_id and assignment_id = :assignment_id and state = 'resting'
""")
_FORGET = text("delete from ring_limit where crm_id = :crm_id")
_BARE = (
    text("""update lease set state = 'ended', ended_at = :now, ended_by = 'outcome', rung_at = :now
             where crm_id = :crm_id and id = any(:leases)"""),
    text("""insert into attempt (crm_id, lease_id, revision, kind, assignment_id, customer_id, segment_id,
                                 rule_version, dialer_id, e164, zone, outcome, status, counted, late,
                                 rung_at, reported_at)
            select crm_id, id, 0, 'first', assignment_id, customer_id, segment_id, rule_version, dialer_id,
                   e164, zone, 'no_answer', 'no_answer', 1, false, :now, :now
              from lease where crm_id = :crm_id and id = any(:leases)"""),
    text("""update placement set state = 'resting', due_at = :now, status = 'no_answer',
                   attempts = attempts + 1,
                   lease_id = null, return_state = null, last_outcome = 'no_answer',
                   last_attempt_at = :now
             where crm_id = :crm_id and assignment_id = :assignment_id and customer_id = any(:customers)"""),
    text("delete from claim_customer where crm_id = :crm_id and lease_id = any(:leases)"),
    text("delete from claim_number where crm_id = :crm_id and lease_id = any(:leases)"),
)


def measure(app: App, rows: int, rounds: int = ROUNDS) -> list[Figure]:
    """History, claims, rank, limits and re-segmentation of 200 outcomes in one call."""
    floor = lay(app, rows)
    open_work = app.opener(floor.crm_id, now=NOON)
    with open_work() as work:
        register.add_dialer(
            work, "robot", adapter="none", mode="voice_robot", assignment_id=floor.assignment_id, settings={}
        )
        work.run(_WANTS, wanted=BATCH)
    leases: list[UUID] = []
    customers: list[int] = []

    def deal() -> None:
        """Two hundred are out, nobody rests."""
        put_back(floor)
        with open_work() as work:
            work.run(_READY, assignment_id=floor.assignment_id)
            work.run(_FORGET)
        with open_work() as work:
            allocate(work, floor.assignment_id)
        with open_work() as work:
            live = work.run(_LIVE).all()
        leases[:], customers[:] = [row.id for row in live], [row.customer_id for row in live]

    def ours() -> None:
        record_all(open_work, [Report(lease, Outcome.NO_ANSWER, "dialer") for lease in leases])

    def limit() -> None:
        with open_work() as work:
            for statement in _BARE:
                work.run(statement, leases=leases, customers=customers, assignment_id=floor.assignment_id)

    mine, best = in_turns(ours, limit, rounds, between=deal)
    return [rate("outcomes", min(BATCH, rows), mine, best, "the same rows by one bare statement each")]
