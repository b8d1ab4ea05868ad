"""Whatever happens in whatever order, every promise is kept, changed or over: nothing is broken.

With segments of other hours, a limit, pauses, a dialer that connects and a robot.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from random import Random
from uuid import UUID

import pytest
from promises import DAY, HOUR, MINUTE, live, promise, promises, violations, watch
from sqlalchemy import text
from world import NOON, World

from calling.follow_ups import promising
from calling.follow_ups.asking import Wish
from calling.follow_ups.handing_over import hand_over, theirs
from calling.follow_ups.promising import Patch
from calling.handout.allocate import allocate_all
from calling.handout.due import open_gates, wake_due
from calling.handout.hand_out import next_customer
from calling.handout.presence import be
from calling.handout.reaper import reap
from calling.handout.ring import release, ring
from calling.limits.changing import NewLimit, set_limit
from calling.outcomes.outcome import Report, record_all
from calling.walls.hours import set_hours
from calling.walls.pause import pause, resume
from models.errors import Conflict, NotNow
from models.outcomes import Outcome

# Do-not-call would soon leave nobody; what puts a promise off comes more often than it does.
SAID = [
    *(one for one in Outcome if one is not Outcome.DO_NOT_CALL),
    *[Outcome.CONGESTION, Outcome.FOLLOW_UP] * 4,
]
PEOPLE, STEPS, LOOK = 10, 80, 8
AFTERNOONS = {day: [["12:30", "18:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}
OWN = text("""
    select count(*) from lease l join follow_up f on f.id = l.follow_up_id
     where l.dialer_id = :robot and f.made_by <> 'key_press' and f.seller_id is not null
""")


class Drive:
    """Two assignments that share their customers, three sellers, two dialers, and dice."""

    def __init__(self, world: World, seed: int) -> None:
        self.world, self.dice, self.now = world, Random(seed), NOON
        self.works = [world.assignment(gap_seconds=1800, max_attempts=3) for _ in range(2)]
        tried = world.segment(self.works[0], rule={"f": "attempts", "op": "ge", "v": 1})
        set_hours(world.opener(), segment_id=tried, week=AFTERNOONS, reason="r", author="k")
        set_limit(world.opener(), NewLimit(4, "customer", "t", seconds=4 * 3600), "Kari")
        self.people = world.customers(PEOPLE, self.works[0])
        world.place(self.people, self.works[1])
        self.sellers = [
            world.seller(self.works[0], segment_id=tried),
            *(world.seller(self.works[n % 2]) for n in range(2)),
        ]  # fmt: skip
        self.robot = world.dialer(self.works[1], mode="voice_robot")
        world.dialer(self.works[0], mode="connect")
        self.told: list[UUID] = []

    def step(self) -> None:
        """Time passes, something happens, and the ticks come by."""
        self.now += self.dice.choice((0, 1, 7, 25)) * MINUTE
        if self.now.hour >= 19:
            self.now = self.now.replace(hour=12) + DAY
        act: Callable[[], None] = self.dice.choice(
            (self.promise, self.change, self.annotate, self.cancel, *[self.work] * 5,
             self.late, self.leave, self.wall, self.dial, self.dial)
        )  # fmt: skip
        act()
        at = self.world.opener(self.now)
        wake_due(at)
        open_gates(at)
        watch(self.world, self.now)
        reap(at)
        allocate_all(at, self.dice.choice(self.works))

    def wish(self) -> Wish:
        return Wish(self.now + self.dice.choice((1, 5, 30, 600)) * MINUTE)

    def promise(self) -> None:
        who, owner = self.dice.choice(self.people), self.dice.choice((None, *self.sellers))
        promise(self.world, self.dice.choice(self.works), who, self.wish().at or NOON, self.now, seller=owner)

    def change(self) -> None:
        for row in self.open()[:1]:
            patch = Patch(self.wish(), None, self.dice.random() < 0.5, self.dice.choice(self.sellers))
            promising.change(self.world.opener(self.now), row, patch, author="a", made_by="api")

    def annotate(self) -> None:
        """A note, whoever has them on the screen."""
        for row in self.open()[:1]:
            promising.change(
                self.world.opener(self.now), row, Patch(note=str(self.now)), author="a", made_by="api"
            )

    def dial(self) -> None:
        """The dialers want orders; of what they hold, something is told, and a seller may say otherwise."""
        with self.world.work(self.now) as work:
            work.run(text("update dialer set wanted = 2, wanted_at = :now"))
        for assignment in self.works:
            allocate_all(self.world.opener(self.now), assignment)
        held = [lease.id for lease in live(self.world) if lease.dialer_id is not None]
        for lease in held[: self.dice.randrange(3)]:
            self.told.append(lease)
            said = self.dice.choice((Outcome.ANSWERED, Outcome.NO_ANSWER, Outcome.FAILED))
            record_all(self.world.opener(self.now), [Report(lease, said, "dialer", rung_at=self.rung(lease))])
            if said is Outcome.ANSWERED and self.dice.random() < 0.7:
                self.say(lease)

    def robots_promises(self) -> int:
        """How many calls that were somebody's own the robot was given."""
        with self.world.work(self.now) as work:
            return int(work.run(OWN, robot=self.robot).scalar_one())

    def cancel(self) -> None:
        for row in self.open()[:1]:
            promising.cancel(self.world.opener(self.now), row, author="a")

    def open(self) -> list[int]:
        found = [row.id for row in promises(self.world) if row.ended_at is None]
        self.dice.shuffle(found)
        return found

    def work(self) -> None:
        seller = self.dice.choice(self.sellers)
        at = self.world.opener(self.now)
        card = next_customer(at, seller)
        if card is None:
            return
        self.told.append(card.lease_id)
        what = self.dice.random()
        if what < 0.2:
            with self.world.work(self.now) as work:
                if card.state == "taken":
                    release(work, card.lease_id, seller)
        elif what < 0.9:
            try:
                with self.world.work(self.now) as work:
                    ring(work, card.lease_id, seller)
            except NotNow:
                return
            if what < 0.75:
                self.say(card.lease_id)

    def say(self, lease: UUID) -> None:
        outcome = self.dice.choice(SAID)
        wish = self.wish() if outcome is Outcome.FOLLOW_UP else None
        report = Report(lease, outcome, "seller", rung_at=self.rung(lease), promise=wish)
        record_all(self.world.opener(self.now), [report])

    def rung(self, lease: UUID) -> datetime:
        with self.world.work(self.now) as work:
            row = work.run(text("select rung_at, offered_at from lease where id = :id"), id=lease).one()
        found: datetime = row.rung_at or row.offered_at
        return found

    def late(self) -> None:
        """An outcome of some lease that there was, told once more or for the first time."""
        if self.told:
            self.say(self.dice.choice(self.told))

    def leave(self) -> None:
        leaver, heir = self.dice.sample(self.sellers, 2)
        count = theirs(self.world.opener(self.now), leaver)
        hand_over(self.world.opener(self.now), leaver, heir, expected=count, author="a")
        with self.world.work(self.now) as work:
            be(work, leaver, "away")
        with self.world.work(self.now) as work:
            be(work, leaver, "available", assignment_id=self.dice.choice(self.works))

    def wall(self) -> None:
        where = self.dice.choice(self.works)
        pause(self.world.opener(self.now), "assignment", where, reason="r", author="a")
        resume(self.world.opener(self.now), "assignment", where, author="a")


@pytest.mark.once
@pytest.mark.parametrize("seed", [2, 3])
def test_a_random_day_breaks_nothing(world: World, seed: int) -> None:
    """Late outcomes ring where nobody was asked, so gaps are not looked at here. Planted: the promise's due
    time left as it was where an outcome puts it off; seen to fail."""
    drive = Drive(world, seed)
    for step in range(STEPS):
        with suppress(Conflict):  # e.g. the seller is away: said, and nothing done
            drive.step()
        if step % LOOK == 0:
            assert [what for what in violations(world, drive.now) if "gap" not in what] == []
    assert drive.robots_promises() == 0
    ends = {row.ended_by for row in promises(world)}
    assert {"outcome", "changed", "cancelled"} <= ends
    assert len(live(world)) <= 3 * len(drive.sellers) + 2 * PEOPLE
    assert drive.now - NOON > HOUR
