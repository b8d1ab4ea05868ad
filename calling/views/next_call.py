"""When a customer will next be callable by time alone: from event to event, until every gate is open.

Each event is looked at, not the latest alone, and the next opening after it once more: a number that comes
off a list may be a better one, or the best one, and rest itself.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text

from calling.handout import gap, gates
from calling.hours.opening import Doors
from calling.views.stepped_over import kept_free_until
from calling.walls import pauses
from models.tables import FOREVER
from models.work import Work

MOST_EVENTS = 200
"""More than anybody has; whoever needs more is told nothing rather than something untrue."""

_EVENTS = text(f"""
    with number as (
        select e164 from customer_number where crm_id = :crm_id and customer_id = :customer_id
    )
    select at from (
        select expires_at as at from suppression
         where crm_id = :crm_id and lifted_at is null and customer_id = :customer_id
        union
        select s.expires_at from suppression s join number n on n.e164 = s.e164
         where s.crm_id = :crm_id and s.lifted_at is null
        union
        select gap.until from number n cross join lateral (
            select {gap.until(":assignment_id")} as until {gap.last_rings(":customer_id", "n.e164")}) gap
        union
        select ends_at from pause where crm_id = :crm_id and lifted_at is null) event
     where at > :now order by at limit :most
""")  # noqa: S608 - only our own words go in


def callable_at(work: Work, row: Row[Any], hours: Doors) -> datetime | None:
    """The first instant (UTC) at which they may be called, if nobody acts; None: somebody has to.

    `row`: of their placement; `hours`: of their segment.
    """
    if row.retired_at is not None or row.state not in ("ready", "resting", "follow_up"):
        return None
    asked = {"customer_id": row.customer_id, "assignment_id": row.assignment_id}
    events = set(work.run(_EVENTS, **asked, most=MOST_EVENTS).scalars())
    kept = kept_free_until(work, row.customer_id)
    standing, at = pauses.standing(work), work.now
    for _ in range(2 * MOST_EVENTS):
        shut = list(_shut(work, row, standing, kept, at))
        if not shut:
            opens = hours.next_opening(row.clock_id, at)
            if opens is None or opens == at:
                return opens
            at = opens
            continue
        later = [event for event in {*events, *shut} if at < event < FOREVER]
        if not later:
            return None
        at = min(later)
    return None


def _shut(
    work: Work, row: Row[Any], standing: pauses.Pauses, kept: datetime | None, at: datetime
) -> Iterator[datetime]:
    """Until when each gate but the hours is shut, as seen at `at`."""
    if row.state != "ready" and row.due_at > at:
        yield row.due_at
    facts = gates.facts_of(replace(work, now=at), row.assignment_id, [row.customer_id])[row.customer_id]
    yield from (until for _, until in facts.shut)
    if facts.held:
        yield FOREVER
    if row.state != "follow_up" and kept is not None and kept > at:
        yield kept
    paused = standing.shut(assignment_id=row.assignment_id, segment_id=row.segment_id, at=at)
    if paused is not None:
        yield paused[1] or FOREVER
