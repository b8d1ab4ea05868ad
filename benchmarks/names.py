"""The benchmarks by name."""

from collections.abc import Callable, Mapping

from benchmarks import (
    allocating,
    asking,
    asking_http,
    clocking,
    counting,
    facets,
    flooding,
    importing,
    moving,
    pairing,
    pausing,
    previewing,
    rebuilding,
    recording,
    sweeping,
    waking,
)
from benchmarks.figures import Figure
from models.errors import BadInput
from wiring.app import App

NAMES: Mapping[str, Callable[..., list[Figure]]] = {
    "import": importing.measure,
    "rebuild": rebuilding.measure,
    "allocate": allocating.measure,
    "pairs": pairing.measure,
    "next": asking.measure,
    "next-http": asking_http.measure,
    "wake": waking.measure,
    "outcomes": recording.measure,
    "pause": pausing.measure,
    "facets": facets.measure,
    "sweep": sweeping.measure,
    "bulk": moving.measure,
    "preview": previewing.measure,
    "flood": flooding.measure,
    "clocks": clocking.measure,
    "funnel": counting.measure,
}


def run(app: App, name: str, rows: int, *, rounds: int | None = None) -> list[Figure]:
    """Run one benchmark over `rows` customers; `rounds` fewer or more than it usually takes.

    Raises BadInput for a name that there is not.
    """
    if name not in NAMES:
        raise BadInput(f"bench: there is no {name!r}; one of {', '.join(NAMES)}", name=name)
    return NAMES[name](app, rows, **({} if rounds is None else {"rounds": rounds}))
