"""Whatever sellers, a dialer and a manager do in whatever order: a lease takes the steps that are drawn.

The database writes down each of them.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from random import Random
from uuid import UUID

import psycopg
import pytest
from ground import Database
from promises import violations
from sqlalchemy import text
from sqlalchemy.engine import make_url
from test_outcomes import tell
from test_states import edges_of_leases
from world import NOON, World, flat_rest

from calling.dialers.inbox import Told
from calling.dialers.orders import came_back, heard, to_offer
from calling.handout.allocate import allocate_all
from calling.handout.due import open_gates, wake_due
from calling.handout.hand_out import next_customer
from calling.handout.reaper import reap
from calling.handout.recalling import no_patience
from calling.handout.ring import release, ring
from calling.handout.seizing import seize
from calling.handout.skipping import skip
from calling.handout.wrapping import hang_up
from calling.outcomes.outcome import Report, record_all
from models.errors import BadInput, Conflict
from models.outcomes import Outcome

SEEDS, STEPS = 8, 150
SAID = (Outcome.BUSY, Outcome.NO_ANSWER, Outcome.ANSWERED, Outcome.CONGESTION)
TOLD = ("taken", "ringing", "connected", "hung_up", "ended")
WATCH = """
    create table step_seen (before text, after text);
    grant insert, select on step_seen to ringeliste_app;
    create function see_step() returns trigger language plpgsql as $$
    begin
        if new.state <> old.state then
            insert into step_seen values (old.state, coalesce(new.ended_by, new.state));
        end if;
        return null;
    end $$;
    create trigger see_step after update on lease for each row execute function see_step();
"""


@pytest.fixture
def watched(world: World, database: Database) -> World:
    """A world in which the database writes down every step of a lease."""
    url = make_url(database.owner_url)
    with psycopg.connect(
        host=str(url.query["host"]), user=url.username, dbname=url.database, autocommit=True
    ) as owner:
        owner.execute(WATCH)
    return world


class Floor:
    """Two sellers and a dialer on ten customers, and dice."""

    def __init__(self, world: World, seed: int) -> None:
        self.world, self.dice, self.now = world, Random(seed), NOON
        self.assignment = world.assignment(
            wrap_up_seconds=60, gap_seconds=0, skip_seconds=60, hold_seconds=120, max_attempts=255,
            retry_plan={outcome.value: flat_rest(60) for outcome in SAID},
        )  # fmt: skip
        world.customers(10, self.assignment)
        self.sellers = [world.seller(self.assignment) for _ in range(2)]
        self.dialer = world.dialer(self.assignment)
        self.told = 0

    def step(self) -> None:
        """Somebody does something; what is refused is refused."""
        deeds: tuple[Callable[[], object], ...] = (
            self.asks, self.asks, self.rings, self.rings, self.hangs_up, self.skips, self.gives_back,
            self.takes_away, self.reports, self.reports, self.deals, self.deals, self.tells, self.tells,
            self.tells, self.recalls, self.waits, self.waits,
        )  # fmt: skip
        with suppress(Conflict, BadInput):
            self.dice.choice(deeds)()

    def lease(self, *, of_dialer: bool = False, live: bool = True) -> tuple[UUID, int, datetime]:
        """Of a seller or a dialer: its id, its seller's, and since when. Raises Conflict if there is none."""
        with self.world.work(self.now) as work:
            rows = work.run(
                text("""
                    select id, coalesce(seller_id, 0) as seller_id, offered_at from lease
                     where (dialer_id is not null) = :of_dialer and (ended_at is null or not :live)
                       and offered_at > cast(:now as timestamptz) - interval '10 minutes' order by id
                """),
                of_dialer=of_dialer, live=live,
            ).all()  # fmt: skip
        if not rows:
            raise Conflict("there is none")
        row = self.dice.choice(rows)
        return row.id, row.seller_id, row.offered_at

    def asks(self) -> None:
        next_customer(self.world.opener(self.now), self.dice.choice(self.sellers))

    def rings(self) -> None:
        lease, seller, _ = self.lease()
        with self.world.work(self.now) as work:
            ring(work, lease, seller)

    def hangs_up(self) -> None:
        lease, seller, _ = self.lease()
        with self.world.work(self.now) as work:
            hang_up(work, lease, seller)

    def skips(self) -> None:
        lease, seller, _ = self.lease()
        with self.world.work(self.now) as work:
            skip(work, lease, seller, "a reason")

    def gives_back(self) -> None:
        lease, seller, _ = self.lease()
        with self.world.work(self.now) as work:
            release(work, lease, seller)

    def takes_away(self) -> None:
        lease, *_ = self.lease(of_dialer=self.dice.random() < 0.5)
        seize(
            self.world.opener(self.now), [lease], author="Maria", reason="a reason", patience=no_patience,
            even_rung=self.dice.random() < 0.5,
        )  # fmt: skip

    def reports(self) -> None:
        """However late, of a call that rang as soon as they had it."""
        lease, seller, since = self.lease(of_dialer=self.dice.random() < 0.5, live=self.dice.random() < 0.8)
        word = self.dice.choice(SAID)
        said = Report(lease, word, "seller" if seller else "dialer", rung_at=since)
        record_all(self.world.opener(self.now), [said])

    def deals(self) -> None:
        with self.world.work(self.now) as work:
            heard(work, self.dialer, wanted=3, rings_late_seconds=0)
        allocate_all(self.world.opener(self.now), self.assignment)
        with self.world.work(self.now) as work:
            to_offer(work, self.dialer)

    def tells(self) -> None:
        """Now, of a call that it rang as soon as it had it."""
        lease, _, since = self.lease(of_dialer=True, live=self.dice.random() < 0.9)
        self.told += 1
        kind = self.dice.choice(TOLD)
        body = {"result": self.dice.choice(SAID).value, "seller": str(self.sellers[0])}
        body |= {"rung_at": since.isoformat()}
        tell(self.world, self.dialer, Told(str(self.told), lease, kind, since, body), now=self.now)

    def recalls(self) -> None:
        """A dialer answers for what nobody there has taken."""
        with self.world.work(self.now) as work:
            rows = work.run(text("""
                select id from lease
                 where dialer_id is not null and state = 'offered' and sent_at is not null order by id limit 1
            """)).scalars()  # fmt: skip
            found = list(rows)
        came_back(self.world.opener(self.now), found, self.dice.choice(("recalled", "never_seen")))

    def waits(self) -> None:
        self.now += timedelta(seconds=self.dice.choice((5, 30, 100, 300)))
        reap(self.world.opener(self.now))
        wake_due(self.world.opener(self.now))
        open_gates(self.world.opener(self.now))


def steps_seen(world: World) -> set[tuple[str, str]]:
    with world.work() as work:
        return {
            (row.before, row.after) for row in work.run(text("select distinct before, after from step_seen"))
        }


@pytest.mark.once
def test_leases_take_the_steps_that_are_drawn_and_no_others(watched: World) -> None:
    """Every step in docs/states.md is taken by somebody; none that is not there. Planted: a ring that takes a
    wrap-up back to rung; seen to fail."""
    drawn, now = edges_of_leases(), NOON
    for seed in range(SEEDS):
        floor = Floor(watched, seed)
        for _ in range(STEPS):
            floor.step()
        now = max(now, floor.now)
        if steps_seen(watched) >= drawn:
            break
    assert steps_seen(watched) == drawn
    assert violations(watched, now) == []
