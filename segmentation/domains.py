"""Sets of values that a question lets through, exact: what two questions of one field have in common.

A missing value is an element of its own.
"""

from bisect import bisect_right
from dataclasses import dataclass
from typing import Any

Cut = tuple[Any, int]
"""A place between values: (value, 0) lies just before it, (value, 1) just after."""


@dataclass(frozen=True, slots=True)
class Ranges:
    """Values in order: outside below the first cut unless `from_below`, and each cut changes sides."""

    cuts: tuple[Cut, ...] = ()
    from_below: bool = False
    missing: bool = False

    def complement(self) -> "Ranges":
        """Everything else."""
        return Ranges(self.cuts, not self.from_below, not self.missing)

    def meet(self, other: "Ranges") -> "Ranges":
        """What lies in both."""
        cuts: list[Cut] = []
        inside = from_below = self.from_below and other.from_below
        for cut in sorted({*self.cuts, *other.cuts}):
            if (self.holds_after(cut) and other.holds_after(cut)) != inside:
                inside = not inside
                cuts.append(cut)
        return Ranges(tuple(cuts), from_below, self.missing and other.missing)

    def is_empty(self) -> bool:
        """Whether nothing lies in it."""
        return not (self.cuts or self.from_below or self.missing)

    def holds_after(self, cut: Cut) -> bool:
        """Whether what lies just after a cut is inside."""
        return self.from_below != bool(bisect_right(self.cuts, cut) % 2)


@dataclass(frozen=True, slots=True)
class Among:
    """Exactly these values, or all but these. `None` among them is the missing one."""

    values: frozenset[Any]
    but: bool = False

    def complement(self) -> "Among":
        """Everything else."""
        return Among(self.values, not self.but)

    def meet(self, other: "Among") -> "Among":
        """What lies in both."""
        match self.but, other.but:
            case False, False:
                return Among(self.values & other.values)
            case False, True:
                return Among(self.values - other.values)
            case True, False:
                return Among(other.values - self.values)
        return Among(self.values | other.values, but=True)

    def is_empty(self) -> bool:
        """Whether nothing lies in it; all but some never is: there may always be another value."""
        return not self.but and not self.values


Domain = Ranges | Among


def meet(one: Domain, other: Domain) -> Domain:
    """What lies in both; both of one kind."""
    if isinstance(one, Ranges) and isinstance(other, Ranges):
        return one.meet(other)
    assert isinstance(one, Among)  # noqa: S101 - one axis, one kind
    assert isinstance(other, Among)  # noqa: S101
    return one.meet(other)


def between(low: Cut | None, high: Cut | None) -> Ranges:
    """From one cut to another; None: without end."""
    cuts = tuple(cut for cut in (low, high) if cut is not None)
    if len(cuts) == 2 and cuts[0] >= cuts[1]:
        return Ranges()
    return Ranges(cuts, from_below=low is None)


def points(values: tuple[Any, ...]) -> Ranges:
    """These values only."""
    cuts = [cut for value in sorted(set(values)) for cut in ((value, 0), (value, 1))]
    return Ranges(tuple(cuts))
