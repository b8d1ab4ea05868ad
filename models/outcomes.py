"""What a call can come to, and what each outcome does to the placement.

One table. Delays are defaults in seconds of business time; an assignment's `retry_seconds` overrides them.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Literal

MINUTE, HOUR, DAY = 60, 3600, 86_400


class Outcome(StrEnum):
    """The taxonomy: results a dialer tells, and dispositions a seller gives."""

    ANSWERED = "answered"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    MACHINE = "machine"
    CONGESTION = "congestion"
    FAILED = "failed"
    INVALID_NUMBER = "invalid_number"
    ABANDONED = "abandoned"
    SALE = "sale"
    NO_SALE = "no_sale"
    FOLLOW_UP = "follow_up"
    WRONG_PERSON = "wrong_person"
    DO_NOT_CALL = "do_not_call"


@dataclass(frozen=True, slots=True)
class Effect:
    """What an outcome does.

    `after`: the placement rests and is tried again, or is closed. `rest`: seconds until it is tried again.
    `rang`: the telephone rang, so it counts towards the gap. `counts`: it is an attempt towards the limit.
    `contact`: a person was reached. `always`: takes effect however late it comes (P4).
    `number_state`: what it says of the number rung; the customer is closed only if no other number is left.
    """

    after: Literal["rest", "close"]
    rest: int = 0
    rang: bool = True
    counts: bool = True
    contact: bool = False
    always: bool = False
    number_state: str | None = None


EFFECTS: dict[Outcome, Effect] = {
    Outcome.ANSWERED: Effect("rest", 4 * HOUR, contact=True),
    Outcome.NO_ANSWER: Effect("rest", 4 * HOUR),
    Outcome.BUSY: Effect("rest", 30 * MINUTE),
    Outcome.MACHINE: Effect("rest", 6 * HOUR),
    Outcome.CONGESTION: Effect("rest", 10 * MINUTE, rang=False, counts=False),
    Outcome.FAILED: Effect("rest", 10 * MINUTE, rang=False, counts=False),
    Outcome.INVALID_NUMBER: Effect("close", rang=False, always=True, number_state="disconnected"),
    Outcome.ABANDONED: Effect("rest", DAY, contact=True),
    Outcome.SALE: Effect("close", contact=True, always=True),
    Outcome.NO_SALE: Effect("close", contact=True),
    Outcome.FOLLOW_UP: Effect("rest", 4 * HOUR, contact=True),  # rests only if no time was promised
    Outcome.WRONG_PERSON: Effect("close", contact=True, number_state="wrong_person"),
    Outcome.DO_NOT_CALL: Effect("close", contact=True, always=True),
}


def rest_of(outcome: Outcome, retry_seconds: dict[str, int]) -> timedelta:
    """How long a customer rests after `outcome`: the assignment's own figure, else the default."""
    return timedelta(seconds=int(retry_seconds.get(outcome, EFFECTS[outcome].rest)))
