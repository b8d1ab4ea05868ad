"""What changed and is not read yet, and how fast it is read."""

from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int64]

SLICE_SECONDS = 0.05  # wall; a slice takes about so long: whoever waits for its end waits no longer
_FIRST, _LEAST, _MOST = 15e-6, 200, 50_000  # seconds a customer before any was measured; customers of a slice
_NEWEST = 0.3  # share of the newest slice in what one customer is said to cost


def _nobody() -> Ids:
    return np.empty(0, np.int64)


@dataclass(slots=True)
class Backlog:
    """Customers to be read again, by id: `whole` all about them, `placed` their placement alone.

    Once they all are, the cache is true as of `as_of` (business time), which was `at` (wall seconds).
    """

    as_of: datetime
    at: float
    whole: Ids = field(default_factory=_nobody)
    placed: Ids = field(default_factory=_nobody)

    def __len__(self) -> int:
        return len(self.whole) + len(self.placed)

    def also(self, whole: Ids, placed: Ids) -> None:
        """These too."""
        self.whole = np.union1d(self.whole, whole)
        self.placed = np.setdiff1d(np.union1d(self.placed, placed), self.whole, assume_unique=True)

    def drop(self, customers: int) -> None:
        """The first so many of the next slice have been read."""
        if len(self.whole):
            self.whole = self.whole[customers:]
        else:
            self.placed = self.placed[customers:]


@dataclass(slots=True)
class Pace:
    """Wall seconds that one customer costs, by what the last slices took."""

    seconds: float = _FIRST

    @property
    def slice(self) -> int:
        """How many customers to read at once."""
        return int(min(max(SLICE_SECONDS / self.seconds, _LEAST), _MOST))

    def took(self, seconds: float, customers: int) -> None:
        """Learn from a slice."""
        if customers >= _LEAST:  # of a few, most is the statement's own cost
            self.seconds += _NEWEST * (max(seconds, 1e-9) / customers - self.seconds)
