"""Lists arrive in PostgreSQL as the driver itself would have sent them."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from psycopg.adapt import PyFormat, Transformer
from psycopg.types.array import ListDumper
from sqlalchemy import Connection, Engine
from world import World

from models.work import _squeezed
from wiring.arrays import PlainListDumper

LISTS = some.one_of(
    some.lists(some.integers(-(2**63), 2**63 - 1)),
    some.lists(some.uuids()),
    some.lists(some.one_of(some.none(), some.integers(-(2**31), 2**31 - 1))),
    some.lists(some.one_of(some.none(), some.uuids())),
    some.lists(some.booleans()),
    some.lists(some.one_of(some.none(), some.datetimes(timezones=some.just(UTC)))),
    some.lists(some.datetimes(timezones=some.timezones())),
    some.lists(some.sampled_from(["Europe/Lisbon", "Etc/GMT+1", "+351910000001", "null", "a,b", "", "ç"])),
    some.lists(some.text(some.characters(blacklist_categories=["Cs"], blacklist_characters="\0"))),
)


@pytest.fixture
def connection(world: World) -> Iterator[Connection]:
    engine: Engine = world.app.engine
    with engine.connect() as connection:
        yield connection


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(sent=LISTS)
def test_a_list_is_written_as_the_driver_writes_it(sent: list[Any]) -> None:
    """Planted: true and false taken for numbers; seen to fail."""
    assert _written(PlainListDumper, sent) == _written(ListDumper, sent)


@pytest.mark.parametrize(
    ("kind", "sent"),
    [
        ("bigint[]", [1, -2, 2**40]),
        ("integer[]", []),
        ("uuid[]", [UUID(int=7), UUID(int=2**127)]),
        ("uuid[]", [UUID(int=7), None]),
        ("boolean[]", [True, False]),
        ("text[]", ["a, b", 'c"d', "null", "", "{}", "\\"]),
        ("timestamptz[]", [datetime(2026, 3, 1, 9, tzinfo=UTC), None]),
    ],
)
def test_a_list_comes_back_as_it_went(connection: Connection, kind: str, sent: list[Any]) -> None:
    """Through the engine that the application uses."""
    assert connection.exec_driver_sql(f"select cast(%(sent)s as {kind})", {"sent": sent}).scalar_one() == sent
    made = connection.connection.driver_connection.adapters.get_dumper(list, "s")  # type: ignore[union-attr]
    assert made is PlainListDumper


def test_a_statement_is_sent_without_its_comments() -> None:
    """But as it stands where a literal goes over the end of a line: nobody cuts into one."""
    assert _squeezed("-- why\nselect 1\n   -- and why\n  , '--x'\n") == "select 1\n, '--x'"
    literal = "select 'one\n   -- two'"
    assert _squeezed(literal) == literal


def _written(kind: type[ListDumper], sent: list[Any]) -> bytes:
    return bytes(kind(list, Transformer()).upgrade(sent, PyFormat.AUTO).dump(sent) or b"")
