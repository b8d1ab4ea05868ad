"""What becomes of a simulated call: a pure function, so that a replay gives the same day.

Whether a person answers depends on the hour alone: few in the morning, most from 17 to 19. A person who
answers buys if the truth says so; of the others, one in a hundred wants no more calls, and one in two hundred
understands nobody. One number in 125 does not exist, whenever it is tried. Times are business seconds.
"""

from dataclasses import dataclass
from math import log
from random import Random
from uuid import UUID

from models.outcomes import Outcome

ANSWER_RATE = {
    9: 0.14, 10: 0.16, 11: 0.20, 12: 0.23, 13: 0.22, 14: 0.22, 15: 0.24, 16: 0.28,
    17: 0.35, 18: 0.38, 19: 0.33, 20: 0.26, 21: 0.20,
}  # fmt: skip
"""Share of calls that a person answers, by the hour on the customer's clock."""

OTHER_HOURS = 0.08

UNANSWERED = {
    Outcome.NO_ANSWER: (0.56, 25, 35),
    Outcome.MACHINE: (0.28, 12, 22),
    Outcome.BUSY: (0.14, 2, 4),
    Outcome.CONGESTION: (0.02, 0, 0),
}
"""What becomes of the calls that nobody answers: its share, and how long the line is busy, from and to."""

INVALID, WANTS_NO_CALLS, OTHER_LANGUAGE = 0.008, 0.01, 0.005
"""Shares of customers: the number does not exist; once reached, wants no calls, or understands nobody."""

TALK_MEDIAN = {Outcome.SALE: 430, Outcome.NO_SALE: 160, Outcome.DO_NOT_CALL: 25, Outcome.LANGUAGE: 20}
LONGEST_TALK = 1800


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of a call, the seconds it rings, and the seconds talked if somebody answers."""

    result: Outcome
    ring_seconds: int
    talk_seconds: int

    @property
    def rings(self) -> bool:
        """Whether a telephone rings at all."""
        return self.result not in (Outcome.INVALID_NUMBER, Outcome.CONGESTION)

    @property
    def reached(self) -> bool:
        """Whether a person answers."""
        return self.result in TALK_MEDIAN


def fate(seed: int, lease_id: UUID, customer_ref: str, hour: int, buys: bool) -> Fate:
    """What becomes of this lease's call at `hour` (0 to 23, the customer's clock); `buys` is the truth."""
    person = _dice("person", seed, customer_ref)
    if person.random() < INVALID:
        return Fate(Outcome.INVALID_NUMBER, 0, 0)
    wants_no_calls = person.random() < WANTS_NO_CALLS
    understands = person.random() >= OTHER_LANGUAGE
    call = _dice("call", seed, lease_id, customer_ref, hour)
    if call.random() >= ANSWER_RATE.get(hour, OTHER_HOURS):
        return _unanswered(call)
    unwilling = Outcome.NO_SALE if understands else Outcome.LANGUAGE
    if wants_no_calls:
        unwilling = Outcome.DO_NOT_CALL
    result = Outcome.SALE if buys else unwilling
    talk = round(call.lognormvariate(log(TALK_MEDIAN[result]), 0.6))
    return Fate(result, call.randint(4, 18), max(5, min(LONGEST_TALK, talk)))


def _unanswered(call: Random) -> Fate:
    result = call.choices(list(UNANSWERED), [share for share, *_ in UNANSWERED.values()])[0]
    _, shortest, longest = UNANSWERED[result]
    return Fate(result, call.randint(shortest, longest), 0)


def _dice(*about: object) -> Random:
    return Random("|".join(map(str, about)))  # noqa: S311 - seeded dice: the same for the same call
