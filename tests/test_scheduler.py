"""The scheduler: one leads, whoever dies is replaced, and what is urgent is done without Redis as well."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
import structlog
from dramatiq import Actor
from prometheus_client import Counter
from redis import Redis
from sqlalchemy import text
from world import NOON, World, wait_until

from models.work import OpenWork
from scheduler import asking
from scheduler.leader import lead_whenever_possible
from scheduler.openings import AHEAD_SECONDS, Lookout, next_opening
from scheduler.subjects import assignments_wanting, dialers_told
from scheduler.ticking import Ticker
from scheduler.ticks import TICKS, Tick
from wiring.app import app
from wiring.clock import Clock, ClockBase, set_clock
from wiring.hints import install_publisher
from wiring.locks import SCHEDULER, SessionLock
from wiring.metrics import TICKS_FAILED
from wiring.settings import Settings
from workers.broker import NAMESPACE, QueueAway, broker
from workers.catalogue import DUTIES
from workers.duty import duty
from workers.sending import connect

NOBODY = "redis://127.0.0.1:1/0"
MONDAY_NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
"""When the world's CRM begins, give or take the margin that is kept at both ends of legal hours."""


def environment(settings: Settings) -> dict[str, str]:
    return {
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "RINGELISTE_DATA": str(settings.data),
        "RINGELISTE_LOG": "json",
    }


@pytest.fixture
def process(settings: Settings, world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """This process as a scheduler sees itself: application, queue and publisher from the environment."""
    for name, value in environment(settings).items():
        monkeypatch.setenv(name, value)
    app.cache_clear()
    connect(settings)
    yield world
    install_publisher(None)
    app().close()
    app.cache_clear()
    broker.connected = False


@contextmanager
def declared(work: Callable[..., object]) -> Iterator[Actor[..., None]]:
    """A duty of the test's own."""
    actor: Actor[..., None] = duty("of_the_test")(work)
    try:
        yield actor
    finally:
        del broker.actors["of_the_test"]


def asked(redis: "Redis", name: str) -> list[list[int]]:
    """The ids that waiting messages carry for one duty."""
    found = [json.loads(body) for body in redis.hvals(f"{NAMESPACE}:quick.msgs")]
    return sorted(message["args"] for message in found if message["actor_name"] == name)


def count(counter: Counter, tick: str) -> float:
    return sum(
        sample.value
        for metric in counter.collect()
        for sample in metric.samples
        if sample.name.endswith("_total") and sample.labels["tick"] == tick
    )


# What ticks ask for


def test_every_duty_has_a_tick() -> None:
    """A lost hint costs a tick: so each has one. Planted: a tick left out of the tuple; fails."""
    assert {tick.actor.actor_name for tick in TICKS} == {actor.actor_name for actor in DUTIES}
    assert len({tick.name for tick in TICKS}) == len(TICKS)


def test_what_people_wait_for_ticks_each_second() -> None:
    every = {tick.name: tick.every for tick in TICKS}
    assert every["due"] == every["reap"] == every["top-up"] == 1


def test_a_tick_asks_for_every_crm(process: World, redis: "Redis") -> None:
    other = process.neighbour()
    with declared(lambda _crm: None) as actor:
        Ticker(process.app).run(Tick("all", 1, actor))
    assert asked(redis, "of_the_test") == [[process.crm_id], [other.crm_id]]


def test_a_tick_on_shared_tables_asks_once(process: World, redis: "Redis") -> None:
    process.neighbour()
    with declared(lambda: None) as actor:
        Ticker(process.app).run(Tick("shared", 1, actor, per_crm=False))
    assert asked(redis, "of_the_test") == [[]]


def test_the_top_up_asks_where_somebody_wants(process: World, redis: "Redis") -> None:
    with_seller, with_dialer, with_nobody, with_idle = (process.assignment() for _ in range(4))
    process.seller(with_seller)
    process.seller(with_seller)
    process.seller(with_nobody, presence="away")
    process.dialer(with_dialer, wanted=3)
    process.dialer(with_idle, wanted=0)
    process.neighbour().seller(process.neighbour().assignment())
    assert assignments_wanting(process.opener()) == [with_seller, with_dialer]


def test_the_inbox_asks_for_dialers_that_have_told(process: World) -> None:
    told, silent = process.dialer(), process.dialer()
    for dialer, processed in ((told, None), (told, None), (silent, NOON)):
        event(process, dialer, processed)
    assert dialers_told(process.opener()) == [told]


def event(world: World, dialer_id: int, processed_at: datetime | None) -> None:
    with world.work() as work:
        work.run(
            text(
                """
                insert into dialer_event (crm_id, dialer_id, event_id, kind, body, received_at, processed_at)
                select :crm_id, :dialer_id, 'e' || count(*), 'ended', '{}', :now, :processed_at
                from dialer_event where crm_id = :crm_id
                """
            ),
            dialer_id=dialer_id,
            processed_at=processed_at,
        )


def test_one_crm_that_fails_stops_no_other(process: World, redis: "Redis") -> None:
    """Logged when it begins and when it is over, counted each time. Planted: the loop not guarded; fails."""
    broken, healthy = process, process.neighbour()
    fails = True

    def subjects(open_work: OpenWork) -> list[int]:
        with open_work() as work:
            if work.crm_id == broken.crm_id and fails:
                raise ZeroDivisionError
        return [7]

    before = count(TICKS_FAILED, "fragile")
    with declared(lambda *_: None) as actor, structlog.testing.capture_logs() as lines:
        ticker, tick = Ticker(process.app), Tick("fragile", 1, actor, subjects=subjects)
        for _ in range(3):
            ticker.run(tick)
        assert asked(redis, "of_the_test") == [[healthy.crm_id, 7]]
        assert count(TICKS_FAILED, "fragile") == before + 3
        fails = False
        ticker.run(tick)
        ticker.run(tick)
    assert [(line["event"], line["crm"]) for line in lines] == [
        ("tick fails", broken.crm_id),
        ("tick works again", broken.crm_id),
    ]
    assert asked(redis, "of_the_test") == [[broken.crm_id, 7], [healthy.crm_id, 7]]


# Redis is away


def test_urgent_ticks_run_here_while_redis_is_away(
    process: World, redis: "Redis", monkeypatch: pytest.MonkeyPatch
) -> None:
    """Said once, not each second; others wait; when Redis is back the workers do it again."""
    now, done = 100.0, list[int]()
    monkeypatch.setattr(asking, "monotonic", lambda: now)
    with declared(done.append) as actor, structlog.testing.capture_logs() as lines:
        ticker = Ticker(process.app)
        urgent, patient = Tick("urgent", 1, actor, alone=True), Tick("patient", 1, actor)
        broker.connect(Redis.from_url(NOBODY))
        for _ in range(3):
            ticker.run(urgent)
            ticker.run(patient)
            now += 1
        assert done == [process.crm_id] * 3
        assert [line["event"] for line in lines] == ["Redis is away: urgent ticks run here"]

        broker.connect(redis)
        ticker.run(urgent)
        assert done == [process.crm_id] * 3
        assert asked(redis, "of_the_test") == [[process.crm_id]]
    assert lines[-1]["event"] == "Redis is back: ticks are sent to workers again"


def test_a_silent_redis_is_asked_once_a_second(process: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each try may take its time-out; a hundred CRMs must not wait for a hundred of them."""
    now, tries = 100.0, 0

    def never(*_: object) -> bool:
        nonlocal tries
        tries += 1
        raise QueueAway("silent")  # type: ignore[no-untyped-call]

    monkeypatch.setattr(asking, "monotonic", lambda: now)
    monkeypatch.setattr(asking, "ask", never)
    with declared(lambda _crm: None) as actor:
        asker = asking.Asker()
        for crm in range(100):
            asker(actor, (crm,), alone=True)
        assert tries == 1
        now += asking.REST_SECONDS
        asker(actor, (1,), alone=True)
        assert tries == 2


def test_due_customers_wake_without_redis(process: World) -> None:
    """The real ticks, the real verbs, no Redis and no worker."""
    assignment = process.assignment()
    process.customers(3, assignment, state="resting", due_at=NOON - timedelta(minutes=1))
    broker.connect(Redis.from_url(NOBODY))
    ticker = Ticker(process.app)
    for tick in TICKS:
        if tick.name in ("due", "reap"):
            ticker.run(tick)
    with process.work() as work:
        states = set(work.run(text("select state from placement where crm_id = :crm_id")).scalars())
    assert states == {"ready"}


# The opening of a clock


def opening_of(world: World) -> datetime:
    """The first opening of that Monday."""
    with world.work(now=MONDAY_NINE - timedelta(hours=4)) as work:
        found = next_opening(work)
    assert found is not None
    return found


def test_the_next_opening_is_the_crm_s_own(process: World) -> None:
    assert abs(opening_of(process) - MONDAY_NINE) < timedelta(minutes=5)


def stopped_at(world: World, now: datetime, speed: float = 60.0) -> None:
    """Business time stands at `now`, though wall seconds are reckoned at `speed`."""
    wall = datetime(2026, 11, 1, tzinfo=UTC)
    world.app.clock = Clock(lambda: ClockBase(now, wall, speed), wall=lambda: wall)


@pytest.mark.parametrize(
    ("before", "seconds"),
    [(timedelta(hours=1), None), (timedelta(seconds=91), None), (timedelta(seconds=60), 1.0)],
)
def test_a_near_opening_is_aimed_at(process: World, before: timedelta, seconds: float | None) -> None:
    """At 60 times the speed a minute is a second; 90 business seconds are near."""
    stopped_at(process, opening_of(process) - before)
    away = Lookout().seconds_until_next(process.app, process.crm_id)
    assert away == (None if seconds is None else pytest.approx(seconds, abs=0.02))
    assert away is None or 1.0 < away < AHEAD_SECONDS


def test_an_opening_that_was_missed_is_now(process: World) -> None:
    """Somebody set the clock forward over it."""
    lookout = Lookout()
    stopped_at(process, MONDAY_NINE - timedelta(hours=1))
    assert lookout.seconds_until_next(process.app, process.crm_id) is None
    stopped_at(process, MONDAY_NINE + timedelta(hours=1))
    assert lookout.seconds_until_next(process.app, process.crm_id) == pytest.approx(0, abs=0.02)
    lookout.passed(process.crm_id)
    assert lookout.seconds_until_next(process.app, process.crm_id) is None


def test_a_stopped_clock_never_opens(process: World) -> None:
    stopped_at(process, opening_of(process) - timedelta(seconds=1), speed=0)
    assert Lookout().seconds_until_next(process.app, process.crm_id) is None


def test_at_nine_the_lists_are_filled(process: World, redis: "Redis") -> None:
    """A live clock at 60 times the speed, two wall seconds before: asked at once after it, not before.

    The usual rhythm is turned off here: what asks is the opening alone.
    """
    process.seller(assignment := process.assignment())
    opening = opening_of(process)
    with process.app.shared() as session:
        set_clock(session, opening - timedelta(minutes=2), 60)
    process.app.clock = Clock(process.app._read_clock)
    ticker = Watching(process.app, ticks=())
    ticker.start()
    try:
        wait_until(lambda: bool(ticker.opened_at))
        wait_until(lambda: asked(redis, "allocate") == [[process.crm_id, assignment]])
    finally:
        ticker.stop()
    assert opening <= ticker.opened_at[0] < opening + timedelta(minutes=10)  # ten wall seconds


class Watching(Ticker):
    """A ticker that notes the business time of each opening."""

    def opened(self, crm_id: int) -> None:
        """Note it, and go on."""
        self.opened_at = [*self.opened_at, self._app.now()]
        super().opened(crm_id)

    opened_at: list[datetime] = []  # noqa: RUF012 - replaced, never changed


# Who leads


def test_one_leads_and_stops_when_told(process: World, redis: "Redis") -> None:
    stopping, lock = Event(), SessionLock(process.app.engine, *SCHEDULER)
    with declared(lambda _crm: None) as actor:
        ticker = Ticker(process.app, [Tick("all", 3600, actor)])
        leading = Thread(target=lead_whenever_possible, args=(process.app, ticker, stopping))
        leading.start()
        try:
            wait_until(lambda: asked(redis, "of_the_test") == [[process.crm_id]])
            assert not lock.try_take()
        finally:
            stopping.set()
            leading.join(10)
    wait_until(lock.try_take)
    lock.release()


@contextmanager
def real_scheduler(settings: Settings, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`python -m scheduler` as the Procfile starts it."""
    env = {**os.environ, **environment(settings)}
    command = [sys.executable, "-m", "scheduler"]
    with log.open("ab") as out, subprocess.Popen(command, env=env, stdout=out, stderr=out) as running:
        try:
            yield running
        finally:
            if running.poll() is None:
                running.kill()
                running.wait(10)


def said(log: Path, event: str) -> int:
    """How often a process has said so."""
    found = [json.loads(line) for line in log.read_text().splitlines() if line.endswith("}")]
    return sum(line["event"] == event for line in found)


def holders(world: World) -> list[Any]:
    """The backends that hold the scheduler's lock."""
    with world.app.shared() as session:
        return list(
            session.scalars(
                text(
                    "select pid from pg_locks where locktype = 'advisory' and granted and classid = :space"
                    " and objid = :key and database = (select oid from pg_database"
                    " where datname = current_database())"
                ),
                dict(zip(("space", "key"), SCHEDULER, strict=True)),
            )
        )


@pytest.mark.once
def test_a_killed_leader_is_replaced_at_once(
    process: World, settings: Settings, redis: "Redis", tmp_path: Path
) -> None:
    """kill -9 of a real leader: the spare leads and ticks. SIGTERM ends it cleanly."""
    one, two = tmp_path / "one.log", tmp_path / "two.log"
    with real_scheduler(settings, one) as first:
        wait_until(lambda: said(one, "leads") == 1, 30)
        with real_scheduler(settings, two) as spare:
            wait_until(lambda: said(two, "waits") == 1, 30)
            assert len(holders(process)) == 1
            first.kill()
            first.wait(10)
            redis.flushdb()
            wait_until(lambda: said(two, "leads") == 1, 10)
            wait_until(lambda: [process.crm_id] in asked(redis, "reap"), 10)
            assert len(holders(process)) == 1
            spare.send_signal(signal.SIGTERM)
            assert spare.wait(30) == 0
    assert holders(process) == []


@pytest.mark.once
def test_a_leader_whose_connection_dies_stops_and_may_lead_again(
    process: World, settings: Settings, tmp_path: Path
) -> None:
    """Planted: `held` that does not ask the connection; two would lead, and this one never said it lost."""
    log = tmp_path / "log"
    with real_scheduler(settings, log) as running:
        wait_until(lambda: said(log, "leads") == 1, 30)
        (backend,) = holders(process)
        with process.app.shared() as session:
            session.execute(text("select pg_terminate_backend(:pid)"), {"pid": backend})
        wait_until(lambda: said(log, "lost the lead") == 1, 10)
        wait_until(lambda: said(log, "leads") == 2, 10)
        assert len(holders(process)) == 1
        assert running.poll() is None
