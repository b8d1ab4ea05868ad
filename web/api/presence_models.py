"""What the API says and takes of a seller's presence."""

from typing import Any, Literal

from pydantic import Field

from calling.handout.absence import Absence
from models.tables.people import BREAKS, DAYS_OFF
from web.api.common import AskedInstant, Id, Instant, Model, Words


class WantedPresence(Model):
    """Available, or away and why. Who names no assignment keeps what they work."""

    presence: Literal["available", "away"]
    reason: Words | None = Field(
        None,
        description=f"Why they are away: for a while ({', '.join(BREAKS)}) or for the day "
        f"({', '.join(DAYS_OFF)}).",
    )
    back_at: AskedInstant | Literal["today"] | None = Field(
        None, description="When they are back; `today`: not before the floor's day is over."
    )
    assignment_id: Id | None = None
    segment_id: Id | None = Field(None, description="Only this segment of it.")

    def absence(self) -> Absence:
        """Why they are away, and until when."""
        return Absence(self.reason, self.back_at)


class PresenceNow(Model):
    """How a seller's presence stands, and what they work."""

    id: int
    name: str
    presence: Literal["available", "away"]
    since: Instant
    reason: str | None
    back_at: Instant | None = Field(
        description="When they said they would be back; it makes nobody available."
    )
    off: bool = Field(description="Off for the day: nobody waits for them with what they promised.")
    said_by: str | None = Field(description="Who said it for them; null: they themselves, or nobody yet.")
    assignment_id: int | None
    segment_id: int | None


class SellerRow(PresenceNow):
    """A seller in the list."""

    assignment: str | None


class PresenceChange(Model):
    """What a presence became, what it had been, and since when."""

    id: int
    changed_at: Instant
    presence: str
    reason: str | None
    back_at: Instant | None
    off: bool
    assignment_id: int | None
    segment_id: int | None
    before_presence: str
    before_reason: str | None
    before_since: Instant
    said_by: str | None


WANTED: dict[str, Any] = {"presence": "available", "assignment_id": 1, "segment_id": None}
WANTED_ILL: dict[str, Any] = {"presence": "away", "reason": "ill", "back_at": "today"}
ILL: dict[str, Any] = {
    "id": 7, "name": "Ana", "presence": "away", "since": "2026-03-02T12:00:00Z", "reason": "ill",
    "back_at": "2026-03-03T00:00:00Z", "off": True, "said_by": "Kari", "assignment_id": 1, "segment_id": None,
}  # fmt: skip
THERE: dict[str, Any] = {
    **ILL, "presence": "available", "reason": None, "back_at": None, "off": False, "said_by": None,
}  # fmt: skip
LISTED: dict[str, Any] = {**ILL, "assignment": "Spring"}
CHANGE: dict[str, Any] = {
    "id": 31, "changed_at": "2026-03-02T12:00:00Z", "presence": "away", "reason": "ill",
    "back_at": "2026-03-03T00:00:00Z", "off": True, "assignment_id": 1, "segment_id": None,
    "before_presence": "available", "before_reason": None, "before_since": "2026-03-02T08:58:00Z",
    "said_by": "Kari",
}  # fmt: skip
