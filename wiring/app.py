"""The application put together: one engine, one clock, and the unit of work that every edge opens."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from functools import cache
from random import Random, SystemRandom
from uuid import UUID

from sqlalchemy import Connection, Engine, select
from sqlalchemy.orm import Session, sessionmaker

from models.ids import time_ordered_id
from models.tables import Crm
from models.work import OpenWork, Work
from wiring.clock import Clock, ClockBase, read_base
from wiring.database import make_engine
from wiring.failures import translating
from wiring.hints import install_publisher, publish
from wiring.settings import Settings

__all__ = ["App", "app", "enter_crm", "install_publisher"]

_SNAPSHOT = "set transaction isolation level repeatable read, read only"


def enter_crm(connection: Connection, crm_id: int) -> None:
    """From here to the end of its transaction `connection` is behind the wall of `crm_id`."""
    # SET LOCAL and not the function for it: in a cluster only the former travels to the shards.
    connection.exec_driver_sql(f"set local app.crm_id = {int(crm_id)}")


class App:
    """What a process works with. Making one opens no connection."""

    def __init__(
        self,
        settings: Settings,
        *,
        engine: Engine | None = None,
        clock: Clock | None = None,
        dice: Random | None = None,
    ) -> None:
        self.settings = settings
        self.engine = engine or make_engine(settings)
        self.clock = clock or Clock(self._read_clock)
        self._dice = dice or SystemRandom()  # nobody guesses another's lease
        self._sessions = sessionmaker(self.engine, expire_on_commit=False)

    def now(self) -> datetime:
        """Business time (UTC)."""
        return self.clock.now()

    @contextmanager
    def work(self, crm_id: int, *, now: datetime | None = None, snapshot: bool = False) -> Iterator[Work]:
        """One transaction behind the wall of `crm_id`; commits, then publishes the hints.

        An error rolls back and publishes nothing; nothing is retried. `now` defaults to the clock.
        `snapshot`: it only reads, and all its statements see one instant, so that their figures agree.
        """
        at = now or self.now()
        with translating(), self._sessions.begin() as session:
            if snapshot:
                session.connection().exec_driver_sql(_SNAPSHOT)
            enter_crm(session.connection(), crm_id)
            work = Work(
                session, crm_id, at, self._new_id, elsewhere=lambda other: self.opener(other, now=now)
            )
            yield work
        publish(work.hints)

    def opener(self, crm_id: int, *, now: datetime | None = None) -> OpenWork:
        """For verbs of several transactions. Without `now` each reads the clock anew."""

        def open_work() -> AbstractContextManager[Work]:
            return self.work(crm_id, now=now)

        return open_work

    @contextmanager
    def shared(self) -> Iterator[Session]:
        """One transaction on the shared tables only: it is inside no CRM and sees no customer."""
        with translating(), self._sessions.begin() as session:
            yield session

    def crms(self) -> list[int]:
        """Every CRM, by id: what a tick loops over."""
        with self.shared() as session:
            return list(session.scalars(select(Crm.id).order_by(Crm.id)))

    def close(self) -> None:
        """Give the connections back."""
        self.engine.dispose()

    def _new_id(self, now: datetime) -> UUID:
        return time_ordered_id(now, self._dice)

    def _read_clock(self) -> ClockBase:
        with self.shared() as session:
            return read_base(session)


@cache
def app() -> App:
    """The application of this process, from its environment."""
    return App(Settings.from_env())
