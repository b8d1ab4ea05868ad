"""The connection to Redis: quick to give up, since nothing that matters waits for Redis (P9)."""

from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from models.errors import BadSettings
from wiring.settings import Settings

CONNECT_SECONDS = 1.0
ANSWER_SECONDS = 5.0


def make_redis(settings: Settings) -> Redis:
    """A client of the settings' Redis. Connects at first use; a broken connection is tried anew once."""
    if not settings.redis_url:
        raise BadSettings(
            f"REDIS_URL: not set, and no embedded servers are known in {settings.data}; "
            "start them with `ringeliste up`, or set it"
        )
    return Redis.from_url(
        settings.redis_url,
        socket_connect_timeout=CONNECT_SECONDS,
        socket_timeout=ANSWER_SECONDS,
        retry=Retry(NoBackoff(), 1),
    )
