"""Waiting in tests: the only place that sleeps, and never without a deadline."""

import asyncio
from collections.abc import Awaitable, Callable
from inspect import iscoroutinefunction
from time import monotonic
from typing import Any

LOOK_SECONDS = 0.02


async def eventually(true: Callable[[], Any], seconds: float = 15.0, why: str = "it never came true") -> Any:
    """Look again until it is true; what it said then. Fails with `why` after so long.

    What is no coroutine function is asked in a thread, since looking may ask the database.
    """
    end = monotonic() + seconds
    while not (said := await true() if iscoroutinefunction(true) else await asyncio.to_thread(true)):
        assert monotonic() < end, f"{why}, within {seconds:g} s"
        await asyncio.sleep(LOOK_SECONDS)
    return said


async def every(seconds: float, act: Callable[[], Awaitable[object]]) -> None:
    """Do it again and again, with a rest between, until cancelled."""
    while True:
        await act()
        await asyncio.sleep(seconds)


async def slowness(seconds: float) -> None:
    """How long a fake of the far side takes to answer."""
    await asyncio.sleep(seconds)


async def turns(count: int = 1) -> None:
    """Let everybody else who can go on do so, so many times."""
    for _ in range(count):
        await asyncio.sleep(0)
