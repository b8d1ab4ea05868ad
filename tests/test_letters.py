"""A database whose locale does not know capitals is refused, and told of: SQL and Python would disagree."""

from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest
from ground import Database, Ground, drop
from shell import Shell
from sqlalchemy import create_engine
from test_health import owner
from world import World

import migrations
from segmentation.evaluate import _folded
from wiring.app import App
from wiring.health import ready
from wiring.letters import CAPITALS, wrong_letters
from wiring.settings import Settings

NAME = "letters_of_c"


@pytest.fixture
def of_c(ground: Ground, worker: str) -> Iterator[Database]:
    """An empty database as somebody's own server may have it: the locale "C"."""
    name = f"{NAME}_{worker}"
    with ground.postgres.superuser() as connection:
        _make(connection, name)
        yield ground.postgres.database(name)
        drop(connection, name)


def _make(connection: psycopg.Connection, name: str) -> None:
    made = "template template0 owner ringeliste_owner encoding 'UTF8' locale_provider libc locale 'C'"
    connection.execute(f'create database "{name}" {made}'.encode())


def test_our_servers_know_the_letters_that_rules_know(world: World) -> None:
    with world.app.engine.connect() as connection:
        assert wrong_letters(connection) == ""
    assert _folded(CAPITALS) == CAPITALS.lower()


def test_the_locale_c_is_found_out(of_c: Database) -> None:
    """Planted: looking at A to Z only; seen to fail."""
    engine = create_engine(of_c.owner_url)
    with engine.connect() as connection:
        said = wrong_letters(connection)
    engine.dispose()
    assert "does not know ÅÄÖ" in said
    assert "template0 encoding 'UTF8' locale 'C.UTF-8'" in said


def test_no_schema_is_laid_in_it(of_c: Database, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen to fail: it was migrated without a word."""
    shell = Shell(world, monkeypatch)
    monkeypatch.setenv("DATABASE_URL", of_c.url)
    monkeypatch.setenv("DATABASE_OWNER_URL", of_c.owner_url)
    said = shell.run("db", "upgrade", "--dry-run")
    assert said.code != 0
    assert "does not know ÅÄÖ" in said.err
    assert shell.run("db", "upgrade").code == said.code
    with owner(of_c) as connection:
        found = connection.execute("select to_regclass('alembic_version') is null").fetchone()
    assert found == (True,)


def test_who_is_in_one_already_is_told(of_c: Database, settings: Settings) -> None:
    migrations.upgrade(of_c.owner_url)
    app = App(replace(settings, database_url=of_c.url))
    found = ready(app)
    app.close()
    assert (found.ready, found.verdict, found.parts["letters"].verdict) == (True, "degraded", "degraded")
