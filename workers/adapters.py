"""Which adapter speaks to a dialer: the only place that names them."""

from calling.dialers.orders import LinkedDialer
from dialer_adapter.port import Dialer
from dialer_adapter.redis_queue import RedisQueue
from dialer_adapter.values import ClockReading
from models.errors import BadInput
from wiring.app import App

ADAPTERS = ("redis_queue",)

RINGS_LATE_SECONDS = 5
"""Business time; a dialer's own setting `rings_late_seconds` wins."""


def queue_name(crm_id: int, dialer_id: int) -> str:
    """The queue of a dialer in Redis: by ids, since a dialer's name may hold anything."""
    return f"{crm_id}.{dialer_id}"


def port_of(app: App, crm_id: int, dialer: LinkedDialer) -> Dialer:
    """The port to a dialer. Raises BadInput for an adapter that this release does not know."""
    if dialer.adapter not in ADAPTERS:
        known = ", ".join(ADAPTERS)
        raise BadInput(f"dialer {dialer.name}: unknown adapter {dialer.adapter!r}; known: {known}")
    late = dialer.settings.get("rings_late_seconds", RINGS_LATE_SECONDS)
    return RedisQueue.at(
        app.settings.redis_url,
        queue_name(crm_id, dialer.id),
        lambda: ClockReading(app.now(), app.clock.base().speed),
        rings_late_seconds=int(str(late)),
    )
