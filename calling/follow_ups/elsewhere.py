"""Promises to a seller who works another assignment: nobody is refused, and whoever promises is told."""

from collections.abc import Iterable

from sqlalchemy import text

from models.work import Work

# Who is away may come back to anything: nobody knows what they will work.
_ELSEWHERE = text("""
    select s.name, w.name as works, a.name as assignment, a.follow_up_grace_seconds
      from seller s
      join assignment w on w.crm_id = :crm_id and w.id = s.assignment_id
      join assignment a on a.crm_id = :crm_id and a.id = any(:assignments) and a.id <> w.id
     where s.crm_id = :crm_id and s.id = :seller_id and s.presence = 'available'
     order by a.id
""")


def works_elsewhere(work: Work, seller_id: int | None, assignments: Iterable[int]) -> str | None:
    """What becomes of promises in these assignments that are this seller's, if they work another one; in
    words. None: they work it, or are away, or the promises are anybody's."""
    if seller_id is None:
        return None
    rows = work.run(_ELSEWHERE, seller_id=seller_id, assignments=sorted(set(assignments))).all()
    if not rows:
        return None
    graces = sorted({row.follow_up_grace_seconds / 60 for row in rows})
    minutes = " to ".join(f"{grace:g}" for grace in sorted({graces[0], graces[-1]}))
    there = ", ".join(row.assignment for row in rows)
    return (
        f"{rows[0].name} works {rows[0].works}, not {there}: what is promised there waits for them to come; "
        f"when the grace is over ({minutes} minutes in which it could be rung), it is anybody's"
    )
