"""What happens around every task: a feature a class."""

from inspect import signature
from threading import local
from time import perf_counter
from typing import Any

import structlog
from dramatiq.broker import Broker, MessageProxy
from dramatiq.message import Message
from dramatiq.middleware import Middleware
from redis.exceptions import RedisError
from structlog.contextvars import bind_contextvars, clear_contextvars

from wiring.metrics import VERB_SECONDS

log = structlog.get_logger(__name__)

ASKED_MILLISECONDS = 5000
"""How long a wish stands for those like it, should its message be lost."""


def asked_key(actor_name: str, ids: tuple[Any, ...]) -> str:
    """Where Redis keeps that somebody has asked for this and no worker has begun it."""
    return f"ringeliste:asked:{actor_name}:{':'.join(map(str, ids))}"


class LogContext(Middleware):
    """Every line that a task logs carries its id, its actor and its ids; its time is measured and logged."""

    def __init__(self) -> None:
        self._here = local()

    def before_process_message(self, broker: Broker, message: MessageProxy) -> None:
        clear_contextvars()
        bind_contextvars(task=message.message_id, actor=message.actor_name, **_ids(broker, message))
        self._here.begun = perf_counter()

    def after_process_message(
        self,
        _broker: Broker,
        message: MessageProxy,
        *,
        result: Any = None,  # noqa: ARG002 - dramatiq passes it by name
        exception: BaseException | None = None,
    ) -> None:
        end = type(exception).__name__ if exception else "done"
        seconds = perf_counter() - self._here.begun
        VERB_SECONDS.labels(message.actor_name, end).observe(seconds)
        log.info("task", end=end, ms=round(seconds * 1000, 1))
        clear_contextvars()

    def after_skip_message(self, _broker: Broker, _message: MessageProxy) -> None:
        clear_contextvars()


def _ids(broker: Broker, message: MessageProxy) -> dict[str, Any]:
    """A task's ids by what they are of: its actor's parameters, crm_id as `crm`."""
    parameters = signature(broker.get_actor(message.actor_name).fn).parameters
    return {name.removesuffix("_id"): value for name, value in zip(parameters, message.args, strict=False)}


class Asked(Middleware):
    """The same wish waits once: from here on a new one is sent again (`workers.sending.ask`)."""

    def before_process_message(self, broker: Any, message: MessageProxy) -> None:
        try:
            broker.client.delete(asked_key(message.actor_name, tuple(message.args)))
        except RedisError:
            return  # it expires


class IdsOnly(Middleware):
    """A message that is tried again carries no traceback: it could name a customer's number."""

    def before_enqueue(self, _broker: Broker, message: Message[Any], _delay: int | None) -> None:
        message.options.pop("traceback", None)
