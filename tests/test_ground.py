"""The ground itself: every test has its own database, and works in it as the application does."""

import pytest
from ground import OwnRedis
from redis import Redis
from redis.exceptions import ConnectionError as Away
from sqlalchemy import Engine, text
from sqlalchemy.exc import ProgrammingError
from world import NOON, World

from models.work import Hint


def test_a_world_is_ready_to_work_in(world: World, engine: Engine) -> None:
    assignment = world.assignment()
    north = world.segment(assignment, "north")
    customers = world.customers(3, assignment, segment_id=north, fields=lambda i: {"age": 30 + i})
    world.customers(2, assignment, zones=["Atlantic/Azores", "Europe/Lisbon"])
    seller, dialer = world.seller(assignment), world.dialer(assignment)
    with world.work() as work:
        placed = work.run(
            text("select customer_id from placement where crm_id = :crm_id and segment_id = :s"), s=north
        )
        assert sorted(placed.scalars()) == customers
        assert work.now == NOON
        assert work.session.scalar(text("select current_user")) == "ringeliste_app"
    assert seller
    assert dialer
    with engine.connect() as outside:
        assert outside.scalar(text("select count(*) from customer")) == 0


@pytest.mark.parametrize("time", [1, 2])
def test_every_test_finds_its_database_empty(world: World, redis: Redis, time: int) -> None:
    with world.work() as work:
        assert work.session.scalar(text("select count(*) from customer")) == 0
    assert redis.dbsize() == 0
    world.customers(1)
    redis.set("left", "behind")


def test_hints_are_kept_after_the_commit_and_only_then(world: World) -> None:
    with world.work() as work:
        work.hint("allocate", 7)
        assert world.hints == []
    assert world.hints == [Hint("allocate", world.crm_id, 7)]

    def fail() -> None:
        with world.work() as work:
            work.hint("allocate", 8)
            work.run(text("select nothing"))

    with pytest.raises(ProgrammingError):
        fail()
    assert len(world.hints) == 1


def test_a_neighbour_lives_behind_the_wall(world: World) -> None:
    neighbour = world.neighbour()
    theirs = neighbour.customers(2)
    with world.work() as work:
        assert work.session.scalar(text("select count(*) from customer")) == 0
    with neighbour.work() as work:
        assert sorted(work.session.scalars(text("select id from customer"))) == theirs


def test_a_redis_of_ones_own_may_burn(own_redis: OwnRedis, redis: Redis) -> None:
    redis.set("ours", "stays")
    with Redis.from_url(own_redis.url) as client:
        client.flushall()
        own_redis.kill()
        with pytest.raises(Away):
            client.ping()
        own_redis.start()
        assert client.ping()
    assert redis.get("ours") == b"stays"
