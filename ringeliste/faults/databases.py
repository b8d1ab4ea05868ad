"""A database a seed: the small world is built once, and each seed plays in a copy of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any, Self

import psycopg
from psycopg import sql
from sqlalchemy import Engine, event
from sqlalchemy.engine import make_url

from ringeliste.faults.world import World, build
from wiring.app import App
from wiring.database import make_engine
from wiring.settings import Settings

CUSTOMERS, SELLERS = 300, 4

# Each statement is planned once: the plan is the same in each copy, and the planner's time is saved.
_PLANS = "-c plan_cache_mode=force_generic_plan"


@dataclass(frozen=True)
class Databases:
    """The template that holds `world`, and who may copy it."""

    superuser: psycopg.Connection
    settings: Settings
    template: str
    world: World

    @classmethod
    def build(
        cls, superuser: psycopg.Connection, settings: Settings, *, customers: int = CUSTOMERS,
        sellers: int = SELLERS,
    ) -> Self:  # fmt: skip
        """Build the small world in the empty database of `settings`, to be copied from now on."""
        app = App(settings, dice=Random(1))  # noqa: S311 - the same world each time
        try:
            with TemporaryDirectory() as folder:
                world = build(app, Path(folder), customers=customers, sellers=sellers)
        finally:
            app.close()
        return cls(superuser, settings, str(make_url(settings.database_url).database), world)

    @contextmanager
    def copy(self, name: str) -> Iterator[tuple[Settings, Engine]]:
        """A copy named `name`, made anew, and removed afterwards."""
        self._drop(name)
        template = sql.SQL(" template {} owner ringeliste_owner strategy file_copy")
        self.superuser.execute(
            sql.SQL("create database {}").format(sql.Identifier(name))
            + template.format(sql.Identifier(self.template))
        )
        try:
            with self._opened(name) as opened:
                yield opened
        finally:
            self._drop(name)

    @contextmanager
    def itself(self) -> Iterator[tuple[Settings, Engine]]:
        """The world itself, to be played once and looked at afterwards."""
        with self._opened(self.template) as opened:
            yield opened

    @contextmanager
    def _opened(self, name: str) -> Iterator[tuple[Settings, Engine]]:
        # How busy the machine is must be no fault of a seed.
        settings = replace(
            self.settings, database_url=self._url(name),
            statement_seconds=3600, lock_seconds=600, transaction_seconds=3600,
        )  # fmt: skip
        engine = _engine(settings)
        try:
            yield settings, engine
        finally:
            engine.dispose()

    def _drop(self, name: str) -> None:
        self.superuser.execute(
            sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name))
        )

    def _url(self, name: str) -> str:
        url = make_url(self.settings.database_url).set(database=name)
        return url.update_query_dict({"options": _PLANS}).render_as_string(hide_password=False)


def _engine(settings: Settings) -> Engine:
    engine = make_engine(settings, ping=False)

    @event.listens_for(engine, "connect")
    def prepare_soon(connection: Any, _record: Any) -> None:
        connection.prepare_threshold = 1

    return engine
