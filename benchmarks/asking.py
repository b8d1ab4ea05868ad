"""A seller asks for their next customer, beside the envelope of any durable one-row change."""

from itertools import cycle
from statistics import quantiles
from uuid import UUID

from benchmarks.figures import Figure, cost, in_turns
from benchmarks.floor import NOON, driver, lay
from calling import register
from calling.handout import presence
from calling.handout.allocate import allocate_all
from calling.handout.hand_out import next_customer
from calling.handout.ring import release
from wiring.app import App

SELLERS, ROUNDS = 200, 400

_TOUCH = "update seller set presence_since = %s where crm_id = %s and id = %s"


def measure(app: App, rows: int, rounds: int = ROUNDS) -> list[Figure]:
    """`next` of 200 sellers whose lists are filled, one after the other."""
    floor = lay(app, rows)
    open_work = app.opener(floor.crm_id, now=NOON)
    sellers = []
    for number in range(min(SELLERS, rounds)):
        with open_work() as work:
            sellers.append(register.add_seller(work, f"seller {number}"))
            presence.be(work, sellers[-1], "available", assignment_id=floor.assignment_id)
    turn = cycle(sellers)
    held: list[tuple[UUID, int]] = []

    def fill() -> None:
        """Give back what the last one took, and deal again."""
        while held:
            lease, seller = held.pop()
            with open_work() as work:
                release(work, lease, seller)
        allocate_all(open_work, floor.assignment_id)

    def ours() -> None:
        seller = next(turn)
        handed = next_customer(open_work, seller)
        if handed is None:
            raise AssertionError("nobody was handed out")
        held.append((handed.lease_id, seller))

    with driver(app) as bare:

        def limit() -> None:
            bare.execute(f"set local app.crm_id = {floor.crm_id:d}")
            bare.execute(_TOUCH, (NOON, floor.crm_id, next(turn)))
            bare.commit()

        mine, best = in_turns(ours, limit, rounds, between=fill)
    p99 = [quantiles(costs, n=100)[98] for costs in (mine, best)]
    envelope = "BEGIN, SET LOCAL, one-row UPDATE, COMMIT by the bare driver"
    return [cost("next p50", mine, best, envelope), cost("next p99", p99[:1], p99[1:], envelope)]
