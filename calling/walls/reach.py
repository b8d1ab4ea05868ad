"""How far a do-not-call reaches that an outcome of an assignment tells."""

from sqlalchemy import text

from models.errors import BadInput, NotFound
from models.work import OpenWork

REACHES = ("crm", "owner")

_ASSIGNMENT = text("""
    select do_not_call_scope from assignment where crm_id = :crm_id and id = :assignment_id for update
""")
_SAY = text("""
    update assignment set do_not_call_scope = :scope where crm_id = :crm_id and id = :assignment_id
""")


def say_reach(open_work: OpenWork, assignment_id: int, scope: str) -> bool:
    """Let the do-not-calls of an assignment's outcomes stop numbers in the CRM, or in all of its owner's.

    Those that came before keep their scope. False: it was so already. Raises BadInput, NotFound.
    """
    if scope not in REACHES:
        raise BadInput(f"scope: {scope!r} is none of {', '.join(REACHES)}", scope=scope)
    with open_work() as work:
        row = work.run(_ASSIGNMENT, assignment_id=assignment_id).first()
        if row is None:
            raise NotFound("assignment", assignment_id)
        work.run(_SAY, assignment_id=assignment_id, scope=scope)
    return bool(row.do_not_call_scope != scope)
