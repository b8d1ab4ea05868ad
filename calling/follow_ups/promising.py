"""A call is promised, changed, or taken back, by hand or through the API; outcomes do it in by_outcome.py.

A follow-up's rows are written only by who holds its placement's lock: no two write one at once.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from calling.follow_ups.asking import Asked, Wish, check_note, check_wish, reckon
from calling.follow_ups.standing import as_they_stand
from calling.handout import gates, placements
from calling.handout.recalling import recall
from calling.segments.following import follow
from models import turnstile
from models.errors import Conflict, NotFound
from models.outcomes import EFFECTS
from models.work import OpenWork, Work

_ZONE = text("select reckoning_zone from customer where crm_id = :crm_id and id = :customer_id")
_SELLER = text("select 1 from seller where crm_id = :crm_id and id = :seller_id")
_FOLLOW_UP = text("select * from follow_up where crm_id = :crm_id and id = :follow_up_id")
_END = text("""
    update follow_up set ended_at = :now, ended_by = :ended_by, ended_author = :author
     where crm_id = :crm_id and assignment_id = :assignment_id and customer_id = :customer_id
       and ended_at is null
    returning id
""")
_MAKE = text("""
    insert into follow_up (crm_id, assignment_id, customer_id, seller_id, asked_at, wall_time, zone, due_at,
                           note, author, made_by, replaces, created_at)
    values (:crm_id, :assignment_id, :customer_id, :seller_id, :asked_at, :wall_time, :zone, :due_at,
            :note, :author, :made_by, :replaces, :now)
    returning id
""")
# Who is on the telephone stays there; what they go back to is the promise.
_WAIT = text("""
    update placement
       set state = case when state = 'leased' then state else 'follow_up' end,
           due_at = case when state = 'leased' then due_at else cast(:due_at as timestamptz) end,
           return_state = case when state = 'leased' then 'follow_up' end,
           return_due_at = case when state = 'leased' then cast(:due_at as timestamptz) end
     where crm_id = :crm_id and assignment_id = :assignment_id and customer_id = :customer_id
""")
_ON = """case when p.attempts >= a.max_attempts or p.last_outcome = any(cast(:final as text[])) then 'closed'
              else 'ready' end"""
# Back into the line; who has had all their attempts, or bought or said no before, stays out of it.
_LET_GO = text(f"""
    update placement p
       set state = case when p.state = 'leased' then p.state else {_ON} end,
           due_at = case when p.state = 'leased' then p.due_at end,
           return_state = case when p.state = 'leased' then {_ON} end, return_due_at = null
      from assignment a
     where p.crm_id = :crm_id and p.assignment_id = :assignment_id and p.customer_id = :customer_id
       and a.crm_id = :crm_id and a.id = :assignment_id
""")  # noqa: S608 - our own words


_FINAL = [
    outcome.value
    for outcome, effect in EFFECTS.items()
    if effect.after == "close" and effect.number_state is None
]
"""Outcomes that close a customer, whatever numbers they have."""


@dataclass(frozen=True, slots=True)
class Promised:
    """A call that is promised: who rings (`seller_id` None: anybody), what was asked, and from when (UTC).

    `told`: why it will be at another time than the wall was to show; empty: it will not.
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
        if patch.wish is not None:
            check_wish(patch.wish, _zone(work, found.customer_id), work.now)
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
    """Take a promise back: the customer is in the line again, or closed as they were.

    Raises NotFound, and Conflict when it has ended.
    """
    with open_work() as work:
        found = follow_up(work, follow_up_id)
    with open_work() as work:
        row = _locked(work, found.assignment_id, found.customer_id)
        _check_open(work, follow_up_id)
        where = {"assignment_id": found.assignment_id, "customer_id": found.customer_id}
        work.run(_END, **where, ended_by="cancelled", author=author)
        work.run(_LET_GO, **where, final=_FINAL)
        _settled(work, found.assignment_id, found.customer_id)
    _take_back(open_work, row.lease_id)


def follow_up(work: Work, follow_up_id: int) -> Row[Any]:
    """The row of one follow-up, open or ended. Raises NotFound."""
    row = work.run(_FOLLOW_UP, follow_up_id=follow_up_id).first()
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
    replaces = work.run(_END, **where, ended_by="changed", author=author).scalar()
    values: dict[str, Any] = {
        "seller_id": seller_id, "asked_at": asked.at, "wall_time": asked.wall_time, "zone": asked.zone,
        "due_at": asked.due_at, "note": asked.note,
    }  # fmt: skip
    key = work.run(_MAKE, **where, **values, author=author, made_by=made_by, replaces=replaces).scalar_one()
    work.run(_WAIT, **where, due_at=asked.due_at)
    _settled(work, row.assignment_id, row.customer_id)
    made = Promised(key, **where, **values, told=asked.told)
    return as_they_stand(work, {key: made}, {key: asked})[key]


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
    if work.run(_SELLER, seller_id=seller_id).first() is None:
        raise NotFound("seller", seller_id)


def _zone(work: Work, customer_id: int) -> str:
    found = work.run(_ZONE, customer_id=customer_id).scalar()
    if found is None:
        raise NotFound("customer", customer_id)
    return str(found)


def _take_back(open_work: OpenWork, lease_id: UUID | None) -> None:
    """An offered lease was handed out for what is no longer so; the reaper finds it after a crash."""
    if lease_id is not None:
        with open_work() as work:
            recall(work, [lease_id], "another call was promised", states=["offered"])
