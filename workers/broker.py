"""The queue between processes: dramatiq over Redis, told at start where Redis is.

Any error of Redis leaves it as dramatiq's own connection error: its consumers begin again after that, while
an error of another kind would end a consumer's thread for good.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from dramatiq.broker import Consumer
from dramatiq.brokers.redis import RedisBroker
from dramatiq.errors import ConnectionClosed
from dramatiq.middleware import AgeLimit, Middleware, Retries, ShutdownNotifications, TimeLimit
from redis import Redis
from redis.exceptions import RedisError

from workers.middleware import Asked, IdsOnly, LogContext

QueueAway = ConnectionClosed
"""Raised by whatever talks to the queue while Redis is away."""

NAMESPACE = "ringeliste"
IDLE_MILLISECONDS = 200
"""How long a worker without work waits at most before it looks again."""

SECOND, DAY = 1000, 86_400_000


@contextmanager
def speaking_of_the_queue() -> Iterator[None]:
    """Errors of Redis leave the block as QueueAway."""
    try:
        yield
    except RedisError as error:
        raise QueueAway(error) from error  # type: ignore[no-untyped-call]


class Queue(RedisBroker):
    """A broker that may be imported, and actors declared on it, before anybody knows where Redis is."""

    def __init__(self, middleware: list[Middleware]) -> None:
        super().__init__(middleware=middleware, namespace=NAMESPACE, dead_message_ttl=DAY)  # type: ignore[no-untyped-call]
        self.connected = False

    def connect(self, client: Redis) -> None:
        """Work with this Redis from now on."""
        scripts = {name: client.register_script(script.script) for name, script in self.scripts.items()}
        self.client, self.scripts, self.connected = client, scripts, True

    def consume(self, queue_name: str, prefetch: int = 1, timeout: int = 5000) -> Consumer:
        """As dramatiq's, but an idle queue is looked at more often: a hint saves somebody's waiting."""
        return super().consume(queue_name, prefetch, min(timeout, IDLE_MILLISECONDS))

    def _dispatch(self, command: str) -> Callable[..., Any]:
        dispatch = super()._dispatch(command)  # type: ignore[no-untyped-call]

        def translating(*args: Any) -> Any:
            if not self.connected:
                raise RuntimeError("nobody has said where Redis is: call workers.sending.connect")
            with speaking_of_the_queue():
                return dispatch(*args)

        return translating


broker = Queue(
    [
        LogContext(),
        Asked(),
        AgeLimit(max_age=60 * SECOND),  # a tick asks again long before
        TimeLimit(time_limit=60 * SECOND),
        ShutdownNotifications(),
        Retries(max_retries=3, min_backoff=SECOND // 5, max_backoff=30 * SECOND),
        IdsOnly(),
    ]
)
"""The one broker of this process. Importing it costs nothing; `sending.connect` says where Redis is."""
