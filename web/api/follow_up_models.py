"""What promised calls look like on the wire, each with an example."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, StringConstraints

from calling.follow_ups.asking import LONGEST_NOTE, Wish
from models.errors import BadInput
from web.api.common import AskedInstant, Id, Instant, Model, Words, without_nul

Note = Annotated[str, StringConstraints(max_length=LONGEST_NOTE), AfterValidator(without_nul)]
WallTime = Annotated[
    str,
    Field(
        pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d$", description="On the wall of `zone`, without an offset.",
        examples=["2026-03-05T10:00"],
    ),
]  # fmt: skip


AskedAs = Annotated[
    Literal["instant", "named_zone", "own_zone"],
    Field(description="An instant; a time in a named zone; or on the customer's own wall, which it follows."),
]


class Promise(Model):
    """When another call is promised: an instant, or a time on the customer's wall; one of the two."""

    at: AskedInstant | None = None
    wall_time: WallTime | None = None
    zone: Words | None = Field(
        None, description="Of `wall_time`; null: the customer's own wall, which the promise then follows."
    )
    shared: bool = Field(False, description="Anybody may ring, not only who promised it.")
    note: Note = ""

    def wish(self) -> Wish:
        """The same for the verbs. Raises BadInput for a day or an hour that there is not."""
        return Wish(self.at, wall_of_text(self.wall_time), self.zone, self.shared, self.note)


def wall_of_text(text: str | None) -> datetime | None:
    """The time on a wall of its text. Raises BadInput."""
    try:
        return datetime.fromisoformat(text) if text is not None else None
    except ValueError as error:
        raise BadInput(f"wall_time: {text!r} is no time on a wall: {error}", wall_time=text) from None


class Promised(Model):
    """A call that is promised. `told`: why it will not be at the time on the wall that was asked for."""

    id: int
    assignment_id: int
    customer_id: int
    seller_id: int | None = Field(description="Who rings; null: anybody.")
    asked_at: Instant
    wall_time: str
    zone: str
    asked_as: AskedAs
    due_at: Instant = Field(description="From then on it is handed out: as asked, or the next opening.")
    note: str
    told: str
    warning: str | None = Field(None, description="Its seller works another assignment; what becomes of it.")


class NewFollowUp(Promise):
    """A call to promise. A seller may promise whom they have on their screen, for themself or for all."""

    assignment_id: Id
    customer_id: Id
    seller_id: Id | None = Field(None, description="Who is to ring; a seller's own key says themself.")


class ChangedFollowUp(Model):
    """What is to be otherwise; what is left out stays. `seller_id` null: anybody may ring."""

    at: AskedInstant | None = None
    wall_time: WallTime | None = None
    zone: Words | None = None
    seller_id: Id | None = None
    note: Note | None = None


class OwnerOff(Model):
    """Why an owner is off for the day, and when they are back; null: they did not say."""

    reason: str | None
    back_at: Instant | None


class FollowUp(Model):
    """A promised call, open or ended."""

    id: int
    assignment_id: int
    assignment: str
    customer_id: int
    external_id: str
    name: str
    seller_id: int | None
    seller: str | None
    asked_at: Instant
    wall_time: str
    zone: str
    asked_as: AskedAs
    due_at: Instant
    will_be: Instant | None = Field(
        description="When hours, pauses and gates, as they stand, next allow it; null: not by time alone."
    )
    standing: Literal["waits", "due", "handed_out", "ended"]
    anybodys: bool = Field(description="Shared, or its owner's grace is over.")
    anybodys_at: Instant | None = Field(description="When the grace is over; null: it does not run.")
    owner_off: OwnerOff | None = Field(
        description="Its owner is off for the day then: it is everybody's from its time on."
    )
    gate: str | None = Field(
        description="What keeps it from being handed out: a gate, pause, or register_stale, too old by then."
    )
    note: str
    author: str
    made_by: Literal["seller", "key_press", "api", "hand"]
    created_at: Instant
    replaces: int | None = Field(description="The promise that it was before it was changed.")
    handed_at: Instant | None
    handed_by: str | None
    handed_from: int | None
    ended_at: Instant | None
    ended_by: Literal["outcome", "changed", "cancelled", "overtaken", "moved"] | None
    ended_author: str | None


class HandOver(Model):
    """All open follow-ups of one seller become another's, or (null) everybody's."""

    from_seller_id: Id
    to_seller_id: Id | None = None
    expected: int = Field(ge=0, strict=True, description="How many somebody saw; 409 when it is not so.")


class HandedOver(Model):
    """How many there were."""

    handed: int
    warning: str | None = Field(description="Who has them now works other assignments; what becomes of it.")


WISH = {"wall_time": "2026-03-05T22:00", "note": "about the boat"}
NEW: dict[str, Any] = {"assignment_id": 1, "customer_id": 1841, "seller_id": 7, **WISH}
PROMISED: dict[str, Any] = {
    "id": 12, "assignment_id": 1, "customer_id": 1841, "seller_id": 7, "asked_at": "2026-03-05T22:00:00Z",
    "wall_time": "2026-03-05T22:00", "zone": "Europe/Lisbon", "asked_as": "own_zone",
    "due_at": "2026-03-06T09:01:00Z", "note": "about the boat",
    "told": "nobody may be rung then: Fri 06 Mar 09:01 is the next opening",
    "warning": None,
}  # fmt: skip
LISTED: dict[str, Any] = {
    "id": 12, "assignment_id": 1, "assignment": "Spring", "customer_id": 1841, "external_id": "17",
    "name": "Ines", "seller_id": 7, "seller": "Ana", "asked_at": "2026-03-05T22:00:00Z",
    "wall_time": "2026-03-05T22:00", "zone": "Europe/Lisbon", "asked_as": "own_zone",
    "due_at": "2026-03-06T09:01:00Z", "will_be": "2026-03-06T09:01:00Z", "standing": "waits",
    "anybodys": False, "anybodys_at": None, "owner_off": None, "gate": None,
    "note": "about the boat", "author": "Ana", "made_by": "seller", "created_at": "2026-03-02T12:00:00Z",
    "replaces": None, "handed_at": None, "handed_by": None, "handed_from": None, "ended_at": None,
    "ended_by": None, "ended_author": None,
}  # fmt: skip
