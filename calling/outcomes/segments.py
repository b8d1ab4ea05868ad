"""Segments follow outcomes: where the call was, and what it says of a number wherever a rule asks it."""

from collections.abc import Collection, Iterable

from calling.customers.standing import assignments_of
from calling.segments.following import follow, resegment_surely
from models.work import Work
from segmentation.reasons import ENTERED
from segmentation.rebuilds import request_rebuild

Key = tuple[int, int]
"""(assignment, customer)"""


def standing_in(work: Work, badly_numbered: Collection[int]) -> list[int]:
    """The assignments of customers of whose number an outcome says something: it is said in all of them."""
    return assignments_of(work, sorted(badly_numbered)) if badly_numbered else []


def follow_outcomes(
    work: Work, settled: Collection[Key], badly_numbered: Iterable[Key], passed: Collection[int]
) -> dict[Key, int]:
    """Re-segment the placements that outcomes changed, and those whose number is no good any more.

    The segments that those whom outcomes changed have moved to.

    `passed`: the assignments whose turnstiles were passed. Who entered another one since is placed by a
    rebuild, which reads what we have committed.
    """
    moved: dict[Key, int] = {}
    for assignment_id, customers in _by_assignment(settled):
        for one in resegment_surely(work, assignment_id, customers, "event"):
            moved[assignment_id, one.customer_id] = one.to_segment
        work.hint("allocate", assignment_id)
    for assignment_id, customers in _by_assignment(set(badly_numbered) - set(settled)):
        if assignment_id in passed:
            follow(work, assignment_id, customers, "has_phone", "event")
        else:
            request_rebuild(work, assignment_id, ENTERED)
    return moved


def _by_assignment(keys: Iterable[Key]) -> list[tuple[int, list[int]]]:
    found: dict[int, list[int]] = {}
    for assignment_id, customer_id in sorted(keys):
        found.setdefault(assignment_id, []).append(customer_id)
    return sorted(found.items())
