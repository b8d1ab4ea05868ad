"""What has just happened, as Redis tells it to this process: a hint, never the truth (P9).

One subscription for everybody who waits here, begun by the first of them. While Redis is away nobody is told
anything, and whoever waits looks for themself.
"""

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from typing import Any

import structlog
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from models.work import Hint
from wiring.redis_client import CONNECT_SECONDS
from wiring.settings import Settings
from workers.sending import NEWS_CHANNEL

BEGIN_SECONDS = 0.5
"""Whoever waits first waits so long at most until the subscription stands."""

SILENT_SECONDS = 2.0
"""After so long without a word Redis is asked whether it is there; after three times that it is not."""

REST_SECONDS = 1.0
"""Wall time between two attempts to reach it."""

Hear = Callable[[Hint | None], None]
"""Told each hint; None: something may have been missed, so look."""

log = structlog.get_logger(__name__)


class News:
    """Hints as they come, told to `hear` in the event loop of whoever called `begun`."""

    def __init__(self, settings: Settings, hear: Hear) -> None:
        self._settings, self._hear = settings, hear
        self._task: asyncio.Task[None] | None = None
        self._tried = asyncio.Event()
        self.listening = False

    async def begun(self) -> None:
        """Listen from now on. Returns when the subscription stands, or cannot be had just now."""
        if self._task is None or self._task.done():
            self._tried = asyncio.Event()
            self._task = asyncio.create_task(self._listen())
        with suppress(TimeoutError):
            await asyncio.wait_for(self._tried.wait(), BEGIN_SECONDS)

    def end(self) -> None:
        """Listen no more."""
        if self._task is not None:
            self._task.cancel()

    async def _listen(self) -> None:
        said = False
        while self._settings.redis_url:
            try:
                await self._subscribed()
            except (RedisError, OSError) as error:
                if self.listening or not said:
                    log.warning("no news from Redis; whoever waits looks for themself", why=str(error))
                said = True
            finally:
                self.listening = False
                self._tried.set()
            await asyncio.sleep(REST_SECONDS)

    async def _subscribed(self) -> None:
        """Hear until the connection is lost. Raises RedisError, OSError."""
        url = self._settings.redis_url
        async with (
            Redis.from_url(url, socket_connect_timeout=CONNECT_SECONDS) as client,
            client.pubsub() as channel,
        ):
            await channel.subscribe(NEWS_CHANNEL)
            heard = monotonic()
            while True:
                message = await channel.get_message(timeout=SILENT_SECONDS)
                if message is not None:
                    heard = monotonic()
                    self._told(message)
                else:
                    await _still_there(channel, heard)

    def _told(self, message: dict[str, Any]) -> None:
        if message["type"] == "subscribe":
            self.listening = True
            self._tried.set()
            self._hear(None)
        elif message["type"] == "message":
            told = json.loads(message["data"])
            self._hear(Hint(told["kind"], told["crm_id"], told["subject"]))


async def _still_there(channel: PubSub, heard: float) -> None:
    """Raises ConnectionError when Redis has been silent for too long: a dead line says nothing, either."""
    if monotonic() - heard > 3 * SILENT_SECONDS:
        raise ConnectionError("Redis has not said a word")
    await channel.ping()
