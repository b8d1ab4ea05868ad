"""What pauses and suppressions answer: whom the wall found in the air (P2, P8)."""

from typing import Any
from uuid import UUID

from pydantic import Field

from calling.handout.recalling import Patience, WallAnswer
from web.api.common import Instant, Model
from wiring.app import App
from wiring.patience import patience as within


class MayStillRing(Model):
    """A lease that may still ring, and until when."""

    lease_id: UUID
    until: Instant


class InTheAir(Model):
    """What a wall found in the air; nothing else is offered, taken or rung behind it."""

    recalled: list[UUID] = Field(description="Leases that came back unrung.")
    rung: list[UUID] = Field(description="Leases that ring, talk or are in wrap-up.")
    unknown: list[MayStillRing] = Field(description="Leases whose dialer has not answered yet.")


class Lifted(Model):
    """How many standing entries of that target were lifted; 0 if none stood."""

    lifted: int


AIR: dict[str, Any] = {
    "recalled": ["019cad9a-2c00-7c3e-9d0a-0c0ffee00001"],
    "rung": ["019cad99-41a0-7b11-8a5e-0c0ffee00002"],
    "unknown": [{"lease_id": "019cad9a-2b10-7000-bf3e-0c0ffee00003", "until": "2026-03-02T12:01:00Z"}],
}


def in_the_air(answer: WallAnswer) -> InTheAir:
    """A wall's answer as it is told."""
    return InTheAir(
        recalled=answer.recalled,
        rung=answer.rung,
        unknown=[MayStillRing(lease_id=lease, until=until) for lease, until in answer.unknown],
    )


def patience(app: App) -> Patience:
    """Waits for dialers' confirmations until `recall_wait_seconds` of wall time are over."""
    return within(app.settings.recall_wait_seconds)
