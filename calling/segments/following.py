"""A fact has changed by other means than an outcome: segments follow at once, where a rule asks it."""

from collections.abc import Collection, Iterable, Sequence

from models.work import Work
from segmentation.in_force import rules_in_force
from segmentation.resegment import Moved, resegment


def follow(work: Work, assignment_id: int, customers: Sequence[int], field: str, cause: str) -> None:
    """Re-segment customers whose `field` has changed, if any rule asks it.

    The caller has passed the turnstile and holds the placements.
    """
    if customers and field in rules_in_force(work, assignment_id).asked:
        resegment(work, assignment_id, customers, cause)


def follow_facts(
    work: Work,
    assignments: Iterable[int],
    customers: Sequence[int],
    fields: Collection[str] | None,
    cause: str,
) -> list[Moved]:
    """Re-segment customers of whom any of these facts has changed, where a rule asks one of them; who moved.

    `fields` None: more than can be said, as with another clock. The caller has passed the turnstiles of
    `assignments`, holds the placements, and recalls what was offered (take_back_moved) after the commit.
    """
    moved: list[Moved] = []
    for assignment_id in sorted(assignments):
        if fields is None or rules_in_force(work, assignment_id).asked & set(fields):
            moved += resegment(work, assignment_id, customers, cause)
    return moved
