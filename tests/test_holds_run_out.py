"""Holds that run out are followed by the sweep: at the very tick, whatever rules ask, however many, once."""

from datetime import datetime, timedelta

import pytest
from ground import Database
from interleaving import acting_before
from sqlalchemy import text
from test_rebuild_plans import analyze
from test_sweep import rebuild, rules, swept_to
from world import NOON, World

from calling.handout.hand_out import next_customer
from calling.segments import sweeping
from calling.segments.holding import hold, release
from calling.segments.publishing import publish
from calling.segments.sweeping import sweep, sweep_all
from calling.views.audit import audit

MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)
SOON = NOON + 5 * MINUTE
OF_TIME = rules(cold={"f": "last_call", "op": "older_than", "v": "3d"}, old={"not": {"all": []}})
TIMELESS = rules(tried={"f": "attempts", "op": "ge", "v": 1}, old={"not": {"all": []}})


class Cut(Exception):
    """The process dies here."""


class Scene:
    """Forty customers whom the rules leave unsegmented; some are held in `old`, which nobody meets."""

    def __init__(self, world: World, body: dict[str, object]) -> None:
        self.world, self.assignment = world, world.assignment()
        self.people = world.customers(40, self.assignment)
        publish(world.opener(), self.assignment, body, author="a")
        rebuild(world)
        sweep_all(world.opener())
        rebuild(world)

    def hold(self, some: slice = slice(None), until: datetime | None = SOON, now: datetime = NOON) -> None:
        with self.world.work() as work:
            old = work.run(text("select id from segment where key = 'old'")).scalar_one()
        hold(self.world.opener(now), self.assignment, self.people[some], old, author="Bo", reason="why",
             expires_at=until)  # fmt: skip

    def in_old(self) -> int:
        sql = "select count(*) from placement p join segment s on s.id = p.segment_id where s.key = 'old'"
        return self.count(sql)

    def holds(self) -> int:
        return self.count("select count(*) from hold")

    def count(self, sql: str) -> int:
        with self.world.work() as work:
            return int(work.run(text(sql)).scalar_one())

    def untrue(self, now: datetime) -> int:
        with self.world.work(now) as work:
            return sum(found.count for found in audit(work) if found.promise == "P6")


@pytest.fixture(params=[OF_TIME, TIMELESS], ids=["rules of time", "rules without time"])
def scene(world: World, request: pytest.FixtureRequest) -> Scene:
    return Scene(world, request.param)


def test_the_sweep_lets_go_of_them_at_their_tick_and_not_before(scene: Scene) -> None:
    """Nothing else has to come by for P6. Planted: holds left to another tick; P6 counted all forty."""
    scene.hold()
    assert sweep_all(scene.world.opener(SOON - SECOND)) == 0
    assert (scene.in_old(), scene.holds()) == (40, 40)
    assert scene.untrue(SOON - SECOND) == 0
    assert sweep_all(scene.world.opener(SOON)) == 40
    assert (scene.in_old(), scene.holds()) == (0, 0)
    assert scene.untrue(SOON) == 0
    assert swept_to(scene.world) == SOON


def test_between_their_end_and_the_tick_nothing_is_wrong(scene: Scene) -> None:
    """As of the watermark they were held."""
    scene.hold()
    assert scene.untrue(SOON + SECOND) == 0
    sweep_all(scene.world.opener(SOON - SECOND))
    assert scene.untrue(SOON + SECOND) == 0


def test_after_an_outage_they_are_caught_up_in_one_sweep(scene: Scene) -> None:
    scene.hold(slice(20))
    scene.hold(slice(20, 40), NOON + 9 * MINUTE)
    assert sweep_all(scene.world.opener(NOON + timedelta(days=7))) == 40
    assert (scene.holds(), scene.untrue(NOON + timedelta(days=7))) == (0, 0)


def test_an_assignment_without_rules_is_swept_too(world: World) -> None:
    """Planted: only assignments with rules; the holds stayed for ever."""
    assignment = world.assignment()
    place = world.segment(assignment, "old", rule={"not": {"all": []}})
    people = world.customers(3, assignment)
    hold(world.opener(), assignment, people, place, author="a", reason="r", expires_at=SOON)
    assert sweep_all(world.opener(SOON)) == 3
    with world.work() as work:
        assert work.run(text("select count(*) from hold")).scalar_one() == 0


def test_a_hold_that_was_prolonged_meanwhile_stays(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the look and the lock somebody holds ten of them for longer. Planted: no second look."""
    scene.hold()
    before = acting_before(monkeypatch)
    before(sweeping._TAKE, lambda: scene.hold(slice(10), SOON + 9 * MINUTE, SOON))
    assert sweep_all(scene.world.opener(SOON + SECOND)) == 30
    assert (scene.in_old(), scene.holds(), scene.untrue(SOON + SECOND)) == (10, 10, 0)


def test_a_hold_released_meanwhile_is_no_matter(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.hold()
    before = acting_before(monkeypatch)
    gone = scene.people[:10]
    before(sweeping._TAKE, lambda: release(scene.world.opener(SOON), scene.assignment, gone, author="a"))
    assert sweep_all(scene.world.opener(SOON)) == 30
    assert (scene.in_old(), scene.holds()) == (0, 0)


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeping, "BATCH", 10)


@pytest.mark.usefixtures("small_batches")
def test_the_watermark_never_passes_one_that_was_not_followed(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dead after two batches: the mark stays below, P6 holds, the next tick ends it.

    Planted: the mark written before the batches; P6 counted the twenty that were left.
    """
    scene.hold()
    before = acting_before(monkeypatch)

    def die() -> None:
        raise Cut

    before(sweeping._LET_GO, lambda: before(sweeping._LET_GO, lambda: before(sweeping._LET_GO, die)))
    with pytest.raises(Cut):
        sweep(scene.world.opener(SOON + MINUTE), scene.assignment)
    assert scene.holds() == 20
    assert swept_to(scene.world) < SOON
    assert scene.untrue(SOON + MINUTE) == 0
    sweep_all(scene.world.opener(SOON + 2 * MINUTE))
    assert (scene.holds(), scene.untrue(SOON + 2 * MINUTE)) == (0, 0)
    assert swept_to(scene.world) == SOON + 2 * MINUTE


def test_the_watermark_stays_below_one_that_came_meanwhile(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hold that ends before the tick commits after it looked. Planted: the mark written as of the tick."""
    scene.hold(slice(10))
    before = acting_before(monkeypatch)
    before(sweeping._SWEPT, lambda: scene.hold(slice(10, 20), SOON + SECOND, SOON))
    sweep(scene.world.opener(SOON + 2 * SECOND), scene.assignment)
    assert swept_to(scene.world) == SOON + SECOND - timedelta(microseconds=1)
    assert scene.untrue(SOON + 2 * SECOND) == 0
    assert sweep(scene.world.opener(SOON + 3 * SECOND), scene.assignment) == 10
    assert swept_to(scene.world) == SOON + 3 * SECOND


@pytest.mark.usefixtures("small_batches")
def test_two_at_once_do_it_once(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second finds the first at it and leaves; the mark is the first one's to write.

    Planted: nobody leaves; it waited for rows that the first held.
    """
    scene.hold()
    before = acting_before(monkeypatch)
    moved: list[int] = []
    marks: list[datetime] = []

    def second() -> None:
        moved.append(sweep(scene.world.opener(SOON + 2 * SECOND), scene.assignment))
        marks.append(swept_to(scene.world))

    before(sweeping._LET_GO, second)
    assert sweep(scene.world.opener(SOON + SECOND), scene.assignment) == 40
    assert (moved, marks[0] < SOON, swept_to(scene.world)) == ([0], True, SOON + SECOND)
    assert scene.untrue(SOON + SECOND) == 0


def test_the_moves_stand_under_time_and_offered_ones_come_back(scene: Scene) -> None:
    """Whoever is only offered to somebody belongs to another segment now. Planted: no recall."""
    scene.hold()
    seller = scene.world.seller(scene.assignment)
    handed = next_customer(scene.world.opener(), seller)
    assert handed is not None
    taken = scene.count("select count(*) from lease where state = 'taken'")
    assert taken == 1
    offered = scene.count("select count(*) from lease where state = 'offered'")
    sweep_all(scene.world.opener(SOON))
    assert scene.count("select sum(cardinality(customers)) from segment_move where cause = 'time'") == 40
    assert scene.count("select count(*) from lease where state = 'taken'") == taken
    assert scene.count("select count(*) from lease where ended_by = 'recalled'") == offered > 0


_MANY = text("""
    with people as (
        insert into customer (crm_id, external_id, clock_id, reckoning_zone, fields, created_at, updated_at)
        select :crm_id, 'many ' || i, :clock, 'Etc/UTC', '{}', :now, :now from generate_series(1, 20000) i
        returning id
    ), placed as (
        insert into placement (crm_id, assignment_id, customer_id, state, segment_id, clock_id, rank,
                               entered_at)
        select :crm_id, :a, id, 'ready', :s, :clock, 0, :now from people
        returning customer_id
    )
    select count(*) from placed
""")
_HELD = text("""
    insert into hold (crm_id, assignment_id, customer_id, segment_id, author, reason, created_at, expires_at)
    select crm_id, assignment_id, customer_id, segment_id, 'a', 'r', :now,
           :now + interval '1 day' + customer_id * interval '1 second'
      from placement where customer_id not in (select customer_id from hold)
""")


@pytest.mark.parametrize("mode", ["force_custom_plan", "force_generic_plan"])
def test_they_are_found_by_index_however_many_are_held(world: World, database: Database, mode: str) -> None:
    """Forty of 20,000, as the application's role behind the wall. Planted: the index gone; found."""
    scene = Scene(world, OF_TIME)
    with world.work() as work:
        work.plan_afresh()
        place = world.unsegmented(scene.assignment)
        work.run(_MANY, a=scene.assignment, s=place, clock=world.clock_id)
    analyze(database)
    scene.hold()
    with world.work() as work:
        work.plan_afresh()
        work.run(_HELD)
    analyze(database)
    with world.work(SOON) as work:
        work.run(text(f"set local plan_cache_mode = {mode}"))
        for statement in (sweeping._STANDS, sweeping._SWEPT, sweeping._BEGIN):
            explained = text("explain " + statement.text)
            plan = "\n".join(work.run(explained, assignment_id=scene.assignment, end=SOON).scalars())
            assert "Seq Scan on hold" not in plan, plan
            assert "ix_hold_expires" in plan, plan
    assert sweep_all(world.opener(SOON)) == 40
