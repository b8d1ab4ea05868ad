"""Bulk actions: one deed of a manager on many customers, in parts, each committed by itself.

Who they are is decided once, when it begins, and written down with it. A part is done and crossed off in one
transaction: cut off anywhere, what is left is found by the next tick, and nothing is done twice. Two that
carry out the same action share its parts.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Row, text

from calling.segments.bulk_steps import STEPS
from calling.segments.history import note_deed
from calling.segments.resegmenting import take_back_moved
from models import turnstile
from models.errors import BadInput, NotFound
from models.work import OpenWork, Work
from segmentation.resegment import Moved

PART = 200

_BEGIN = text("""
    insert into bulk_action (crm_id, assignment_id, kind, segment_id, of_segment, what, author, reason,
                             expires_at, customers, begun_at)
    values (:crm_id, :assignment_id, :kind, :segment_id, :of_segment, :what, :author, :reason, :expires_at,
            :customers, :now)
    returning id
""")
_PARTS = text("""
    insert into bulk_part (crm_id, action_id, number, customers)
    select :crm_id, :action_id, (t.n - 1) / :size, array_agg(t.customer order by t.n)
      from unnest(cast(:customers as bigint[])) with ordinality as t(customer, n)
     group by (t.n - 1) / :size
""")
_FIND = text("select * from bulk_action where crm_id = :crm_id and id = :action_id")
_DONE_SO_FAR = text("""
    select coalesce(sum(cardinality(customers)), 0) from bulk_part
     where crm_id = :crm_id and action_id = :action_id and done_at is not null
""")
_TAKE = text("""
    select number, customers from bulk_part
     where crm_id = :crm_id and action_id = :action_id and done_at is null
     order by number limit 1 for update skip locked
""")
_CROSS_OFF = text("""
    update bulk_part set done_at = :now, changed = :changed
     where crm_id = :crm_id and action_id = :action_id and number = :number
""")
# Waits for whoever is at the last parts; what they did not commit comes back.
_LEFT = text("""
    select number from bulk_part
     where crm_id = :crm_id and action_id = :action_id and done_at is null order by number for update
""")
_FINISH = text("""
    update bulk_action
       set finished_at = :now, problem = :problem,
           changed = (select coalesce(sum(changed), 0) from bulk_part
                       where crm_id = :crm_id and action_id = :action_id)
     where crm_id = :crm_id and id = :action_id and finished_at is null
    returning *
""")
_FORGET = text("delete from bulk_part where crm_id = :crm_id and action_id = :action_id")
_ACTIONS = text("""
    select a.id, a.kind, a.segment_id, a.of_segment, a.what, a.author, a.reason, a.expires_at, a.customers,
           a.begun_at, a.finished_at, a.changed, a.problem,
           case when a.finished_at is null then (
               select coalesce(sum(cardinality(p.customers)), 0) from bulk_part p
                where p.crm_id = :crm_id and p.action_id = a.id and p.done_at is not null)
           else a.customers end as done
      from bulk_action a
     where a.crm_id = :crm_id and a.assignment_id = :assignment_id and a.id > :after
       and (not :open or a.finished_at is null)
     order by a.id limit :most
""")
_OPEN = text("select id from bulk_action where crm_id = :crm_id and finished_at is null order by id")

Progress = Callable[[int, int], None]
"""Told how many customers are done, of how many, after each part."""


def untold(_done: int, _of: int) -> None:
    """Nobody watches."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be done: see models.tables.bulk. `expires_at` (UTC): of the holds."""

    assignment_id: int
    kind: Literal["hold", "free", "release", "wake"]
    author: str
    reason: str
    segment_id: int | None = None
    of_segment: int | None = None
    expires_at: datetime | None = None
    what: str = ""


@dataclass(frozen=True, slots=True)
class BulkDone:
    """A finished action: of `customers`, so many `changed`: they moved, or are ready now."""

    id: int
    customers: int
    changed: int


def begin(work: Work, wish: Wish, customers: Sequence[int]) -> int:
    """Write down what is to be done to whom; its id. Raises BadInput without a reason."""
    if not wish.reason.strip():
        raise BadInput("reason: say why; whoever looks at these customers later wants to know")
    everybody = sorted(set(customers))
    action_id = work.run(
        _BEGIN, assignment_id=wish.assignment_id, kind=wish.kind, segment_id=wish.segment_id,
        of_segment=wish.of_segment, what=wish.what, author=wish.author, reason=wish.reason,
        expires_at=wish.expires_at, customers=len(everybody),
    ).scalar_one()  # fmt: skip
    work.run(_PARTS, action_id=action_id, size=PART, customers=f"{{{','.join(map(str, everybody))}}}")
    return int(action_id)


def carry_out(open_work: OpenWork, action_id: int, progress: Progress = untold) -> BulkDone:
    """Do what is left of an action, part by part. Doing it again is harmless.

    Raises NotFound when its segment is gone: then it is given up, with a word in the history.
    """
    with open_work() as work:
        action = work.run(_FIND, action_id=action_id).first()
        if action is None:
            raise NotFound("bulk action", action_id)
        done = int(work.run(_DONE_SO_FAR, action_id=action_id).scalar_one())
    try:
        while size := _part(open_work, action) or _left(open_work, action_id):
            done += max(size, 0)
            progress(done, action.customers)
    except NotFound as error:
        _finish(open_work, action_id, str(error))
        raise
    return _finish(open_work, action_id, None)


def actions_to_do(open_work: OpenWork) -> list[int]:
    """Actions that were begun and not finished, oldest first: what a crash left, or somebody is at."""
    with open_work() as work:
        return list(work.run(_OPEN).scalars())


def actions(
    work: Work, assignment_id: int, after: int, most: int, *, unfinished: bool = False
) -> Sequence[Row[Any]]:
    """Actions with an id above `after`, and how many customers each has `done`."""
    asked = {"assignment_id": assignment_id, "after": after, "most": most, "open": unfinished}
    return work.run(_ACTIONS, **asked).all()


def _part(open_work: OpenWork, action: Row[Any]) -> int:
    """Do the next part that nobody is at; how many customers it had."""
    moved: list[Moved] = []
    with open_work() as work:
        turnstile.pass_shared(work, [action.assignment_id])
        part = work.run(_TAKE, action_id=action.id).first()
        if part is None:
            return 0
        changed, moved = STEPS[action.kind](work, action, part.customers)
        work.run(_CROSS_OFF, action_id=action.id, number=part.number, changed=changed)
    take_back_moved(open_work, moved)
    return len(part.customers)


def _left(open_work: OpenWork, action_id: int) -> int:
    """Wait for others who are at it; -1 while they left something, else 0."""
    with open_work() as work:
        return -1 if work.run(_LEFT, action_id=action_id).first() else 0


def _finish(open_work: OpenWork, action_id: int, problem: str | None) -> BulkDone:
    """Once, whoever comes first: close it, and write the deed into the history."""
    with open_work() as work:
        row = work.run(_FINISH, action_id=action_id, problem=problem).first()
        if row is not None:
            _note(work, row)
            work.run(_FORGET, action_id=action_id)
            work.hint("allocate", row.assignment_id)
        row = row or work.run(_FIND, action_id=action_id).one()
    return BulkDone(row.id, row.customers, row.changed)


def _note(work: Work, row: Row[Any]) -> None:
    told = {"customers": row.customers, "changed": row.changed, "reason": row.reason}
    told |= {"what": row.what} if row.what else {}
    told |= {"problem": row.problem} if row.problem else {}
    if row.kind in ("hold", "free"):
        note_deed(
            work, row.assignment_id, row.segment_id, "held", row.author, **told, until=row.expires_at
        )  # fmt: skip
    if row.kind != "hold":
        deed = {"free": "freed", "release": "released", "wake": "woken"}[row.kind]
        note_deed(work, row.assignment_id, row.of_segment, deed, row.author, **told)
