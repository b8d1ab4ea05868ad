"""Run by Alembic: one transaction a migration, behind a lock, never waiting long for a busy table."""

from typing import Any

from alembic import context
from sqlalchemy import create_engine, text

from models.tables import Base

LOCK = 7_401_110  # any number, the same in every release: two upgrades at once take turns


def include_name(name: str | None, kind: str, _parents: Any) -> bool:
    """The month partitions of `attempt` are made as they are needed, not by a migration."""
    return not (kind == "table" and name is not None and name.startswith("attempt_"))


def run() -> None:
    """Upgrade over one connection."""
    engine = create_engine(context.config.attributes["url"])
    with engine.connect() as connection:
        connection.execute(text("select pg_advisory_lock(:lock)"), {"lock": LOCK})
        connection.execute(text("set lock_timeout = '4s'"))
        connection.commit()
        context.configure(
            connection,
            target_metadata=Base.metadata,
            include_name=include_name,
            transaction_per_migration=True,
            compare_server_default=True,
        )
        with context.begin_transaction():
            context.run_migrations()
    engine.dispose()


run()
