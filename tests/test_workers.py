"""Workers: ids in, nothing lost with Redis, and what comes twice is done once."""

import inspect
import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, get_args

import psutil
import pytest
import structlog
from dramatiq import Worker
from dramatiq.middleware import Shutdown
from dramatiq.worker import _WorkerMiddleware
from ground import OwnRedis
from redis import Redis
from sqlalchemy import text
from world import NOON, World, wait_until

from models.errors import Conflict, NotFound, Unavailable
from models.work import Hint, HintKind
from wiring.app import app
from wiring.clock import Clock, ClockBase, set_clock, wall_now
from wiring.hints import install_publisher
from wiring.settings import Settings
from workers import quiet
from workers.allocate import allocate
from workers.broker import NAMESPACE, QueueAway, broker
from workers.catalogue import DUTIES
from workers.duty import duty
from workers.middleware import ASKED_MILLISECONDS, asked_key
from workers.sending import ACTORS, NEWS, NEWS_CHANNEL, ask, connect, send_hint

NUMBER = "+351912345678"


@pytest.fixture
def process(settings: Settings, world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """This process as a worker sees itself: application, queue and publisher from the environment."""
    for name, value in environment(settings).items():
        monkeypatch.setenv(name, value)
    app.cache_clear()
    connect(settings)
    yield world
    install_publisher(None)
    app().close()
    app.cache_clear()
    broker.connected = False


def environment(settings: Settings) -> dict[str, str]:
    return {
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "RINGELISTE_DATA": str(settings.data),
        "RINGELISTE_LOG": "json",
    }


@contextmanager
def working(threads: int = 2) -> Iterator[None]:
    """A worker in this process."""
    worker = Worker(broker, worker_timeout=50, worker_threads=threads)
    worker.start()
    try:
        yield
    finally:
        worker.stop(timeout=10_000)
        broker.middleware = [each for each in broker.middleware if not isinstance(each, _WorkerMiddleware)]


@contextmanager
def declared(work: Callable[..., object], **options: Any) -> Iterator[Any]:
    """A duty of the test's own."""
    actor = duty("of_the_test", **options)(work)
    try:
        yield actor
    finally:
        del broker.actors["of_the_test"]


def messages(redis: "Redis", queue: str = "quick") -> list[dict[str, Any]]:
    return [json.loads(body) for body in redis.hvals(f"{NAMESPACE}:{queue}.msgs")]


def live_leases(world: World) -> int:
    with world.work() as work:
        return work.session.scalar(text("select count(*) from lease where ended_at is null")) or 0


# Asking


def test_every_kind_of_hint_has_somebody_to_hear_it() -> None:
    assert set(get_args(HintKind)) == set(ACTORS) | NEWS


def test_a_committed_hint_becomes_a_message_of_ids_alone(process: World, redis: "Redis") -> None:
    with process.app.work(process.crm_id) as work:
        work.hint("allocate", 7)
        assert messages(redis) == []
    (message,) = messages(redis)
    assert (message["actor_name"], message["args"], message["kwargs"]) == (
        "allocate",
        [process.crm_id, 7],
        {},
    )
    assert set(message["options"]) == {"redis_message_id"}


def test_what_no_actor_serves_is_told_as_news(process: World, redis: "Redis") -> None:
    listener = redis.pubsub(ignore_subscribe_messages=True)  # type: ignore[no-untyped-call]
    listener.subscribe(NEWS_CHANNEL)
    wait_until(lambda: listener.get_message(timeout=0.1) is None)
    send_hint(Hint("recall", 1, 5))
    news = listener.get_message(timeout=10)
    assert json.loads(news["data"]) == {"kind": "recall", "crm_id": 1, "subject": 5}
    listener.close()


def test_the_same_wish_waits_once(process: World, redis: "Redis") -> None:
    """Every outcome hints; while one wish waits the others would find nothing to do."""
    assert [ask(allocate, 1, 7) for _ in range(5)] == [True, False, False, False, False]
    assert ask(allocate, 1, 8)
    assert len(messages(redis)) == 2


def test_a_wish_that_was_begun_may_be_asked_for_again(process: World, redis: "Redis") -> None:
    """What is committed after it began is not lost. Planted: the key deleted at the end; fails."""
    seen: list[bool] = []
    with declared(lambda crm: seen.append(ask(allocate, crm, 7))) as inner, working():
        inner.send(1)
        wait_until(lambda: bool(seen))
    assert seen == [True]

    again: list[bool] = []

    def ask_for_myself(crm: int) -> None:
        if not again:
            again.append(ask(broker.get_actor("of_the_test"), crm))

    with declared(ask_for_myself) as inner, working():
        ask(inner, 1)
        wait_until(lambda: bool(again))
        broker.join("quick", timeout=10_000)
    assert again == [True]


def test_a_wish_whose_message_was_lost_is_forgotten(process: World, redis: "Redis") -> None:
    ask(allocate, 1, 7)
    left: int = redis.pttl(asked_key("allocate", (1, 7)))
    assert 0 < left <= ASKED_MILLISECONDS


# Duties


def test_a_message_that_comes_three_times_leases_once(process: World) -> None:
    """A seller's list is two deep, however often it is filled. Real verbs, two threads at once."""
    assignment = open_for_business(process)
    with working():
        for _ in range(3):
            allocate.send(process.crm_id, assignment)
        wait_until(lambda: live_leases(process) > 0)
        broker.join("quick", timeout=20_000)
    assert live_leases(process) == 2


def open_for_business(world: World) -> int:
    """An assignment at noon, with customers and one seller who is available."""
    with world.app.shared() as session:
        set_clock(session, NOON, 0)
    app().clock = Clock(lambda: ClockBase(NOON, wall_now(), 0.0))
    assignment = world.assignment()
    world.customers(10, assignment)
    world.seller(assignment)
    return assignment


@pytest.mark.parametrize("error", [Unavailable("PostgreSQL is starting"), Conflict("somebody was first")])
def test_a_bad_moment_is_tried_again_where_no_tick_would(
    process: World, redis: "Redis", error: Exception
) -> None:
    tries: list[int] = []

    def twice(crm: int) -> None:
        tries.append(crm)
        if len(tries) < 2:
            raise error

    with declared(twice, retried=True) as actor, working():
        actor.send(1)
        wait_until(lambda: len(tries) == 2)
        broker.join("quick", timeout=10_000)


def test_a_bad_moment_of_a_tick_is_a_line_in_the_log(process: World, redis: "Redis") -> None:
    def never() -> None:
        raise Unavailable("PostgreSQL is starting")

    with declared(never) as actor, structlog.testing.capture_logs() as lines:
        actor()
    assert [line["event"] for line in lines] == ["a bad moment"]


def test_what_is_gone_is_done(process: World) -> None:
    def gone() -> None:
        raise NotFound("assignment", 7)

    with declared(gone, retried=True) as actor:
        actor()


def test_a_worker_that_stops_puts_a_long_duty_back(process: World, redis: "Redis") -> None:
    def long() -> None:
        raise Shutdown

    with declared(long, retried=True) as actor, working():
        actor.send()
        wait_until(lambda: bool(messages(redis, "quick.DQ")))
    redis.flushdb()


def test_a_message_tried_again_names_no_number(process: World, redis: "Redis") -> None:
    """dramatiq adds the traceback to what it sends again. Planted: without IdsOnly the number is in Redis."""

    def fail(_crm: int) -> None:
        raise ValueError(f"{NUMBER} is taken")

    with declared(fail, min_backoff=60_000) as actor, working():
        actor.send(1)
        wait_until(lambda: bool(messages(redis, "quick.DQ")))
        kept = redis.hgetall(f"{NAMESPACE}:quick.DQ.msgs")
    assert b"912345678" not in repr(kept).encode()
    assert b"Traceback" not in repr(kept).encode()
    redis.flushdb()


def test_lines_of_a_task_say_which(process: World) -> None:
    """Planted: the CRM alone, as it had been; fails."""
    seen: list[dict[str, Any]] = []

    def look(crm_id: int, assignment_id: int) -> None:
        seen.append({**structlog.contextvars.get_contextvars(), "given": (crm_id, assignment_id)})

    with declared(look) as actor, working(1):
        message = actor.send(42, 7)
        wait_until(lambda: bool(seen))
    said = {"task": message.message_id, "actor": "of_the_test", "crm": 42, "assignment": 7}
    assert seen == [{**said, "given": (42, 7)}]


def test_the_ids_of_every_duty_have_names() -> None:
    """The names are those of the duty's own parameters. Planted: the wrapper's `args`; fails."""
    named = {actor.actor_name: tuple(inspect.signature(actor.fn).parameters) for actor in DUTIES}
    assert named["allocate"] == ("crm_id", "assignment_id")
    assert named["inbox"] == ("crm_id", "dialer_id")
    assert all(names[:1] == ("crm_id",) for name, names in named.items() if name != "partitions")


def test_a_finished_task_is_one_line(process: World) -> None:
    def fail(crm_id: int) -> None:
        if crm_id == 2:
            raise ValueError("broken")

    def told(lines: list[Any]) -> list[Any]:
        return [line for line in lines if line["event"] == "task"]

    with (
        structlog.testing.capture_logs([structlog.contextvars.merge_contextvars]) as lines,
        declared(fail, max_retries=0) as actor,
        working(1),
    ):
        good, bad = actor.send(1), actor.send(2)
        wait_until(lambda: len(told(lines)) == 2)
    assert [(line["task"], line["actor"], line["crm"], line["end"]) for line in told(lines)] == [
        (good.message_id, "of_the_test", 1, "done"),
        (bad.message_id, "of_the_test", 2, "ValueError"),
    ]
    assert all(line["log_level"] == "info" and line["ms"] >= 0 for line in told(lines))


def test_every_duty_is_loaded_by_a_worker() -> None:
    """A file of an actor that nobody imports would be silent. Planted: one left out of the list; fails."""
    folder = Path(__file__).parents[1] / "workers"
    files = {file.stem for file in folder.glob("*.py") if "@duty(" in file.read_text(encoding="utf-8")}
    assert files == {actor.actor_name for actor in DUTIES}


# Redis burns


def test_nothing_is_sent_before_anybody_said_where(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker, "connected", False)  # whatever ran before in this process
    with pytest.raises(RuntimeError, match="connect"):
        allocate.send(1, 1)


def test_redis_away_is_one_kind_of_error(process: World, settings: Settings) -> None:
    broker.connect(Redis.from_url("redis://127.0.0.1:1/0"))
    with pytest.raises(QueueAway):
        ask(allocate, 1, 1)
    with pytest.raises(QueueAway):
        allocate.send(1, 1)


@pytest.mark.once
def test_a_worker_lives_through_the_death_of_redis(process: World, own_redis: OwnRedis) -> None:
    """Killed, gone for a while, back and empty: the next wish is done, also with a retry in the air."""
    own_redis.start()
    with Redis.from_url(own_redis.url) as client:
        broker.connect(client)
        done: list[int] = []

        def note(n: int) -> None:
            done.append(n)
            if n == 0:
                raise ValueError("tried again in a minute")

        with declared(note, min_backoff=60_000) as actor, working():
            actor.send(0)
            wait_until(lambda: bool(messages(client, "quick.DQ")))
            actor.send(1)
            wait_until(lambda: 1 in done)
            own_redis.kill()
            wait_until(lambda: cannot(actor.send, 2))
            own_redis.start()
            client.flushall()
            wait_until(lambda: not cannot(actor.send, 3))
            wait_until(lambda: 3 in done, 30)


@pytest.mark.once
def test_a_worker_lives_through_a_redis_that_is_full(
    process: World, own_redis: OwnRedis, caplog: pytest.LogCaptureFixture
) -> None:
    """Planted: Redis' own errors let through; the thread that keeps retries died and none came any more."""
    own_redis.start()
    with Redis.from_url(own_redis.url) as client:
        broker.connect(client)
        done: list[int] = []

        def note(n: int) -> None:
            done.append(n)
            if n == 0 or done.count(n) == 1:
                raise ValueError("try again")

        with declared(note) as actor, working():
            actor.send_with_options(args=(0,), min_backoff=60_000)
            wait_until(lambda: bool(messages(client, "quick.DQ")))
            client.config_set("maxmemory", 1)
            wait_until(lambda: complained(caplog, "quick.DQ"), 20)
            client.config_set("maxmemory", 0)
            wait_until(lambda: not cannot(actor.send, 1))
            wait_until(lambda: done.count(1) == 2, 30)


def complained(caplog: pytest.LogCaptureFixture, queue: str) -> bool:
    return any(f"ConsumerThread({queue})" in record.name for record in caplog.records if record.levelno >= 50)


def cannot(send: Callable[[int], object], n: int) -> bool:
    try:
        send(n)
    except QueueAway:
        return True
    return False


def test_a_long_outage_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(quiet, "monotonic", lambda: now)
    seldom = quiet.Seldom()

    def written(name: str, text: str = "Redis is away") -> bool:
        return seldom.filter(logging.makeLogRecord({"name": name, "msg": text}))

    consumer = "dramatiq.worker.ConsumerThread(quick)"
    assert [written(consumer), written(consumer), written(consumer, "another")] == [True, False, True]
    assert [written("dramatiq.worker.WorkerThread"), written("dramatiq.worker.WorkerThread")] == [True, True]
    now += quiet.SAID_AGAIN_SECONDS
    assert written(consumer)


# Real processes


@contextmanager
def real_worker(settings: Settings, log: Path, **more: str) -> Iterator[subprocess.Popen[bytes]]:
    """`dramatiq workers.main` as the Procfile starts it, one process of two threads."""
    command = [sys.executable, "-m", "dramatiq", "workers.main", "--processes", "1", "--threads", "2"]
    env = {**os.environ, **environment(settings), **more}
    with log.open("wb") as out, subprocess.Popen(command, env=env, stdout=out, stderr=out) as running:
        try:
            yield running
        finally:
            kill_all(running)


def kill_all(running: subprocess.Popen[bytes]) -> None:
    """kill -9, the parent and its processes."""
    if running.poll() is None:
        family = [psutil.Process(running.pid), *psutil.Process(running.pid).children(recursive=True)]
        for process in family:
            process.kill()
        running.wait(10)


@pytest.mark.once
def test_a_killed_worker_s_successor_goes_on(process: World, settings: Settings, tmp_path: Path) -> None:
    """kill -9 of every process of the worker; what is asked meanwhile is done by the next one."""
    assignment = open_for_business(process)
    with real_worker(settings, tmp_path / "first.log") as first:
        ask(allocate, process.crm_id, assignment)
        wait_until(lambda: live_leases(process) == 2, 30)
        kill_all(first)
    process.seller(assignment)
    ask(allocate, process.crm_id, assignment)
    with real_worker(settings, tmp_path / "second.log") as second:
        wait_until(lambda: live_leases(process) == 4, 30)
        second.send_signal(signal.SIGTERM)
        assert second.wait(30) == 0


def test_a_worker_with_wrong_settings_names_them_and_ends(settings: Settings, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with real_worker(settings, log, RINGELISTE_WEB_PROT="1", RINGELISTE_POOL_SIZE="x") as running:
        assert running.wait(30) != 0
    written = log.read_text()
    assert "did you mean RINGELISTE_WEB_PORT?" in written
    assert "'x' is not a whole number" in written
    assert "Traceback" not in written
