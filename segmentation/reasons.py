"""Why a rebuild is wished for, and the cause under which its moves stand in the history.

Several wishes share one rebuild, and one scan cannot tell whose move is whose. The strongest is the cause of
all: rules ask everybody anew, so do clocks that change, and whoever enters is few. Of equal ones the last
stands: it names the version in force.
"""

from collections.abc import Iterable

ENTERED = "customers entered or changed"
"""The reason of a rebuild that no rule asked for."""

CLOCKS = "clocks changed"
"""Zones have another offset from UTC, or nobody knows up to when time was followed."""

_CAUSES = {ENTERED: "event", CLOCKS: "time"}  # every other reason is about rules
_STRENGTH = ("event", "time", "rule")


def cause_of(reasons: Iterable[str]) -> str:
    """The cause of what is moved for these reasons together; of none, `rule`."""
    causes = [_CAUSES.get(reason, "rule") for reason in reasons]
    return max(causes, key=_STRENGTH.index, default="rule")


def gives_way(waiting: str, new: str) -> bool:
    """Whether the reason of a rebuild that waits is replaced by a new one."""
    return cause_of([waiting, new]) == cause_of([new])


def weaker(new: str) -> list[str] | None:
    """The reasons that give way to a new one; None: all do."""
    if cause_of([new]) == _STRENGTH[-1]:
        return None
    return [reason for reason in _CAUSES if gives_way(reason, new)]
