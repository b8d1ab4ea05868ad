"""The floor at its worst: outcomes, rebuilds, edits of rules and of customers, tags, moves by hand, imports,
pauses, all at once.

No deadlock, no lost move: whoever hears "two of us waited for each other" fails, and in the end every segment
is true, the audit is clean, and sizes and flows add up.
"""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress as suppress_error
from datetime import timedelta
from pathlib import Path
from queue import Empty, SimpleQueue
from random import Random
from threading import Event
from time import monotonic
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from world import NOON, World

from calling.catalogue.changing import add
from calling.catalogue.field import Field
from calling.customers.editing import edit_customer
from calling.customers.tagging import tag, untag
from calling.dialers.orders import to_offer
from calling.handout import placements
from calling.handout.allocate import allocate_all
from calling.handout.due import open_gates, wake_due
from calling.handout.hand_out import next_customer
from calling.handout.reaper import reap
from calling.handout.ring import release as release_lease
from calling.handout.ring import ring
from calling.intake.importing import import_file
from calling.outcomes.outcome import Report, record_all
from calling.segments.bulk import actions_to_do, carry_out
from calling.segments.following import follow_facts
from calling.segments.freeing import free_segment, release_segment, wake_segment
from calling.segments.history import history
from calling.segments.holding import hold, release
from calling.segments.publishing import publish
from calling.segments.resegmenting import rebuilds_to_do, run_rebuild
from calling.segments.selection import Expected
from calling.views.audit import audit
from calling.walls.pause import pause, resume
from calling.walls.suppress import lift
from calling.walls.suppress import suppress as list_as
from models import turnstile
from models.errors import BadValues, Conflict
from models.outcomes import Outcome
from segmentation.resegment import differing

pytestmark = pytest.mark.once

CUSTOMERS, LONGEST = 2_000, 120
MEANT = (
    "edit",
    "rebuild",
    "robot",
    "outcomes",
    "late",
    "by_hand",
    "time",
    "list_again",
    "walls",
    "people",
    "marks",
)
UNIQUE_UNTRUE = text("""
    select count(*) from (select unique_text(fields -> 'policy') as value, id from customer) c
      full join unique_value u on u.value = c.value and u.customer_id = c.id
     where (c.value is not null and u.value is null) or (u.value is not null and c.value is null)
""")
RESULTS = (Outcome.NO_ANSWER, Outcome.BUSY, Outcome.NO_SALE, Outcome.MACHINE, Outcome.WRONG_PERSON)


class Storm:
    """Everybody who works on one assignment at once, each in a loop of their own until told to stop.

    Its customers stand in another assignment as well, where nobody works.
    """

    def __init__(self, world: World, tmp_path: Path) -> None:
        self.world, self.folder = world, tmp_path
        world.field("age")
        add(world.opener(), Field("policy", "text", "Policy", unique=True))
        self.assignment = world.assignment(gap_seconds=0, max_attempts=255)
        self.customers = world.customers(CUSTOMERS, self.assignment, fields=lambda i: {"age": i % 100})
        self.dialer = world.dialer(self.assignment, wanted=200, wanted_at=NOON)
        self.sellers = [world.seller(self.assignment) for _ in range(3)]
        self.segments = [world.unsegmented(self.assignment)]
        self.edit(Random(0), 0)
        self.elsewhere = world.assignment()
        world.place(self.customers, self.elsewhere)
        reached = {"key": "reached", "when": {"f": "has_phone", "op": "is_true"}}
        publish(world.opener(), self.elsewhere, {"segments": [reached]}, author="editor")
        with world.work() as work:
            live = (
                "select id from segment where assignment_id = :a and retired_at is null and rule is not null"
            )
            self.segments += list(work.run(text(live), a=self.assignment).scalars())
        self.untold: dict[int, UUID] = {}
        self.late: SimpleQueue[UUID] = SimpleQueue()
        self.stop = Event()
        self.done: Counter[str] = Counter()

    def loop(self, what: Callable[[Random, int], Any]) -> None:
        """Again and again; what was overtaken is tried again, a deadlock is not."""
        dice, turn = Random(what.__name__), 0
        while not self.stop.is_set():
            turn += 1
            try:
                what(dice, turn)
            except Conflict as conflict:
                if conflict.data.get("sqlstate") is not None:
                    raise
            self.done[what.__name__] += 1

    def edit(self, dice: Random, turn: int) -> None:
        """The same segments, other borders and another order."""
        rules = [
            {"key": "old", "when": {"f": "age", "op": "ge", "v": 40 + turn % 40}},
            {"key": "tried", "when": {"f": "attempts", "op": "ge", "v": 1 + turn % 3}},
            {"key": "busy", "when": {"f": "last_outcome", "op": "eq", "v": "busy"}},
            {"key": "hot", "when": {"f": "tags", "op": "any", "v": ["hot"]}},
        ]
        dice.shuffle(rules)
        publish(self.world.opener(), self.assignment, {"segments": rules}, author="editor")

    def rebuild(self, _: Random, __: int) -> None:
        for key in rebuilds_to_do(self.world.opener()):
            run_rebuild(self.world.opener(), key)
        self.stop.wait(0.05)

    def robot(self, dice: Random, _: int) -> None:
        """A dialer of two hundred lines."""
        allocate_all(self.world.opener(), self.assignment)
        with self.world.work() as work:
            orders = to_offer(work, self.dialer)
        reports = [Report(order.lease_id, dice.choice(RESULTS), "dialer") for order in orders]
        record_all(self.world.opener(), reports)
        self.done["outcomes"] += len(reports)

    def sell(self, dice: Random, turn: int) -> None:
        seller = self.sellers[turn % len(self.sellers)]
        handed = next_customer(self.world.opener(), seller)
        if handed is None:
            return
        if handed.customer_id in self.untold:
            self.late.put(self.untold.pop(handed.customer_id))
        elif dice.random() < 0.5:
            self.untold[handed.customer_id] = handed.lease_id
            self.give_back(handed.lease_id, seller)
            return
        try:
            with self.world.work() as work:
                ring(work, handed.lease_id, seller)
        except Conflict:
            self.give_back(handed.lease_id, seller)
            raise
        record_all(self.world.opener(), [Report(handed.lease_id, dice.choice(RESULTS), "seller")])
        self.done["outcomes"] += 1

    def give_back(self, lease: UUID, seller: int) -> None:
        with self.world.work() as work:
            release_lease(work, lease, seller)

    def tell_late(self, dice: Random, _: int) -> None:
        """They had rung whom they gave back: that is told while somebody else rings the same customer."""
        with suppress_error(Empty):
            lease = self.late.get(timeout=0.05)
            record_all(self.world.opener(), [Report(lease, dice.choice(RESULTS), "seller")])
            self.done["late"] += 1

    def by_hand(self, dice: Random, _: int) -> None:
        some = dice.sample(self.customers, 30)
        segment = dice.choice(self.segments)
        hold(self.world.opener(), self.assignment, some, segment, author="Bo", reason="storm")
        release(self.world.opener(), self.assignment, some[:15], author="Bo")

    def in_bulk(self, dice: Random, _: int) -> None:
        anybody: dict[str, Any] = {"expected": Expected(0, CUSTOMERS), "author": "Di", "reason": "storm"}
        open_work, free = self.world.opener(), self.segments[0]
        free_segment(open_work, self.assignment, dice.choice(self.segments[1:]), **anybody)
        wake_segment(open_work, self.assignment, free, **anybody)
        for action in actions_to_do(open_work):
            carry_out(open_work, action)
        release_segment(open_work, self.assignment, free, **anybody)

    def time(self, _: Random, __: int) -> None:
        with self.world.work() as work:  # in the order in which everybody locks
            turnstile.pass_shared(work, [self.elsewhere])
            placements.lock(work, self.customers)
            work.run(text("update placement set due_at = :now where state = 'resting' and due_at > :now"))
            found = text("""
                update customer_number set state = 'good' where state <> 'good' returning customer_id
            """)
            again = list(work.run(found).scalars())
            follow_facts(work, [self.elsewhere], again, ["has_phone"], "event")
        for tick in (wake_due, open_gates, reap):
            tick(self.world.opener())

    def list_again(self, dice: Random, turn: int) -> None:
        """An import that changes ages and the order of numbers."""
        known = """select c.external_id, m.e164 from customer c join customer_number m on m.customer_id = c.id
                    where c.id = any(:some)"""
        with self.world.work() as work:
            some = work.run(text(known), some=dice.sample(self.customers, 20)).all()
        path = self.folder / "again.csv"
        lines = [f"{row.external_id},{turn % 100},{row.e164},P{dice.randrange(60)},hot;cold" for row in some]
        path.write_text("\n".join(["customer id,age,phone,policy,tags", *lines]) + "\n", encoding="utf-8")
        import_file(self.world.opener(), path, region="PT")

    def people(self, dice: Random, _: int) -> None:
        """Ages and unique values of few customers, by hand."""
        wanted = {"fields": {"age": dice.randrange(100), "policy": f"P{dice.randrange(30)}"}}
        with suppress_error(BadValues):  # somebody else has that policy
            edit_customer(self.world.opener(), dice.choice(self.customers[:40]), wanted, author="Di")

    def marks(self, dice: Random, turn: int) -> None:
        some = dice.sample(self.customers, 60)
        tag(self.world.opener(), some, ["hot", f"t{turn % 5}"], source="hand", author="Ed")
        untag(self.world.opener(), some[:30], ["hot"])

    def walls(self, dice: Random, _: int) -> None:
        segment, customer = dice.choice(self.segments), dice.choice(self.customers)
        pause(self.world.opener(), "segment", segment, reason="r", author="Cy")
        resume(self.world.opener(), "segment", segment, author="Cy")
        list_as(self.world.opener(), customer_id=customer, reason="r", author="Cy")
        lift(self.world.opener(), customer_id=customer, author="Cy")

    def rage(self, seconds: float) -> float:
        """All at once, until everybody had their turn and `seconds` are over; the seconds it took."""
        everybody = (
            self.edit, self.rebuild, self.robot, self.sell, self.tell_late,
            self.by_hand, self.in_bulk, self.time, self.list_again, self.walls,
            self.people, self.marks,
        )  # fmt: skip
        begun = monotonic()
        with ThreadPoolExecutor(len(everybody)) as pool:
            loops = [pool.submit(self.loop, what) for what in everybody]
            while not any(loop.done() for loop in loops) and (took := monotonic() - begun) < LONGEST:
                if took > seconds and all(self.done[name] for name in MEANT):
                    break
                self.stop.wait(0.05)
            self.stop.set()
        for loop in loops:
            loop.result()
        return monotonic() - begun


@pytest.mark.parametrize("seconds", [6, pytest.param(60, marks=pytest.mark.full)])
def test_everything_at_once(world: World, tmp_path: Path, seconds: int) -> None:
    """Seen to fail: the ring's limits written before its placements are locked; an import's numbers before
    its; moves of outcomes, or of holds, not noted; what they say of a number not followed elsewhere."""
    storm = Storm(world, tmp_path)
    took = storm.rage(seconds)
    assert all(storm.done[name] for name in MEANT), storm.done
    print(f"{took:.0f} s: {dict(storm.done)}")  # noqa: T201 - the figures of a run by hand
    settle(storm)
    with world.work() as work:
        assert (differing(work, storm.assignment), differing(work, storm.elsewhere)) == (0, 0)
        assert [found for found in audit(work) if found.count] == []
        assert work.run(UNIQUE_UNTRUE).scalar_one() == 0
        before = [history(work, segment, NOON, timedelta(hours=1)).size_before for segment in storm.segments]
    assert before == [CUSTOMERS, 0, 0, 0, 0]  # today's sizes less every move: all were unsegmented


def settle(storm: Storm) -> None:
    """What is still asked for is done."""
    for key in rebuilds_to_do(storm.world.opener()):
        run_rebuild(storm.world.opener(), key)
    assert rebuilds_to_do(storm.world.opener()) == []
