"""The Redis queue's wire, as both ends use it: names, scripts, values as text. See docs/redis-queue.md."""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import Any
from uuid import UUID

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import ConstantBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import OutOfMemoryError, ReadOnlyError
from redis.exceptions import TimeoutError as RedisTimeoutError

from dialer_adapter.values import Event, Order
from models.errors import BadInput, Unavailable

WIRE = "1"
"""Version of the wire format, kept beside the epoch."""

DIALER_SCRIPTS = ("take", "tell", "want")
"""What a dialer of any language runs; their text stands in Redis."""

_AWAY = (RedisConnectionError, RedisTimeoutError, ReadOnlyError, OutOfMemoryError, OSError)
_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")
_BIRTH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def prefix(queue: str) -> str:
    """What every key of `queue` begins with."""
    return f"ringeliste:{{{checked_name(queue)}}}"


def checked_name(name: str) -> str:
    """`name`, or BadInput if it cannot stand in a key."""
    if not _NAME.fullmatch(name):
        raise BadInput(f"{name!r} is not a name: use 1 to 64 letters, digits, dots, dashes and underscores")
    return name


def connect(url: str, *, retries: int) -> Redis:
    """A client of the Redis at `url`. Bytes that are no UTF-8 come as backslash escapes.

    A consumer's must not retry: a take whose reply was lost would take twice.
    """
    return Redis.from_url(
        url,
        decode_responses=True,
        encoding_errors="backslashreplace",
        retry=Retry(ConstantBackoff(0.05), retries),
    )


def milliseconds(instant: datetime, *, up: bool = False) -> int:
    """Milliseconds since 1970 of an aware instant, rounded down, or up if asked."""
    return -((_BIRTH - instant) // _MILLISECOND) if up else (instant - _BIRTH) // _MILLISECOND


def instant(text: str) -> datetime | None:
    """The instant (UTC) of milliseconds since 1970, None for anything else."""
    try:
        return _BIRTH + int(text) * _MILLISECOND
    except (ValueError, OverflowError):
        return None


def lease_of(text: str) -> UUID | None:
    """The lease id written in `text`, None if it is none."""
    try:
        return UUID(text)
    except ValueError:
        return None


def order_to_text(order: Order) -> str:
    """An order as JSON."""
    return json.dumps(
        {
            "lease_id": str(order.lease_id),
            "e164": order.e164,
            "ring_by_ms": milliseconds(order.ring_by),
            "customer_ref": order.customer_ref,
            "mode": order.mode,
            "payload": dict(order.payload),
        }
    )


def order_of(text: str) -> Order:
    """The order written in JSON by `order_to_text`."""
    body = json.loads(text)
    return Order(
        lease_id=UUID(body["lease_id"]),
        e164=body["e164"],
        ring_by=_BIRTH + body["ring_by_ms"] * _MILLISECOND,
        customer_ref=body["customer_ref"],
        mode=body["mode"],
        payload=body["payload"],
    )


def event_of(place: str, fields: Mapping[str, str]) -> Event:
    """The event of a stream entry. One that breaks the format comes as kind "malformed", to be journalled.

    Its body then holds the flaw, and all that was told as text.
    """
    try:
        body = json.loads(fields["body"])
        if not isinstance(body, dict):
            raise TypeError("the body is no object")
        return Event(
            fields["event_id"], lease_of(fields["lease_id"]), fields["kind"], instant(fields["at_ms"]), body
        )
    except (KeyError, ValueError, TypeError, RecursionError) as flaw:
        known = fields.get("event_id", f"stream:{place}")
        body = {"flaw": repr(flaw), "told": dict(fields)}
        return Event(known, lease_of(fields.get("lease_id", "")), "malformed", None, body)


@contextmanager
def reaching_redis() -> Iterator[None]:
    """Redis being away is Unavailable; a bug of ours stays what it is."""
    try:
        yield
    except _AWAY as away:
        raise Unavailable(f"Redis does not answer: {away}") from away


@cache
def script_text(name: str) -> str:
    """The whole text of a script: the common part, then its own."""
    lua = files("dialer_adapter") / "lua"
    return "".join((lua / f"{part}.lua").read_text(encoding="utf-8") for part in ("common", name))


class Scripts:
    """The scripts of one queue, run by EVALSHA and sent again to a Redis that has forgotten them."""

    def __init__(self, redis: Redis, queue: str) -> None:
        self._redis, self.prefix = redis, prefix(queue)

    async def run(self, name: str, *args: str | int | float) -> Any:
        """Run script `name`; raises Unavailable when Redis cannot be reached."""
        script = self._redis.register_script(script_text(name))
        with reaching_redis():
            return await script(keys=[self.prefix], args=list(args))
