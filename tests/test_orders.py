"""What is dealt to a dialer and not sent yet is looked at once more before it leaves us."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from interleaving import instead_of_run
from sqlalchemy import Row, TextClause, text
from world import NOON, World, wait_until

from calling.dialers import orders
from calling.handout import claims
from calling.handout.allocate import allocate_all
from calling.handout.give_back import give_back
from calling.handout.hand_out import HandOut, next_customer
from calling.handout.reaper import reap
from calling.intake.importing import import_file
from calling.outcomes.outcome import Report, record, record_all
from calling.views.audit import audit
from models import turnstile
from models.outcomes import Outcome
from models.work import Work

HOUR = timedelta(hours=1)
LATER = NOON + HOUR

Change = Callable[[World, int, int], None]
"""Changes something of a customer in an assignment."""


def rows(world: World, sql: str, **values: Any) -> list[Row[Any]]:
    with world.work() as work:
        return list(work.run(text(sql), **values))


def offered(world: World, dialer: int) -> list[str]:
    """The numbers that are offered now."""
    with world.work(LATER) as work:
        return [order.e164 for order in orders.to_offer(work, dialer)]


def unsent(world: World, **columns: Any) -> tuple[int, int, int]:
    """Assignment, customer and dialer of an order that was dealt and not sent yet."""
    assignment = world.assignment(**columns)
    (customer,) = world.customers(1, assignment)
    dialer = world.dialer(assignment, wanted=1, wanted_at=LATER)
    assert allocate_all(world.opener(LATER), assignment) == 1
    return assignment, customer, dialer


def called_before(world: World, **columns: Any) -> tuple[HandOut, int]:
    """A seller's lease that expired, and a dialer with an unsent order of them in other work."""
    one, two = world.assignment(**columns), world.assignment(**columns)
    world.place(world.customers(1, one), two)
    first = next_customer(world.opener(), world.seller(one))
    assert first is not None
    reap(world.opener(LATER))
    dialer = world.dialer(two, wanted=1, wanted_at=LATER)
    assert allocate_all(world.opener(LATER), two) == 1
    return first, dialer


def test_a_number_found_wrong_elsewhere_is_not_offered(world: World) -> None:
    """Seen to fail: the order was offered all the same."""
    first, dialer = called_before(world, gap_seconds=0)
    record_all(world.opener(LATER), [Report(first.lease_id, Outcome.WRONG_PERSON, "seller")])
    assert offered(world, dialer) == []


def test_a_ring_told_late_elsewhere_keeps_the_gap(world: World) -> None:
    """P5. Seen to fail: rung a moment ago, and offered to a dialer."""
    first, dialer = called_before(world)
    record_all(world.opener(LATER), [Report(first.lease_id, Outcome.NO_ANSWER, "seller", rung_at=LATER)])
    assert offered(world, dialer) == []
    assert rows(world, "select 1 from claim_customer") == []
    stamps = rows(world, "select state, gated_by from placement where gated_by is not null order by state")
    assert [tuple(row) for row in stamps] == [("ready", "gap"), ("resting", "gap")]


@pytest.mark.parametrize(
    ("outcome", "state"), [(Outcome.NO_ANSWER, "resting"), (Outcome.SALE, "closed")], ids=["later", "never"]
)
def test_what_an_earlier_call_of_the_same_work_put_off_is_not_offered(
    world: World, outcome: Outcome, state: str
) -> None:
    """The recall that follows a late outcome was lost in a crash. Seen to fail, each of them."""
    assignment = world.assignment(gap_seconds=0)
    world.customers(1, assignment)
    seller = world.seller(assignment)
    first = next_customer(world.opener(), seller)
    assert first is not None
    reap(world.opener(LATER))
    with world.work() as work:
        work.run(text("update seller set presence = 'away' where id = :id"), id=seller)
    dialer = world.dialer(assignment, wanted=1, wanted_at=LATER)
    assert allocate_all(world.opener(LATER), assignment) == 1
    with world.work(LATER) as work:
        record(work, [Report(first.lease_id, outcome, "seller")])
    assert offered(world, dialer) == []
    assert [row.state for row in rows(world, "select state from placement")] == [state]


def _pause(world: World, assignment: int, customer: int) -> None:
    sql = """insert into pause (crm_id, scope, target_id, reason, author, started_at)
             values (:crm_id, 'assignment', :id, 'r', 'a', :now)"""
    with world.work() as work:
        work.run(text(sql), id=assignment)


def _suppress(world: World, assignment: int, customer: int) -> None:
    sql = """insert into suppression (crm_id, customer_id, reason, author, created_at)
             values (:crm_id, :id, 'r', 'a', :now)"""
    with world.work() as work:
        work.run(text(sql), id=customer)


def _renumber(world: World, assignment: int, customer: int) -> None:
    with world.work() as work:
        work.run(
            text("update customer_number set e164 = '+351210000009' where customer_id = :id"), id=customer
        )


def _move_west(world: World, assignment: int, customer: int) -> None:
    """To Honolulu, where it is three in the morning."""
    clock = world.clock(["Pacific/Honolulu"])
    with world.work() as work:
        work.run(
            text("update placement set clock_id = :clock where customer_id = :id"), clock=clock, id=customer
        )


@pytest.mark.parametrize("change", [_pause, _suppress, _renumber, _move_west])
def test_what_a_gate_stops_by_now_is_given_back_unsent(world: World, change: Change) -> None:
    """Seen to fail, each of them: whoever made the change had not come to its recall yet."""
    assignment, customer, dialer = unsent(world)
    change(world, assignment, customer)
    assert offered(world, dialer) == []
    (lease,) = rows(world, "select sent_at, ended_by from lease")
    assert tuple(lease) == (None, "recalled")
    assert rows(world, "select 1 from claim_number") == []


def test_what_nothing_stops_is_offered_once(world: World) -> None:
    _, _, dialer = unsent(world)
    assert len(offered(world, dialer)) == 1
    assert offered(world, dialer) == []


@pytest.fixture
def before(monkeypatch: pytest.MonkeyPatch) -> Callable[[TextClause, Callable[[], None]], None]:
    """before(statement, action): does `action` once, just before `statement` is run next."""
    waiting: list[tuple[TextClause, Callable[[], None]]] = []
    real = Work.run

    def run(self: Work, statement: TextClause, **values: Any) -> Any:
        for hook in [hook for hook in waiting if hook[0] is statement]:
            waiting.remove(hook)
            hook[1]()
        return real(self, statement, **values)

    instead_of_run(monkeypatch, run)
    return lambda statement, action: waiting.append((statement, action))


@pytest.mark.parametrize("moment", [turnstile._SHARED, claims._LOCK], ids=["turnstile", "claims"])
def test_an_order_that_is_recalled_meanwhile_is_not_sent(
    world: World, before: Callable[[TextClause, Callable[[], None]], None], moment: TextClause
) -> None:
    """What was found unsent is looked at again once it is locked."""
    _, _, dialer = unsent(world)

    def recall() -> None:
        with world.work(LATER) as work:
            give_back(work, [row.id for row in rows(world, "select id from lease")], "recalled")

    before(moment, recall)
    assert offered(world, dialer) == []
    assert [tuple(row) for row in rows(world, "select sent_at, ended_by from lease")] == [(None, "recalled")]


def test_two_who_offer_at_once_offer_once(world: World) -> None:
    """The second waits for the claims, and finds the order sent."""
    _, _, dialer = unsent(world)
    with ThreadPoolExecutor(1) as pool:
        with world.work(LATER) as work:
            sent = orders.to_offer(work, dialer)
            other = pool.submit(offered, world, dialer)
            wait_until(lambda: bool(world.waited_for()))
        assert (len(sent), other.result()) == (1, [])


def sent_and_wanted_back(world: World) -> tuple[int, UUID]:
    _, _, dialer = unsent(world)
    with world.work(LATER) as work:
        (order,) = orders.to_offer(work, dialer)
        orders.want_back(work, [order.lease_id], "r")
    return dialer, order.lease_id


def test_a_recall_of_an_order_that_came_to_an_outcome_is_answered(world: World) -> None:
    """Seen to fail: the link asked for it every 0.1 s, for ever."""
    dialer, lease = sent_and_wanted_back(world)
    record_all(world.opener(LATER), [Report(lease, Outcome.BUSY, "dialer")])
    assert [row.answer for row in rows(world, "select answer from recall")] == ["taken"]
    with world.work() as work:
        assert orders.recalls(work, dialer) == []


def test_nobody_asks_for_an_order_that_has_ended(world: World) -> None:
    """A recall may be written while the outcome commits."""
    dialer, _ = sent_and_wanted_back(world)
    with world.work() as work:
        work.run(text("update lease set state = 'ended', ended_at = :now, ended_by = 'outcome'"))
    with world.work() as work:
        assert orders.recalls(work, dialer) == []


def test_a_dialer_that_rings_late_gets_its_orders_early(world: World) -> None:
    """P3, at 19:50. Seen to fail: it might have rung five minutes past closing."""
    assignment = world.assignment(offer_seconds=3600)
    world.customers(1, assignment)
    now = NOON.replace(hour=19, minute=50)
    dialer = world.dialer(assignment, wanted=1, wanted_at=now, rings_late_seconds=300)
    assert allocate_all(world.opener(now), assignment) == 1
    with world.work(now) as work:
        (order,) = orders.to_offer(work, dialer)
        assert order.ring_by + timedelta(seconds=300) == NOON.replace(hour=20)
        assert [finding for finding in audit(work) if finding.count] == []
        work.run(text("update lease set ring_by = ring_by + interval '1 second'"))
        assert [finding.promise for finding in audit(work) if finding.count] == ["P3"]


def test_a_dialer_that_rings_late_is_dealt_only_whom_it_cannot_ring_past_closing(world: World) -> None:
    """At 19:58 in Lisbon. Seen to fail; on the Azores it is an hour earlier."""
    assignment = world.assignment()
    world.customers(2, assignment, rank=-1)
    (west,) = world.customers(1, assignment, zones=["Atlantic/Azores"])
    now = NOON.replace(hour=19, minute=58)
    world.dialer(assignment, wanted=3, wanted_at=now, rings_late_seconds=300)
    assert allocate_all(world.opener(now), assignment) == 1
    world.dialer(assignment, wanted=3, wanted_at=now, rings_late_seconds=60)
    assert allocate_all(world.opener(now), assignment) == 2
    with world.work(now) as work:
        rows = work.run(text("select customer_id, ring_by from lease order by id")).all()
    assert rows[0].customer_id == west
    assert {row.ring_by for row in rows[1:]} == {NOON.replace(hour=19, minute=59)}


def test_an_order_of_a_customer_who_gets_another_clock_is_recalled(world: World, tmp_path: Path) -> None:
    """P3. Seen to fail: the order outside kept the ring_by of the zones the customer had before."""
    assignment = world.assignment()
    path = tmp_path / "list.csv"
    path.write_text("id,phone\nmoves,212345678\nstays,212345679\n")
    import_file(world.opener(LATER), path, region="PT", assignment_id=assignment)
    dialer = world.dialer(assignment, wanted=2, wanted_at=LATER)
    assert allocate_all(world.opener(LATER), assignment) == 2
    assert len(offered(world, dialer)) == 2
    # When an import adds a mobile to one, that may be on the Azores, and a landline of Lisbon to the other
    path.write_text("id,phone\nmoves,212345678;912345678\nstays,212345679;212345677\n")
    import_file(world.opener(LATER), path, region="PT")
    with world.work() as work:
        recalled = orders.recalls(work, dialer)
    moved = "select id from customer where external_id = 'moves'"
    found = rows(world, f"select id from lease where customer_id = ({moved})")
    assert recalled == [row.id for row in found]
    assert ("recall", dialer) in [(hint.kind, hint.subject) for hint in world.hints]
