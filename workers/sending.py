"""Asking for tasks: hints become messages, ids and nothing else. The same wish waits only once."""

import json

from dramatiq import Actor

from models.work import Hint, HintKind
from wiring.hints import install_publisher
from wiring.redis_client import make_redis
from wiring.settings import Settings
from workers.allocate import allocate
from workers.broker import broker, speaking_of_the_queue
from workers.inbox import inbox
from workers.middleware import ASKED_MILLISECONDS, asked_key
from workers.rebuild import rebuild

NEWS_CHANNEL = "ringeliste:news"
"""What somebody may wait for is told here, as JSON: links (recall), sellers without a customer, pages."""

NEWS: frozenset[HintKind] = frozenset(("allocate", "customer_ready", "recall", "lease_taken_away"))

ACTORS: dict[HintKind, Actor[[int, int], None]] = {
    "allocate": allocate,
    "inbox": inbox,
    "rebuild": rebuild,
}


def connect(settings: Settings) -> None:
    """Point this process's broker at Redis, and its hints at the broker. Connects at first use."""
    broker.connect(make_redis(settings))
    install_publisher(send_hint)


def send_hint(hint: Hint) -> None:
    """Tell one hint to who waits for it, then to who serves its kind. Raises QueueAway while Redis is."""
    if hint.kind in NEWS:
        news = json.dumps({"kind": hint.kind, "crm_id": hint.crm_id, "subject": hint.subject})
        with speaking_of_the_queue():
            broker.client.publish(NEWS_CHANNEL, news)
    if actor := ACTORS.get(hint.kind):
        ask(actor, hint.crm_id, int(hint.subject))


def ask(actor: Actor[..., None], *ids: int) -> bool:
    """Send one task, unless the same is asked for and not begun yet. Raises QueueAway while Redis is.

    Sound, because whoever begins it later reads what is committed by now. Returns whether it was sent.
    """
    key = asked_key(actor.actor_name, ids)
    with speaking_of_the_queue():
        first = broker.client.set(key, 1, nx=True, px=ASKED_MILLISECONDS)
    if first:
        actor.send(*ids)
    return bool(first)
