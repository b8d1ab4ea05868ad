"""What really happened: which telephones rang, what was told, which walls were answered.

It knows nothing of the database. What it finds broken is broken for the people at the telephones.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from models.errors import PromiseBroken
from models.outcomes import Outcome

OPENS, CLOSES = time(9), time(20)
"""The hours of the small world, on the wall of every zone where a customer may be."""


@dataclass(frozen=True, slots=True)
class Call:
    """A telephone that rings, or on which somebody talks. `asked_at`: when we were first asked for it."""

    lease_id: UUID
    e164: str
    customer: str
    asked_at: datetime
    rang_at: datetime


@dataclass(frozen=True, slots=True)
class Wall:
    """A pause or do-not-call that was answered. `scope`: what `target` is.

    `named`: leases that may still ring; None: whatever a dialer has, and a ring that somebody had asked for
    before `at`, since nobody was told of them.
    """

    scope: str
    target: object
    named: frozenset[UUID] | None
    at: datetime


@dataclass
class Ledger:
    """The telephones of one seed. Every method that finds a promise broken raises PromiseBroken.

    `gap`: nobody is rung twice within it, but for promised calls.
    """

    gap: timedelta
    busy: dict[UUID, Call] = field(default_factory=dict)
    rings: list[Call] = field(default_factory=list)
    words: dict[UUID, Outcome] = field(default_factory=dict)
    walls: list[Wall] = field(default_factory=list)
    promised: set[str] = field(default_factory=set)

    def ring(self, call: Call, zones: Iterable[str], around: Mapping[str, object]) -> None:
        """A telephone rings now. `around`: scope -> what a wall of that scope would have to stand around."""
        self._check_hours(call, zones)
        self._check_walls(call, {**around, "crm": None, "number": call.e164, "customer": call.customer})
        self._check_gap(call)
        self.busy[call.lease_id] = call
        self.rings.append(call)

    def hang_up(self, lease_id: UUID) -> None:
        """Nobody rings or talks for this lease any more."""
        self.busy.pop(lease_id, None)

    def tell(self, lease_id: UUID, word: Outcome, customer: str) -> None:
        """Somebody says what came of a call: from now on it has to be counted once, whatever happens."""
        self.words.setdefault(lease_id, word)
        if word is Outcome.FOLLOW_UP:
            self.promised.add(customer)

    def answered(self, scope: str, target: object, named: Iterable[UUID] | None, at: datetime) -> None:
        """A wall stands from now on; `named` as in Wall."""
        self.walls.append(Wall(scope, target, None if named is None else frozenset(named), at))

    def acknowledged(self, event_ids: Iterable[str], at: datetime) -> None:
        """What a dialer told is safe with us; who wants no more calls is behind a wall by now."""
        ended = {f"{lease_id}:ended" for lease_id, word in self.words.items() if word is Outcome.DO_NOT_CALL}
        for event_id in ended.intersection(event_ids):
            lease_id = UUID(event_id.partition(":")[0])
            for call in self.rings:
                if call.lease_id == lease_id:
                    self.answered("customer", call.customer, None, at)

    def lifted(self, scope: str, target: object) -> None:
        """Somebody begins to take walls down: of what is behind them, nothing is certain any more."""
        self.walls = [wall for wall in self.walls if (wall.scope, wall.target) != (scope, target)]

    def _check_hours(self, call: Call, zones: Iterable[str]) -> None:
        for zone in zones:
            asked, clock = (at.astimezone(ZoneInfo(zone)).time() for at in (call.asked_at, call.rang_at))
            if not (OPENS <= clock < CLOSES or OPENS <= asked < CLOSES):  # we look between the two
                raise PromiseBroken(f"P3: lease {call.lease_id} rang at {clock} in {zone}")

    def _check_walls(self, call: Call, around: Mapping[str, object]) -> None:
        for wall in self.walls:
            behind = wall.scope in around and around[wall.scope] == wall.target
            if behind and not _named(wall, call, by_dialer="dialer" in around):
                promise = "P8" if wall.scope in ("number", "customer") else "P2"
                raise PromiseBroken(
                    f"{promise}: lease {call.lease_id} rang behind the wall of {wall.scope} {wall.target}"
                )

    def _check_gap(self, call: Call) -> None:
        for other in self.busy.values():
            if other.e164 == call.e164 or other.customer == call.customer:
                raise PromiseBroken(
                    f"P1: leases {other.lease_id} and {call.lease_id} ring one person at once"
                )
        if call.customer in self.promised:
            return
        for before in self.rings:
            same = before.e164 == call.e164 or before.customer == call.customer
            if same and before.lease_id != call.lease_id and call.rang_at - before.asked_at < self.gap:
                raise PromiseBroken(
                    f"P5: lease {call.lease_id} rang {call.rang_at - before.asked_at} after {before.lease_id}"
                )


def _named(wall: Wall, call: Call, *, by_dialer: bool) -> bool:
    if wall.named is not None:
        return call.lease_id in wall.named
    return by_dialer or call.asked_at < wall.at
