"""One measured figure, and how two costs are measured fairly: in turns, medians of each."""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from time import perf_counter


@dataclass(frozen=True, slots=True)
class Figure:
    """`value` is ours, `limit` the best the machine could do, both in `unit`; `ratio` ours over the limit.

    Of a rate (a unit with /s) a larger value is better; the ratio always compares costs.
    """

    name: str
    value: float
    unit: str
    limit: float
    limit_name: str
    ratio: float


def seconds(work: Callable[[], object]) -> float:
    """Wall seconds of one call."""
    begun = perf_counter()
    work()
    return perf_counter() - begun


def in_turns(
    ours: Callable[[], object], limit: Callable[[], object], rounds: int, *,
    between: Callable[[], object] = lambda: None,
) -> tuple[list[float], list[float]]:  # fmt: skip
    """Seconds of each round of ours and of the limit, one after the other, after a warm-up of each.

    `between` puts things back before each, untimed: a machine that slows down slows both.
    """
    costs: tuple[list[float], list[float]] = ([], [])
    for number in range(rounds + 1):
        for kept, work in zip(costs, (ours, limit), strict=True):
            between()
            cost = seconds(work)
            if number:
                kept.append(cost)
    return costs


def cost(name: str, ours: list[float], limit: list[float], limit_name: str) -> Figure:
    """Milliseconds, by medians."""
    mine, best = median(ours), median(limit)
    return Figure(name, round(mine * 1e3, 3), "ms", round(best * 1e3, 3), limit_name, round(mine / best, 2))


def rate(name: str, things: int, ours: list[float], limit: list[float], limit_name: str) -> Figure:
    """Things a second, by medians."""
    mine, best = median(ours), median(limit)
    return Figure(name, round(things / mine), "1/s", round(things / best), limit_name, round(mine / best, 2))
