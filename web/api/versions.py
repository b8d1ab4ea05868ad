"""Versions: by which laws, zones and numbering plans is decided, and whom new ones moved."""

from typing import Any

from fastapi import APIRouter
from pydantic import Field

from calling.views.versions import DataInUse, data_in_use
from web.api.common import Instant, Model, TheApp
from web.api.docs import answers
from web.api.follow_up_models import AskedAs
from web.keys import Manager

router = APIRouter(tags=["hours"])


class ClockMove(Model):
    """So many customers went from a clock (legal places | zones) to another; some external ids."""

    from_clock: str
    to_clock: str
    customers: int
    samples: list[str]


class PromiseLooked(Model):
    """A promised call of somebody who was looked at: from when to when; or as it was."""

    id: int
    assignment_id: int
    external_id: str
    wall_time: str
    asked_as: AskedAs
    from_zone: str
    to_zone: str
    was_due_at: Instant
    due_at: Instant


class RezonedPromises(Model):
    """How many promises moved with their wall, and how many stay; the first 100 of each."""

    moved: int
    stay: int
    that_moved: list[PromiseLooked]
    that_stay: list[PromiseLooked]


class Rezoning(Model):
    """The CRM was brought, or is being brought, under other data."""

    id: int
    started_at: Instant
    finished_at: Instant | None
    customers: int = Field(description="Whose numbers were looked at; 0 if zones did not change.")
    moved: int = Field(description="Who got another clock.")
    recalled: int = Field(description="Offers that were taken back: they may ring no more.")
    changed: dict[str, tuple[str | None, str]] = Field(description="Which data, from what to what.")
    moves: list[ClockMove]
    promises: RezonedPromises = Field(description="Calls promised to those who are elsewhere now.")


class Versions(Model):
    """`installed`: by what is decided. `current`: the CRM was brought under it. The last five rezonings."""

    installed: dict[str, str]
    current: bool
    rezonings: list[Rezoning]


_EXAMPLE: dict[str, Any] = {
    "installed": {"law": "2026-11-22 3f2a9c0d1e5b", "zones": "9a1c55d0e2f4", "tzdata": "2026.6",
                  "phonenumbers": "9.0.43", "holidays": "0.109"},
    "current": True,
    "rezonings": [{
        "id": 2, "started_at": "2026-03-02T12:00:00Z", "finished_at": "2026-03-02T12:01:00Z",
        "customers": 45211, "moved": 12, "recalled": 0, "changed": {"tzdata": ["2026.5", "2026.6"]},
        "moves": [{"from_clock": "PT|Europe/Lisbon", "to_clock": "PT|Atlantic/Azores,Europe/Lisbon",
                   "customers": 12, "samples": ["17", "42"]}],
        "promises": {"moved": 1, "stay": 0, "that_moved": [{
            "id": 13, "assignment_id": 1, "external_id": "17", "wall_time": "2026-03-05T10:00",
            "asked_as": "own_zone", "from_zone": "Atlantic/Azores", "to_zone": "Europe/Lisbon",
            "was_due_at": "2026-03-05T11:00:00Z", "due_at": "2026-03-05T10:00:00Z",
        }], "that_stay": []},
    }],
}  # fmt: skip


@router.get("/versions", response_model=Versions, responses=answers(_EXAMPLE))
def in_use(app: TheApp, holder: Manager) -> DataInUse:
    """The data in use, and how many customers the last changes of them moved from which clock to which."""
    with app.work(holder.crm_id) as work:
        return data_in_use(work)
