"""A promise is put in place of whatever was promised; gates and segments follow, and what is told of it.

Under the lock of the placement, which `locked` takes: no two write a follow-up's rows at once.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from calling.follow_ups import promising_sql as sql
from calling.follow_ups.asking import Asked
from calling.follow_ups.elsewhere import works_elsewhere
from calling.follow_ups.standing import as_they_stand
from calling.handout import gates, placements
from calling.segments.following import follow
from models import turnstile
from models.errors import Conflict, NotFound
from models.work import Work


@dataclass(frozen=True, slots=True)
class Promised:
    """A call that is promised: who rings (`seller_id` None: anybody), what was asked, and from when (UTC).

    `asked_as`: an instant, a time in a named zone, or on the customer's own wall, which it follows.
    `told`: why it will be at another time than the wall was to show; empty: it will not. `warning`:
    its seller works another assignment, and what becomes of it then.
    """

    id: int
    assignment_id: int
    customer_id: int
    seller_id: int | None
    asked_at: datetime
    wall_time: str
    zone: str
    asked_as: str
    due_at: datetime
    note: str
    told: str
    warning: str | None = None


def locked(work: Work, assignment_id: int, customer_id: int) -> Row[Any]:
    """Pass the turnstile, then lock the customer's placements. Raises NotFound, Conflict."""
    turnstile.pass_shared(work, [assignment_id])
    row = placements.locked(work, [customer_id]).get((assignment_id, customer_id))
    if row is None:
        raise NotFound("customer in the assignment", customer_id)
    if row.state in ("left", "anonymised"):
        raise Conflict(f"nobody can be promised a call here any more: they are {row.state}", state=row.state)
    return row


def put(
    work: Work, row: Row[Any], asked: Asked, seller_id: int | None, author: str, made_by: str
) -> Promised:
    """The promise in place of whatever was promised; the placement is locked."""
    where: dict[str, Any] = {"assignment_id": row.assignment_id, "customer_id": row.customer_id}
    before = work.run(sql.END, **where, ended_by="changed", author=author).first()
    values: dict[str, Any] = {
        "seller_id": seller_id, "asked_at": asked.at, "wall_time": asked.wall_time, "zone": asked.zone,
        "asked_as": asked.asked_as, "due_at": asked.due_at, "note": asked.note,
    }  # fmt: skip
    same = before is not None and (before.seller_id, before.due_at) == (seller_id, asked.due_at)
    history = {
        **_otherwise(row, before), **_handed(before, seller_id, work.now, author),
        "anybodys_at": before.anybodys_at if before is not None and same else None,
    }  # fmt: skip
    key = work.run(sql.MAKE, **where, **values, **history, author=author, made_by=made_by).scalar_one()
    work.run(sql.WAIT, **where, due_at=asked.due_at)
    settled(work, row.assignment_id, row.customer_id)
    warning = works_elsewhere(work, seller_id, [row.assignment_id])
    made = Promised(key, **where, **values, told=asked.told, warning=warning)
    return as_they_stand(work, {key: made}, {key: asked})[key]


def _otherwise(row: Row[Any], before: Row[Any] | None) -> dict[str, Any]:
    """What the customer is without the promise: as they were before the first of those that replace it."""
    if before is not None:
        return {"otherwise_state": before.otherwise_state, "otherwise_due_at": before.otherwise_due_at}
    leased = row.state == "leased"
    state, due_at = (row.return_state, row.return_due_at) if leased else (row.state, row.due_at)
    return {"otherwise_state": state, "otherwise_due_at": due_at}


def _handed(before: Row[Any] | None, seller_id: int | None, now: datetime, author: str) -> dict[str, Any]:
    """What it replaces, and whose that was: what was somebody's own is never a machine's."""
    if before is None:
        return {"replaces": None, "handed_at": None, "handed_by": None, "handed_from": None}
    if before.seller_id == seller_id:
        handed = {name: getattr(before, name) for name in ("handed_at", "handed_by", "handed_from")}
    else:
        owner = before.seller_id if before.seller_id is not None else before.handed_from
        handed = {"handed_at": now, "handed_by": author, "handed_from": owner}
    return {"replaces": before.id, **handed}


def settled(work: Work, assignment_id: int, customer_id: int) -> None:
    """What follows a change of state: gates (a promised call skips the gap), segments, a look for work."""
    gates.restamp(work, [customer_id], locked=True)
    follow(work, assignment_id, [customer_id], "due", "hand")
    work.hint("allocate", assignment_id)
