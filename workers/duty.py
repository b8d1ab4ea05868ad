"""How an actor is declared: a duty of the system, asked for by ids, safe to repeat and safe to lose."""

from collections.abc import Callable
from functools import update_wrapper
from typing import Any, ParamSpec

import structlog
from dramatiq import Actor, Retry, actor
from dramatiq.middleware import Shutdown

from models.errors import Conflict, NotFound, Unavailable
from wiring.failures import reason
from workers.broker import broker

P = ParamSpec("P")

QUICK, SLOW = "quick", "slow"
"""Two queues: what takes minutes never stands in front of what sellers wait for."""

log = structlog.get_logger(__name__)


def duty(
    name: str, *, queue: str = QUICK, retried: bool = False, **options: Any
) -> Callable[[Callable[P, object]], Actor[P, None]]:
    """Declare an actor. `retried`: what came at a bad moment is tried again, else a tick asks anew.

    A bad moment (conflict, server away) is a line in the log, not a failure; what is gone is done.
    """

    def declare(work: Callable[P, object]) -> Actor[P, None]:
        def run(*args: P.args, **kwargs: P.kwargs) -> None:
            try:
                work(*args, **kwargs)
            except NotFound as error:
                log.info("nothing to do", why=str(error))
            except Shutdown as error:
                log.info("interrupted: this worker stops", retried=retried)
                if retried:
                    raise Retry("the worker stopped") from error
            except (Conflict, Unavailable) as error:
                log.warning("a bad moment", why=reason(error), retried=retried)
                if retried:
                    raise Retry(str(error)) from error

        update_wrapper(run, work)  # its parameters are the names under which logs know a task's ids
        return actor(actor_name=name, queue_name=queue, broker=broker, **options)(run)

    return declare
