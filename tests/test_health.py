"""Health, readiness and metrics: what is down is said, and which part; Redis down is not the end."""

import urllib.request
from dataclasses import replace
from datetime import timedelta
from socket import socket
from uuid import UUID

import psycopg
import pytest
from calls import say, take
from ground import Database
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy.engine import make_url
from world import NOON, World

import migrations
from calling.handout.reaper import reap
from calling.handout.wrapping import hang_up
from models.outcomes import Outcome
from models.tables import Lease
from wiring.app import App
from wiring.clock import Clock, ClockBase, wall_now
from wiring.gauges import DatabaseGauges
from wiring.health import health, ready
from wiring.metrics import REGISTRY, serve_metrics, timed
from wiring.settings import Settings


@pytest.fixture
def noon(world: World) -> World:
    """A world whose business clock stands at noon."""
    world.app.clock = Clock(lambda: ClockBase(NOON, wall_now(), 0.0))
    return world


def owner(database: Database) -> psycopg.Connection:
    url = make_url(database.owner_url)
    return psycopg.connect(
        host=str(url.query["host"]), user=url.username, dbname=url.database, autocommit=True
    )


# Readiness


def test_the_process_is_up() -> None:
    assert health() == {"status": "ok"}


def test_everything_up_is_ready(world: World) -> None:
    found = ready(world.app)
    assert (found.ready, found.verdict) == (True, "ok")
    assert set(found.parts) == {"postgresql", "walls", "migrations", "letters", "redis"}
    assert found.parts["migrations"].detail == migrations.head()
    assert found.as_json()["parts"]["redis"] == {"verdict": "ok", "detail": ""}


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1/0", ""])
def test_without_redis_we_are_degraded_not_unready(settings: Settings, url: str) -> None:
    """Sellers go on. Planted: Redis counted as down; the balancer would take every seller's page away."""
    app = App(replace(settings, redis_url=url))
    found = ready(app)
    assert (found.ready, found.verdict) == (True, "degraded")
    assert found.parts["redis"].verdict == "degraded"
    app.close()


def test_without_postgresql_we_are_unready(settings: Settings) -> None:
    found = ready(App(replace(settings, database_url="postgresql+psycopg://nobody@127.0.0.1:1/none")))
    assert (found.ready, found.verdict) == (False, "down")
    assert "refused" in found.parts["postgresql"].detail


def test_an_older_schema_is_unready(world: World, database: Database) -> None:
    with owner(database) as connection:
        connection.execute("update alembic_version set version_num = '0001'")
    found = ready(world.app)
    assert not found.ready
    assert "ringeliste db upgrade" in found.parts["migrations"].detail


def test_an_empty_database_is_unready(settings: Settings, database: Database) -> None:
    with owner(database) as connection:
        connection.execute("drop table alembic_version")
    app = App(settings)
    assert ready(app).parts["migrations"].verdict == "down"
    app.close()


# Metrics


def samples(registry: CollectorRegistry) -> dict[tuple[str, ...], float]:
    """Every sample by its name and its labels' values, in the order of the labels' names."""
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(generate_latest(registry).decode())
        for sample in family.samples
    }


def test_gauges_of_the_database(noon: World) -> None:
    other = noon.neighbour()
    assignment = noon.assignment()
    noon.customers(1, assignment, state="resting", due_at=NOON - timedelta(minutes=5))
    noon.customers(1, assignment, state="resting", due_at=NOON + timedelta(minutes=5))
    for number, age in enumerate((10, 70)):
        lease(noon, assignment, number, age)
    registry = CollectorRegistry()
    registry.register(DatabaseGauges(noon.app))

    found = samples(registry)
    mine, theirs = str(noon.crm_id), str(other.crm_id)
    assert found["ringeliste_database_up",] == 1
    assert found["ringeliste_leases", mine, "offered"] == 2
    assert found["ringeliste_oldest_lease_seconds", mine] == 70
    assert found["ringeliste_overdue_seconds", mine, "due"] == 300
    assert found["ringeliste_overdue_seconds", mine, "expired_lease"] == 10
    assert found["ringeliste_overdue_seconds", mine, "event"] == 0
    assert found["ringeliste_overdue_seconds", theirs, "due"] == 0
    assert found["ringeliste_oldest_lease_seconds", theirs] == 0


def test_gauges_of_what_comes_after_a_call(noon: World) -> None:
    """The oldest wrap-up, and the calls of which nobody told; a late word clears the latter."""
    noon.customers(2, assignment := noon.assignment())
    ana, bea = noon.seller(assignment), noon.seller(assignment)
    wrapping = take(noon, ana, NOON - timedelta(minutes=9))
    lost = take(noon, bea, NOON - timedelta(hours=1))
    with noon.work(NOON - timedelta(minutes=7)) as work:
        hang_up(work, wrapping.lease_id, ana)
    reap(noon.opener(NOON))
    registry = CollectorRegistry()
    registry.register(DatabaseGauges(noon.app))
    mine, found = str(noon.crm_id), samples(registry)
    assert found["ringeliste_oldest_wrap_up_seconds", mine] == 420
    assert found["ringeliste_unconfirmed_calls", mine] == 1
    for card in (wrapping, lost):
        say(noon, card.lease_id, Outcome.NO_SALE)
    found = samples(registry)
    assert found["ringeliste_oldest_wrap_up_seconds", mine] == 0
    assert found["ringeliste_unconfirmed_calls", mine] == 0


def lease(world: World, assignment: int, number: int, age: int) -> None:
    """An offered lease that is `age` seconds old; an order lives for a minute."""
    expires_at = NOON - timedelta(seconds=age - 60)
    world.add(
        Lease(
            crm_id=world.crm_id,
            id=UUID(int=number + 1),
            assignment_id=assignment,
            customer_id=number,
            segment_id=1,
            rule_version=0,
            seller_id=1,
            state="offered",
            e164="+351910000000",
            zone="Europe/Lisbon",
            offered_at=NOON - timedelta(seconds=age),
            ring_by=expires_at,
            expires_at=expires_at,
        )
    )


def test_a_scrape_without_postgresql_says_so() -> None:
    app = App(Settings(database_url="postgresql+psycopg://nobody@127.0.0.1:1/none"))
    registry = CollectorRegistry()
    registry.register(DatabaseGauges(app))
    assert samples(registry) == {("ringeliste_database_up",): 0}


def test_verbs_are_timed_by_how_they_end() -> None:
    with timed("of_test_health"):
        pass
    with pytest.raises(ZeroDivisionError), timed("of_test_health"):
        _ = 1 / 0
    found = samples(REGISTRY)
    assert found["ringeliste_verb_seconds_count", "done", "of_test_health"] == 1
    assert found["ringeliste_verb_seconds_count", "ZeroDivisionError", "of_test_health"] == 1


def test_the_second_process_takes_the_next_port() -> None:
    with socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        first = taken.getsockname()[1]
        port = serve_metrics(Settings(metrics_port=first))
    assert first < port <= first + 15
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        assert b"ringeliste_verb_seconds" in answer.read()
