"""The unit of work: behind the wall, committed before its hints, and PostgreSQL's no in our words."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import pytest
from ground import Database
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, IntegrityError, ProgrammingError
from world import NOON, World, new_app, wait_until

from models.errors import BadSettings, Conflict, RingelisteError, Unavailable
from models.ids import instant_of
from models.work import Hint
from wiring import hints
from wiring.app import App
from wiring.failures import translating
from wiring.hints import install_publisher
from wiring.locks import SessionLock
from wiring.metrics import REGISTRY
from wiring.settings import Settings


@pytest.fixture
def published() -> Iterator[list[Hint]]:
    """What a publisher was told."""
    told: list[Hint] = []
    install_publisher(told.append)
    yield told
    install_publisher(None)


def failed_hints() -> float:
    return sum(
        sample.value
        for metric in REGISTRY.collect()
        for sample in metric.samples
        if sample.name == "ringeliste_hints_failed_total"
    )


# The session


def test_every_session_works_as_the_app_behind_the_wall(world: World) -> None:
    with world.work() as work:
        row = work.run(
            text(
                """
                select current_user, current_setting('app.crm_id'), current_setting('timezone'),
                       current_setting('jit'), current_setting('transaction_isolation')
                """
            )
        ).one()
    assert tuple(row) == ("ringeliste_app", str(world.crm_id), "UTC", "off", "read committed")


def test_a_session_gives_up_in_time(settings: Settings) -> None:
    app = App(replace(settings, statement_seconds=7, lock_seconds=3, transaction_seconds=11))
    names = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
    with app.shared() as session:
        found = [session.scalar(text("select current_setting(:name)"), {"name": name}) for name in names]
        newer = session.scalar(text("select current_setting('server_version_num')::int")) >= 170_000
        if newer:
            assert session.scalar(text("select current_setting('transaction_timeout')")) == "11s"
    assert found == ["7s", "3s", "7s"]
    app.close()


def test_who_only_reads_may_take_longer_and_writes_nothing(settings: Settings, database: Database) -> None:
    """A column cache of 10 million takes minutes to load. Planted: seen to be ended."""
    app = App(replace(settings, database_url=database.url, statement_seconds=1, transaction_seconds=1))
    world = World(app)
    with world.work() as work:
        work.read_long()
        work.run(text("select pg_sleep(1.2)"))
        assert work.run(text("select 1")).scalar() == 1
        idle = text("select current_setting('idle_in_transaction_session_timeout')")
        assert work.run(idle).scalar() == "0"  # it may think between two questions
    with world.work() as work:
        work.read_long()
        with pytest.raises(Unavailable, match="takes no writes"), translating():
            work.run(text("update customer set name = name"))
        work.session.rollback()
    with world.work() as work:
        work.run(text("update customer set name = name"))  # the next one may write, and not for long
        assert work.run(text("select current_setting('statement_timeout')")).scalar() == "1s"
    app.close()


def test_whoever_logs_in_works_as_the_app(settings: Settings, database: Database) -> None:
    """Also a superuser, whom PostgreSQL would not hold behind a wall. Planted: no role set; fails."""
    superuser = make_url(database.url).set(username="postgres").render_as_string(hide_password=False)
    app = new_app(replace(settings, database_url=superuser))
    world = World(app)
    world.seller()
    with app.shared() as session:
        assert session.scalar(text("select current_user")) == "ringeliste_app"
        assert session.scalar(text("select count(*) from seller")) == 0
    app.close()


def test_outside_a_crm_nothing_of_any_crm_is_seen(world: World) -> None:
    world.seller()
    with world.work() as work:
        assert work.session.scalar(text("select count(*) from seller")) == 1
    with world.app.shared() as session:
        assert session.scalar(text("select count(*) from seller")) == 0
    with world.neighbour().work() as work:
        assert work.session.scalar(text("select count(*) from seller")) == 0


def test_the_wall_is_forgotten_with_the_transaction(settings: Settings) -> None:
    """The next user of the same connection is in no CRM. Planted: `set` without `local`; fails."""
    app = App(replace(settings, pool_size=2))
    world = World(app)
    world.seller()
    for _ in range(4):
        with world.work():
            pass
        with app.shared() as session:
            assert session.scalar(text("select count(*) from seller")) == 0
    app.close()


def test_crms_are_listed_by_id(world: World) -> None:
    neighbour = world.neighbour()
    assert world.app.crms() == [world.crm_id, neighbour.crm_id]


def test_ids_carry_the_business_time(world: World) -> None:
    with world.work(now=NOON) as work:
        assert instant_of(work.new_id(work.now)) == NOON


def test_no_database_is_said_clearly(tmp_path: object) -> None:
    with pytest.raises(BadSettings, match="ringeliste up"):
        App(Settings())


# Hints


def test_hints_are_published_after_the_commit(world: World) -> None:
    """The publisher already sees the row. Planted: published inside the transaction; fails."""
    seen: list[int] = []

    def look(_hint: Hint) -> None:
        with world.app.work(world.crm_id, now=NOON) as other:
            seen.append(other.session.scalar(text("select count(*) from field")) or 0)

    install_publisher(look)
    try:
        with world.work() as work:
            work.run(text("insert into field values (:crm_id, 'age', 'number', 'Age', 1)"))
            work.hint("allocate", 7)
            work.hint("allocate", 7)
    finally:
        install_publisher(None)
    assert seen == [1]


def test_what_is_rolled_back_publishes_nothing(world: World, published: list[Hint]) -> None:
    with pytest.raises(DBAPIError):
        hint_and_run(world, "select 1 / 0")
    assert published == []
    with world.work() as work:
        assert work.session.scalar(text("select count(*) from field")) == 0


def test_a_commit_that_fails_publishes_nothing(world: World, published: list[Hint]) -> None:
    """A constraint that is checked at the commit is the last that can go wrong."""
    with pytest.raises(DBAPIError):
        hint_and_run(
            world,
            "create temp table twice (n int unique deferrable initially deferred) on commit drop",
            "insert into twice values (1), (1)",
        )
    assert published == []


def hint_and_run(world: World, *statements: str) -> None:
    with world.work() as work:
        work.run(text("insert into field values (:crm_id, 'age', 'number', 'Age', 1)"))
        work.hint("allocate", 7)
        for statement in statements:
            work.run(text(statement))


def test_a_failed_send_is_counted_and_never_raised(world: World) -> None:
    def fail(_hint: Hint) -> None:
        raise ConnectionError("Redis is away")

    before = failed_hints()
    install_publisher(fail)
    try:
        with world.work() as work:
            work.hint("allocate", 1)
            work.hint("rebuild", 2)
    finally:
        install_publisher(None)
    assert failed_hints() == before + 2


def test_after_a_failed_send_others_do_not_wait_for_a_silent_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    """One try a second: a hundred commits would else wait for a hundred time-outs. Then it is tried anew."""
    now, tries = 100.0, 0

    def fail(_hint: Hint) -> None:
        nonlocal tries
        tries += 1
        raise TimeoutError

    monkeypatch.setattr(hints, "monotonic", lambda: now)
    install_publisher(fail)
    before = failed_hints()
    try:
        hints.publish([Hint("allocate", 1, n) for n in range(50)])
        assert (tries, failed_hints()) == (1, before + 50)
        now += hints.REST_SECONDS
        hints.publish([Hint("allocate", 1, 1)])
        assert tries == 2
    finally:
        install_publisher(None)


def test_each_work_of_an_opener_publishes_its_own(world: World, published: list[Hint]) -> None:
    open_work = world.app.opener(world.crm_id, now=NOON)
    for n in (1, 2):
        with open_work() as work:
            work.hint("allocate", n)
        assert len(published) == n


# PostgreSQL's no


def test_two_who_wait_for_each_other_end_in_a_conflict(world: World) -> None:
    for key in ("a", "b"):
        world.field(key)
    update = text("update field set label = 'x' where crm_id = :crm_id and key = :key")
    together = Barrier(2)

    def both(first: str, second: str) -> str:
        try:
            with world.app.work(world.crm_id, now=NOON) as work:
                work.run(update, key=first)
                together.wait(10)
                work.run(update, key=second)
        except Conflict as conflict:
            return str(conflict.data["sqlstate"])
        return "committed"

    with ThreadPoolExecutor(2) as pool:
        ends = sorted(pool.map(both, "ab", "ba"))
    assert ends == ["40P01", "committed"]


@pytest.mark.parametrize(
    ("doing", "sqlstate", "kind"),
    [
        (["set local statement_timeout = '1ms'", "select pg_sleep(5)"], "57014", Unavailable),
        (["set local lock_timeout = '1ms'", "select pg_advisory_xact_lock(42)"], "55P03", Unavailable),
        (["set local transaction_read_only = on", "delete from hold"], "25006", Unavailable),
        (["do $$ begin raise sqlstate '40001'; end $$"], "40001", Conflict),
        (["do $$ begin raise sqlstate '53300'; end $$"], "53300", Unavailable),
        (["do $$ begin raise sqlstate '57P03'; end $$"], "57P03", Unavailable),
    ],
)
def test_each_state_has_its_word(
    world: World, doing: list[str], sqlstate: str, kind: type[RingelisteError]
) -> None:
    with world.app.shared() as holder:
        holder.execute(text("select pg_advisory_xact_lock(42)"))
        with pytest.raises(kind) as caught:
            hint_and_run(world, *doing)
    assert caught.value.data["sqlstate"] == sqlstate
    assert isinstance(caught.value.__cause__, DBAPIError)


@pytest.mark.parametrize("doing", ["select 1 / 0", "insert into field values (:crm_id, 'k', 'x', 'K', 1)"])
def test_a_bug_of_ours_is_seen_as_it_is(world: World, doing: str) -> None:
    with pytest.raises(DBAPIError), world.work() as work:
        work.run(text(doing))


def test_a_lost_connection_is_unavailable_and_the_next_works(world: World) -> None:
    with pytest.raises(Unavailable), world.work() as work:
        work.run(text("select pg_terminate_backend(pg_backend_pid())"))
    with world.work() as work:
        assert work.session.scalar(text("select 1")) == 1


def test_a_server_that_is_not_there_is_unavailable() -> None:
    app = App(Settings(database_url="postgresql+psycopg://nobody@127.0.0.1:1/none"))
    with pytest.raises(Unavailable, match="cannot be reached"):
        app.crms()


def test_a_busy_pool_is_unavailable(settings: Settings) -> None:
    app = App(replace(settings, pool_size=2, lock_seconds=1))
    with app.shared() as one, app.shared() as two:
        one.connection(), two.connection()
        with pytest.raises(Unavailable, match="busy"), app.shared() as three:
            three.connection()
    app.close()


def test_no_number_in_an_error_of_the_database(world: World) -> None:
    """SQLAlchemy would print the parameters. Planted: `hide_parameters` left out; fails."""
    with pytest.raises(ProgrammingError) as caught, world.work() as work:
        work.run(text("select * from nowhere where e164 = :e164"), e164="+351912345678")
    assert "912345678" not in str(caught.value)


def test_the_walls_refuse_a_row_of_another_crm(world: World) -> None:
    with pytest.raises(ProgrammingError, match="row-level security"), world.work() as work:
        work.run(text("insert into field values (:other, 'k', 'number', 'K', 1)"), other=world.crm_id + 1)


def test_constraints_stay_what_they_are(world: World) -> None:
    world.field("age")
    with pytest.raises(IntegrityError), world.work() as work:
        work.run(text("insert into field values (:crm_id, 'age', 'number', 'Age', 1)"))


# The lock of a duty


def test_one_at_a_time_has_the_duty(world: World) -> None:
    first, second = (SessionLock(world.app.engine, 9, 9) for _ in range(2))
    assert first.try_take()
    assert first.held()
    assert not second.try_take()
    assert not second.try_take()
    first.release()
    wait_until(second.try_take)
    second.release()
    assert not second.held()


def test_another_duty_is_another_lock(world: World) -> None:
    first, other = SessionLock(world.app.engine, 9, 9), SessionLock(world.app.engine, 9, 10)
    assert first.try_take()
    assert other.try_take()
    first.release()
    other.release()


def test_who_loses_the_connection_loses_the_duty(world: World, database: Database) -> None:
    first, second = (SessionLock(world.app.engine, 9, 9) for _ in range(2))
    assert first.try_take()
    with world.app.shared() as session:
        holder = session.scalar(text("select pid from pg_locks where locktype = 'advisory' and objid = 9"))
        session.execute(text("select pg_terminate_backend(:pid)"), {"pid": holder})
    wait_until(lambda: not first.held())
    wait_until(second.try_take)
    second.release()
