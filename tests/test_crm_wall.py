"""P7, walls: nothing of one CRM is visible or movable from another, and the database enforces it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from catalogue import row_of
from ground import Database, Ground
from sqlalchemy import Connection, Engine, Executable, create_engine, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.pool import StaticPool

from models.tables import SHARED, TENANT, Base
from wiring.app import enter_crm

ROOT = Path(__file__).parent.parent
PACKAGES = (
    "ringeliste", "benchmarks", "web", "scheduler", "workers", "wiring", "calling", "dialer_adapter",
    "segmentation", "models", "migrations",
)  # fmt: skip
OURS, THEIRS = 1, 2
TABLES = [Base.metadata.tables[mapped.__tablename__] for mapped in TENANT]
NAMES = sorted(table.name for table in TABLES)
APPEND_ONLY = {
    "attempt", "customer_edit", "dialer_cause_change", "pause", "presence_change", "register_wall",
    "rule_set", "segment_event", "segment_move", "suppression", "tag_taken",
}  # fmt: skip


@pytest.fixture
def owner(database: Database) -> Iterator[Engine]:
    engine = create_engine(database.owner_url)
    yield engine
    engine.dispose()


@pytest.fixture
def app(database: Database, ground: Ground) -> Iterator[Engine]:
    """The application's login on a database in which every tenant table has a row of ours and one of theirs.

    One connection, so that what one transaction leaves behind would show in the next.
    """
    superuser = create_engine(database.owner_url.replace("ringeliste_owner", "postgres"))
    with superuser.begin() as connection:
        connection.execute(text("set local session_replication_role = replica"))  # no foreign keys
        for table in TABLES:
            connection.execute(table.insert(), [row_of(table, OURS), row_of(table, THEIRS)])
    superuser.dispose()
    engine = create_engine(database.url, poolclass=StaticPool)
    yield engine
    engine.dispose()


def seen(connection: Connection) -> dict[str, list[int]]:
    """The CRMs whose rows show, by table."""
    return {
        table.name: sorted(connection.scalars(text(f"select crm_id from {table.name}"))) for table in TABLES
    }


def refused(engine: Engine, statement: str | Executable) -> str | None:
    """What PostgreSQL says to us when it refuses, None when it does not; nothing stays."""
    with engine.connect() as connection:
        enter_crm(connection, OURS)
        try:
            connection.execute(text(statement) if isinstance(statement, str) else statement)
        except ProgrammingError as error:
            return str(error.orig)
    return None


def test_the_wall_is_never_entered_by_a_function() -> None:
    """In a cluster `set_config` does not reach the shards. Planted in the dry runs, where it had stood."""
    call = "set_" + "config("  # put together, so that this file may be read as well
    ours = [
        path
        for folder in (*PACKAGES, "tests")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in {".py", ".sql"}
    ]
    assert len(ours) > 200
    assert [str(path) for path in ours if call in path.read_text(encoding="utf-8")] == []


def test_every_table_with_a_crm_is_a_tenant_table() -> None:
    """A table that somebody adds is either behind the wall or named as shared."""
    assert {table.name for table in Base.metadata.sorted_tables} == {
        mapped.__tablename__ for mapped in (*SHARED, *TENANT)
    }


def test_every_tenant_table_has_the_wall(owner: Engine) -> None:
    with owner.connect() as connection:
        walled = connection.execute(
            text("""
                select c.relname::text, c.relrowsecurity, c.relforcerowsecurity,
                       array_agg(p.polname::text) = '{wall}', bool_and(p.polpermissive and p.polcmd = '*'),
                       bool_and(pg_get_expr(p.polqual, c.oid) = pg_get_expr(p.polwithcheck, c.oid)),
                       bool_and(pg_get_expr(p.polqual, c.oid) like '(crm_id = %app.crm_id%')
                  from pg_class c left join pg_policy p on p.polrelid = c.oid
                 where c.relname = any(:names)
                 group by c.oid order by c.relname
            """),
            {"names": NAMES},
        ).all()
    assert [tuple(row) for row in walled] == [(name, *[True] * 6) for name in NAMES]


def test_the_crm_comes_first_in_every_index(owner: Engine) -> None:
    with owner.connect() as connection:
        other = connection.scalars(
            text("""
                select i.indexrelid::regclass::text
                  from pg_index i join pg_class c on c.oid = i.indrelid
                  left join pg_attribute a on a.attrelid = c.oid and a.attnum = i.indkey[0]
                 where c.relname = any(:names) and a.attname is distinct from 'crm_id'
            """),
            {"names": NAMES},
        ).all()
        keyed = connection.scalars(
            text("""
                select c.relname::text from pg_index i join pg_class c on c.oid = i.indrelid
                 where c.relname = any(:names) and i.indisprimary order by 1
            """),
            {"names": NAMES},
        ).all()
    assert other == []
    assert keyed == NAMES


def test_the_application_is_nobody_special(owner: Engine) -> None:
    with owner.connect() as connection:
        rights = connection.execute(
            text(
                "select rolsuper, rolbypassrls, rolcreaterole, rolcreatedb from pg_roles where rolname = :app"
            ),
            {"app": "ringeliste_app"},
        ).one()
        owned = connection.scalars(
            text("select relname::text from pg_class where relowner = 'ringeliste_app'::regrole")
        ).all()
    assert tuple(rights) == (False, False, False, False)
    assert owned == []


def test_we_see_our_rows_and_no_others(app: Engine) -> None:
    with app.begin() as connection:
        enter_crm(connection, OURS)
        assert seen(connection) == {name: [OURS] for name in NAMES}
    with app.begin() as connection:
        enter_crm(connection, THEIRS)
        assert seen(connection) == {name: [THEIRS] for name in NAMES}


def test_nothing_shows_outside_every_crm(app: Engine) -> None:
    """Also not after a transaction that was in one: its setting is left behind empty, not unset."""
    with app.begin() as connection:
        assert seen(connection) == {name: [] for name in NAMES}
        enter_crm(connection, OURS)
    with app.begin() as connection:
        assert seen(connection) == {name: [] for name in NAMES}


def test_nothing_can_be_put_into_another_crm(app: Engine) -> None:
    said = {table.name: refused(app, table.insert().values(row_of(table, THEIRS))) for table in TABLES}
    assert {name for name, words in said.items() if "row-level security" not in str(words)} == set()


def test_nothing_can_be_moved_into_another_crm(app: Engine) -> None:
    said = {name: refused(app, f"update {name} set crm_id = {THEIRS}") for name in NAMES}
    assert {name for name, words in said.items() if words is None} == set()


def test_nothing_of_theirs_can_be_changed_or_deleted(app: Engine) -> None:
    changeable = sorted(set(NAMES) - APPEND_ONLY)
    with app.begin() as connection:
        enter_crm(connection, OURS)
        for name in changeable:
            theirs = f"where crm_id = {THEIRS}"
            assert connection.execute(text(f"update {name} set crm_id = crm_id {theirs}")).rowcount == 0
            assert connection.execute(text(f"delete from {name} {theirs}")).rowcount == 0


@pytest.mark.parametrize(
    "statement",
    [
        "update attempt set late = true",
        "delete from attempt",
        "truncate attempt",
        "update rule_set set body = '{}'",
        "delete from rule_set",
        "select * from attempt_default",
        "insert into attempt_default select * from attempt",
        "alter table customer disable row level security",
        "drop policy wall on customer",
        "create table mine (id int)",
        "set role ringeliste_owner",
        "set session_replication_role = replica",
        "truncate customer",
        "insert into crm select * from crm; delete from crm",
    ],
)
def test_the_application_cannot(app: Engine, statement: str) -> None:
    """History is append-only, and the wall cannot be taken down from inside."""
    said = refused(app, statement)
    assert said is not None
    assert "permission denied" in said or "must be owner" in said


def test_a_month_of_attempts_is_behind_the_wall_as_well(app: Engine, owner: Engine) -> None:
    with app.begin() as connection:
        enter_crm(connection, OURS)
        connection.execute(text("select ensure_attempt_month('2026-03-01')"))
    assert "permission denied" in str(refused(app, "select * from attempt_2026_03"))
    with owner.connect() as connection:
        assert connection.scalar(
            text("select relrowsecurity from pg_class where relname = 'attempt_2026_03'")
        )
