"""What is counted and measured. Each process has a registry of its own; the web's is shown at /metrics."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

import structlog
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    disable_created_metrics,
    start_http_server,
)

from wiring.settings import Settings

PORTS_TRIED = 16

disable_created_metrics()  # type: ignore[no-untyped-call]  # a series beside each of ours that nobody asks for

REGISTRY = CollectorRegistry(auto_describe=True)

HINTS_SENT = Counter("ringeliste_hints_sent", "Hints sent after a commit.", ["kind"], registry=REGISTRY)
HINTS_FAILED = Counter(
    "ringeliste_hints_failed",
    "Hints that could not be sent; a tick does their work.",
    ["kind"],
    registry=REGISTRY,
)
TICKS = Counter("ringeliste_ticks", "Ticks of the leading scheduler.", ["tick"], registry=REGISTRY)
TICKS_FAILED = Counter(
    "ringeliste_ticks_failed", "Ticks that failed, for one CRM or altogether.", ["tick"], registry=REGISTRY
)
VERB_SECONDS = Histogram(
    "ringeliste_verb_seconds",
    "Time a verb took, by its name and how it ended: done, or the error's name.",
    ["verb", "end"],
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
    registry=REGISTRY,
)


@contextmanager
def timed(verb: str) -> Iterator[None]:
    """Measure the block as one run of `verb`."""
    begun, end = perf_counter(), "done"
    try:
        yield
    except BaseException as error:
        end = type(error).__name__
        raise
    finally:
        VERB_SECONDS.labels(verb, end).observe(perf_counter() - begun)


def serve_metrics(settings: Settings) -> int:
    """Show this process's registry on the settings' port, or the next free one: a machine runs several.

    Returns the port taken; 0 without one in the settings, or when none of the next sixteen was free (logged;
    the process works on).
    """
    if not settings.metrics_port:
        return 0
    why = ""
    for candidate in range(settings.metrics_port, settings.metrics_port + PORTS_TRIED):
        try:
            start_http_server(candidate, settings.metrics_host, registry=REGISTRY)
        except OSError as error:  # most often a neighbour's: the next one is tried, the last one told of
            why = str(error)
            continue
        return candidate
    structlog.get_logger(__name__).warning(
        "no port is free for metrics", first=settings.metrics_port, why=why
    )
    return 0
