"""Jobs that end when they are told to, whatever swallows a cancellation on its way."""

import asyncio
import os
from collections.abc import Callable, Iterable
from time import monotonic
from typing import Any, ParamSpec, TypeVar

import structlog

AGAIN_SECONDS = 0.2
"""Wall time after which a job that goes on is cancelled once more."""

DEADLINE_SECONDS = 120.0
"""Wall time after which a job that goes on ends its process: longer than any transaction may take."""

STUCK = 70
"""Exit code of a process whose job would not end; whoever watches over it starts it again."""

log = structlog.get_logger(__name__)

P = ParamSpec("P")
T = TypeVar("T")


def leave() -> None:
    """End the process at once: its locks go with its connections, and another takes over."""
    os._exit(STUCK)


async def end(
    jobs: Iterable[asyncio.Task[Any]],
    *,
    deadline: float = DEADLINE_SECONDS,
    give_up: Callable[[], None] = leave,
) -> None:
    """Cancel jobs until none of them goes on. Cancelled meanwhile, it still sees them to their end.

    One `cancel` is not enough: asyncio.wait_for of Python 3.11 swallows it when what it waited for came at
    the same moment, and a job that loops goes on, with its dialer's lock in hand.
    """
    pending, cancelled = set(jobs), False
    until = monotonic() + deadline
    while pending := {job for job in pending if not job.done()}:
        if monotonic() > until:
            log.critical("a job does not end; the process does", jobs=sorted(map(repr, pending)))
            give_up()
            return
        for job in pending:
            job.cancel()
        try:
            await asyncio.wait(pending, timeout=AGAIN_SECONDS)
        except asyncio.CancelledError:  # kept for the end: jobs left half way would hold their locks
            cancelled = True
    if cancelled:
        raise asyncio.CancelledError


async def side_by_side(jobs: Iterable[asyncio.Task[Any]], stopping: asyncio.Event) -> None:
    """Until `stopping`, or one of the jobs ends; then all of them end. Raises a group of what they raised."""
    working = list(jobs)
    told = asyncio.create_task(stopping.wait())
    try:
        await asyncio.wait([*working, told], return_when=asyncio.FIRST_COMPLETED)
    finally:
        await end([*working, told])
    errors = [error for job in working if not job.cancelled() and (error := job.exception())]
    if errors:
        raise BaseExceptionGroup("jobs that failed", errors)


async def to_the_end(verb: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a verb in a thread. Cancelled meanwhile, it comes to its end first: no transaction is left."""
    running = asyncio.ensure_future(asyncio.to_thread(verb, *args, **kwargs))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await _see_out(running)
        raise


async def _see_out(running: asyncio.Future[Any]) -> None:
    """Wait for it however often we are cancelled."""
    while not running.done():
        try:
            await asyncio.wait([running])
        except asyncio.CancelledError:  # whoever called us raises the first one when the verb is done
            continue
