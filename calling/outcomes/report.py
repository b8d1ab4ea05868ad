"""What is said of a lease, and what came of saying it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from calling.follow_ups.asking import Wish
from calling.follow_ups.putting import Promised
from calling.handout.flagging import Fate
from models.outcomes import Outcome


@dataclass(frozen=True, slots=True)
class Report:
    """What a seller or a dialer says of a lease. `rung_at` (UTC) if they know; `talk_seconds` of talk.

    `promise`: when another call was promised, with the outcome `follow_up`; checked by who takes it in.
    """

    lease_id: UUID
    outcome: Outcome
    by: Literal["seller", "dialer"]
    talk_seconds: int | None = None
    rung_at: datetime | None = None
    promise: Wish | None = None


@dataclass(frozen=True, slots=True)
class Recorded:
    """What came of a report. `again`: it was known already, nothing changed. `orphan`: no such lease.

    `promised`: the call that is promised now; None where none was, or something later had overtaken it.
    `dead`: the number (E.164), if whoever has it is not to be rung there any more. `later_lease`: of the
    customer, made since; what became of it is `later_is`, once `afterwards` has seen to it.
    """

    lease_id: UUID
    kind: Literal["first", "completion", "again", "orphan"]
    late: bool = False
    state: str | None = None
    status: str | None = None
    later_lease: UUID | None = None
    suppressed: bool = False
    promised: Promised | None = None
    dead: str | None = None
    outcome: str | None = None
    later_is: Fate | None = None
