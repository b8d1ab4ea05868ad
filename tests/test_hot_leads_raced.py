"""Hot leads while sellers ask: nobody else is handed out once the answer is there, and none is lost."""

from concurrent.futures import ThreadPoolExecutor
from random import Random
from threading import Event

from promises import violations
from sqlalchemy import text
from world import NOON, World

from calling.handout.hand_out import next_customer
from calling.handout.ring import ring
from calling.hot_leads.making import make_hot
from calling.hot_leads.watching import watch_hot_leads
from calling.outcomes.outcome import Report, record_all
from models.outcomes import Outcome

SELLERS, LEADS = 4, 12


def test_once_the_answer_is_there_nobody_is_handed_out_before_them(world: World) -> None:
    """Whoever begins to ask behind the answer is given the hot lead, or finds that somebody else has been.

    Planted: `front_due` asks for promises alone; seen to fail.
    """
    assignment = world.assignment(gap_seconds=0)
    customers = world.customers(400, assignment)
    sellers = [world.seller(assignment) for _ in range(SELLERS)]
    dice, made, over = Random(5), Event(), Event()
    waiting: list[int] = []
    passed: list[tuple[int, int]] = []

    def still_waits(lead: int) -> bool:
        with world.work() as work:
            return bool(work.run(
                text("select 1 from placement p where customer_id = :c and state = 'ready'"
                     " and not exists (select from lease l"
                     " where l.customer_id = :c and l.rung_at is not null)"),
                c=lead,
            ).first())  # fmt: skip

    def sell(seller: int) -> None:
        while not over.is_set():
            lead = waiting[-1] if waiting else None
            card = next_customer(world.opener(), seller)
            if card is None:
                return
            if lead is not None and card.customer_id != lead and still_waits(lead):
                passed.append((lead, card.customer_id))
            with world.work() as work:
                ring(work, card.lease_id, seller)
            record_all(world.opener(), [Report(card.lease_id, Outcome.NO_SALE, by="seller")])
            made.set()

    with ThreadPoolExecutor(SELLERS) as pool:
        selling = [pool.submit(sell, seller) for seller in sellers]
        for lead in dice.sample(customers[200:], LEADS):
            made.clear()
            (one,) = make_hot(
                world.opener(), assignment, [lead], reason="asked", author="Kari", made_by="hand"
            )
            if one.became == "front":
                waiting.append(lead)
            watch_hot_leads(world.opener())
            assert made.wait(30)
        over.set()
        for seller in selling:
            seller.result()

    assert passed == []
    with world.work(NOON) as work:
        rung = set(work.run(text("select customer_id from lease where rung_at is not null")).scalars())
    assert len(waiting) > LEADS // 2
    assert set(waiting[:-1]) <= rung
    assert not violations(world)
