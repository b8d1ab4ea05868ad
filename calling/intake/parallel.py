"""Parsing on several cores: chunks of rows to worker processes and back, in their order."""

import signal
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from multiprocessing import get_context
from os import cpu_count

from calling.intake.columns import Plan
from calling.intake.parsing import Parsed, Parser
from calling.intake.tables import Row
from models.errors import Unavailable

CHUNK = 10_000
"""Rows that travel together, and become one transaction."""

MOST_WORKERS = 2  # more of them only wait for the database

_parser: Parser | None = None


def parse_all(plan: Plan, rows: Iterable[Row], *, parallel: bool) -> Iterator[Parsed]:
    """Every row, parsed, in order; in worker processes where that pays. Raises Unavailable if one dies."""
    chunks = _chunks(rows)
    if not parallel:
        parser = Parser(plan)
        yield from map(parser.parse, chunks)
        return
    workers = min(MOST_WORKERS, cpu_count() or 1)
    # Spawned, not forked: the caller may have threads and connections, which do not survive a fork.
    pool = ProcessPoolExecutor(workers, get_context("spawn"), _begin, (plan,))
    waiting: deque[Future[Parsed]] = deque()
    try:
        for chunk in chunks:
            waiting.append(pool.submit(_parse, chunk))
            if len(waiting) > 2 * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BrokenProcessPool as error:
        raise Unavailable("a process that reads the file has died; import it again, it goes on") from error
    finally:
        pool.shutdown(cancel_futures=True)


def _chunks(rows: Iterable[Row]) -> Iterator[list[Row]]:
    it = iter(rows)
    while chunk := list(islice(it, CHUNK)):
        yield chunk


def _begin(plan: Plan) -> None:
    """In each worker process: an interrupt is for the parent, which then ends it."""
    global _parser
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _parser = Parser(plan)


def _parse(rows: list[Row]) -> Parsed:
    assert _parser is not None  # noqa: S101 - made by _begin
    return _parser.parse(rows)
