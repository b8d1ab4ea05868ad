"""Simulated sellers: they ask for a customer, look, ring, talk, report, and take their breaks."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from calling.handout import presence, ring
from calling.handout.absence import Absence
from calling.handout.hand_out import HandOut, next_customer
from calling.outcomes import outcome
from models.errors import LeaseGone, NotNow
from ringeliste.simulation.stage import Stage

IDLE = timedelta(minutes=2)
"""A seller whose list is empty asks again after this."""

SHIFT, LUNCH, BREAK = timedelta(hours=8), timedelta(minutes=30), timedelta(minutes=10)
EARLY, LATE = timedelta(hours=9), timedelta(hours=13)
"""Half the sellers begin at nine, half at one: somebody is there until nine in the evening (local time)."""

PAUSES = (
    (timedelta(hours=2), "break", BREAK), (timedelta(hours=4), "lunch", LUNCH),
    (timedelta(hours=6), "break", BREAK),
)  # fmt: skip
"""How long after the beginning of a shift each break is taken, which, and for how long."""

LOOK, NOTE, WRAP_UP = (4, 14), (3, 9), (12, 45)
"""Seconds, from and to: looking at a customer, noting that nobody answered, writing up a talk."""


@dataclass(slots=True)
class SimulatedSeller:
    """One seller at work."""

    stage: Stage
    seller_id: int
    dice: Random

    def shift(self, begins: datetime) -> Iterator[timedelta]:
        """A working day from `begins` on; a generator for the agenda."""
        breaks = [(begins + after, which, length) for after, which, length in PAUSES]
        self._be("available")
        while self.stage.now < begins + SHIFT:
            if breaks and self.stage.now >= breaks[0][0]:
                _, which, length = breaks.pop(0)
                self._be("away", Absence(which, self.stage.now + length))
                yield length
                self._be("available")
            card = next_customer(self.stage.opener, self.seller_id)
            if card is None:
                yield IDLE
            else:
                yield from self._call(card)
        self._be("away", Absence("off"))

    def _call(self, card: HandOut) -> Iterator[timedelta]:
        yield self._seconds(LOOK)
        if not self._ring(card):
            return
        its = self.stage.fate(card.lease_id, card.external_id, card.zone)
        yield timedelta(seconds=its.ring_seconds + its.talk_seconds)
        yield self._seconds(WRAP_UP if its.reached else NOTE)
        said = outcome.Report(card.lease_id, its.result, "seller", talk_seconds=its.talk_seconds)
        outcome.record_all(self.stage.opener, [said])

    def _ring(self, card: HandOut) -> bool:
        """The last look, then the ring; a customer whom something stops is given back."""
        try:
            with self.stage.work() as work:
                ring.ring(work, card.lease_id, self.seller_id)
        except LeaseGone:
            self.stage.refuse("lease gone")
            return False
        except NotNow as stopped:
            self.stage.refuse(stopped.gate)
            with self.stage.work() as work:
                ring.release(work, card.lease_id, self.seller_id)
            return False
        return True

    def _be(self, what: str, said: Absence = Absence()) -> None:  # noqa: B008 - it is frozen
        with self.stage.work() as work:
            presence.be(work, self.seller_id, what, assignment_id=self.stage.assignment_id, said=said)

    def _seconds(self, span: tuple[int, int]) -> timedelta:
        return timedelta(seconds=self.dice.randint(*span))
