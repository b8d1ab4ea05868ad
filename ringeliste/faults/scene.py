"""The scene of one seed: all that its actors share."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import TypeVar
from uuid import UUID

from models.errors import Unavailable
from models.outcomes import Outcome
from models.work import OpenWork
from ringeliste.faults.baton import Baton, Crash
from ringeliste.faults.ledger import Call, Ledger
from ringeliste.faults.processes import Processes
from ringeliste.faults.trouble import Trouble
from ringeliste.faults.world import World, zones_of

T = TypeVar("T")

Verb = Callable[[OpenWork], T]
"""What somebody asks for."""

RESULTS = {
    Outcome.NO_ANSWER: 30, Outcome.BUSY: 8, Outcome.MACHINE: 10, Outcome.CONGESTION: 3, Outcome.FAILED: 3,
    Outcome.INVALID_NUMBER: 4, Outcome.ANSWERED: 6, Outcome.SALE: 8, Outcome.NO_SALE: 12,
    Outcome.FOLLOW_UP: 6, Outcome.WRONG_PERSON: 3, Outcome.DO_NOT_CALL: 5, Outcome.ABANDONED: 2,
}  # fmt: skip
"""What becomes of calls, in shares: more of what is rare in life."""

NO_RING = (Outcome.CONGESTION, Outcome.INVALID_NUMBER, Outcome.FAILED)
RINGS, TALKS = (10, 45), (30, 240)
"""Seconds, from and to. Talk and all that comes late are shorter than the gap, or nobody could keep it."""


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of a call, and how many seconds it rings and they talk."""

    result: Outcome
    rings: float
    talks: float


@dataclass
class Scene:
    """What the actors of a seed share. `closing`: nobody begins anything new."""

    seed: int
    baton: Baton
    trouble: Trouble
    processes: Processes
    ledger: Ledger
    world: World
    closing: bool = False
    untold: dict[UUID, Outcome] = field(default_factory=dict)

    def dice(self, *whose: object) -> Random:
        """Dice of somebody's own: what one does never changes another's luck."""
        return Random("|".join(map(str, (self.seed, *whose))))  # noqa: S311 - the same seed, the same luck

    def fate(self, lease_id: UUID) -> Fate:
        """What becomes of this lease's call."""
        dice = self.dice("fate", lease_id)
        result = dice.choices(list(RESULTS), list(RESULTS.values()))[0]
        reached = result not in NO_RING and result not in (Outcome.NO_ANSWER, Outcome.BUSY, Outcome.MACHINE)
        return Fate(
            result, 0 if result in NO_RING else dice.randint(*RINGS), dice.randint(*TALKS) if reached else 0
        )

    def ring(
        self, lease_id: UUID, e164: str, customer: str, asked_at: datetime, around: Mapping[str, object]
    ) -> None:
        """A telephone rings; `asked_at`: when whoever rings it began to ask whether they may."""
        now = self.baton.now
        self.baton.step(f"rings {customer} for {lease_id}")
        call = Call(lease_id, e164, customer, asked_at, now)
        self.ledger.ring(call, zones_of(e164), around)

    def ask(self, who: Random, what: str, verb: Verb[T]) -> T:
        """Ask the web, again and again until it has answered. Raises what it answers."""
        while True:
            if self.trouble.comes("request lost"):
                self.baton.step(f"{what}: the request is lost")
            else:
                try:
                    with self.processes.at("web") as open_work:
                        answer = verb(open_work)
                except Crash:
                    self.baton.step(f"{what}: nobody answers")
                except Unavailable:
                    self.baton.step(f"{what}: unavailable")
                else:
                    if not self.trouble.comes("our answer lost"):
                        return answer
                    self.baton.step(f"{what}: the answer is lost")
            self.baton.wait(who.uniform(2, 12))
