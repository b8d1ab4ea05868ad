"""What a customer's state says of being called: who holds them, what was promised, why they rest."""

from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Row

from calling.hours.opening import Doors
from calling.outcomes.retrying import DEFAULTS, in_other_part, part_of, plan_of
from calling.views.answers import Answer
from models.outcomes import Outcome

_LEASED = {"offered": "offered to", "taken": "taken by", "rung": "rung by", "wrap_up": "wrapped up by"}


def state_told(row: Row[Any], hours: Doors, now: datetime) -> Answer:
    """Ready is open, and a promise that is due; others open by themselves, or wait for somebody."""
    if row.state == "ready":
        return Answer("state", True, None, f"ready{_hot(row)}")
    if row.state == "follow_up":
        due = row.due_at <= now
        return Answer("state", due, None if due else row.due_at, _promise(row))
    if row.state == "resting":
        return Answer("state", False, row.due_at, f"{row.state}{_same_part(row, hours)}")
    if row.state == "leased":
        kind = "seller" if row.seller_id else "dialer"
        return Answer("state", False, None, f"{_LEASED[row.lease_state]} {kind} {row.holder}")
    return Answer("state", False, None, row.state)


def _hot(row: Row[Any]) -> str:
    return "" if row.hot_at is None else f", before all others: a hot lead, {row.hot_reason}"


def _same_part(row: Row[Any], hours: Doors) -> str:
    """Said where a plan asks for another part of the day, and hours never open in one."""
    outcome = row.last_outcome
    if outcome not in DEFAULTS or not plan_of(Outcome(outcome), row.retry_plan).other_part:
        return ""
    tried, zone = row.tried_at, row.reckoning_zone
    other = in_other_part(row.due_at, tried, zone, partial(hours.next_opening, row.clock_id))
    part = part_of(tried, zone)
    if part != part_of(row.due_at, zone) or part != part_of(other, zone):
        return ""
    return f", again in the {part}: their hours open in no other part of the day"


def _promise(row: Row[Any]) -> str:
    """What was promised, and whose it is."""
    when = (
        f"promised a call at {row.wall_time.replace('T', ' ')} in {row.promised_in}" if row.wall_time else ""
    )
    off = ", who is off for the day:" if row.owner_off else ","
    whose = (
        f"; {row.owner}'s{off} everybody's from {row.owners_until:%Y-%m-%d %H:%M} UTC" if row.owner else ""
    )
    return f"{when or 'promised a call'}{whose}"
