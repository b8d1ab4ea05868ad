"""What the operators of time mean, once for SQL, Python and the sweep.

Every moving window is open below and closed above: `low < value - now <= high`. So a leaf flips exactly when
`value` comes to lie `low` or `high` from now, and the sweep's half-open ranges miss nothing.
"""

from dataclasses import dataclass

from segmentation.catalogue import MOVING
from segmentation.durations import Duration
from segmentation.nodes import Leaf


@dataclass(frozen=True, slots=True)
class Window:
    """`low < value - now <= high`: seconds of an instant, whole days of a date. `low` None: no end below."""

    low: int | None
    high: int


def window_of(leaf: Leaf, type_: str) -> Window | None:
    """The moving window that `leaf` asks about a field of this type; None if it asks something else."""
    if leaf.op not in MOVING:
        return None
    assert isinstance(leaf.value, Duration)  # noqa: S101 - so it was read
    length = leaf.value.days if type_ == "date" else leaf.value.seconds
    match leaf.op:
        case "within_last":
            return Window(-length, 0)
        case "due_within":
            # A day that is due lasts until it is over: today counts.
            return Window(-1 if type_ == "date" else 0, length)
    return Window(None, -length)
