"""The row of a rebuild: wished for, begun, how far it is, ended. What is unfinished is found again."""

from sqlalchemy import text

from models.work import Work
from segmentation.reasons import weaker

# Two that ask at once share one row; whoever starts it waits for both, so that it sees what both wrote. The
# stronger reason stands.
_REQUEST = text("""
    insert into rebuild (crm_id, assignment_id, reason, requested_at)
    values (:crm_id, :assignment_id, :reason, :now)
    on conflict (crm_id, assignment_id) where started_at is null do update
       set reason = case when cast(:weaker as text[]) is null or rebuild.reason = any(:weaker)
                         then excluded.reason else rebuild.reason end,
           requested_at = greatest(rebuild.requested_at, excluded.requested_at)
    returning id
""")
_TO_DO = text("""
    select id from rebuild where crm_id = :crm_id and finished_at is null order by requested_at, id
""")
WAITING = text("""
    select id from rebuild where crm_id = :crm_id and assignment_id = :assignment_id and started_at is null
""")
# All that is to do for an assignment: one run does the work of another that was cut off.
REASONS = text("""
    select reason from rebuild
     where crm_id = :crm_id and assignment_id = :assignment_id and finished_at is null
""")
FIND = text("select * from rebuild where crm_id = :crm_id and id = :rebuild_id")
START = text("""
    update rebuild set started_at = coalesce(started_at, :now) where crm_id = :crm_id and id = :rebuild_id
    returning requested_at
""")
SCANNED = text("""
    update rebuild
       set scanned_at = :now, rule_version = :version, scanned = :scanned, differing = :differing,
           settled = 0, moved = 0
     where crm_id = :crm_id and id = :rebuild_id
""")
SETTLED = text("""
    update rebuild set settled = :settled, moved = :moved where crm_id = :crm_id and id = :rebuild_id
""")
FINISH = text("""
    update rebuild
       set finished_at = :now, ending = :ending, rule_version = :version, scanned = :scanned,
           settled = :settled, moved = :moved
     where crm_id = :crm_id and id = :rebuild_id
""")


def request_rebuild(work: Work, assignment_id: int, reason: str) -> int:
    """Wish for a rebuild once this work is committed; the id of the one that waits, ours or an earlier.

    `reason`: of segmentation/reasons.py, or what has become of the rules.
    """
    waiting = work.run(_REQUEST, assignment_id=assignment_id, reason=reason, weaker=weaker(reason))
    rebuild_id = int(waiting.scalar_one())
    work.hint("rebuild", rebuild_id)
    return rebuild_id


def rebuilds_to_do(work: Work) -> list[int]:
    """Rebuilds that wait, and those that were started and not finished, oldest first."""
    return list(work.run(_TO_DO).scalars())
