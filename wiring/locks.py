"""A duty that one process at a time may have: an advisory lock held by a connection of its own.

Whoever dies loses the lock with its connection, at once. It needs a direct connection to PostgreSQL: behind
a pooler that shares sessions such a lock means nothing.
"""

from collections.abc import Callable

import structlog
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from wiring.failures import translating

log = structlog.get_logger(__name__)

SCHEDULER = (7401, 1)
"""Space and key of the leading scheduler."""

LINKS = 7402
"""Space of the links; the key is the dialer's id."""

# Two numbers: another key space than the turnstiles' single ones.
_TRY = text("select pg_try_advisory_lock(cast(:space as int), cast(:key as int))")
_TAKEN = text("""
    select exists (select from pg_locks
                    where locktype = 'advisory' and objsubid = 2 and granted
                      and classid = cast(:space as oid) and objid = cast(:key as oid)
                      and database = (select oid from pg_database where datname = current_database()))
""")
_ALIVE = text("select 1")


def taken(session: Session, space: int, key: int) -> bool:
    """Whether anybody has a lock now; takes nothing."""
    return bool(session.scalar(_TAKEN, {"space": space, "key": key}))


class SessionLock:
    """One lock, and the connection that holds it. For one thread."""

    def __init__(self, engine: Engine, space: int, key: int) -> None:
        self._engine, self._space, self._key = engine, space, key
        self._connection: Connection | None = None

    def try_take(self) -> bool:
        """Take the lock if nobody has it; the connection stays for the next try. Raises Unavailable."""
        try:
            with translating():
                connection = self._connection or self._connect()
                taken = bool(connection.scalar(_TRY, {"space": self._space, "key": self._key}))
        except BaseException:  # interrupted too: nobody may keep a lock that nobody knows of
            self.release()
            raise
        return taken

    def held(self) -> bool:
        """Ask the connection; once lost the lock has to be taken again."""
        try:
            if self._connection is not None and self._connection.scalar(_ALIVE) == 1:
                return True
        except SQLAlchemyError as error:
            # The answer is that it is lost, whatever took the connection: who asked gives up or tries again.
            self._tell(log.warning, error)
        self.release()
        return False

    def release(self) -> None:
        """Close the connection, and give the lock up with it."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        try:
            connection.close()
        except SQLAlchemyError as error:
            # It broke before it could be closed; PostgreSQL lets the lock go with the session it has lost.
            self._tell(log.info, error)
            connection.invalidate()

    def _tell(self, say: Callable[..., object], error: SQLAlchemyError) -> None:
        why = " ".join(str(getattr(error, "orig", error)).split())
        say("the connection of a lock is gone", space=self._space, key=self._key, why=why)

    def _connect(self) -> Connection:
        connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        connection.detach()  # the pool must not lend it to anybody, nor reset it
        self._connection = connection
        return connection
