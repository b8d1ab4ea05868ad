"""When a customer is next callable, to the second, against the same question asked again and again."""

from datetime import datetime, timedelta
from json import dumps
from random import Random

import pytest
from sqlalchemy import text
from world import NOON, World

from calling.handout import gates
from calling.handout.due import open_gates, wake_due
from calling.handout.hand_out import next_customer
from calling.handout.ring import ring
from calling.hours.week import DAYS
from calling.views.explain import explain
from calling.walls.pause import pause
from calling.walls.suppress import suppress

SECOND, MINUTE, HOUR = (timedelta(seconds=n) for n in (1, 60, 3600))
ALWAYS = dumps({day: [["00:00", "24:00"]] for day in DAYS})
ZONES = (["Europe/Lisbon"], ["Atlantic/Azores", "Europe/Lisbon"], ["Asia/Tokyo"], ["America/New_York"])


@pytest.mark.parametrize("seed", range(12))
def test_it_is_the_first_second_at_which_they_are_callable(world: World, seed: int) -> None:
    """Asked anew at thirty instants before it, the second before, and then: with ticks, as life goes on.

    Seen to fail before: of two pauses the end of the first was told.
    """
    die = Random(seed)
    if seed % 3:
        with world.app.shared() as session:
            session.execute(text("update crm set hours = :always"), {"always": ALWAYS})
    assignment = world.assignment(gap_seconds=3600 * die.randint(1, 5))
    segment = world.segment(assignment)
    (customer,) = world.customers(1, assignment, segment_id=segment, zones=die.choice(ZONES))
    opener = world.opener()

    def soon() -> datetime:
        return NOON + timedelta(seconds=die.randint(1, 20 * 3600))

    with world.work() as work:
        numbers = text("""
            insert into customer_number (crm_id, customer_id, e164, position, zones)
            select :crm_id, :customer, '+35196666666' || i, i, '{Europe/Lisbon}'
              from generate_series(1, :more) i
        """)
        work.run(numbers, customer=customer, more=die.randint(0, 2))
        mine = list(work.run(text("select e164 from customer_number order by e164")).scalars())
    if die.random() < 0.5 and (handed := next_customer(opener, world.seller(assignment))):
        with world.work() as work:
            ring(work, handed.lease_id, work.run(text("select min(id) from seller")).scalar_one())
        with world.work() as work:  # as an unconfirmed one ends: resting, and its ring counts
            work.run(text("delete from claim_number"))
            work.run(text("delete from claim_customer"))
            work.run(text("update lease set state = 'ended', ended_at = :now, ended_by = 'outcome'"))
            rest = "update placement set state = 'ready', lease_id = null, return_state = null"
            work.run(text(rest))
    if die.random() < 0.5:
        with world.work() as work:
            state = die.choice(["resting", "follow_up"])
            work.run(text("update placement set state = :s, due_at = :at"), s=state, at=soon())
    for scope, target in (("crm", None), ("assignment", assignment), ("segment", segment)):
        if die.random() < 0.8:
            pause(opener, scope, target, reason="x", author="Kari", ends_at=soon())
    for e164 in mine:
        if die.random() < 0.4:
            suppress(opener, e164=e164, reason="x", author="Kari", expires_at=soon())
    if die.random() < 0.3:
        suppress(opener, customer_id=customer, reason="x", author="Kari", expires_at=soon())
    with world.work() as work:
        gates.restamp(work, [customer])
        told = explain(work, assignment, customer).callable_at
    assert told is not None
    before = sorted(NOON + (told - NOON) * die.random() for _ in range(30)) if told > NOON else []
    for at in [*before, told - SECOND, told]:
        if at < NOON:
            continue
        wake_due(world.opener(at))
        open_gates(world.opener(at))
        with world.work(at) as work:
            found = explain(work, assignment, customer)
        assert found.callable_now is (at >= told), (at, told, found.answers)
        assert found.callable_at == told


def test_of_pauses_the_last_counts_and_without_an_end_nobody_knows(world: World) -> None:
    assignment = world.assignment()
    segment = world.segment(assignment)
    (customer,) = world.customers(1, assignment, segment_id=segment)
    pause(world.opener(), "assignment", assignment, reason="x", author="Kari", ends_at=NOON + HOUR)
    pause(world.opener(), "segment", segment, reason="x", author="Kari", ends_at=NOON + 3 * HOUR)
    with world.work() as work:
        assert explain(work, assignment, customer).callable_at == NOON + 3 * HOUR
    pause(world.opener(), "crm", None, reason="x", author="Kari")
    with world.work() as work:
        assert explain(work, assignment, customer).callable_at is None
