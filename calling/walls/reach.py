"""How far a do-not-call reaches that an outcome of an assignment tells."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from models.errors import BadInput, NotFound
from models.work import OpenWork, Work

REACHES = ("crm", "owner")

_ASSIGNMENT = text("""
    select do_not_call_scope from assignment where crm_id = :crm_id and id = :assignment_id for update
""")
_SCOPE = text("select do_not_call_scope from assignment where crm_id = :crm_id and id = :assignment_id")
_SAY = text("""
    update assignment set do_not_call_scope = :scope where crm_id = :crm_id and id = :assignment_id
""")
_NOTE = text("""
    insert into reach_change (crm_id, assignment_id, before, after, author, changed_at)
    values (:crm_id, :assignment_id, :before, :after, :author, :now)
""")
_CHANGES = text("""
    select before, after, author, changed_at from reach_change
     where crm_id = :crm_id and assignment_id = :assignment_id order by id
""")


@dataclass(frozen=True, slots=True)
class Reach:
    """How far the do-not-calls of outcomes reach, and who changed that (before, after, author, changed_at),
    oldest first."""

    scope: str
    changes: list[dict[str, Any]]


def reach_of(work: Work, assignment_id: int) -> Reach:
    """How far the outcomes of an assignment reach, and since whose word. Raises NotFound."""
    scope = work.run(_SCOPE, assignment_id=assignment_id).scalar()
    if scope is None:
        raise NotFound("assignment", assignment_id)
    changes = work.run(_CHANGES, assignment_id=assignment_id).mappings()
    return Reach(scope, [dict(row) for row in changes])


def say_reach(open_work: OpenWork, assignment_id: int, scope: str, *, author: str) -> bool:
    """Let the do-not-calls of an assignment's outcomes stop numbers in the CRM, or in all of its owner's.

    Those that came before keep their scope. False: it was so already. Raises BadInput, NotFound.
    """
    if scope not in REACHES:
        raise BadInput(f"scope: {scope!r} is none of {', '.join(REACHES)}", scope=scope)
    with open_work() as work:
        row = work.run(_ASSIGNMENT, assignment_id=assignment_id).first()
        if row is None:
            raise NotFound("assignment", assignment_id)
        before = row.do_not_call_scope
        if before != scope:
            work.run(_SAY, assignment_id=assignment_id, scope=scope)
            work.run(_NOTE, assignment_id=assignment_id, before=before, after=scope, author=author)
    return bool(before != scope)
