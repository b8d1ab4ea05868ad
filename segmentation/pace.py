"""How many customers a batch takes: as many as it can move while nobody has to wait long for it."""

from collections.abc import Sequence
from threading import Lock

SMALLEST, FIRST, LARGEST = 50, 200, 1_000
WISHED_SECONDS = 0.025
"""How long a batch may hold its turnstile and rows: a pause waits for those that are under way."""


class Pace:
    """Deals a list out in batches, larger ones while they are quick, smaller ones when they are slow.

    Several lanes take from it at once. `fixed`: every batch has this size.
    """

    def __init__(self, ids: Sequence[int], fixed: int | None = None) -> None:
        self._ids, self._fixed, self._dealt = ids, fixed, 0
        self._size = fixed or FIRST
        self._one_at_a_time = Lock()

    def next(self) -> Sequence[int]:
        """The next batch; empty when all are dealt."""
        with self._one_at_a_time:
            batch = self._ids[self._dealt : self._dealt + self._size]
            self._dealt += len(batch)
            return batch

    def stop(self) -> None:
        """Deal no more: what is left is somebody else's."""
        with self._one_at_a_time:
            self._dealt = len(self._ids)

    def took(self, seconds: float, size: int) -> None:
        """Tell how long a batch of `size` took; the next ones come nearer to the wished time."""
        if self._fixed is not None or not size:
            return
        with self._one_at_a_time:
            fits = size * WISHED_SECONDS / max(seconds, 1e-6)
            # Half the way: one slow disk write does not make all that follow tiny, one quick batch not huge.
            aim = (self._size + min(fits, 2.0 * self._size)) / 2
            self._size = int(min(max(aim, SMALLEST), LARGEST))
