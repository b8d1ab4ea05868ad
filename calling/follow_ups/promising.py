"""A call is promised, changed, or taken back, by hand or through the API; outcomes do it in by_outcome.py.

A follow-up's rows are written only by who holds its placement's lock: no two write one at once.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from calling.follow_ups import promising_sql as sql
from calling.follow_ups.asking import Asked, Wish, check_note, check_wish, instant, reckon
from calling.follow_ups.elsewhere import works_elsewhere
from calling.follow_ups.standing import as_they_stand
from calling.handout import gates, placements
from calling.handout.recalling import recall
from calling.segments.following import follow
from models import turnstile
from models.errors import Conflict, NotFound
from models.work import OpenWork, Work


@dataclass(frozen=True, slots=True)
class Promised:
    """A call that is promised: who rings (`seller_id` None: anybody), what was asked, and from when (UTC).

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
    due_at: datetime
    note: str
    told: str
    warning: str | None = None


@dataclass(frozen=True, slots=True)
class Patch:
    """What is to be otherwise; what is None stays. `reowned`: `seller_id` rings now, None: anybody."""

    wish: Wish | None = None
    note: str | None = None
    reowned: bool = False
    seller_id: int | None = None


def promise(
    open_work: OpenWork, assignment_id: int, customer_id: int, wish: Wish, *,
    seller_id: int | None = None, author: str, made_by: str,
) -> Promised:  # fmt: skip
    """Promise a customer a call; `seller_id` rings, None: anybody. An open promise is replaced by it.

    Whoever was closed or rests waits for it from now on; who is leased goes back to it, and an offered lease
    is recalled. Raises BadInput, NotFound, and Conflict for who has left the assignment.
    """
    with open_work() as work:
        zone_name = _zone(work, customer_id)
        check_wish(wish, zone_name, work.now)
        if seller_id is not None:
            check_seller(work, seller_id)
        row = _locked(work, assignment_id, customer_id)
        (asked,) = reckon(work, [(assignment_id, customer_id, wish)])
        made = _put(work, row, asked, seller_id, author, made_by)
    _take_back(open_work, row.lease_id)
    return made


def change(open_work: OpenWork, follow_up_id: int, patch: Patch, *, author: str, made_by: str) -> Promised:
    """Promise another time, note or owner in place of an open follow-up, which ends; the new one.

    Raises BadInput, NotFound, and Conflict when it has ended.
    """
    with open_work() as work:
        found = follow_up(work, follow_up_id)
    with open_work() as work:
        check_note(patch.note or "")
        zone_name = _zone(work, found.customer_id)
        if patch.wish is not None and instant(patch.wish, zone_name) == found.asked_at:
            patch = replace(patch, wish=None)  # the same time as it is: it may have come by now
        if patch.wish is not None:
            check_wish(patch.wish, zone_name, work.now)
        if patch.reowned and patch.seller_id is not None:
            check_seller(work, patch.seller_id)
        row = _locked(work, found.assignment_id, found.customer_id)
        now = _check_open(work, follow_up_id)
        asked = _patched(work, now, patch)
        seller_id = patch.seller_id if patch.reowned else now.seller_id
        made = _put(work, row, asked, seller_id, author, made_by)
    _take_back(open_work, row.lease_id)
    return made


def cancel(open_work: OpenWork, follow_up_id: int, *, author: str) -> None:
    """Take a promise back: the customer is what they would be without it: in the line, resting, or closed.

    Raises NotFound, and Conflict when it has ended.
    """
    with open_work() as work:
        found = follow_up(work, follow_up_id)
    with open_work() as work:
        row = _locked(work, found.assignment_id, found.customer_id)
        _check_open(work, follow_up_id)
        where = {"assignment_id": found.assignment_id, "customer_id": found.customer_id}
        ended = work.run(sql.END, **where, ended_by="cancelled", author=author).one()
        otherwise = {"otherwise_state": ended.otherwise_state, "otherwise_due_at": ended.otherwise_due_at}
        work.run(sql.LET_GO, **where, **otherwise)
        _settled(work, found.assignment_id, found.customer_id)
    _take_back(open_work, row.lease_id)


def follow_up(work: Work, follow_up_id: int) -> Row[Any]:
    """The row of one follow-up, open or ended. Raises NotFound."""
    row = work.run(sql.FOLLOW_UP, follow_up_id=follow_up_id).first()
    if row is None:
        raise NotFound("follow-up", follow_up_id)
    return row


def _patched(work: Work, now: Row[Any], patch: Patch) -> Asked:
    """What is asked from now on: what the patch leaves out stays as it was."""
    note = now.note if patch.note is None else patch.note
    if patch.wish is None:
        return Asked(now.asked_at, now.wall_time, now.zone, "exact", now.due_at, False, note)
    (asked,) = reckon(work, [(now.assignment_id, now.customer_id, replace(patch.wish, note=note))])
    return asked


def _put(
    work: Work, row: Row[Any], asked: Asked, seller_id: int | None, author: str, made_by: str
) -> Promised:
    """The promise in place of whatever was promised; the placement is locked."""
    where: dict[str, Any] = {"assignment_id": row.assignment_id, "customer_id": row.customer_id}
    before = work.run(sql.END, **where, ended_by="changed", author=author).first()
    values: dict[str, Any] = {
        "seller_id": seller_id, "asked_at": asked.at, "wall_time": asked.wall_time, "zone": asked.zone,
        "due_at": asked.due_at, "note": asked.note,
    }  # fmt: skip
    same = before is not None and (before.seller_id, before.due_at) == (seller_id, asked.due_at)
    history = {
        **_otherwise(row, before), **_handed(before, seller_id, work.now, author),
        "anybodys_at": before.anybodys_at if before is not None and same else None,
    }  # fmt: skip
    key = work.run(sql.MAKE, **where, **values, **history, author=author, made_by=made_by).scalar_one()
    work.run(sql.WAIT, **where, due_at=asked.due_at)
    _settled(work, row.assignment_id, row.customer_id)
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


def _settled(work: Work, assignment_id: int, customer_id: int) -> None:
    """What follows a change of state: gates (a promised call skips the gap), segments, a look for work."""
    gates.restamp(work, [customer_id], locked=True)
    follow(work, assignment_id, [customer_id], "due", "hand")
    work.hint("allocate", assignment_id)


def _locked(work: Work, assignment_id: int, customer_id: int) -> Row[Any]:
    """Pass the turnstile, then lock the customer's placements. Raises NotFound, Conflict."""
    turnstile.pass_shared(work, [assignment_id])
    row = placements.lock(work, [customer_id]).get((assignment_id, customer_id))
    if row is None:
        raise NotFound("customer in the assignment", customer_id)
    if row.state in ("left", "anonymised"):
        raise Conflict(f"nobody can be promised a call here any more: they are {row.state}", state=row.state)
    return row


def _check_open(work: Work, follow_up_id: int) -> Row[Any]:
    """Looked at behind the lock: an outcome may have consumed it while we waited. Raises Conflict."""
    row = follow_up(work, follow_up_id)
    if row.ended_at is not None:
        raise Conflict(f"the follow-up has ended: {row.ended_by}", ended_by=row.ended_by, at=row.ended_at)
    return row


def check_seller(work: Work, seller_id: int) -> None:
    """Raises NotFound unless there is such a seller."""
    if work.run(sql.SELLER, seller_id=seller_id).first() is None:
        raise NotFound("seller", seller_id)


def _zone(work: Work, customer_id: int) -> str:
    found = work.run(sql.ZONE, customer_id=customer_id).scalar()
    if found is None:
        raise NotFound("customer", customer_id)
    return str(found)


def _take_back(open_work: OpenWork, lease_id: UUID | None) -> None:
    """An offered lease was handed out for what is no longer so; the reaper finds it after a crash."""
    if lease_id is not None:
        with open_work() as work:
            recall(work, [lease_id], "another call was promised", states=["offered"])
