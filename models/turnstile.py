"""The turnstile: one advisory lock per assignment, between those who hand out and those who wall off.

Whoever hands out, takes, rings, records or re-segments passes it *shared*; pause, publish, move, hold and
suppress pass it *exclusively*. The lock is a statement of its own: a statement that both waits and reads
still sees what was true before it waited (READ COMMITTED takes its snapshot when the statement begins).
Read pauses, rules and suppressions only in statements after it.
"""

from collections.abc import Iterable

from sqlalchemy import text

from models.work import OpenWork, Question, Work

# The lock is taken through a row of the assignment, so that in a cluster it is the shard's own lock.
_SHARED = text(
    "select pg_advisory_xact_lock_shared(id * 2) from assignment where crm_id = :crm_id and id = :id"
)
_EXCLUSIVE = text("select pg_advisory_xact_lock(id * 2) from assignment where crm_id = :crm_id and id = :id")
_ALLOCATOR = text(
    "select pg_advisory_xact_lock(id * 2 + 1) from assignment where crm_id = :crm_id and id = :id"
)


# The one, and then the other: the row comes out of the inner question once its lock is had.
_ALLOCATOR_SHARED = text("""
    select pg_advisory_xact_lock_shared(allocator.id * 2)
      from (select id, pg_advisory_xact_lock(id * 2 + 1) from assignment
             where crm_id = :crm_id and id = :id offset 0) allocator
""")


def pass_shared(work: Work, assignment_ids: Iterable[int]) -> None:
    """Pass the turnstiles as one of many, in id order; held until the transaction ends."""
    for assignment_id in sorted(set(assignment_ids)):
        work.run(_SHARED, id=assignment_id)


def pass_exclusively(open_work: OpenWork, assignment_ids: Iterable[int]) -> None:
    """Wait, turnstile after turnstile, until everybody who passed before has committed.

    A transaction each: nothing is held afterwards. Whoever passes later reads what the caller committed.
    """
    for assignment_id in sorted(set(assignment_ids)):
        with open_work() as work:
            work.run(_EXCLUSIVE, id=assignment_id)


def become_allocator(work: Work, assignment_id: int) -> None:
    """One allocator at a time per assignment; taken before the turnstile, held until the transaction ends."""
    work.run(_ALLOCATOR, id=assignment_id)


def pass_as_allocator(work: Work, assignment_id: int) -> None:
    """Become the allocator of an assignment and then pass its turnstile, in one go."""
    question, values = as_allocator(assignment_id)
    work.run(question, **values)


def as_allocator(assignment_id: int) -> Question:
    """The question that does so, for those who ask more behind it in the same turn."""
    return _ALLOCATOR_SHARED, {"id": assignment_id}
