"""What a call can come to, and what each outcome does to the placement.

One table. When a customer who rests is tried again: calling/outcomes/retrying.py.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal


class Outcome(StrEnum):
    """The taxonomy: results a dialer tells, and dispositions a seller gives.

    `language`: reached, and without a language in common. `key_pressed`, `intent`: what a robot heard, where
    that alone decides nothing; a dialer whose key 1 is a sale tells a sale.
    """

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
    LANGUAGE = "language"
    KEY_PRESSED = "key_pressed"
    INTENT = "intent"


@dataclass(frozen=True, slots=True)
class Effect:
    """What an outcome does.

    `after`: the placement rests and is tried again, or is closed.
    `rang`: the telephone rang, so it counts towards the gap. `counts`: it is an attempt towards the limit.
    `contact`: a person was reached. `always`: takes effect however late it comes (P4).
    `number_state`: what it says of the number rung; the customer is closed only if no other number is left.
    `for_everybody`: and not of this customer's alone, but of that number with whoever has it.
    `proves`: somebody answered who is the customer, so that the number is good.
    """

    after: Literal["rest", "close"]
    rang: bool = True
    counts: bool = True
    contact: bool = False
    always: bool = False
    number_state: str | None = None
    for_everybody: bool = False
    proves: bool = False

    @property
    def unanswered(self) -> bool:
        """It rang and no person was reached: busy and a machine are no answer either."""
        return self.rang and not self.contact


EFFECTS: dict[Outcome, Effect] = {
    Outcome.ANSWERED: Effect("rest", contact=True, proves=True),
    Outcome.NO_ANSWER: Effect("rest"),
    Outcome.BUSY: Effect("rest"),
    Outcome.MACHINE: Effect("rest"),
    Outcome.CONGESTION: Effect("rest", rang=False, counts=False),
    Outcome.FAILED: Effect("rest", rang=False, counts=False),
    Outcome.INVALID_NUMBER: Effect(
        "close", rang=False, always=True, number_state="disconnected", for_everybody=True
    ),
    Outcome.ABANDONED: Effect("rest", contact=True),
    Outcome.SALE: Effect("close", contact=True, always=True, proves=True),
    Outcome.NO_SALE: Effect("close", contact=True, proves=True),
    Outcome.FOLLOW_UP: Effect("rest", contact=True, proves=True),  # rests only if no time was promised
    Outcome.WRONG_PERSON: Effect("close", contact=True, number_state="wrong_person"),
    Outcome.DO_NOT_CALL: Effect("close", contact=True, always=True, proves=True),
    Outcome.LANGUAGE: Effect("rest", contact=True),  # who it was, nobody could ask
    Outcome.KEY_PRESSED: Effect("rest", contact=True, proves=True),
    Outcome.INTENT: Effect("rest", contact=True, proves=True),
}
