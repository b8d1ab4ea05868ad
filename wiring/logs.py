"""Logs: a JSON object a line in production, coloured lines for people, and never a telephone number."""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO
from uuid import UUID

import structlog
from structlog.contextvars import bound_contextvars, merge_contextvars
from structlog.typing import EventDict, Processor

from wiring.masking import masked_event, masked_line
from wiring.settings import Settings

_LEVELS = {
    # These say at every job, request or statement what our own lines say once and better.
    "apscheduler": logging.ERROR,
    "httpx": logging.WARNING,
    "sqlalchemy": logging.WARNING,
    "alembic": logging.WARNING,
}
_IDS = ("lease", "seller", "kind")
"""What strangers to structlog, such as the simulated dialer, add to a line (`extra`)."""

_OURS_TO_HANDLE = ("uvicorn", "uvicorn.access", "uvicorn.error", "dramatiq", "apscheduler", "sqlalchemy")


def configure(settings: Settings, process: str, *, stream: TextIO | None = None) -> None:
    """Send every log of this process, ours and the libraries', through one formatter to `stream`.

    `process` names it in each line. Safe to repeat: the last call wins. Default stream: standard error.
    """
    shared = _enrichers(process)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder(_IDS)],
            processors=_renderers(_for_people(settings.log, stream)),
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level.upper())
    for name in _OURS_TO_HANDLE:
        theirs = logging.getLogger(name)
        theirs.handlers.clear()
        theirs.propagate = True
    for name, level in _LEVELS.items():
        logging.getLogger(name).setLevel(max(level, root.level))


@contextmanager
def bound(
    *,
    crm: int | None = None,
    assignment: int | None = None,
    lease: UUID | None = None,
    task: str | None = None,
    **more: Any,
) -> Iterator[None]:
    """Every line logged within the block says what it is about; what is None is left as it was."""
    about = {
        "crm": crm,
        "assignment": assignment,
        "lease": str(lease) if lease else None,
        "task": task,
        **more,
    }
    with bound_contextvars(**{key: value for key, value in about.items() if value is not None}):
        yield


def _enrichers(process: str) -> list[Processor]:
    """What each line gets, whoever logged it."""

    def name_process(_logger: Any, _method: str, event: EventDict) -> EventDict:
        event.setdefault("process", process)
        event.setdefault("pid", os.getpid())
        return event

    return [
        merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        name_process,
    ]


def _renderers(for_people: bool) -> list[Processor]:
    """From an event to the line that is written: masked value by value, then once more as text."""
    last: list[Processor]
    if for_people:
        # Plain tracebacks: the coloured ones print local variables, and split numbers with colour codes.
        last = [
            structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback, pad_event_to=40)
        ]
    else:
        last = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(default=str)]
    strip = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    return [strip, structlog.processors.StackInfoRenderer(), masked_event, *last, masked_line]  # type: ignore[list-item]


def _for_people(wish: str, stream: TextIO | None) -> bool:
    """A worker writes into a pipe of its parent: then the process's own standard error decides."""
    if wish != "auto":
        return wish == "console"
    if stream is not None:
        return stream.isatty()
    try:
        return os.isatty(2)
    except OSError:
        return False
