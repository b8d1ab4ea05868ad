"""Promises on a wall follow it: "at 15:00" is 15:00 where the customer is held to be, by the clock there.

Where a customer is reckoned anew, or new data set a zone's clock otherwise, that is another instant: the
promise of before ends as `moved`, another replaces it. An instant is moved by nothing; a named zone stays,
and only its own clock moves it. While nobody knows the zone, the last one known counts.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from calling.follow_ups import own_wall_sql as sql
from calling.follow_ups.asking import Asked
from calling.follow_ups.putting import Promised
from calling.follow_ups.standing import as_they_stand
from calling.follow_ups.wall_time import Reckoned, instant_of_wall
from calling.hours.opening import Openings, openings
from calling.hours.whereabouts import UNKNOWN_RECKONING
from calling.hours.zones import zone_names
from models.work import Work

PASSED = "that time has passed there: due at once"
WAITS = "they were called for it: not before they may be tried again"


@dataclass(frozen=True, slots=True)
class PromiseMoved:
    """A promise that followed its wall, from when to when (UTC). `id`: it has another one since then.

    `told`: why it is not due at the very time on the wall; empty: it is.
    """

    id: int
    replaces: int
    assignment_id: int
    customer_id: int
    wall_time: str
    from_zone: str
    to_zone: str
    was_due_at: datetime
    due_at: datetime
    told: str


@dataclass(frozen=True, slots=True)
class PromiseStays:
    """A promise that stays when it was: an instant, in a named zone, or the same time by their wall."""

    id: int
    assignment_id: int
    customer_id: int
    wall_time: str
    zone: str
    asked_as: str
    due_at: datetime


@dataclass(slots=True)
class Followed:
    """What became of open promises of some customers. `offered`: leases that were to keep what has moved."""

    moved: list[PromiseMoved] = field(default_factory=list)
    stay: list[PromiseStays] = field(default_factory=list)
    offered: list[UUID] = field(default_factory=list)

    def of(self, customer_id: int) -> "Followed":
        """Those of one customer."""
        return Followed(
            [one for one in self.moved if one.customer_id == customer_id],
            [one for one in self.stay if one.customer_id == customer_id],
        )


def astray(work: Work, customers: Collection[int]) -> set[int]:
    """Those of these to whom a call is promised at another instant than the wall says by today's data."""
    rows = work.run(sql.ON_WALLS, customers=sorted(customers)) if customers else ()
    return {row.customer_id for row in rows if _at(row, _goal(row)) not in (None, row.asked_at)}


def follow_walls(
    work: Work, customers: Collection[int], by: str, *, alone: Collection[int] | None = None
) -> Followed:
    """Bring the open promises of these customers, whose zone or its rules may have changed, to their wall.

    `by`: who changed it. `alone`: only these promises of theirs. Call it behind `reclock`, before gates and
    segments follow, then `tell`: the placements are locked and have their clocks.
    """
    found = work.run(sql.OPEN, customers=sorted(customers)).all() if customers else []
    rows = [row for row in found if alone is None or row.id in alone]
    if not rows:
        return Followed()
    goals = {row.id: _goal(row) for row in rows}
    leaving = [row for row in rows if (at := _at(row, goals[row.id])) is not None and at != row.asked_at]
    gone = {row.id for row in leaving}
    staying = [row for row in rows if row.id not in gone]
    renamed = [row.id for row in staying if goals[row.id] != row.zone]
    if renamed:
        work.run(sql.RENAME, ids=renamed, zones=[goals[key] for key in renamed])
    return Followed(
        _move(work, leaving, goals, by) if leaving else [],
        [_stays(row, goals[row.id]) for row in staying],
        [row.offered for row in leaving if row.offered is not None],
    )


def tell(work: Work, followed: Followed) -> Followed:
    """The same once gates and segments have followed: due when their hours open, and with what to tell."""
    if not followed.moved:
        return followed
    made = {one.id: _promised(one, work.now) for one in followed.moved}
    asked = {one.id: _asked(one) for one in followed.moved}
    stand = as_they_stand(work, made, asked)
    moved = []
    for one in followed.moved:
        passed = PASSED if _meant(one).at <= work.now else ""
        said = (one.told or passed, stand[one.id].told)
        moved.append(replace(one, due_at=stand[one.id].due_at, told="; ".join(filter(None, said))))
    return replace(followed, moved=moved)


def _goal(row: Row[Any]) -> str:
    """The zone on whose wall it is meant from now on."""
    known = row.asked_as == "own_zone" and row.reckoning_zone != UNKNOWN_RECKONING
    return str(row.reckoning_zone if known else row.zone)


def _at(row: Row[Any], zone_name: str) -> datetime | None:
    """The instant that is meant on the wall of a zone; None: no wall moves it, or nobody knows its clock."""
    if row.asked_as == "instant" or zone_name not in zone_names():
        return None
    return instant_of_wall(zone_name, datetime.fromisoformat(row.wall_time)).at


def _move(work: Work, rows: Sequence[Row[Any]], goals: Mapping[int, str], by: str) -> list[PromiseMoved]:
    hours = openings(work, sorted({row.clock_id for row in rows}))
    asked = {row.id: instant_of_wall(goals[row.id], datetime.fromisoformat(row.wall_time)).at for row in rows}
    due = {row.id: _due(row, asked[row.id], hours, work.now) for row in rows}
    work.run(sql.END, ids=[row.id for row in rows], by=by)
    made = work.run(
        sql.MAKE, ids=[row.id for row in rows], asked_ats=[asked[row.id] for row in rows],
        zones=[goals[row.id] for row in rows], due_ats=[due[row.id] for row in rows],
    )  # fmt: skip
    ids = {row.replaces: row.id for row in made}
    work.run(
        sql.WAIT, assignments=[row.assignment_id for row in rows],
        customers=[row.customer_id for row in rows], due_ats=[due[row.id] for row in rows],
    )  # fmt: skip
    for assignment_id in sorted({row.assignment_id for row in rows}):
        work.hint("allocate", assignment_id)
    return [
        PromiseMoved(
            ids[row.id], row.id, row.assignment_id, row.customer_id, row.wall_time, row.zone, goals[row.id],
            row.due_at, due[row.id],
            WAITS if _put_off(row, work.now) and asked[row.id] < row.put_off_to else "",
        )
        for row in rows
    ]  # fmt: skip


def _due(row: Row[Any], at: datetime, hours: Openings, now: datetime) -> datetime:
    """From when it is handed out: as asked, at once if that has passed, and when hours are open.

    What had come due, and has passed there as well, is due as it was. A call for it puts it off on any wall
    (P5); that hours were shut on the wall of before does not.
    """
    wanted = at if at > now else min(row.due_at, now)
    if _put_off(row, now):
        wanted = max(wanted, row.put_off_to)
    opening = hours.of(row.assignment_id, row.segment_id).next_opening(row.clock_id, wanted)
    return opening or wanted


def _put_off(row: Row[Any], now: datetime) -> bool:
    """Whether a call for it was made, and it waits for the next one still."""
    return row.put_off_to is not None and row.put_off_to > now


def _stays(row: Row[Any], zone_name: str) -> PromiseStays:
    return PromiseStays(
        row.id, row.assignment_id, row.customer_id, row.wall_time, zone_name, row.asked_as, row.due_at
    )


def _meant(one: PromiseMoved) -> Reckoned:
    return instant_of_wall(one.to_zone, datetime.fromisoformat(one.wall_time))


def _promised(one: PromiseMoved, now: datetime) -> Promised:
    """As those who write promises know it; what has passed is asked for now, what waits for then."""
    at = one.due_at if one.told else max(_meant(one).at, min(one.due_at, now))
    return Promised(
        one.id, one.assignment_id, one.customer_id, None, at, one.wall_time, one.to_zone, "own_zone",
        one.due_at, "", "",
    )  # fmt: skip


def _asked(one: PromiseMoved) -> Asked:
    meant = _meant(one)
    return Asked(meant.at, one.wall_time, one.to_zone, "own_zone", meant.reading, one.due_at, False, "")
