"""What is counted. Each process has its own registry; the web's is shown at /metrics."""

from prometheus_client import CollectorRegistry, Counter, Histogram

REGISTRY = CollectorRegistry(auto_describe=True)

HINTS_SENT = Counter("ringeliste_hints_sent", "Hints sent after a commit.", ["kind"], registry=REGISTRY)
HINTS_FAILED = Counter(
    "ringeliste_hints_failed",
    "Hints that could not be sent; a tick does their work.",
    ["kind"],
    registry=REGISTRY,
)
VERB_SECONDS = Histogram(
    "ringeliste_verb_seconds",
    "Time a verb took, by its name and how it ended.",
    ["verb", "end"],
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
    registry=REGISTRY,
)
