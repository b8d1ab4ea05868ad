"""A call is promised, changed, or taken back, by hand or through the API; outcomes do it in by_outcome.py.

Whoever puts one in place of another does it by putting.py, under the lock of its placement.
"""

from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from calling.follow_ups import promising_sql as sql
from calling.follow_ups.asking import Asked, Wish, check_note, check_wish, instant, reckon
from calling.follow_ups.putting import Promised, locked, put, settled
from calling.handout.recalling import recall
from models.errors import Conflict, NotFound
from models.work import OpenWork, Work


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
        row = locked(work, assignment_id, customer_id)
        (asked,) = reckon(work, [(assignment_id, customer_id, wish)])
        made = put(work, row, asked, seller_id, author, made_by)
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
        if patch.wish is not None and instant(patch.wish, zone_name) != found.asked_at:
            check_wish(patch.wish, zone_name, work.now)
        if patch.reowned and patch.seller_id is not None:
            check_seller(work, patch.seller_id)
        row = locked(work, found.assignment_id, found.customer_id)
        now = _check_open(work, follow_up_id)
        asked = _patched(work, now, patch)
        seller_id = patch.seller_id if patch.reowned else now.seller_id
        made = put(work, row, asked, seller_id, author, made_by)
    _take_back(open_work, row.lease_id)
    return made


def cancel(open_work: OpenWork, follow_up_id: int, *, author: str) -> None:
    """Take a promise back: the customer is what they would be without it: in the line, resting, or closed.

    Raises NotFound, and Conflict when it has ended.
    """
    with open_work() as work:
        found = follow_up(work, follow_up_id)
    with open_work() as work:
        row = locked(work, found.assignment_id, found.customer_id)
        _check_open(work, follow_up_id)
        where = {"assignment_id": found.assignment_id, "customer_id": found.customer_id}
        ended = work.run(sql.END, **where, ended_by="cancelled", author=author).one()
        otherwise = {"otherwise_state": ended.otherwise_state, "otherwise_due_at": ended.otherwise_due_at}
        work.run(sql.LET_GO, **where, **otherwise)
        settled(work, found.assignment_id, found.customer_id)
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
    stays = Asked(now.asked_at, now.wall_time, now.zone, now.asked_as, "exact", now.due_at, False, note)
    if patch.wish is None:
        return stays
    (asked,) = reckon(work, [(now.assignment_id, now.customer_id, replace(patch.wish, note=note))])
    if asked.at == now.asked_at:  # the same time as it is: it may have come by now
        return replace(stays, wall_time=asked.wall_time, zone=asked.zone, asked_as=asked.asked_as)
    return asked


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
