"""Several questions to the database in one turn, each a statement of its own; none needs another's answer.

A turn is the way to the server and back, and the waking of both: for a question that an index answers it
costs more than the answer.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from sqlalchemy import Connection, Result
from sqlalchemy.engine import IteratorResult
from sqlalchemy.engine.result import SimpleResultMetaData
from sqlalchemy.exc import DBAPIError


def ask_together(
    connection: Connection, questions: Sequence[tuple[str, Mapping[str, Any]]]
) -> list[Result[Any]]:
    """The answers to `questions`, (SQL as the driver takes it, values), in their order.

    They are executed one after the other: what one waits for, those behind it see. Each has to answer rows.
    Raises SQLAlchemy's DBAPIError for the first that fails; the transaction has failed then.
    """
    driver: Any = connection.connection.driver_connection
    asked = ""
    try:
        with driver.pipeline():
            cursors = []
            for asked, values in questions:
                cursors.append(driver.execute(asked, values))
        return [_answer(cursor) for cursor in cursors]
    except psycopg.Error as error:
        lost = bool(driver.closed)
        if lost:
            connection.invalidate(error)
        raise DBAPIError.instance(
            asked, {}, error, psycopg.Error, hide_parameters=True, connection_invalidated=lost
        ) from error


def _answer(cursor: Any) -> Result[Any]:
    names = [column.name for column in cursor.description]
    return IteratorResult(SimpleResultMetaData(names), iter(cursor.fetchall()))
