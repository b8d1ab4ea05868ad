"""What PostgreSQL says when it says no, in our words: the one place that maps SQLSTATE to our errors."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from models.errors import Conflict, RingelisteError, Unavailable

_CONFLICTS = {
    "40001": "somebody else changed the same rows first",
    "40P01": "two of us waited for each other",
}
_AWAY = {
    "25006": "PostgreSQL takes no writes: a standby",
    "25P03": "the transaction stood idle too long",
    "25P04": "the transaction took too long",
    "55P03": "a lock was not free in time",
    "57014": "the statement took too long",
    "57P01": "PostgreSQL is stopping",
    "57P02": "PostgreSQL is restarting after a crash",
    "57P03": "PostgreSQL is starting",
    "57P05": "the session stood idle too long",
}
_AWAY_CLASSES = {"08": "the connection to PostgreSQL was lost", "53": "PostgreSQL is out of resources"}


def translated(error: DBAPIError) -> RingelisteError | None:
    """Our error for one of PostgreSQL's, or None: then it is a bug of ours and must be seen as it is.

    Its `sqlstate` is None when the connection broke before PostgreSQL could say anything.
    """
    state: str | None = getattr(error.orig, "sqlstate", None)
    if state in _CONFLICTS:
        return Conflict(f"{_CONFLICTS[state]}; try again", sqlstate=state)
    why = _AWAY.get(state or "") or _AWAY_CLASSES.get((state or "")[:2])
    if why is None and error.connection_invalidated:
        why = _AWAY_CLASSES["08"]
    # With a statement and a connection, it is the driver that would not send it: a bug of ours.
    if (
        why is None
        and state is None
        and error.statement is None
        and type(error.orig).__name__ in ("OperationalError", "ConnectionTimeout")
    ):
        why = "PostgreSQL cannot be reached"
    return Unavailable(f"{why}; try again", sqlstate=state) if why else None


def reason(error: BaseException) -> str:
    """One line for operators: our word, and what the library below said."""
    cause = str(getattr(error.__cause__, "orig", None) or error.__cause__ or "").split()
    return f"{error} ({' '.join(cause)})" if cause else str(error)


@contextmanager
def translating() -> Iterator[None]:
    """Errors of PostgreSQL leave the block as ours, where we have a word for them."""
    try:
        yield
    except DBAPIError as error:
        ours = translated(error)
        if ours is None:
            raise
        raise ours from error
    except PoolTimeout as error:
        raise Unavailable("all connections of this process are busy; try again") from error
