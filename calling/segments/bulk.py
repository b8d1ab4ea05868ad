"""Bulk actions: one deed of a manager on many customers, in parts, each committed by itself.

Who they are is decided once, when it begins, and written down with it. A part is done and crossed off in one
transaction: cut off anywhere, what is left is found by the next tick, and nothing is done twice. Two that
carry out the same action share its parts.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Row

from calling.segments import bulk_sql as sql
from calling.segments.bulk_steps import STEPS
from calling.segments.history import note_deed
from calling.segments.resegmenting import take_back_moved
from models import turnstile
from models.errors import BadInput, NotFound
from models.work import OpenWork, Work
from segmentation.resegment import Moved

PART = 200

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
        sql.BEGIN, assignment_id=wish.assignment_id, kind=wish.kind, segment_id=wish.segment_id,
        of_segment=wish.of_segment, what=wish.what, author=wish.author, reason=wish.reason,
        expires_at=wish.expires_at, customers=len(everybody),
    ).scalar_one()  # fmt: skip
    work.run(sql.PARTS, action_id=action_id, size=PART, customers=f"{{{','.join(map(str, everybody))}}}")
    return int(action_id)


def carry_out(open_work: OpenWork, action_id: int, progress: Progress = untold) -> BulkDone:
    """Do what is left of an action, part by part. Doing it again is harmless.

    Raises NotFound when its segment is gone: then it is given up, with a word in the history.
    """
    with open_work() as work:
        action = work.run(sql.FIND, action_id=action_id).first()
        if action is None:
            raise NotFound("bulk action", action_id)
        done = int(work.run(sql.DONE_SO_FAR, action_id=action_id).scalar_one())
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
        return list(work.run(sql.OPEN).scalars())


def actions(
    work: Work, assignment_id: int, after: int, most: int, *, unfinished: bool = False
) -> Sequence[Row[Any]]:
    """Actions with an id above `after`, and how many customers each has `done`."""
    asked = {"assignment_id": assignment_id, "after": after, "most": most, "open": unfinished}
    return work.run(sql.ACTIONS, **asked).all()


def _part(open_work: OpenWork, action: Row[Any]) -> int:
    """Do the next part that nobody is at; how many customers it had."""
    moved: list[Moved] = []
    with open_work() as work:
        turnstile.pass_shared(work, [action.assignment_id])
        part = work.run(sql.TAKE, action_id=action.id).first()
        if part is None:
            return 0
        changed, moved = STEPS[action.kind](work, action, part.customers)
        work.run(sql.CROSS_OFF, action_id=action.id, number=part.number, changed=changed)
    take_back_moved(open_work, moved)
    return len(part.customers)


def _left(open_work: OpenWork, action_id: int) -> int:
    """Wait for others who are at it; -1 while they left something, else 0."""
    with open_work() as work:
        return -1 if work.run(sql.LEFT, action_id=action_id).first() else 0


def _finish(open_work: OpenWork, action_id: int, problem: str | None) -> BulkDone:
    """Once, whoever comes first: close it, and write the deed into the history."""
    with open_work() as work:
        work.run(sql.LEFT, action_id=action_id)  # given up: what others have in hand is counted as well
        row = work.run(sql.FINISH, action_id=action_id, problem=problem).first()
        if row is not None:
            _note(work, row)
            work.run(sql.FORGET, action_id=action_id)
            work.hint("allocate", row.assignment_id)
        row = row or work.run(sql.FIND, action_id=action_id).one()
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
