"""What a round of dealing reads before it looks for customers: six questions in one turn to the database."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import RowMapping, text

from calling.handout import closing, needs
from calling.hours import opening
from calling.limits import standing as limits
from calling.walls import pauses
from models.errors import NotFound
from models.work import Question, Work

# Whether anything promised is due, or anybody is a hot lead; and who is dealt for nothing else: whoever is
# kept free for a promise, with whoever shares a number with them, and hot leads. In a question asked anyway.
_ASSIGNMENT = text("""
    select a.*,
           coalesce((select min(f.due_at) from follow_up f
                      where f.crm_id = :crm_id and f.assignment_id = a.id
                        and f.ended_at is null) <= :now, false) as promise_due,
           exists (select from hot_lead h
                    where h.crm_id = :crm_id and h.assignment_id = a.id and h.ended_at is null) as hot,
           array(select f.customer_id from follow_up f
                  where f.crm_id = :crm_id and f.ended_at is null and f.kept_free_until > :now
                 union
                 select sharer.customer_id from follow_up f
                   join customer_number m on m.crm_id = :crm_id and m.customer_id = f.customer_id
                   join customer_number sharer on sharer.crm_id = :crm_id and sharer.e164 = m.e164
                  where f.crm_id = :crm_id and f.ended_at is null and f.kept_free_until > :now
                 union
                 select h.customer_id from hot_lead h
                  where h.crm_id = :crm_id and h.assignment_id = a.id and h.ended_at is null) as kept_free,
           (select b.lifts from best_hours b
             where b.crm_id = :crm_id and b.assignment_id = a.id and b.ordering) as lifts
      from assignment a where a.crm_id = :crm_id and a.id = :assignment_id
""")


@dataclass(frozen=True, slots=True)
class Reading:
    """An assignment, who wants customers, what is open to them, and the limits that bind."""

    assignment: RowMapping
    needs: list[needs.Need]
    closing: closing.Closing
    limits: limits.Standing


def read(
    work: Work, assignment_id: int, only_seller: int | None, *, behind: Question | None = None
) -> Reading:
    """Everything a round reads first. `behind`: the turnstile, if it is yet to be passed. Raises NotFound."""
    there: dict[str, Any] = {"assignment_id": assignment_id}
    first = [behind] if behind else []
    *_, assignment, paused, wanting, segments, hours, limited = work.run_together(
        *first,
        (_ASSIGNMENT, there),
        (pauses.STANDING, {}),
        needs.asked(work, assignment_id, only_seller),
        (closing.SEGMENTS, there),
        (opening.HOURS, {"all": True}),
        (limits.STANDING, {}),
    )
    row = assignment.mappings().first()
    if row is None:
        raise NotFound("assignment", assignment_id)
    standing = pauses.told(paused)
    who = needs.told(wanting, standing, assignment_id)
    known = opening.told(work, hours.one())
    doors = closing.told(segments, known, standing, assignment_id, who, work.now)
    return Reading(row, who, doors, limits.told(work, limited.one()))
