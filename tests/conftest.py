"""Fixtures: real servers, a database of its own for every test, and a small world in it."""

import os
import shutil
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import hypothesis
import psycopg
import pytest
from ground import Database, Ground, OwnRedis, create, drop, open_temporary_directory
from installed import InstalledGround, programs_of
from redis import Redis
from sqlalchemy import Engine
from world import World, checked_out, new_app, wait_until

from wiring.settings import Settings

_KEY = pytest.StashKey[Ground]()
_INPUT = "ringeliste_ground"
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_numbers = count(1)


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--postgres 15`: the same tests on a PostgreSQL that is installed."""
    parser.addoption("--postgres", type=int, metavar="MAJOR", help="run on an installed PostgreSQL MAJOR")


def pytest_configure(config: pytest.Config) -> None:
    """Where that PostgreSQL is not installed there is nothing to run: said aloud, and no failure."""
    major = config.getoption("--postgres")
    if major:
        hypothesis.settings.load_profile("again")
    if major and programs_of(major) is None:
        pytest.exit(f"no PostgreSQL {major} is installed: the suite was NOT run on it", returncode=0)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On an installed PostgreSQL only those tests tell something new that have a database of the run's.

    Long ones of the same statements as shorter ones, and those of pages, do not (`once`, `browser`).
    """
    if hasattr(config, "workerinput"):
        for item in items:
            if item.get_closest_marker("alone"):
                item.add_marker(pytest.mark.skip(reason="runs alone: `make test` does, `make chaos`"))
    if config.getoption("--postgres"):
        away = [
            item
            for item in items
            if "database" not in getattr(item, "fixturenames", ())
            or any(item.get_closest_marker(name) for name in ("once", "browser"))
        ]
        config.hook.pytest_deselected(items=away)
        items[:] = [item for item in items if item not in set(away)]


def _ground_of(config: pytest.Config) -> Ground:
    """The run's servers: a worker is told where they are; the main process starts them when first asked."""
    if hasattr(config, "workerinput"):
        return Ground(Path(config.workerinput[_INPUT]))
    if _KEY not in config.stash:
        programs = programs_of(major) if (major := config.getoption("--postgres")) else None
        config.stash[_KEY] = InstalledGround.of(programs) if programs else Ground.lay()
    return config.stash[_KEY]


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell each worker of pytest-xdist where the servers are."""
    node.workerinput[_INPUT] = str(_ground_of(node.config).directory)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Who started the servers stops them."""
    if _KEY in config.stash:
        config.stash[_KEY].clear()


@pytest.fixture(scope="session")
def ground(pytestconfig: pytest.Config) -> Ground:
    """The run's servers."""
    return _ground_of(pytestconfig)


@pytest.fixture(scope="session")
def _superuser(ground: Ground) -> Iterator[psycopg.Connection]:
    with ground.postgres.superuser() as connection:
        yield connection


@pytest.fixture(scope="session")
def worker() -> str:
    """Which worker this is: gw0, gw1, ... or main."""
    return os.environ.get("PYTEST_XDIST_WORKER", "main")


@pytest.fixture
def database(ground: Ground, _superuser: psycopg.Connection, worker: str) -> Iterator[Database]:
    """A fresh, migrated database with nothing in it."""
    name = f"test_{worker}_{next(_numbers)}"
    create(_superuser, name, template="ringeliste")
    yield ground.postgres.database(name)
    drop(_superuser, name)


@pytest.fixture
def redis_url(ground: Ground, worker: str) -> str:
    """A logical Redis database of this worker's own, empty. To burn a whole server take `own_redis`."""
    number = 1 + int(worker.removeprefix("gw")) if worker.startswith("gw") else 0
    url = ground.redis_url(number)
    with Redis.from_url(url) as client:
        client.flushdb()
    return url


@pytest.fixture
def redis(redis_url: str) -> Iterator["Redis"]:
    """A client (bytes in, bytes out) of `redis_url`."""
    with Redis.from_url(redis_url) as client:
        yield client


@pytest.fixture
def open_directory() -> Iterator[Path]:
    """An empty directory that the servers' account may enter as well, unlike `tmp_path`."""
    made = open_temporary_directory()
    yield made
    shutil.rmtree(made)


@pytest.fixture
def own_redis(open_directory: Path) -> Iterator[OwnRedis]:
    """A Redis server for this test alone, to flush, kill and start again."""
    server = OwnRedis(open_directory)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def settings(database: Database, redis_url: str, tmp_path: Path) -> Settings:
    """Settings of this test's own servers; enough connections for a test of many threads."""
    return Settings(
        database_url=database.url,
        database_owner_url=database.owner_url,
        redis_url=redis_url,
        data=tmp_path,
        pool_size=40,
    )


@pytest.fixture
def world(settings: Settings) -> Iterator[World]:
    """An application on this test's database, and in it one CRM in Portugal.

    A request whose caller was cancelled goes on in its thread: it is waited for. A connection that never
    comes back fails its own test here, and not whichever one runs when it is collected as garbage.
    """
    app = new_app(settings)
    yield World(app)
    wait_until(lambda: checked_out(app) == 0)
    app.close()


@pytest.fixture
def engine(world: World) -> Engine:
    """The engine of the application's role on the world's database."""
    return world.app.engine


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of the machine's Chromium. Without one the test is skipped, under CI it fails."""
    found = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if found:
        return found
    message = f"no browser: none of {', '.join(_BROWSERS)} is installed (as root: apt-get install chromium)"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


# A busy machine draws slowly: that is no failure of what is tested.
hypothesis.settings.register_profile("ours", suppress_health_check=[hypothesis.HealthCheck.too_slow])
# The run before drew enough: a quarter of it tells whether another PostgreSQL answers alike.
hypothesis.settings.register_profile("again", hypothesis.settings.get_profile("ours"), max_examples=25)
hypothesis.settings.load_profile("ours")
