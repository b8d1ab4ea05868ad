"""An assignment's own numbers: how long whoever was rung is left in peace, how many attempts a customer has.

Each with who, when, why and what was before. When one of these returns, every ring from then on obeys; whom
it stops or lets go is stamped by a worker, in batches (calling/limits/following.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Row, text

from calling.limits.changing import note, wall
from models.errors import BadValues, NotFound
from models.work import OpenWork, Work

LONGEST_GAP = timedelta(days=30)
MOST_ATTEMPTS = 255

_NOW = text("""
    select gap_seconds as gap, max_attempts as attempts from assignment
     where crm_id = :crm_id and id = :assignment_id for no key update
""")
_WRITE = {
    "gap": text("""
        update assignment set gap_seconds = :value where crm_id = :crm_id and id = :assignment_id
    """),
    "attempts": text("""
        update assignment set max_attempts = :value where crm_id = :crm_id and id = :assignment_id
    """),
}
_CHANGES = text("""
    select c.id, c.deed, c.assignment_id, a.name as assignment, c.before, c.after, c.reason, c.author,
           c.changed_at, c.walled_at, c.followed_at is not null as followed
      from limit_change c join assignment a on a.crm_id = :crm_id and a.id = c.assignment_id
     where c.crm_id = :crm_id and c.deed in ('gap', 'attempts') and c.id < :before_id
       and (cast(:assignment_id as bigint) is null or c.assignment_id = :assignment_id)
     order by c.id desc limit :most
""")

LATEST = 2**62


@dataclass(frozen=True, slots=True)
class Changed:
    """What it was and is by now. `change_id` None: it was so before, and nothing was written."""

    before: int
    after: int
    change_id: int | None


def set_gap(open_work: OpenWork, assignment_id: int, seconds: int, *, reason: str, author: str) -> Changed:
    """Leave whoever an assignment rings in peace so many seconds before and after, whoever rang or rings.

    Promised calls are exempt. Raises BadValues, NotFound.
    """
    longest = LONGEST_GAP // timedelta(seconds=1)
    return _change(open_work, "gap", assignment_id, seconds, (0, longest), reason, author)


def set_attempts(open_work: OpenWork, assignment_id: int, most: int, *, reason: str, author: str) -> Changed:
    """Let customers have so many attempts in an assignment.

    Who has had them is called no more but for promised calls; nobody is closed or opened by it: who is closed
    already stays so. Raises BadValues, NotFound.
    """
    return _change(open_work, "attempts", assignment_id, most, (1, MOST_ATTEMPTS), reason, author)


def own_changes(
    work: Work, assignment_id: int | None, most: int, *, before_id: int = LATEST
) -> Sequence[Row[tuple[object, ...]]]:
    """Who changed gaps and attempts, from what to what and why: the last first, only ids before `before_id`.

    `followed`: whom it concerns is stamped by now.
    """
    return work.run(_CHANGES, assignment_id=assignment_id, most=most, before_id=before_id).all()


def _change(
    open_work: OpenWork, deed: str, assignment_id: int, value: int, bounds: tuple[int, int], reason: str,
    author: str,
) -> Changed:  # fmt: skip
    least, most = bounds
    problems = [] if least <= value <= most else [(deed, f"must lie between {least} and {most}")]
    if not reason.strip():
        problems.append(("reason", "say why; whoever asks why nobody is called wants to know"))
    if problems:
        raise BadValues(problems)
    with open_work() as work:
        row = work.run(_NOW, assignment_id=assignment_id).first()
        if row is None:
            raise NotFound("assignment", assignment_id)
        before = int(getattr(row, deed))
        if before == value:
            return Changed(before, value, None)
        work.run(_WRITE[deed], assignment_id=assignment_id, value=value)
        change = note(
            work, deed, author, assignment_id=assignment_id, before=before, after=value, reason=reason.strip()
        )
    wall(open_work, change)
    return Changed(before, value, change)
