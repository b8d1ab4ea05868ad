"""P2 by race: thirty-two who deal, take, ring and send, against one who pauses. Nothing begins behind it."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import cycle, islice
from random import Random
from threading import Condition, Semaphore
from uuid import UUID

import pytest
from promises import violations
from test_scopes import sister
from wall_witness import Witness, witness
from world import NOON, World

from calling.dialers.orders import came_back, recalls, to_offer
from calling.handout.allocate import allocate_all
from calling.handout.due import wake_due
from calling.handout.hand_out import next_customer
from calling.handout.ring import release, ring
from calling.outcomes.outcome import Report, record_all
from calling.walls.pause import pause, resume
from models.errors import Conflict
from models.outcomes import Outcome

PATIENCE = 60
Turn = Callable[[Random], None]


class Floor:
    """An assignment, and those who work it: `people`, what each does in a turn."""

    def __init__(self, world: World, *, clerks: int, sellers: int, links: int) -> None:
        self.world, self.held = world, dict[int, UUID]()
        self.assignment = world.assignment(gap_seconds=0, max_attempts=255, retry_seconds={"no_answer": 0})
        self.segments = [self._segment(age) for age in (40, 20)]
        self.sellers = [world.seller(self.assignment) for _ in range(sellers)]
        self.dialers = [world.dialer(self.assignment, wanted=2, wanted_at=NOON) for _ in range(links)]
        self.people: list[Turn] = [
            *[self.deal] * clerks,
            *(partial(self.sell, seller) for seller in self.sellers),
            *(partial(self.send, dialer) for dialer in self.dialers),
        ]

    def _segment(self, age: int) -> int:
        made = self.world.segment(self.assignment, rule={"f": "age", "op": "eq", "v": age})
        self.world.customers(100, self.assignment, segment_id=made, fields=lambda _: {"age": age})
        return made

    def deal(self, _: Random) -> None:
        """As ticks do."""
        wake_due(self.world.opener())
        allocate_all(self.world.opener(), self.assignment)

    def sell(self, seller: int, dice: Random) -> None:
        """Take somebody; the next time ring them or give them back; then tell what they said."""
        lease = self.held.pop(seller, None)
        if lease is not None:
            with self.world.work() as work:
                ring(work, lease, seller) if dice.random() < 0.7 else release(work, lease, seller)
            return
        handed = next_customer(self.world.opener(), seller)
        if handed is not None and handed.state == "rung":
            record_all(self.world.opener(), [Report(handed.lease_id, Outcome.NO_ANSWER, "seller")])
        elif handed is not None:
            self.held[seller] = handed.lease_id

    def send(self, dialer: int, dice: Random) -> None:
        """As a link does: some of what was sent or is wanted back rang, some comes back, some is silent."""
        open_work = self.world.opener()
        with open_work() as work:
            leases = recalls(work, dialer)
            leases += [order.lease_id for order in to_offer(work, dialer)]
        answered = [lease for lease in leases if dice.random() < 0.5]
        came_back(open_work, answered[::2], "recalled")
        record_all(open_work, [Report(lease, Outcome.NO_ANSWER, "dialer") for lease in answered[1::2]])


class Turns:
    """Everybody in a thread of their own, who waits to be asked for a turn, and takes it."""

    def __init__(self, people: list[Turn]) -> None:
        self._people = people
        self._asked, self._turned = Semaphore(0), Condition()
        self._wanted, self._done, self._over = 0, 0, False

    def ask(self, turns: int) -> int:
        """Ask so many of them; how many turns there have been when they are done."""
        self._wanted += turns
        self._asked.release(turns)
        return self._wanted

    def wait(self, turns: int) -> None:
        """Until there have been so many."""
        with self._turned:
            assert self._turned.wait_for(lambda: self._done >= turns, PATIENCE)

    def __enter__(self) -> "Turns":
        self._pool = ThreadPoolExecutor(len(self._people))
        self._loops = [self._pool.submit(self._loop, one) for one in enumerate(self._people)]
        return self

    def __exit__(self, *_: object) -> None:
        self._over = True
        self._asked.release(len(self._people))
        self._pool.shutdown()
        for loop in self._loops:
            loop.result()

    def _loop(self, one: tuple[int, Turn]) -> None:
        """What a wall refuses is no failure; a deadlock is."""
        number, turn = one
        dice = Random(number)
        while self._asked.acquire() and not self._over:
            try:
                turn(dice)
            except Conflict as conflict:
                if conflict.data.get("sqlstate") is not None:
                    raise
            finally:
                with self._turned:
                    self._done += 1
                    self._turned.notify_all()


@pytest.fixture
def told(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Witness]:
    with witness(world, monkeypatch) as made:
        yield made


@pytest.mark.once
@pytest.mark.parametrize(
    ("rounds", "turns"), [(500, 5), pytest.param(10_000, 32, marks=pytest.mark.full)], ids=["500", "10000"]
)
def test_nothing_begins_behind_a_pause(world: World, told: Witness, rounds: int, turns: int) -> None:
    """In each round some are under way when one pauses, and others try while it stands: 0 began behind it.

    Planted: pauses that nobody looks at; no exclusive pass, or none for segments; no shared one for
    allocators; lock and pauses read in one statement; nothing recalled; other CRMs stopped behind the first
    one's wall. Each seen to fail within 70 rounds. Takes and rings are held by their leases' locks, too.
    """
    other = sister(world)
    for one in (world, other):
        one.field("age")
    ours = [Floor(world, clerks=1, sellers=11, links=2) for _ in range(2)]
    theirs = Floor(other, clerks=1, sellers=3, links=0)
    people = [*ours[0].people, *ours[1].people, *theirs.people]
    assert len(people) == 32
    scopes = [
        *(("segment", segment) for floor in ours for segment in floor.segments),
        *(("assignment", floor.assignment) for floor in ours), ("seller", ours[0].sellers[0]),
        ("dialer", ours[1].dialers[0]), ("crm", None), ("owner", None), ("everything", None),
    ]  # fmt: skip
    dice = Random(rounds)
    with Turns(people) as floor:
        for number, (scope, target) in enumerate(islice(cycle(scopes), rounds)):
            floor.wait(floor.ask(turns) - dice.randint(1, turns))
            answer = pause(world.opener(), scope, target, reason="r", author="a")
            floor.wait(floor.ask(turns // 2))
            assert resume(world.opener(), scope, target, author="a") == 1
            told.stood(number, scope, target, answer)
            if number % 100 == 99:
                told.tidy()
    assert told.unnamed == []
    assert told.behind() == []
    begun = told.begun()
    assert min(begun[what] for what in ("offered", "taken", "sent", "rung")) > rounds // 20, begun
    assert [violations(one) for one in (world, other)] == [[], []]
