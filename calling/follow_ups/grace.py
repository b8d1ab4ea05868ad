"""How long a due personal promise waits for its owner: read, and changed, for those that wait already too."""

from datetime import timedelta

from sqlalchemy import text

from calling.handout import placements
from models.errors import BadInput, NotFound
from models.work import Work

LONGEST = timedelta(days=7)
"""Whoever wants to wait longer means that it is never anybody else's."""

_READ = text("select follow_up_grace_seconds from assignment where crm_id = :crm_id and id = :assignment_id")
_LOCK = text("""
    select follow_up_grace_seconds from assignment
     where crm_id = :crm_id and id = :assignment_id for no key update
""")
_WRITE = text("""
    update assignment set follow_up_grace_seconds = :seconds where crm_id = :crm_id and id = :assignment_id
""")
_RUNNING = text("""
    select customer_id from follow_up
     where crm_id = :crm_id and assignment_id = :assignment_id and ended_at is null
       and due_at <= :now and anybodys_at > :now
""")
_SHIFT = text("""
    update follow_up
       set anybodys_at = greatest(:now, anybodys_at + cast(:longer as bigint) * interval '1 second')
     where crm_id = :crm_id and assignment_id = :assignment_id and ended_at is null
       and due_at <= :now and anybodys_at > :now
""")


def grace(work: Work, assignment_id: int) -> int:
    """Seconds of business time for which a due personal promise waits for its owner. Raises NotFound."""
    seconds = work.run(_READ, assignment_id=assignment_id).scalar()
    if seconds is None:
        raise NotFound("assignment", assignment_id)
    return int(seconds)


def set_grace(work: Work, assignment_id: int, seconds: int) -> None:
    """Let them wait so long; those whose grace runs become everybody's so much sooner or later.

    0: at once. What is everybody's already stays so. Raises BadInput, NotFound.
    """
    if not 0 <= seconds <= LONGEST.total_seconds():
        raise BadInput(f"grace: {seconds} seconds; give 0 to {LONGEST.total_seconds():.0f}", seconds=seconds)
    placements.lock(work, work.run(_RUNNING, assignment_id=assignment_id).scalars())
    before = work.run(_LOCK, assignment_id=assignment_id).scalar()
    if before is None:
        raise NotFound("assignment", assignment_id)
    work.run(_WRITE, assignment_id=assignment_id, seconds=seconds)
    work.run(_SHIFT, assignment_id=assignment_id, longer=seconds - before)
    work.hint("allocate", assignment_id)
