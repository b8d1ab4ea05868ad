"""The stage that everybody in a simulation stands on: the world, the time, the dice and the truth."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from uuid import UUID
from zoneinfo import ZoneInfo

from dialer_adapter.fate import Fate, fate
from models.work import Hint, OpenWork, Work
from ringeliste.simulation.agenda import Agenda
from wiring.app import App


@dataclass(slots=True)
class Stage:
    """One assignment that is worked by simulated sellers and a simulated dialer.

    `truth`: who buys once reached, by external id; nobody else does. `hints` are what verbs thought worth
    doing, until a tick does it. `refused` counts what stopped a ring at the last look, by gate.
    """

    app: App
    agenda: Agenda
    crm_id: int
    assignment_id: int
    seed: int
    truth: Mapping[str, bool]
    hints: list[Hint] = field(default_factory=list)
    refused: dict[str, int] = field(default_factory=dict)

    @property
    def now(self) -> datetime:
        """Business time (UTC)."""
        return self.agenda.now

    def work(self) -> AbstractContextManager[Work]:
        """A transaction at this instant."""
        return self.app.work(self.crm_id, now=self.now)

    @property
    def opener(self) -> OpenWork:
        """For verbs of several transactions, all at this instant."""
        return self.app.opener(self.crm_id, now=self.now)

    def dice(self, *whose: object) -> Random:
        """Dice of somebody's own: what one does never changes another's luck."""
        return Random("|".join(map(str, (self.seed, *whose))))  # noqa: S311 - a simulation is repeatable

    def fate(self, lease_id: UUID, customer_ref: str, zone: str) -> Fate:
        """What becomes of a call that begins now."""
        hour = self.now.astimezone(ZoneInfo(zone)).hour
        return fate(self.seed, lease_id, customer_ref, hour, self.truth.get(customer_ref, False))

    def wants(self, kind: str) -> bool:
        """Whether somebody hinted at this kind of work since it was last asked; forgets the hints."""
        found = any(hint.kind == kind for hint in self.hints)
        if found:
            self.hints[:] = [hint for hint in self.hints if hint.kind != kind]
        return found

    def refuse(self, gate: str) -> None:
        """Something stopped a ring at the last look."""
        self.refused[gate] = self.refused.get(gate, 0) + 1
