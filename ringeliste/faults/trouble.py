"""What goes wrong, and how often: each seed has faults of its own, many of some and none of others.

A seed with everything at once would rarely get anywhere; one that does nothing but lose answers, or burn the
queue again and again, goes where no other does (swarm testing).
"""

from random import Random

CHANCES = {
    # at a transaction
    "dies before": 0.004,
    "dies within": 0.004,
    "dies after": 0.006,
    "server away": 0.004,
    "answer of the server lost": 0.005,
    "stalls": 0.03,
    # of a message
    "hint lost": 0.1,
    "hint twice": 0.1,
    "hint late": 0.15,
    # between link and dialer
    "call lost": 0.01,
    "answer lost": 0.015,
    "call twice": 0.02,
    "call late": 0.03,
    "event late": 0.05,
    "event twice": 0.05,
    "events in disorder": 0.3,
    "queue burns": 0.015,
    "dialer dies": 0.015,
    # between a seller and us
    "request lost": 0.02,
    "our answer lost": 0.04,
    "seller leaves": 0.04,
    "seller never tells": 0.02,
    "seller tells twice": 0.1,
    # of time
    "time jumps": 0.3,
}
"""Fault -> how often it comes where it can, on an average: a seed makes it rarer or more frequent."""

ABSENT = 0.4
"""Share of the faults that a seed does not know at all."""


class Trouble:
    """The faults of one seed. None comes while it is `calm`."""

    def __init__(self, seed: int) -> None:
        self.dice = Random(f"{seed}|trouble")  # noqa: S311 - the same seed, the same faults
        self.calm = False
        self.rates = {
            kind: 0.0 if self.dice.random() < ABSENT else chance * 2 ** self.dice.uniform(-1.5, 2.0)
            for kind, chance in CHANCES.items()
        }

    def comes(self, kind: str) -> bool:
        """Whether this fault comes here and now."""
        rate = self.rates[kind]
        return not self.calm and rate > 0 and self.dice.random() < rate

    def one_of(self, *kinds: str) -> str | None:
        """The first of these that comes, None: all goes well."""
        return next((kind for kind in kinds if self.comes(kind)), None)

    def seconds(self, least: float, most: float) -> float:
        """How long something takes: mostly near the least."""
        return least + (most - least) * self.dice.random() ** 3
