"""The unit of work that every verb takes: one transaction, in one CRM, at one instant."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Connection, CursorResult, Result, TextClause
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from models.together import ask_together

HintKind = Literal["allocate", "rebuild", "recall", "customer_ready", "lease_taken_away", "inbox"]


@dataclass(frozen=True, slots=True)
class Hint:
    """What may now be worth doing. A lost hint costs a tick, never a customer."""

    kind: HintKind
    crm_id: int
    subject: int | str  # the assignment, rebuild or dialer it is about; a seller for customer_ready and
    # lease_taken_away


Question = tuple[TextClause, Mapping[str, Any]]
"""A statement and its values besides `crm_id` and `now`."""

TRANSACTION_TIMEOUT_SINCE = 170_000
"""The server's version from which on PostgreSQL ends a transaction that takes too long."""

_DRIVER = make_url("postgresql+psycopg://").get_dialect()()


@lru_cache(maxsize=1024)
def _as_sent(statement: TextClause) -> str:
    """The text as the driver takes it, made once: SQLAlchemy's own way there costs as much again."""
    return _squeezed(str(statement.compile(dialect=_DRIVER)))


def _squeezed(sql: str) -> str:
    """Without comments and margins: the driver reads a statement beyond 4,096 characters anew at each call.

    Left as it is where a literal might go over the end of a line.
    """
    lines = [line.strip() for line in sql.splitlines()]
    kept = [line for line in lines if line and not line.startswith("--")]
    return sql if any(line.count("'") % 2 for line in kept) else "\n".join(kept)


def take_your_time(connection: Connection) -> None:
    """Let this transaction last. For those alone that write nothing of any CRM: ticks count on the others."""
    driver: Any = connection.connection.driver_connection
    connection.exec_driver_sql("set local statement_timeout = 0")
    if driver.info.server_version >= TRANSACTION_TIMEOUT_SINCE:
        connection.exec_driver_sql("set local transaction_timeout = 0")


@dataclass(slots=True)
class Work:
    """One transaction in one CRM. `now` is business time (UTC), the same for all its statements.

    Hints are published after the commit, never before. `elsewhere`: the door to another CRM, which
    calling/walls/spreading.py alone goes through; None in a trial.
    """

    session: Session
    crm_id: int
    now: datetime
    new_id: Callable[[datetime], UUID]
    hints: list[Hint] = field(default_factory=list)
    elsewhere: "Callable[[int], OpenWork] | None" = field(default=None, repr=False)
    _connection: Connection | None = field(default=None, init=False, repr=False)

    def run(self, statement: TextClause, **values: Any) -> CursorResult[Any]:
        """Execute SQL with `crm_id` and `now` bound beside `values`."""
        return self._there().exec_driver_sql(_as_sent(statement), self._bound(values))

    def run_together(self, *questions: Question) -> list[Result[Any]]:
        """Execute several that need nothing of each other's answers, in one turn; their rows, in order."""
        return ask_together(
            self._there(), [(_as_sent(statement), self._bound(values)) for statement, values in questions]
        )

    def _there(self) -> Connection:
        if self._connection is None:
            self._connection = self.session.connection()
        return self._connection

    def _bound(self, values: Mapping[str, Any]) -> dict[str, Any]:
        return {"crm_id": self.crm_id, "now": self.now, **values}

    def plan_afresh(self) -> None:
        """Plan each statement of this transaction for the tables as large as they are now.

        For what fills them: a plan kept since they were empty reads all of them for every row.
        """
        self.session.connection().exec_driver_sql("set local plan_cache_mode = force_custom_plan")

    def read_long(self) -> None:
        """Let this transaction read, and think, for as long as it takes. It can write nothing any more.

        A transaction that writes has to end in time: ticks count on it. One that only reads may go on.
        """
        connection = self.session.connection()
        connection.exec_driver_sql("set transaction read only")
        take_your_time(connection)
        connection.exec_driver_sql("set local idle_in_transaction_session_timeout = 0")
        self.plan_afresh()

    def hint(self, kind: HintKind, subject: int | str) -> None:
        """Say what may be worth doing once this work is committed."""
        hint = Hint(kind, self.crm_id, subject)
        if hint not in self.hints:
            self.hints.append(hint)


OpenWork = Callable[[], AbstractContextManager[Work]]
"""Opens the next transaction of a verb that needs several; each commits before the next begins."""
