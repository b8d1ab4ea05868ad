"""What an outcome makes of a placement: the pure part, without a database."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from calling.outcomes.retrying import Opens, at_any_time, plan_of
from models.outcomes import EFFECTS, Effect, Outcome


@dataclass(frozen=True, slots=True)
class Change:
    """A placement as it will be written. `overtaken`: a later lease holds it, and has to be recalled."""

    state: str
    due_at: datetime | None
    status: str
    attempts: int
    lease_id: UUID | None
    return_state: str | None
    return_due_at: datetime | None
    last_outcome: str | None
    last_attempt_at: datetime | None
    last_lease_id: UUID | None
    overtaken: bool = False

    WRITTEN: ClassVar = (
        "state", "due_at", "status", "attempts", "lease_id", "return_state", "return_due_at",
        "last_outcome", "last_attempt_at", "last_lease_id",
    )  # fmt: skip

    @classmethod
    def of(cls, row: Any) -> "Change":
        """The placement as it is, from its locked row."""
        return cls(**{name: getattr(row, name) for name in cls.WRITTEN})


@dataclass(frozen=True, slots=True)
class Kept:
    """A promise that outlives an outcome. `put_off`: not before they may be tried again."""

    due_at: datetime
    put_off: bool


def settle(
    before: Change, lease: Any, outcome: Outcome, now: datetime, *, said: str | None, other_number: bool,
    answered_since: bool = False, times: int = 1, promised: datetime | None = None, kept: Kept | None = None,
    opens: Opens = at_any_time,
) -> Change:  # fmt: skip
    """The placement after `outcome` of `lease`.

    `said`: what was told of this call before, and is completed now; None: it is the lease's first report.
    `other_number`: a number of theirs is left, should this outcome give one up.
    `answered_since`: it calls the number dead, but somebody has answered there by a later call.
    `times`: how often this outcome came in the assignment by now. `promised`: when a call promised in this
    one is due; `kept`: one promised before, that this one does not consume. `opens`: the customer's hours.
    Any first outcome counts; a late one changes status and state only if no later attempt exists, and never
    those of a customer who has left or was anonymised; a sale, a do-not-call and an invalid number always
    take effect (P4). Closed stays closed, but for the last word of the very call that closed them.
    """
    effect = EFFECTS[outcome]
    completed = said is not None and EFFECTS[Outcome(said)].counts
    counted = replace(before, attempts=before.attempts + effect.counts - completed)
    newest = before.last_lease_id is None or before.last_lease_id <= lease.id
    if before.state in ("left", "anonymised"):
        return counted
    if not (newest or (effect.always and not answered_since)):
        return _let_go(counted, lease)
    state, due_at = _target(
        effect, outcome, counted.attempts, lease, now, other_number, times, promised, kept, opens
    )  # fmt: skip
    open_again = _its_own(before, lease, said)
    after = replace(counted, status=outcome.value)
    if newest:
        after = replace(after, last_outcome=outcome.value, last_attempt_at=now, last_lease_id=lease.id)
    if before.state == "leased" and before.lease_id != lease.id:
        if before.return_state == "closed" and not open_again:
            return replace(after, overtaken=True)
        return replace(after, return_state=state, return_due_at=due_at, overtaken=True)
    if before.state == "closed" and not open_again:
        return after
    return replace(after, state=state, due_at=due_at, lease_id=None, return_state=None, return_due_at=None)


def _its_own(before: Change, lease: Any, said: str | None) -> bool:
    """Whether this very call made of the customer what they are, so that its last word may change it.

    Who asked not to be called stays closed: only a manager takes that back.
    """
    if said is None or said == Outcome.DO_NOT_CALL:
        return False
    return before.last_lease_id == lease.id and before.status == said


def _let_go(counted: Change, lease: Any) -> Change:
    """The outcome changes nothing but the count; if its lease still holds the placement, it goes back.

    The last attempt that the limit allows closes them, however late it is told; a promise is kept.
    """
    full = counted.attempts >= lease.max_attempts
    if counted.state == "leased" and counted.lease_id != lease.id:
        if full and counted.return_state not in ("closed", "follow_up"):
            return replace(counted, return_state="closed", return_due_at=None, overtaken=True)
        return counted
    state, due_at = counted.state, counted.due_at
    if state == "leased" and counted.return_state is not None:
        state, due_at = counted.return_state, counted.return_due_at
    if full and state != "follow_up":
        state, due_at = "closed", None
    return replace(counted, state=state, due_at=due_at, lease_id=None, return_state=None, return_due_at=None)


def _target(
    effect: Effect, outcome: Outcome, attempts: int, lease: Any, now: datetime, other_number: bool,
    times: int, promised: datetime | None, kept: Kept | None, opens: Opens,
) -> tuple[str, datetime | None]:  # fmt: skip
    """State and due time: a promised call, closed, or resting until it is tried again.

    A promise is kept, however many attempts it takes.
    """
    if promised is not None:
        return "follow_up", promised
    next_number = effect.number_state is not None and other_number
    if effect.after == "close" and not next_number:
        return "closed", None
    again, final = now, False
    if not next_number:
        plan = plan_of(outcome, lease.retry_plan)
        again = plan.due(lease.id, times, lease.rung_at or now, now, lease.zone, opens)
        final = plan.final(times)
    if kept is not None:
        return "follow_up", max(kept.due_at, again) if kept.put_off else kept.due_at
    return ("closed", None) if final or attempts >= lease.max_attempts else ("resting", again)
