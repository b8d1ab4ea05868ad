"""A placement's fact has changed by other means than an outcome: its segment follows, where a rule asks."""

from collections.abc import Sequence

from models.work import Work
from segmentation.in_force import rules_in_force
from segmentation.resegment import resegment


def follow(work: Work, assignment_id: int, customers: Sequence[int], field: str, cause: str) -> None:
    """Re-segment customers whose `field` has changed, if any rule asks it.

    The caller has passed the turnstile and holds the placements.
    """
    if customers and field in rules_in_force(work, assignment_id).asked:
        resegment(work, assignment_id, customers, cause)
